"""One election's record as its office works on it: the board, what it is bound to, and the role entries so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nacl.signing import SigningKey

from crypto import cbor
from crypto.elgamal import EncryptionKey
from crypto.entry import (
    Binding,
    RoleEntry,
    decode_role_entry,
    election_fingerprint,
    sign_entry,
)
from crypto.group import load_group, load_pairing_group
from crypto.group.interface import ElementVector, G2Vector, Group
from evoting.ballots.check import BallotContext
from evoting.ballots.shape import style_shapes
from evoting.board.layout import BlobRef
from evoting.board.store import Board
from evoting.definition import Manifest, decode_manifest, manifest_hash
from evoting.errors import RecordError

#: First bytes of a ballot's and a challenge's map: their number of keys, then the key "body".
_BALLOT_START, _CHALLENGE_START = b"\xa3\x64body", b"\xa4\x64body"
#: Header of a CBOR byte string -> bytes of its length.
_LENGTH_BYTES = {0x58: 1, 0x59: 2, 0x5A: 4}


class ElectionRecord:
    """The writer's view of a record. Owns nothing but the open board that it is given."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._roles: list[tuple[int, RoleEntry]] = []
        self._voters: list[int] = []
        self._scanned = 0
        self._manifest: Manifest | None = None
        self._manifest_bytes = b""

    def scan(self) -> None:
        """Read what was appended since the last look."""
        start = self._scanned
        for index, entry in enumerate(self.board.read_entries(start, self.board.size), start):
            if is_voter_entry(entry):
                self._voters.append(index)
            else:
                self._roles.append((index, decode_role_entry(entry)))
        self._scanned = self.board.size

    def entries(self, *types: str) -> list[RoleEntry]:
        """Role entries of the given types, in log order."""
        self.scan()
        return [entry for _, entry in self._roles if entry.type in types]

    def only(self, entry_kind: str) -> RoleEntry:
        """The one entry of a type.

        Raises:
            RecordError: it is not there yet.
        """
        found = self.entries(entry_kind)
        if not found:
            raise RecordError(f"the record has no {entry_kind} entry yet")
        return found[0]

    @property
    def manifest(self) -> Manifest:
        """The manifest that entry 0 names."""
        if self._manifest is None:
            ref = read_blobref(self.only("manifest").body["manifest"])
            self._manifest_bytes = self.board.get_blob(ref)
            self._manifest = decode_manifest(self._manifest_bytes)
        return self._manifest

    @property
    def manifest_bytes(self) -> bytes:
        _ = self.manifest
        return self._manifest_bytes

    @property
    def binding(self) -> Binding:
        """What signatures on the next entry are bound to."""
        if not self.entries("manifest"):
            return Binding(bytes(32))
        digest = manifest_hash(self.manifest_bytes)
        opening = self.entries("opening")
        return Binding(digest, election_fingerprint(opening[0].raw)) if opening else Binding(digest)

    @property
    def fingerprint(self) -> bytes:
        """The election fingerprint.

        Raises:
            RecordError: the election is not opened yet.
        """
        return election_fingerprint(self.only("opening").raw)

    def post(self, kind: str, body: Mapping[str, object], signers: Mapping[str, SigningKey]) -> RoleEntry:
        """Sign an entry and append it."""
        raw = sign_entry(kind, body, self.binding, signers)
        self.board.append([raw])
        return decode_role_entry(raw)

    def post_signed(self, raw: bytes) -> RoleEntry:
        """Append an entry that a role signed elsewhere."""
        entry = decode_role_entry(raw)
        self.board.append([raw])
        return entry

    def voter_entries(self) -> Iterator[bytes]:
        """Ballots and challenges in log order."""
        self.scan()
        pending: list[int] = []
        for index in self._voters:
            if pending and index != pending[-1] + 1:
                yield from self.board.read_entries(pending[0], pending[-1] + 1)
                pending = []
            pending.append(index)
        if pending:
            yield from self.board.read_entries(pending[0], pending[-1] + 1)

    @property
    def voter_count(self) -> int:
        """How many ballots and challenges are on the board."""
        self.scan()
        return len(self._voters)

    def ballot_context(self, arithmetic: str | None = None) -> BallotContext:
        """Everything that ballots are judged against, from the opening entry."""
        group, pairing = load_group(arithmetic), load_pairing_group(arithmetic)
        body = self.only("opening").body
        keys = cbor.decode(self.board.get_blob(read_blobref(body["issuers"]["keys"])))  # type: ignore[index]
        issuance: dict[str, G2Vector] = {
            item["style"]: pairing.g2_decode(item["key"])
            for item in keys  # type: ignore[attr-defined]
        }
        return BallotContext(
            self.fingerprint,
            style_shapes(self.manifest),
            EncryptionKey.decode(group, body["trustees"]["key"]),  # type: ignore[index]
            pairing,
            issuance,
            self.code_books(group),
        )

    def code_books(self, group: Group) -> dict[str, ElementVector]:
        """Code books of the mixed contests, from the blobs that the opening names."""
        return {
            item["contest"]: group.elements_decode(
                self.board.get_blob(read_blobref(item["blob"])), allow_identity=False
            )
            for item in self.only("opening").body["code-books"]  # type: ignore[attr-defined]
        }


def is_voter_entry(entry: bytes) -> bool:
    """Whether an entry is a ballot or a challenge."""
    return _has_type(entry, _BALLOT_START, b"\x64type\x66ballot") or is_challenge_entry(entry)


def is_challenge_entry(entry: bytes) -> bool:
    """Whether an entry is a challenge."""
    return _has_type(entry, _CHALLENGE_START, b"\x64type\x69challenge")


def _has_type(entry: bytes, start: bytes, encoded_type: bytes) -> bool:
    """Whether the type follows the body, without decoding the entry: the keys of a map have one order."""
    if not entry.startswith(start) or len(entry) < 8:
        return False
    width = _LENGTH_BYTES.get(entry[6], 0)
    length = int.from_bytes(entry[7 : 7 + width], "big") if width else entry[6] & 0x1F
    return entry.startswith(encoded_type, 7 + width + length)


def read_blobref(value: object) -> BlobRef:
    """The blob reference in an entry."""
    assert isinstance(value, dict)
    return BlobRef(value["hash"], value["length"])
