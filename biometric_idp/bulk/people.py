"""Synthetic persons for model elections: PINs, names, documents and phones that fit together and belong to nobody.

Everything follows from a seed, so that registrar and identity provider can each have a copy of the same register.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from biometric_idp.bulk.enrol import StylePlan
from biometric_idp.documents.mrz import check_digit
from biometric_idp.documents.names import transliterate
from biometric_idp.files import write_json
from biometric_idp.population.file_register import FORMAT
from biometric_idp.population.pin import SEX_DIGITS, Sex

_SURNAMES = (
    "Асанов", "Бейшеев", "Дүйшөев", "Жумабаев", "Исаков", "Калыков", "Мамытов", "Осмонов", "Сыдыков", "Токтогулов",
    "Үсөнов", "Чоков", "Шаршеев", "Эсенов",
)  # fmt: skip
_GIVEN = {
    Sex.FEMALE: ("Айгүл", "Бермет", "Гүлзат", "Жылдыз", "Мээрим", "Нургүл", "Салтанат", "Чолпон"),
    Sex.MALE: ("Азамат", "Бакыт", "Данияр", "Эрмек", "Нурлан", "Талант", "Улан", "Чыңгыз"),
}
_OLDEST, _YOUNGEST = date(1940, 1, 1), date(2002, 12, 31)
_EXPIRES = date(2034, 12, 31)


@dataclass(frozen=True, slots=True)
class SyntheticPerson:
    """One person, as a record of the file register and as the document that they hold."""

    record: dict[str, object] = field(repr=False)
    mrz: tuple[str, str, str] = field(repr=False)

    @property
    def pin(self) -> str:
        return str(self.record["pin"])


def make_people(plans: Sequence[StylePlan], seed: int) -> Iterator[SyntheticPerson]:
    """As many persons for each ballot style as are on its roll, style after style."""
    draw = random.Random(seed)
    number = 0
    for plan in plans:
        for _ in range(plan.roll):
            number += 1
            yield _person(draw, number, plan.style)


def _person(draw: random.Random, number: int, style: str) -> SyntheticPerson:
    sex = draw.choice(tuple(Sex))
    born = _OLDEST + timedelta(draw.randrange((_YOUNGEST - _OLDEST).days))
    surname = draw.choice(_SURNAMES) + ("а" if sex is Sex.FEMALE else "")
    given = draw.choice(_GIVEN[sex])
    # The running number makes every PIN, document and phone a different one.
    first_digit = next(digit for digit, meant in SEX_DIGITS.items() if meant is sex)
    pin = f"{first_digit}{born:%d%m%Y}{number % 100_000:05d}"
    document = f"ID{number:07d}"
    record: dict[str, object] = {
        "pin": pin,
        "surname": surname,
        "given_names": given,
        "birth_date": born.isoformat(),
        "sex": sex.value,
        "documents": [{"kind": "id-card", "number": document, "expires": _EXPIRES.isoformat()}],
        "phone": f"+996{700_000_000 + number}",
        "unit": style,
    }
    return SyntheticPerson(record, encode_td1(document, pin, born, sex, _EXPIRES, surname, given))


def encode_td1(
    document: str, pin: str, born: date, sex: Sex, expires: date, surname: str, given: str
) -> tuple[str, str, str]:
    """The three lines of an identity card with the PIN in its optional data (ICAO Doc 9303 part 5)."""
    number = document.ljust(9, "<")
    upper = f"IDKGZ{number}{check_digit(number)}{pin.ljust(15, '<')}"
    birth, expiry = f"{born:%y%m%d}", f"{expires:%y%m%d}"
    middle = f"{birth}{check_digit(birth)}{sex.value}{expiry}{check_digit(expiry)}KGZ{'<' * 11}"
    composite = check_digit(upper[5:30] + middle[0:7] + middle[8:15] + middle[18:29])
    names = f"{transliterate(surname)}<<{transliterate(given)}".replace(" ", "<")[:30].ljust(30, "<")
    return upper, middle + composite, names


def write_register(path: Path, people: Sequence[SyntheticPerson]) -> None:
    """The register's file; readable by its owner only, as a real one would be."""
    write_json(path, {"format": FORMAT, "persons": [person.record for person in people]}, secret=True)
