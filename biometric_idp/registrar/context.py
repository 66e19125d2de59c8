"""What every request of the registrar works with: configuration, database, keys, register, channels, clock."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from fastapi import Request
from nacl.signing import SigningKey

from biometric_idp.population.register import Contacts, Register
from biometric_idp.registrar.channels.interface import Channel
from biometric_idp.registrar.channels.service import Outbox
from biometric_idp.registrar.channels.sms import SmsChannel, SmsSettings
from biometric_idp.registrar.channels.smtp import SmtpChannel, SmtpSettings
from biometric_idp.registrar.channels.spool import SpoolChannel
from biometric_idp.registrar.config import ChannelsConfig, ElectionConfig, RegistrarConfig
from biometric_idp.registrar.rolls.service import RollProver
from biometric_idp.registrar.tables import AUDIT
from biometric_idp.shared.audit.service import Audit
from biometric_idp.shared.commits import Committer
from biometric_idp.shared.elections import with_id, with_origin

Clock = Callable[[], int]


def now() -> int:
    return int(time.time())


@dataclass(frozen=True)
class Registrar:
    config: RegistrarConfig
    committer: Committer
    key: SigningKey = field(repr=False)
    secret: bytes = field(repr=False)
    register: Register
    outbox: Outbox
    clock: Clock
    audit: Audit = field(default_factory=lambda: Audit(AUDIT))
    prover: RollProver = field(default_factory=RollProver)

    def election(self, origin: str) -> ElectionConfig:
        """The election with this log origin.

        Raises:
            Problem: ``unknown-election``.
        """
        return with_origin(self.config.elections, origin)

    def election_by_id(self, id_: str) -> ElectionConfig:
        return with_id(self.config.elections, id_)

    def digest(self, label: str, *parts: str) -> bytes:
        """A digest that only this deployment can compute; parts hold no zero byte."""
        return hmac.digest(self.secret, "\0".join((label, *parts)).encode(), "sha256")

    def contacts(self, pin: str) -> Contacts:
        """Where the person is reached, out of the registrar's own copy; empty where it knows nothing."""
        person = self.register.person(pin)
        return Contacts() if person is None else person.contacts


def key_prefix(key: bytes) -> str:
    """What messages and pages call a key: the first eight hexadecimal digits of its digest."""
    return sha256(key).hexdigest()[:8]


def open_channels(config: ChannelsConfig, base: Path) -> dict[str, Channel]:
    """The configured channels by name; a spool stands for both."""
    channels: dict[str, Channel] = {}
    if config.spool is not None:
        spool = SpoolChannel(base / config.spool)
        return {"sms": spool, "email": spool}
    if config.sms is not None:
        sms = config.sms
        channels["sms"] = SmsChannel(
            SmsSettings(
                sms.url,
                sms.sender,
                None if sms.token_file is None else (base / sms.token_file).read_text().strip(),
                sms.fields,
                sms.constants,
                None if sms.ca_file is None else str(base / sms.ca_file),
            )
        )
    if config.smtp is not None:
        smtp = config.smtp
        channels["email"] = SmtpChannel(
            SmtpSettings(
                smtp.host,
                smtp.port,
                smtp.sender,
                smtp.security,
                smtp.user,
                None if smtp.password_file is None else (base / smtp.password_file).read_text().strip(),
                None if smtp.ca_file is None else base / smtp.ca_file,
            )
        )
    return channels


async def registrar_of(request: Request) -> Registrar:
    registrar = request.app.state.registrar
    assert isinstance(registrar, Registrar)
    return registrar
