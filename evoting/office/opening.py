"""The opening entry: everything that the election fingerprint pins (docs/spec/02-record.md sections 2.4 and 2.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crypto import cbor
from crypto.group.interface import Group
from crypto.hashing import generators, sha
from evoting.board.layout import BlobRef
from evoting.definition import Manifest

PARAMETER_GENERATORS = 64


def group_parameters(group: Group) -> bytes:
    """Hash that pins the group and its first generators, so that a record made with others is refused by name."""
    blinding, message = generators(group, PARAMETER_GENERATORS)
    encoded = message.encode()
    return sha(
        "evoting/v1/parameters",
        b"ristretto255",
        group.generator().encode(),
        blinding.encode(),
        *[encoded[32 * i : 32 * i + 32] for i in range(PARAMETER_GENERATORS)],
    )


def encode_issuance_keys(keys: Sequence[tuple[str, bytes, bytes]]) -> bytes:
    """The issuance-keys blob from (style, key, shares) in the manifest's order."""
    return cbor.encode([{"style": style, "key": key, "shares": shares} for style, key, shares in keys])


def blobref(ref: BlobRef) -> dict[str, object]:
    """A blob reference as entries hold it."""
    return {"hash": ref.hash, "length": ref.length}


def opening_body(
    manifest: Manifest,
    *,
    group: Group,
    manifest_blob: BlobRef,
    roll: Mapping[str, object],
    enrolment: bytes,
    trustee_transcript: BlobRef,
    key: bytes,
    verification_keys: bytes,
    issuer_transcript: BlobRef,
    issuance_keys: BlobRef,
    books: Mapping[str, BlobRef],
    vote_page: Sequence[tuple[str, bytes]],
    origin: str,
    time: int,
) -> dict[str, object]:
    """The body of the opening entry.

    Args:
        roll: commitment, size and sizes per style, as in the roll entry.
        enrolment: entry hash of the enrolment entry.
        verification_keys: n * 32 bytes by trustee index.
        vote_page: path and hash of every file of the vote page; empty where there is none.
    """
    return {
        "manifest": blobref(manifest_blob),
        "roll": dict(roll),
        "enrolment": enrolment,
        "trustees": {"transcript": blobref(trustee_transcript), "key": key, "verification-keys": verification_keys},
        "issuers": {"transcript": blobref(issuer_transcript), "keys": blobref(issuance_keys)},
        "code-books": [{"contest": contest, "blob": blobref(ref)} for contest, ref in books.items()],
        "partition": [{"style": style.id, "units": list(style.units)} for style in manifest.styles],
        "vote-page": [{"path": path, "hash": digest} for path, digest in vote_page],
        "parameters": group_parameters(group),
        "origin": origin,
        "time": time,
    }
