"""The outbox at work: a message is committed with what it tells of, and delivered afterwards until it is taken.

What a crash means: before the commit, nothing happened; after it, the message is sent by whoever runs next; between the
hand-over and its mark, that one message goes out twice, with the same id.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from biometric_idp.population.register import Contacts
from biometric_idp.registrar.channels.interface import Channel, DeliveryError, Message
from biometric_idp.registrar.channels.repository import OutboxRepository
from biometric_idp.registrar.channels.texts import compose
from biometric_idp.shared.commits import Committer
from services.logs import get_log

#: Seconds for which a worker has messages to itself; after a crash they wait no longer than this.
_LEASE = 30
#: Seconds that one hand-over may take; channels give up before.
_HAND_OVER = 12
_BATCH = 100
_LONGEST_DELAY = 900
#: A notice is worth sending this long; a code only while it is valid.
NOTICE_SECONDS = 7 * 86_400


def choose_channel(contacts: Contacts, channels: Mapping[str, Channel]) -> tuple[str, str, str] | None:
    """Channel, address and a hint that shows the owner, and nobody else, which address it is."""
    if contacts.phone is not None and "sms" in channels:
        return "sms", contacts.phone, f"sms ***{contacts.phone[-2:]}"
    if contacts.email is not None and "email" in channels:
        name, _, host = contacts.email.partition("@")
        return "email", contacts.email, f"email {name[:1]}***@{host}"
    return None


class Outbox:
    """Queues messages within a request's transaction, and delivers them from a thread of its own."""

    def __init__(self, committer: Committer, channels: Mapping[str, Channel], clock: Callable[[], int]) -> None:
        self._committer = committer
        self.channels = channels
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def queue(
        self, db: Connection, contacts: Contacts, kind: str, language: str, seconds: int, **values: str
    ) -> str | None:
        """Put a message into the outbox; gives the hint, or None where the person has no address."""
        chosen = choose_channel(contacts, self.channels)
        if chosen is None:
            return None
        channel, address, hint = chosen
        subject, text = compose(kind, language, **values)
        message = Message(secrets.token_hex(16), address, subject, text, language)
        now = self._clock()
        OutboxRepository(db).add(channel, message, now, now + seconds)
        return hint

    def wake(self) -> None:
        """Something was committed."""
        self._wake.set()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        for channel in self.channels.values():
            channel.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(timeout=1.0)
            self._wake.clear()
            try:
                while self.deliver_due() and not self._stopping.is_set():
                    pass
            except Exception as error:  # noqa: BLE001  (the worker must outlive any one failure)
                get_log().error("outbox-failed", kind=type(error).__name__)
                self._stopping.wait(1.0)

    def deliver_due(self) -> int:
        """Deliver what is due; gives the number of messages that were tried."""
        now = self._clock()
        due = self._committer.commit("outbox-lease", lambda db: OutboxRepository(db).lease(now, _LEASE, _BATCH))
        for channel, message, attempts, expires in due:
            if self._clock() + _HAND_OVER > now + _LEASE:
                break  # another worker may take the rest
            if self._clock() >= expires:
                self._finish(message.id, sent=False)
                get_log().warning("message-expired", channel=channel)
                continue
            try:
                self._deliver(channel, message)
            except DeliveryError as error:
                get_log().warning("message-not-taken", channel=channel, attempts=attempts + 1, reason=str(error))
                self._postpone(message.id, attempts + 1)
            else:
                self._committer.probe("outbox-handed-over")
                self._finish(message.id, sent=True)
        return len(due)

    def _deliver(self, name: str, message: Message) -> None:
        channel = self.channels.get(name)
        if channel is None:
            raise DeliveryError("this channel is no longer configured")
        channel.deliver(message)

    def _finish(self, id_: str, *, sent: bool) -> None:
        self._committer.commit("outbox-finish", lambda db: OutboxRepository(db).finish(id_, sent=sent))

    def _postpone(self, id_: str, attempts: int) -> None:
        until = self._clock() + min(_LONGEST_DELAY, 2**attempts)
        self._committer.commit("outbox-postpone", lambda db: OutboxRepository(db).postpone(id_, attempts, until))
