"""Configuration of the registrar. Paths are relative to the file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from biometric_idp.shared.addresses import is_https, is_private
from biometric_idp.shared.fields import Hex32, Id, Origin
from biometric_idp.shared.officers import OfficerConfig
from services.config import Config


class RegisterConfig(Config):
    """The registrar's own copy of the population register, or the configuration of one over X-Road."""

    file: Path


class SmtpConfig(Config):
    host: str
    port: int = 587
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _plain_only_here(self) -> SmtpConfig:
        if self.security == "none" and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("codes travel without TLS only to a mail server on this machine")
        return self


class SmsConfig(Config):
    url: str
    sender: str
    token_file: Path | None = None
    fields: dict[str, str] = Field(default={})
    constants: dict[str, str] = Field(default={})
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _tls(self) -> SmsConfig:
        if not is_private(self.url):
            raise ValueError("the gateway's address must begin with https:// unless the gateway is on this machine")
        return self


class ChannelsConfig(Config):
    """``spool`` takes the place of both others, in a MODEL deployment only."""

    sms: SmsConfig | None = None
    smtp: SmtpConfig | None = None
    spool: Path | None = None


class ListsConfig(Config):
    """Who may sign voter lists: PEM files of public keys or certificates."""

    trust: list[Path] = Field(min_length=1)


class CodesConfig(Config):
    """One-time codes.

    Attributes:
        seconds: how long a code is valid.
        attempts: wrong codes after which it is void.
        a_day: codes for one person on one day.
    """

    seconds: int = Field(default=900, ge=60, le=86_400)
    attempts: int = Field(default=5, ge=1, le=10)
    a_day: int = Field(default=5, ge=1, le=100)


class OfficeConfig(Config):
    """Where officers' passkeys are used: the registrar's own office page."""

    rp_id: str
    origin: str


class ElectionConfig(Config):
    """An election.

    Attributes:
        id: its name in addresses here.
        origin: origin line of the election's log.
        identity_provider: Ed25519 key of the identity provider.
        voting_origin: where the voting pages are.
        title: the name of the election in messages, by language.
        rules: what is asked of its voter lists, a file ``evoting-list-rules/v1``.
    """

    id: Id
    origin: Origin
    identity_provider: Hex32
    voting_origin: str
    title: dict[str, str]
    rules: Path | None = None
    model: bool = False

    @model_validator(mode="after")
    def _titles(self) -> ElectionConfig:
        if self.title.keys() != {"ky", "ru", "en"}:
            raise ValueError("the title is needed in ky, ru and en")
        return self


class RetentionConfig(Config):
    """Days after which something is deleted."""

    messages: int = Field(default=7, ge=1)
    unconfirmed: int = Field(default=7, ge=1)
    register_answers: int = Field(default=90, ge=1)


class RegistrarConfig(Config):
    model: bool = False
    host_names: list[str] = Field(min_length=1)
    database: str
    key: Path
    secret: Path
    register_: RegisterConfig = Field(alias="register")
    channels: ChannelsConfig
    codes: CodesConfig = CodesConfig()
    office: OfficeConfig | None = None
    officers: list[OfficerConfig] = Field(default=[])
    lists: ListsConfig | None = None
    elections: list[ElectionConfig] = Field(default=[])
    retention: RetentionConfig = RetentionConfig()

    @model_validator(mode="after")
    def _consistent(self) -> RegistrarConfig:
        if len({item.id for item in self.elections}) != len(self.elections):
            raise ValueError("two elections have the same id")
        if len({item.origin for item in self.elections}) != len(self.elections):
            raise ValueError("two elections have the same origin")
        if len({item.name for item in self.officers}) != len(self.officers):
            raise ValueError("two officers have the same name")
        if len({item.credential for item in self.officers}) != len(self.officers):
            raise ValueError("two officers have the same passkey")
        if self.officers and self.office is None:
            raise ValueError("officers need an [office] with rp_id and origin")
        if self.channels.spool is not None and (self.channels.sms is not None or self.channels.smtp is not None):
            raise ValueError("spool takes the place of sms and smtp: configure one or the other")
        if not self.model:
            self._real()
        for what, address in self._origins():
            if not is_private(address):
                raise ValueError(f"{what} must begin with https://")
        for election in self.elections:
            if self.model and not election.model:
                raise ValueError(f"election {election.id} is not MODEL, but this deployment is")
        return self

    def _real(self) -> None:
        """What only a MODEL deployment may do without."""
        if self.channels.spool is not None:
            raise ValueError("a file spool reaches no citizen: only a MODEL deployment (model = true) may use it")
        if self.channels.sms is None and self.channels.smtp is None:
            raise ValueError("no channel to citizens is configured")
        for election in self.elections:
            if election.model:
                raise ValueError(f"election {election.id} is MODEL, but this deployment is not")
        for what, address in self._origins():
            if not is_https(address):
                raise ValueError(f"{what} must begin with https://, also on this machine")

    def _origins(self) -> list[tuple[str, str]]:
        """Origins of pages, with what messages call them."""
        voting = [(f"election {item.id}: the voting origin", item.voting_origin) for item in self.elections]
        return voting if self.office is None else [*voting, ("the office's origin", self.office.origin)]
