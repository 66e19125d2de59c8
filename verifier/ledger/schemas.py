"""Schemas of what auditors read: the CDDL of docs/spec/05-credentials.md sections 5.3, 5.4, 5.7 and 5.10."""

from __future__ import annotations

from typing import Any

from verifier.record.errors import FormatError
from verifier.record.schema import Schema, array, identifier, octets, one_of, record, text, uint, uint_in

EDDSA, ES256 = -8, -7
MAX_REQUEST_BYTES = 16_384
MAX_PATH_BYTES = 63 * 32


def _algorithm(value: Any, path: str) -> int:
    if type(value) is not int or value not in (EDDSA, ES256):
        raise FormatError(f"{path}: neither -7 nor -8")
    return value


ENROLMENT_ENTRY = record({"body": octets(), "identity-provider": octets(64), "registrar": octets(64)})
ENROLMENTS = record(
    {
        "enrolments": array(
            record(
                {
                    "position": uint,
                    "style": identifier,
                    "credential": octets(minimum=1, maximum=1023),
                    "key": octets(),
                    "algorithm": _algorithm,
                    "method": one_of("code", "in-person"),
                    "time": uint,
                }
            ),
            minimum=1,
            maximum=256,
        )
    }
)

LEDGER_ENTRY = record({"class": one_of("passkey", "terminal"), "date": uint, "hash": octets(32), "request": octets()})
REQUEST = record(
    {
        "style": identifier,
        "position": uint,
        "credential": octets(maximum=1023),
        "blinded": octets(48),
        "assertions": array(
            record(
                {
                    "credential": octets(minimum=1, maximum=1023),
                    "client-data": octets(minimum=1, maximum=2048),
                    "authenticator-data": octets(minimum=37, maximum=1024),
                    "signature": octets(minimum=8, maximum=72),
                }
            ),
            minimum=1,
            maximum=2,
        ),
        "ticket": record(
            {"date": uint, "size": uint, "index": uint, "path": octets(maximum=MAX_PATH_BYTES), "signature": octets(64)}
        ),
    }
)

ROLL_HEADER = record({"styles": array(identifier, minimum=1, maximum=65_536), "size": uint_in(1, 1 << 40)})


def hexadecimal(size: int | None = None, *, minimum: int = 0, maximum: int | None = None) -> Schema:
    """Bytes as lower-case hex digits in a JSON file."""
    inner = octets(size, minimum=minimum, maximum=maximum)

    def check(value: Any, path: str) -> bytes:
        try:
            data = bytes.fromhex(text(value, path))
        except ValueError:
            raise FormatError(f"{path}: not hex digits") from None
        if data.hex() != value:
            raise FormatError(f"{path}: not lower-case hex digits")
        return bytes(inner(data, path))

    return check


OFFICER = record(
    {
        "role": identifier,
        "credential": hexadecimal(minimum=1, maximum=1023),
        "algorithm": _algorithm,
        "key": hexadecimal(),
        "signature": hexadecimal(64),
    }
)
_STATEMENT = record(
    {"size": uint, "root": hexadecimal(32), "tree-size": uint, "time": uint, "signature": hexadecimal(64)}
)


def _issued(value: Any, path: str) -> bytes | None:
    return None if value is None else bytes(hexadecimal(32)(value, path))


POSITION_PROOF = record(
    {
        "format": one_of("evoting-position-proof/v1"),
        "fingerprint": hexadecimal(32),
        "issuer": uint,
        "position": uint,
        "issued": _issued,
        "salt": hexadecimal(32),
        "path": array(hexadecimal(32), maximum=63),
    },
    {"statement": _STATEMENT},
)
