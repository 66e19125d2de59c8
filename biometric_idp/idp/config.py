"""Configuration of the identity provider. Paths are relative to the file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from biometric_idp.idp.oidc.config import OidcConfig
from biometric_idp.policy import Officer, officer_signature_holds
from biometric_idp.shared.addresses import is_https, is_private
from biometric_idp.shared.fields import Hex32, Hex64, Id, Origin
from biometric_idp.shared.officers import OfficerConfig
from biometric_idp.webauthn import PublicPasskey
from services.config import Config

Step = Literal["document", "passive-authentication", "liveness", "face", "passkey"]
Level = Literal["passkey", "passkey+face"]
#: The order in which steps are taken, whatever the order in the configuration.
STEP_ORDER: tuple[Step, ...] = ("document", "passive-authentication", "liveness", "face", "passkey")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?", re.ASCII)
AUTO = "auto"


def is_web_origin(text: str) -> bool:
    return _ORIGIN.fullmatch(text) is not None


class RegisterConfig(Config):
    """The population register: a file, or the configuration of one over X-Road (``population/xroad``)."""

    file: Path


class EnrolmentConfig(Config):
    """Who is let in, and how often they may try.

    Attributes:
        steps: what is demanded; without liveness and face in a MODEL deployment only.
        seconds: from the first step to the last.
        failures: wrong attempts for one PIN before there is a delay.
        first_delay, longest_delay: seconds; the delay doubles with every further failure, up to the longest.
        forget: seconds without a failure after which earlier ones are forgotten.
        face_attempts: comparisons in one enrolment.
    """

    steps: list[Step] = Field(default=["document", "liveness", "face", "passkey"])
    seconds: int = Field(default=1800, ge=60, le=86_400)
    failures: int = Field(default=3, ge=1, le=20)
    first_delay: int = Field(default=30, ge=1, le=3600)
    longest_delay: int = Field(default=3600, ge=1, le=86_400)
    forget: int = Field(default=86_400, ge=60)
    face_attempts: int = Field(default=3, ge=1, le=10)

    @model_validator(mode="after")
    def _steps(self) -> EnrolmentConfig:
        if "document" not in self.steps or "passkey" not in self.steps:
            raise ValueError("steps need document and passkey")
        if len(set(self.steps)) != len(self.steps):
            raise ValueError("a step occurs twice")
        if ("liveness" in self.steps) != ("face" in self.steps):
            raise ValueError("liveness and face belong together")
        return self


class PasskeyConfig(Config):
    """Which authenticators are let in.

    Attributes:
        attestation: ``required`` admits only what a configured root vouches for.
        roots: PEM files by attestation format.
        aaguids: models of authenticators that are let in; all where the list is empty.
        most: passkeys of one account.
        seconds: how long a challenge is valid.
    """

    attestation: Literal["none", "required"] = "none"
    roots: dict[Literal["packed", "tpm", "android-key", "apple", "fido-u2f"], list[Path]] = Field(default={})
    aaguids: list[str] = Field(default=[])
    most: int = Field(default=5, ge=1, le=20)
    seconds: int = Field(default=300, ge=30, le=900)

    @model_validator(mode="after")
    def _roots(self) -> PasskeyConfig:
        if self.attestation == "required" and not any(self.roots.values()):
            raise ValueError("attestation is required, but no roots are configured")
        return self


class VotingPasskeyConfig(PasskeyConfig):
    """The same for voting passkeys; ``a_day`` is how many one person may register on one day."""

    a_day: int = Field(default=10, ge=1, le=100)


class SignInConfig(Config):
    """Sign-in.

    Attributes:
        face: whether a fresh face check is demanded after the passkey.
        seconds: how long a session lasts.
    """

    face: Literal["never", "always"] = "never"
    seconds: int = Field(default=1800, ge=60, le=43_200)


class ChipConfig(Config):
    """Passive authentication: country roots (DER files) by ICAO code of the issuing state, and revocation lists."""

    roots: dict[str, list[Path]] = Field(default={})
    crls: list[Path] = Field(default=[])
    require_crl: bool = False


class LivenessConfig(Config):
    """Active liveness.

    Attributes:
        actions: how many are asked for, in a random order.
        fixed_order: asked instead; in a MODEL deployment only.
        frames_per_second: what the page is told to send.
        attempts: liveness sessions in one enrolment or sign-in.
        marks_days: days for which marks of frames are kept, to recognise a replay.
    """

    actions: int = Field(default=3, ge=2, le=6)
    fixed_order: list[Literal["turn-left", "turn-right", "blink"]] | None = None
    frames_per_second: int = Field(default=8, ge=4, le=15)
    attempts: int = Field(default=10, ge=1, le=50)
    marks_days: int = Field(default=90, ge=1)


class BiometricsConfig(Config):
    """Matchers and the vault of templates.

    Attributes:
        master_key: a file, or a ``pkcs11:`` address; ``retired`` are earlier ones.
        threshold: greatest distance of two faces of one person.
    """

    master_key: str | None = None
    retired: list[str] = Field(default=[])
    deployment: str = "evoting-idp"
    workers: int = Field(default=2, ge=1, le=64)
    queue: int = Field(default=16, ge=1)
    threshold: float = Field(default=0.5, gt=0, lt=1)


class AppointmentConfig(Config):
    """The way without biometrics: consulates where it is offered, and days for which an appointment holds."""

    consulates: list[Id] = Field(default=[])
    days: int = Field(default=14, ge=1, le=60)


class TicketConfig(Config):
    """Tickets: what a session must have shown, and how many one person may have on one day."""

    level: Level = "passkey"
    a_day: int = Field(default=20, ge=1, le=1000)


class WitnessConfig(Config):
    vkey: str
    url: str


class LogConfig(Config):
    """The enrolment log.

    Attributes:
        interval: seconds between checkpoints.
        readers: SHA-256 of bearer tokens of auditors, issuers and registrar, by name.
    """

    interval: float = Field(default=1.0, gt=0)
    witnesses: list[WitnessConfig] = Field(default=[])
    quorum: int = 0
    readers: dict[str, Hex32] = Field(default={})


class RegistrarConfig(Config):
    """Where the registrar answers, its role key, and its authorities where they are not the system's."""

    url: str
    key: Hex32
    host: str | None = None
    ca_file: Path | None = None


class TerminalOfficerConfig(OfficerConfig):
    """An officer of the manifest, who may act with another one for a voter without a passkey.

    Attributes:
        name: the officer's role in the manifest.
        role_key: Ed25519 key of that role.
        signature: by the role key over this passkey for this election, as in the issuance policy (section 5.5).
    """

    role_key: Hex32 | None = None
    signature: Hex64 | None = None

    @model_validator(mode="after")
    def _signed(self) -> TerminalOfficerConfig:
        if (self.role_key is None) != (self.signature is None):
            raise ValueError(f"officer {self.name}: role_key and signature belong together")
        return self

    def holds(self, fingerprint: bytes) -> bool:
        """Whether the role's signature, where there is one, is for this passkey in this election."""
        if self.role_key is None or self.signature is None:
            return True
        passkey = PublicPasskey(bytes.fromhex(self.credential), self.algorithm, bytes.fromhex(self.key))
        officer = Officer(self.name, passkey, bytes.fromhex(self.signature))
        return officer_signature_holds(officer, bytes.fromhex(self.role_key), fingerprint)


class ElectionConfig(Config):
    """An election.

    Attributes:
        id: its name in addresses here.
        origin: origin line of the election's log.
        closes: seconds since 1970; data that served this election only are deleted some days later.
        officers: of terminals; without at least two there is no terminal.
    """

    id: Id
    origin: Origin
    voting_origin: str
    voting_rp_id: str
    registrar: RegistrarConfig
    title: dict[str, str]
    closes: int | None = None
    officers: list[TerminalOfficerConfig] = Field(default=[])
    model: bool = False

    @model_validator(mode="after")
    def _form(self) -> ElectionConfig:
        if len({item.name for item in self.officers}) != len(self.officers):
            raise ValueError("two officers have the same name")
        if len({item.credential for item in self.officers}) != len(self.officers):
            raise ValueError("two officers have the same passkey")
        if self.title.keys() != {"ky", "ru", "en"}:
            raise ValueError("the title is needed in ky, ru and en")
        if not is_web_origin(self.voting_origin):
            raise ValueError("the voting origin is no origin like https://vote.example")
        host = self.voting_origin.partition("://")[2].partition(":")[0]
        if host != self.voting_rp_id and not host.endswith("." + self.voting_rp_id):
            raise ValueError("the voting RP ID does not belong to the voting origin")
        return self

    def addresses(self) -> list[tuple[str, str]]:
        """What browsers and this service call, with what messages call it."""
        return [("the voting origin", self.voting_origin), ("the registrar's address", self.registrar.url)]


class RetentionConfig(Config):
    """Days after which something is deleted (docs/identity.md has the table)."""

    attempts: int = Field(default=2, ge=1)
    pending: int = Field(default=7, ge=1)
    appointments: int = Field(default=30, ge=1)
    notices: int = Field(default=365, ge=1)
    accounts_after_election: int = Field(default=90, ge=1)
    closed_accounts: int = Field(default=30, ge=1)
    register_answers: int = Field(default=90, ge=1)


class IdpConfig(Config):
    model: bool = False
    host_names: list[str] = Field(min_length=1)
    origin: str
    rp_id: str
    rp_name: str = "Шайлоо ID"
    database: str
    key: Path
    secret: Path
    #: Directory of the pages that ``make web`` builds (web/dist/identity); without it there is the interface only.
    pages: Path | None = None
    register_: RegisterConfig = Field(alias="register")
    enrolment: EnrolmentConfig = EnrolmentConfig()
    passkeys: PasskeyConfig = PasskeyConfig()
    voting_passkeys: VotingPasskeyConfig = VotingPasskeyConfig()
    chip: ChipConfig = ChipConfig()
    liveness: LivenessConfig = LivenessConfig()
    biometrics: BiometricsConfig = BiometricsConfig()
    appointments: AppointmentConfig = AppointmentConfig()
    sign_in: SignInConfig = SignInConfig()
    tickets: TicketConfig = TicketConfig()
    log: LogConfig = LogConfig()
    officers: list[OfficerConfig] = Field(default=[])
    elections: list[ElectionConfig] = Field(default=[])
    retention: RetentionConfig = RetentionConfig()
    oidc: OidcConfig | None = None

    @model_validator(mode="after")
    def _consistent(self) -> IdpConfig:
        for what, values in (
            ("elections have the same id", [item.id for item in self.elections]),
            ("elections have the same origin", [item.origin for item in self.elections]),
            ("officers have the same name", [item.name for item in self.officers]),
            ("officers have the same passkey", [item.credential for item in self.officers]),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"two {what}")
        if self.origin != AUTO:
            if not is_web_origin(self.origin) or not is_private(self.origin):
                raise ValueError("the origin must be like https://id.example")
            host = self.origin.partition("://")[2].partition(":")[0]
            if host != self.rp_id and not host.endswith("." + self.rp_id):
                raise ValueError("the RP ID does not belong to the origin")
        for election in self.elections:
            if election.voting_rp_id == self.rp_id:
                raise ValueError(f"election {election.id}: the voting host needs an RP ID of its own")
            for name, address in election.addresses():
                if not is_private(address):
                    raise ValueError(f"election {election.id}: {name} must begin with https://")
        if not all(is_private(witness.url) for witness in self.log.witnesses):
            raise ValueError("addresses of log witnesses must begin with https://")
        if self.needs_faces and self.biometrics.master_key is None:
            raise ValueError("liveness and face need [biometrics] with a master_key")
        if "passive-authentication" in self.enrolment.steps and not self.chip.roots:
            raise ValueError("passive authentication needs [chip] with roots")
        if not self.model:
            self._real()
        for election in self.elections:
            if self.model and not election.model:
                raise ValueError(f"election {election.id} is not MODEL, but this deployment is")
        return self

    @property
    def needs_faces(self) -> bool:
        return "face" in self.enrolment.steps or self.sign_in.face == "always"

    def _real(self) -> None:
        """What only a MODEL deployment may do without."""
        if "face" not in self.enrolment.steps:
            raise ValueError("steps without liveness and face are for MODEL deployments (model = true)")
        if self.liveness.fixed_order is not None:
            raise ValueError("a fixed order of liveness actions is for MODEL deployments")
        if self.origin == AUTO:
            raise ValueError('origin = "auto" is for MODEL deployments')
        if not is_https(self.origin):
            raise ValueError("the origin must begin with https://: http on this machine is for MODEL deployments")
        if self.oidc is not None:
            self.oidc.check_real()
        for election in self.elections:
            if election.model:
                raise ValueError(f"election {election.id} is MODEL, but this deployment is not")
            if any(officer.signature is None for officer in election.officers):
                raise ValueError(f"election {election.id}: officers need the signature of their role")
            for name, address in election.addresses():
                if not is_https(address):
                    raise ValueError(f"election {election.id}: {name} must begin with https://, also on this machine")
        if not all(is_https(witness.url) for witness in self.log.witnesses):
            raise ValueError("addresses of log witnesses must begin with https://, also on this machine")
        if self.log.witnesses and self.log.quorum * 2 <= len(self.log.witnesses):
            raise ValueError("the quorum of log witnesses must be more than half of them")
