"""What issuers, wallets and bulk tools must know of an election: the issuance policy, a JSON file made by the office.

Everything in it is public. An issuer takes it in once, when it opens its store, and compares it with the record then
(``issuer.record_check``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nacl.signing import SigningKey

from biometric_idp.enrolment.log import EnrolmentSource
from biometric_idp.errors import FormatError
from biometric_idp.files import read_json, write_json
from biometric_idp.schema import require_hex, require_id, require_list, require_map, require_text, require_uint
from biometric_idp.signatures import frames_signature_holds, sign_frames
from biometric_idp.webauthn import PublicPasskey, RelyingParty, require_cose_key
from crypto.log.checkpoint import is_origin

FORMAT = "evoting-issuance-policy/v1"
OFFICER_DOMAIN = "evoting/v1/officer-passkey"
MAX_ISSUERS = 100
_MEMBERS = frozenset(
    {
        "format",
        "fingerprint",
        "origin",
        "voting-origin",
        "rp-id",
        "opens",
        "closes",
        "issuers",
        "threshold",
        "styles",
        "identity-provider",
        "registrar",
        "officers",
        "enrolment",
    }
)


@dataclass(frozen=True, slots=True)
class Officer:
    """An officer's passkey for terminal voters, signed by the officer's role key."""

    role: str
    passkey: PublicPasskey
    signature: bytes


def sign_officer_passkey(key: SigningKey, fingerprint: bytes, role: str, passkey: PublicPasskey) -> Officer:
    """An officer's word for its own passkey in one election."""
    return Officer(role, passkey, sign_frames(key, OFFICER_DOMAIN, *_officer_parts(fingerprint, role, passkey)))


def officer_signature_holds(officer: Officer, public_key: bytes, fingerprint: bytes) -> bool:
    """Whether the officer with this role key signed the passkey for this election."""
    parts = _officer_parts(fingerprint, officer.role, officer.passkey)
    return frames_signature_holds(public_key, officer.signature, OFFICER_DOMAIN, *parts)


def _officer_parts(fingerprint: bytes, role: str, passkey: PublicPasskey) -> tuple[bytes, ...]:
    return fingerprint, role.encode(), passkey.credential, passkey.key


@dataclass(frozen=True, slots=True)
class IssuancePolicy:
    """One election as issuers see it.

    Attributes:
        origin: origin line of the election's log.
        opens, closes: issuance is open from ``opens`` to before ``closes``, seconds since 1970.
        issuers: role id and Ed25519 role key of issuer i at position i - 1.
        styles: ballot styles and their sizes on the roll, in the manifest's order.
    """

    fingerprint: bytes
    origin: str
    party: RelyingParty
    opens: int
    closes: int
    issuers: tuple[tuple[str, bytes], ...]
    threshold: int
    styles: tuple[tuple[str, int], ...]
    officers: tuple[Officer, ...]
    enrolment: EnrolmentSource

    def __post_init__(self) -> None:
        count = len(self.issuers)
        if not 1 <= self.threshold <= count <= MAX_ISSUERS:
            raise FormatError(f"a threshold of {self.threshold} among {count} issuers is impossible")
        if 2 * self.threshold <= count:
            raise FormatError(
                f"{self.threshold} of {count} issuers: one corrupt issuer could serve a voter twice (2k > m is needed)"
            )
        if len({role for role, _ in self.issuers}) != count or len({key for _, key in self.issuers}) != count:
            raise FormatError("two issuers have the same role or key")
        if len({officer.role for officer in self.officers}) != len(self.officers):
            raise FormatError("two officers have the same role")
        if len({officer.passkey.credential for officer in self.officers}) != len(self.officers):
            raise FormatError("two officers have the same passkey")
        if not self.styles or len(dict(self.styles)) != len(self.styles):
            raise FormatError("ballot styles are missing or repeated")

    @property
    def roll_size(self) -> int:
        return sum(size for _, size in self.styles)


def write_policy(path: Path, policy: IssuancePolicy) -> None:
    write_json(
        path,
        {
            "format": FORMAT,
            "fingerprint": policy.fingerprint.hex(),
            "origin": policy.origin,
            "voting-origin": policy.party.origin,
            "rp-id": policy.party.rp_id,
            "opens": policy.opens,
            "closes": policy.closes,
            "issuers": [{"role": role, "key": key.hex()} for role, key in policy.issuers],
            "threshold": policy.threshold,
            "styles": [{"style": style, "size": size} for style, size in policy.styles],
            "identity-provider": policy.enrolment.identity_provider.hex(),
            "registrar": policy.enrolment.registrar.hex(),
            "officers": [
                {
                    "role": officer.role,
                    "credential": officer.passkey.credential.hex(),
                    "algorithm": officer.passkey.algorithm,
                    "key": officer.passkey.key.hex(),
                    "signature": officer.signature.hex(),
                }
                for officer in policy.officers
            ],
            "enrolment": {"checkpoint": policy.enrolment.checkpoint, "time": policy.enrolment.time},
        },
    )


def read_policy(path: Path) -> IssuancePolicy:
    """Strict inverse of ``write_policy``.

    Raises:
        FormatError: names the file and what is wrong with it.
    """
    members = read_json(path, FORMAT)
    try:
        return _policy(require_map(members, _MEMBERS, "policy"))
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def _policy(members: Mapping[str, object]) -> IssuancePolicy:
    origin = require_text(members["origin"], "origin")
    if not is_origin(origin):
        raise FormatError("origin is no log origin")
    enrolment = require_map(members["enrolment"], frozenset({"checkpoint", "time"}), "enrolment")
    source = EnrolmentSource(
        origin,
        require_hex(members, "identity-provider", 32, "policy"),
        require_hex(members, "registrar", 32, "policy"),
        require_text(enrolment["checkpoint"], "checkpoint"),
        require_uint(enrolment["time"], "time of the enrolment checkpoint"),
    )
    source.verified_checkpoint()
    return IssuancePolicy(
        require_hex(members, "fingerprint", 32, "policy"),
        origin,
        RelyingParty(require_text(members["rp-id"], "rp-id"), require_text(members["voting-origin"], "voting-origin")),
        require_uint(members["opens"], "opens"),
        require_uint(members["closes"], "closes"),
        tuple([_issuer(item) for item in require_list(members["issuers"], "issuers", 1, MAX_ISSUERS)]),
        require_uint(members["threshold"], "threshold"),
        tuple([_style(item) for item in require_list(members["styles"], "styles", 1, 4096)]),
        tuple([_officer(item) for item in require_list(members["officers"], "officers", 0, 1000)]),
        source,
    )


def _issuer(value: object) -> tuple[str, bytes]:
    members = require_map(value, frozenset({"role", "key"}), "issuer")
    return require_id(members["role"], "role of an issuer"), require_hex(members, "key", 32, "issuer")


def _style(value: object) -> tuple[str, int]:
    members = require_map(value, frozenset({"style", "size"}), "style")
    return require_id(members["style"], "style"), require_uint(members["size"], "size of a style")


def _officer(value: object) -> Officer:
    members = require_map(value, frozenset({"role", "credential", "algorithm", "key", "signature"}), "officer")
    algorithm = members["algorithm"]
    if type(algorithm) is not int:
        raise FormatError("algorithm of an officer's passkey is no integer")
    key = require_hex(members, "key", None, "officer")
    require_cose_key(key, algorithm)
    credential = require_hex(members, "credential", None, "officer")
    if not 1 <= len(credential) <= 1023:
        raise FormatError("credential id of an officer's passkey has the wrong length")
    role = require_id(members["role"], "role of an officer")
    return Officer(role, PublicPasskey(credential, algorithm, key), require_hex(members, "signature", 64, "officer"))
