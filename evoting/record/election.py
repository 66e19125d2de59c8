"""One election's record as its office works on it: the board, what it is bound to, and the role entries so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

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
from crypto.log.checkpoint import decode_checkpoint_text
from crypto.log.errors import LogFormatError
from evoting.ballots.check import BallotContext
from evoting.ballots.shape import style_shapes
from evoting.board.layout import BlobRef
from evoting.board.reader import RecordReader
from evoting.board.store import Board
from evoting.definition import Manifest, decode_manifest, manifest_hash
from evoting.errors import RecordError
from evoting.record.contents import require_contents
from evoting.record.rules import require_order, require_signers

#: First bytes of a ballot's and a challenge's map: their number of keys, then the key "body".
_BALLOT_START, _CHALLENGE_START = b"\xa3\x64body", b"\xa4\x64body"
#: Header of a CBOR byte string -> bytes of its length.
_LENGTH_BYTES = {0x58: 1, 0x59: 2, 0x5A: 4}


class EntrySource(Protocol):
    """What is read of a board: its own writer's, or a published copy of it."""

    @property
    def size(self) -> int: ...
    def read_entries(self, start: int, stop: int) -> Iterator[bytes]: ...
    def get_blob(self, ref: BlobRef) -> bytes: ...


class PublishedCopy:
    """A record directory as anybody has it, up to its checkpoint; signatures and hashes are not checked here."""

    def __init__(self, root: Path) -> None:
        self._reader = RecordReader(root)
        try:
            self.size = decode_checkpoint_text(self._reader.checkpoint().text).size
        except LogFormatError as error:
            raise RecordError(f"{root}: the checkpoint is malformed: {error}") from None

    def read_entries(self, start: int, stop: int) -> Iterator[bytes]:
        return self._reader.entries(start, stop, self.size)

    def get_blob(self, ref: BlobRef) -> bytes:
        return self._reader.blob(ref)


class ElectionView:
    """A record as it is read. What it gives was not verified, unless the source is one's own board."""

    def __init__(self, source: EntrySource) -> None:
        self._source = source
        self._roles: list[RoleEntry] = []
        self._voters: list[int] = []
        self._scanned = 0
        self._manifest: Manifest | None = None
        self._manifest_bytes = b""

    def scan(self) -> None:
        """Read what was appended since the last look."""
        for entry in self._source.read_entries(self._scanned, self._source.size):
            if is_voter_entry(entry):
                self._voters.append(self._scanned)
            else:
                self._roles.append(decode_role_entry(entry))
            self._scanned += 1

    def entries(self, *types: str) -> list[RoleEntry]:
        """Role entries of the given types, or all of them, in log order."""
        self.scan()
        return [entry for entry in self._roles if not types or entry.type in types]

    def only(self, entry_kind: str) -> RoleEntry:
        """The one entry of a type.

        Raises:
            RecordError: it is not there yet.
        """
        found = self.entries(entry_kind)
        if not found:
            raise RecordError(f"the record has no {entry_kind} entry yet")
        return found[0]

    def blob(self, entry: RoleEntry, *path: str) -> bytes:
        """The blob that a member of an entry's body names."""
        return self._source.get_blob(read_blobref(member(entry, *path)))

    @property
    def manifest(self) -> Manifest:
        """The manifest that entry 0 names."""
        if self._manifest is None:
            data = self.blob(self.only("manifest"), "manifest")
            self._manifest = decode_manifest(data)
            self._manifest_bytes = data
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

    def voter_entries(self) -> Iterator[bytes]:
        """Ballots and challenges in log order."""
        return (entry for _, entry in self.indexed_voter_entries())

    def indexed_voter_entries(self) -> Iterator[tuple[int, bytes]]:
        """Ballots and challenges in log order, each with its index in the log."""
        self.scan()
        pending: list[int] = []
        for index in self._voters:
            if pending and index != pending[-1] + 1:
                yield from enumerate(self._source.read_entries(pending[0], pending[-1] + 1), pending[0])
                pending = []
            pending.append(index)
        if pending:
            yield from enumerate(self._source.read_entries(pending[0], pending[-1] + 1), pending[0])

    @property
    def voter_count(self) -> int:
        """How many ballots and challenges are on the board."""
        self.scan()
        return len(self._voters)

    def closing_time(self) -> int:
        """When voting ends: as the manifest says, or the latest extension."""
        extensions = self.entries("extension")
        return member_integer(extensions[-1], "closes") if extensions else self.manifest.closes

    def ballot_context(self, arithmetic: str | None = None) -> BallotContext:
        """Everything that ballots are judged against, from the opening entry."""
        group, pairing = load_group(arithmetic), load_pairing_group(arithmetic)
        opening = self.only("opening")
        keys = cbor.decode(self.blob(opening, "issuers", "keys"))
        try:
            issuance: dict[str, G2Vector] = {
                item["style"]: pairing.g2_decode(item["key"])
                for item in keys  # type: ignore[attr-defined]
            }
        except (KeyError, TypeError):
            raise RecordError("the blob of issuance keys is not of its schema") from None
        return BallotContext(
            self.fingerprint,
            style_shapes(self.manifest),
            EncryptionKey.decode(group, member_bytes(opening, "trustees", "key")),
            pairing,
            issuance,
            self.code_books(group),
        )

    def code_books(self, group: Group) -> dict[str, ElementVector]:
        """Code books of the mixed contests, from the blobs that the opening names."""
        books = member(self.only("opening"), "code-books")
        try:
            return {
                item["contest"]: group.elements_decode(
                    self._source.get_blob(read_blobref(item["blob"])), allow_identity=False
                )
                for item in books
            }
        except (KeyError, TypeError):
            raise RecordError("the opening entry's code books are not of their schema") from None


class ElectionRecord(ElectionView):
    """The writer's view of a record. Owns nothing but the open board that it is given."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self.board = board

    def post(self, kind: str, body: Mapping[str, object], signers: Mapping[str, SigningKey]) -> RoleEntry:
        """Sign an entry and append it.

        Raises:
            RecordError: as ``post_signed``; nothing was appended.
        """
        return self.post_signed(sign_entry(kind, body, self.binding, signers))

    def post_signed(self, raw: bytes) -> RoleEntry:
        """Append an entry that a role signed elsewhere.

        Raises:
            RecordError: as ``require_next``; nothing was appended.
        """
        entry = decode_role_entry(raw)
        self.require_next(entry)
        self.board.append([raw])
        return entry

    def require_next(self, entry: RoleEntry) -> None:
        """Check that an entry may be appended now.

        Raises:
            RecordError: it is out of its phase, there already, not signed as it must be, or its contents are not.
        """
        is_first = not self.entries("manifest")
        require_order(self.entries(), entry, model=not is_first and self.manifest.model)
        if is_first and self._manifest is None:
            manifest = decode_manifest(self.blob(entry, "manifest"))
        else:
            manifest = self.manifest
        require_signers(entry, self.binding, manifest)
        require_contents(self.entries(), entry, manifest)
        ledgers = len(self.entries("ledger"))
        if entry.type == "selection" and ledgers < manifest.issuer_threshold:
            raise RecordError(
                f"{ledgers} issuers have stated what they issued; {manifest.issuer_threshold} must before the selection"
            )


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


def member(entry: RoleEntry, *path: str) -> Any:
    """A member of an entry's body.

    Raises:
        RecordError: there is none.
    """
    value: Any = entry.body
    for name in path:
        if not isinstance(value, dict) or name not in value:
            raise RecordError(f"the {entry.type} entry has no {'.'.join(path)}")
        value = value[name]
    return value


def member_bytes(entry: RoleEntry, *path: str) -> bytes:
    """A byte string in an entry's body."""
    value = member(entry, *path)
    if not isinstance(value, bytes):
        raise RecordError(f"{'.'.join(path)} of the {entry.type} entry is no byte string")
    return value


def member_integer(entry: RoleEntry, *path: str) -> int:
    """An integer in an entry's body."""
    value = member(entry, *path)
    if type(value) is not int:
        raise RecordError(f"{'.'.join(path)} of the {entry.type} entry is no integer")
    return value


def read_blobref(value: object) -> BlobRef:
    """The blob reference in an entry.

    Raises:
        RecordError: it is none.
    """
    if isinstance(value, dict) and value.keys() == {"hash", "length"}:
        digest, length = value["hash"], value["length"]
        if isinstance(digest, bytes) and len(digest) == 32 and type(length) is int and length >= 0:
            return BlobRef(digest, length)
    raise RecordError("an entry names a blob by something else than hash and length")
