title = Подтверждение личности избирателя
home-title = Подтвердите, кто вы
home-text = Чтобы голосовать из-за границы или вдали от места регистрации, сначала подтвердите свою личность.
home-enrol = Зарегистрироваться впервые
home-enrol-text = Нужны паспорт или ID-карта и камера. Это займёт около пяти минут.
home-sign-in = Войти с ключом
home-sign-in-text = Если вы уже зарегистрированы.
continue-to = Вы входите в «{ $client }».

steps-label = Шаги
step-document = Документ
step-liveness = Камера
step-face = Лицо
step-passkey = Ключ

document-title = Ваш документ
pin = Персональный номер (ПИН)
pin-hint = 14 цифр, указан в паспорте или ID-карте
mrz = Машиночитаемые строки документа
mrz-hint = Три строки на обороте ID-карты или две нижние строки паспорта. Можно вставить отсканированный текст.
pin-wrong = ПИН состоит из 14 цифр.
mrz-wrong = Длина строк не подходит: нужны три строки по 30 знаков или две по 44.
document-send = Продолжить

liveness-title = Покажите лицо
liveness-text = Откроется камера. Поместите лицо в рамку и делайте то, что написано на экране. Снимки не хранятся.
liveness-tip = Сядьте в светлом месте, снимите очки.
liveness-start = Открыть камеру
liveness-preview = Изображение вашей камеры
liveness-wait = Смотрите прямо в камеру
liveness-progress = { $done } / { $all }
seconds-left = { $seconds ->
    [one] Осталась { $seconds } секунда
    [few] Осталось { $seconds } секунды
   *[other] Осталось { $seconds } секунд
}
action-turn-left = Поверните голову налево
action-turn-right = Поверните голову направо
action-blink = Закройте и откройте глаза
liveness-checking = Проверяем…
problem-camera-refused = Нет разрешения пользоваться камерой.
problem-camera-refused-next = Разрешите этой странице камеру в настройках браузера и попробуйте снова.
problem-camera-missing = Камера не найдена или занята другой программой.
problem-camera-missing-next = Закройте другие программы или возьмите телефон с камерой.

other-way = Без камеры
other-way-text = Если камера вас не узнаёт или её нет, вашу личность подтвердят два сотрудника консульства.
consulate = Консульство
appointment-ask = Записаться
appointment-done = Вы записаны. Возьмите в консульство документ и этот номер: { $code }

passkey-title = Создайте ключ
passkey-text = Ключ хранится на этом устройстве и открывается отпечатком пальца, лицом или кодом блокировки экрана. С ним вы будете входить; пароль не нужен.
passkey-create = Создать ключ
enrolled-title = Вы зарегистрированы
enrolled-text = Теперь можно войти с этим ключом.

sign-in = Войти
sign-in-title = Вход с ключом
sign-in-text = Подтвердите себя, когда устройство попросит.
sign-out = Выйти

account-title = Моя страница
elections-title = Выборы
elections-none = Пока нет выборов, в которых вы участвуете.
roll-place = Место в списке: { $position }, бюллетень: { $style }
make-voting-passkey = Создать ключ для голосования
make-voting-passkey-text = Этот ключ работает только на сайте голосования. Вы подтвердите его кодом, который пришлёт сам регистратор.
get-credential = Получить право на электронный бюллетень
voting-passkey-state-none = Ключа для голосования нет
voting-passkey-state-pending = Ключ для голосования ждёт подтверждения
voting-passkey-state-logged = Ключ для голосования записан
passkeys-title = Мои ключи
passkey-added = добавлен { $date }
revoke = Отозвать
revoke-passkey-ask = Отозвать этот ключ? Войти с ним больше не получится.
templates-title = Шаблон моего лица
templates-text = Для сравнения при входе хранится зашифрованный числовой шаблон лица. Снимки не хранятся.
revoke-templates = Удалить шаблон
revoke-templates-ask = Удалить шаблон? Возможно, потом придётся зарегистрироваться заново.
templates-revoked = Шаблон удалён.
notices-title = Уведомления
notices-none = Уведомлений нет.
yes = Да
no = Нет
notice-passkey-registered = Ключ для входа зарегистрирован
notice-passkey-revoked = Ключ для входа отозван
notice-voting-passkey-code = Ключ для голосования подтверждён кодом
notice-voting-passkey-in-person = Ключ для голосования записан при личном обращении
notice-templates-revoked = Шаблон лица удалён
