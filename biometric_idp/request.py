"""Requests, answers and refusals of credential issuance (docs/spec/05-credentials.md sections 5.4 and 5.5)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from nacl.signing import SigningKey

from biometric_idp.errors import FormatError
from biometric_idp.schema import (
    decode_map,
    require_bytes,
    require_id,
    require_list,
    require_map,
    require_text,
    require_uint,
)
from biometric_idp.signatures import frames_signature_holds, sign_frames
from crypto import cbor
from crypto.group.interface import G1_BYTES
from crypto.hashing import u64
from crypto.log.merkle import HASH_BYTES, MAX_PROOF_HASHES

MAX_REQUEST_BYTES = 16_384
MAX_CREDENTIAL_ID_BYTES = 1023
#: Days since 1970-01-01; the bound is the year 9999.
MAX_DATE = 2_932_897
REFUSAL_DOMAIN = "evoting/v1/issuance-refusal"

_REQUEST = frozenset({"style", "position", "credential", "blinded", "assertions", "ticket"})
_ASSERTION = frozenset({"credential", "client-data", "authenticator-data", "signature"})
_TICKET = frozenset({"date", "size", "index", "path", "signature"})
_ANSWER = frozenset({"issuer", "hash", "partial"})
_REFUSAL = frozenset({"issuer", "hash", "refusal", "date", "signature"})


@dataclass(frozen=True, slots=True)
class Assertion:
    """A WebAuthn assertion and the credential id it was made by."""

    credential: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Ticket:
    """The identity provider's word for a request hash: a leaf of a signed tree of hashes."""

    date: int
    size: int
    index: int
    path: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a credential. ``credential`` is empty for a terminal voter without a passkey."""

    style: str
    position: int
    credential: bytes
    blinded: bytes
    assertions: tuple[Assertion, ...]
    ticket: Ticket

    @property
    def is_terminal(self) -> bool:
        return not self.credential

    def encode(self) -> bytes:
        ticket = self.ticket
        return cbor.encode(
            {
                "style": self.style,
                "position": self.position,
                "credential": self.credential,
                "blinded": self.blinded,
                "assertions": [
                    {
                        "credential": item.credential,
                        "client-data": item.client_data,
                        "authenticator-data": item.authenticator_data,
                        "signature": item.signature,
                    }
                    for item in self.assertions
                ],
                "ticket": {
                    "date": ticket.date,
                    "size": ticket.size,
                    "index": ticket.index,
                    "path": ticket.path,
                    "signature": ticket.signature,
                },
            }
        )


def request_hash(fingerprint: bytes, style: str, position: int, credential: bytes, blinded: bytes) -> bytes:
    """What the passkey signs as its challenge, and the identity of a request in ledgers and tickets."""
    return sha256(cbor.encode(["issue-v1", fingerprint, style, position, credential, blinded])).digest()


def decode_request(data: bytes) -> Request:
    """Strict inverse of ``Request.encode``; ``blinded`` is not yet checked to be a point.

    Raises:
        FormatError: says which member is malformed.
    """
    members = decode_map(data, _REQUEST, "request", MAX_REQUEST_BYTES)
    assertions = require_list(members["assertions"], "assertions", 1, 2)
    return Request(
        require_id(members["style"], "style"),
        require_uint(members["position"], "position"),
        require_bytes(members["credential"], "credential", 0, MAX_CREDENTIAL_ID_BYTES),
        require_bytes(members["blinded"], "blinded", G1_BYTES),
        tuple([_assertion(item) for item in assertions]),
        _ticket(members["ticket"]),
    )


def _assertion(value: object) -> Assertion:
    members = require_map(value, _ASSERTION, "assertion")
    return Assertion(
        require_bytes(members["credential"], "credential of an assertion", 1, MAX_CREDENTIAL_ID_BYTES),
        require_bytes(members["client-data"], "client-data", 1, 2048),
        require_bytes(members["authenticator-data"], "authenticator-data", 37, 1024),
        require_bytes(members["signature"], "signature of an assertion", 8, 72),
    )


def decode_ticket(data: bytes) -> Ticket:
    """A ticket by itself, as the identity provider hands it out.

    Raises:
        FormatError: says which member is malformed.
    """
    return _ticket(decode_map(data, _TICKET, "ticket", MAX_REQUEST_BYTES))


def _ticket(value: object) -> Ticket:
    members = require_map(value, _TICKET, "ticket")
    path = require_bytes(members["path"], "path of the ticket", 0, HASH_BYTES * MAX_PROOF_HASHES)
    if len(path) % HASH_BYTES:
        raise FormatError("path of the ticket is no multiple of 32 bytes")
    return Ticket(
        require_uint(members["date"], "date of the ticket", MAX_DATE),
        require_uint(members["size"], "size of the ticket"),
        require_uint(members["index"], "index of the ticket"),
        path,
        require_bytes(members["signature"], "signature of the ticket", 64),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """An issuer's partial signature; it proves itself against the share key."""

    issuer: int
    hash: bytes
    partial: bytes

    def encode(self) -> bytes:
        return cbor.encode({"issuer": self.issuer, "hash": self.hash, "partial": self.partial})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An issuer's signed refusal."""

    issuer: int
    hash: bytes
    code: str
    date: int
    signature: bytes

    def encode(self) -> bytes:
        return cbor.encode(
            {
                "issuer": self.issuer,
                "hash": self.hash,
                "refusal": self.code,
                "date": self.date,
                "signature": self.signature,
            }
        )

    def holds(self, fingerprint: bytes, public_key: bytes) -> bool:
        """Whether the issuer with this role key signed the refusal."""
        parts = _refusal_parts(fingerprint, self.issuer, self.hash, self.code, self.date)
        return frames_signature_holds(public_key, self.signature, REFUSAL_DOMAIN, *parts)


def sign_refusal(key: SigningKey, fingerprint: bytes, issuer: int, hash_: bytes, code: str, date: int) -> Refusal:
    """A refusal that proves to third parties what the issuer did."""
    parts = _refusal_parts(fingerprint, issuer, hash_, code, date)
    return Refusal(issuer, hash_, code, date, sign_frames(key, REFUSAL_DOMAIN, *parts))


def _refusal_parts(fingerprint: bytes, issuer: int, hash_: bytes, code: str, date: int) -> tuple[bytes, ...]:
    return fingerprint, u64(issuer), hash_, code.encode(), u64(date)


def decode_answer(data: bytes) -> Answer | Refusal:
    """Strict inverse of ``Answer.encode`` and ``Refusal.encode``; ``partial`` is not yet checked to be a point.

    Raises:
        FormatError: neither an answer nor a refusal.
    """
    try:
        members = decode_map(data, _ANSWER, "answer", 1024)
    except FormatError:
        members = decode_map(data, _REFUSAL, "refusal", 1024)
        return Refusal(
            require_uint(members["issuer"], "issuer"),
            require_bytes(members["hash"], "hash", HASH_BYTES),
            require_text(members["refusal"], "refusal"),
            require_uint(members["date"], "date", MAX_DATE),
            require_bytes(members["signature"], "signature", 64),
        )
    return Answer(
        require_uint(members["issuer"], "issuer"),
        require_bytes(members["hash"], "hash", HASH_BYTES),
        require_bytes(members["partial"], "partial", G1_BYTES),
    )
