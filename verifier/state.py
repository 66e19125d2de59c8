"""What the checks work on: parts of the record, read and decoded once, when the first check asks for them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from crypto.errors import DecodeError
from crypto.group import Group, PairingGroup, load_group, load_pairing_group
from verifier.checks.registry import NotRun
from verifier.equations.ceremonies import check_ceremony
from verifier.equations.interface import CeremonyResult, ContestShape, Election, StyleShape
from verifier.equations.parameters import code_elements
from verifier.failure import Failure, Failures
from verifier.hashing import sha
from verifier.record import schema
from verifier.record.entries import RoleEntry, blobrefs, decode_entry, decode_lists
from verifier.record.errors import FormatError, UnreadableError
from verifier.record.files import LogFiles, blob_path, hash_file, map_file, read_file, walk
from verifier.record.manifest import Manifest, codes_of, decode_manifest
from verifier.record.note import MAX_NOTE_BYTES, Checkpoint, parse_checkpoint
from verifier.record.results import decode_result
from verifier.record.trust import TrustRoot
from verifier.stream.pool import run_tasks
from verifier.stream.scan import BALLOT, CHALLENGE, Scan, bundle_runs, scan_chunk
from verifier.stream.voters import Voters, judge_voters
from verifier.tally_groups import TallyGroup, merge_groups

if TYPE_CHECKING:
    from verifier.checks.lists import TallyList

#: Blobs that are decoded as a whole are not larger than this, the bound of the largest of them, a ceremony transcript.
MAX_DECODED_BLOB = 64 << 20

_KEYS = schema.array(
    schema.record({"style": schema.identifier, "key": schema.octets(96), "shares": schema.octets()}), minimum=1
)


class Progress(Protocol):
    """Something that shows how long work goes on."""

    def start(self, what: str, total: int) -> None:
        """A piece of work of ``total`` steps begins."""
        ...

    def advance(self, steps: int) -> None:
        """Some steps of the current piece are done."""
        ...

    def close(self) -> None:
        """No more work."""
        ...


class Silent:
    """No progress is shown."""

    def start(self, what: str, total: int) -> None:
        """Nothing."""

    def advance(self, steps: int) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


@dataclass
class Settings:
    """How to verify."""

    arithmetic: str
    jobs: int
    chunk: int  # entries of one task
    now: int  # seconds since 1970, for ``checkpoint.times``
    older: list[tuple[str, bytes]] = field(default_factory=list)  # names and bytes of older checkpoints
    progress: Progress = field(default_factory=Silent)
    randomness: Callable[[int], bytes] = os.urandom


class State:
    """A record under verification.

    Every property reads or computes its value once. A value that cannot be had raises ``NotRun`` with the name of the
    check that reports why.
    """

    def __init__(self, root: Path, trust: TrustRoot, settings: Settings) -> None:
        self.root = root
        self.trust = trust
        self.settings = settings
        self.group: Group = load_group(settings.arithmetic)
        self.pairing: PairingGroup = load_pairing_group(settings.arithmetic)
        self.checkpoint = _open_checkpoint(root)
        self.log = LogFiles(root, self.checkpoint.size)
        self._blobs: dict[bytes, tuple[bytes, int] | FormatError] = {}
        self.tally_lists: list[TallyList] | None = None
        self.temporary = tempfile.TemporaryDirectory(prefix="evoting-verify-")

    def close(self) -> None:
        """Remove temporary files."""
        self.temporary.cleanup()

    # -- the log -------------------------------------------------------------------------------------------------------

    @cached_property
    def has_enough_files(self) -> bool:
        """Whether the directory can hold a log of the checkpoint's size at all; else nothing of it is enumerated."""
        needed = self.log.expected_count()
        return sum(1 for _ in islice(walk(self.root), needed)) == needed

    @cached_property
    def scan(self) -> Scan:
        """The first pass over the log."""
        if not self.has_enough_files:
            raise NotRun("record.files", "the directory holds fewer files than a log of this size")
        scan, runs = Scan(), bundle_runs(self.log, self.settings.chunk)
        self.settings.progress.start("reading the log", self.log.size)
        for run, chunk in zip(runs, run_tasks(scan_chunk, self.log, runs, self.settings.jobs), strict=True):
            scan.add(chunk)
            self.settings.progress.advance(sum(self.log.width(bundle) for bundle in range(*run)))
        return scan

    @cached_property
    def _decoded(self) -> tuple[list[RoleEntry], Failures]:
        entries, failures = [], Failures()
        for index, raw in self.scan.roles:
            try:
                entry = decode_entry(raw, index)
            except FormatError as error:
                failures.add(Failure(str(error), entry=index))
                continue
            if not isinstance(entry, RoleEntry):
                failures.add(Failure("a ballot or challenge in another form than the one encoding", entry=index))
                continue
            entries.append(entry)
        return entries, failures

    @property
    def entries(self) -> list[RoleEntry]:
        """Every entry that roles signed, in log order."""
        return self._decoded[0]

    @property
    def undecodable(self) -> Failures:
        """Entries that are not of their schema."""
        return self._decoded[1]

    @cached_property
    def by_type(self) -> Mapping[str, list[RoleEntry]]:
        """Role entries by type, each in log order."""
        found: dict[str, list[RoleEntry]] = {}
        for entry in self.entries:
            found.setdefault(entry.type, []).append(entry)
        return found

    def of(self, *types: str) -> list[RoleEntry]:
        """Role entries of some types, in log order."""
        found = [entry for kind in types for entry in self.by_type.get(kind, [])]
        return sorted(found, key=lambda entry: entry.index)

    def only(self, kind: str) -> RoleEntry:
        """The first entry of a type that must be there once."""
        found = self.by_type.get(kind)
        if not found:
            raise NotRun("order.counts", f"there is no {kind} entry")
        return found[0]

    @cached_property
    def close_index(self) -> int:
        """Index of the ``close`` entry, or the log's size."""
        found = self.by_type.get("close")
        return found[0].index if found else self.log.size

    @cached_property
    def voter_indices(self) -> NDArray[np.int64]:
        """Indices of the ballots and challenges before ``close``."""
        kinds = np.frombuffer(self.scan.kinds, dtype=np.uint8)[: self.close_index]
        return np.flatnonzero((kinds == BALLOT) | (kinds == CHALLENGE))

    # -- blobs ---------------------------------------------------------------------------------------------------------

    @cached_property
    def named_blobs(self) -> dict[tuple[bytes, int], int]:
        """Hash and length of every blob that an entry or the result's lists name, with the first entry to do so."""
        named: dict[tuple[bytes, int], int] = {}
        for entry in self.entries:
            for ref in blobrefs(entry.fields):
                named.setdefault(ref, entry.index)
        for result in self.by_type.get("result", []):
            try:
                lists = decode_lists(self.blob(result.fields["lists"]))
            except (FormatError, NotRun):
                continue
            for ref in blobrefs(lists):
                named.setdefault(ref, result.index)
        return named

    def blob_status(self, digest: bytes, length: int) -> str | None:
        """What is wrong with a blob, or None."""
        found = self._blobs.get(digest)
        if found is None:
            try:
                found = hash_file(self.root / blob_path(digest))
            except FormatError as error:
                found = error
            self._blobs[digest] = found
        if isinstance(found, FormatError):
            return str(found)
        if found[0] != digest:
            return f"its bytes have the hash {found[0].hex()}"
        return None if found[1] == length else f"it has {found[1]} bytes, named with {length}"

    def blob_view(self, ref: Mapping[str, Any]) -> memoryview:
        """A view of a blob of any size.

        Raises:
            NotRun: it is not there or is another one (check ``record.blobs``).
        """
        problem = self.blob_status(ref["hash"], ref["length"])
        if problem is not None:
            raise NotRun("record.blobs", problem)
        try:
            return map_file(self.root / blob_path(ref["hash"]))
        except FormatError as error:
            raise NotRun("record.blobs", str(error)) from None

    def blob(self, ref: Mapping[str, Any]) -> bytes:
        """The bytes of a blob that is decoded as a whole; errors as ``blob_view``."""
        problem = self.blob_status(ref["hash"], ref["length"])
        if problem is not None:
            raise NotRun("record.blobs", problem)
        try:
            return read_file(self.root / blob_path(ref["hash"]), MAX_DECODED_BLOB)
        except FormatError as error:
            raise NotRun("record.blobs", str(error)) from None

    # -- the setup -----------------------------------------------------------------------------------------------------

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest that the first manifest entry names."""
        try:
            return decode_manifest(self.blob(self.only("manifest").fields["manifest"]))
        except FormatError as error:
            raise NotRun("opening.manifest", str(error)) from None

    @cached_property
    def opening(self) -> RoleEntry:
        """The opening entry."""
        return self.only("opening")

    @cached_property
    def fingerprint(self) -> bytes:
        """The election fingerprint of this record (whether it is the trust root's is a check of its own)."""
        return sha("evoting/v1/fingerprint", self.opening.raw)

    def ceremony(self, kind: str) -> CeremonyResult:
        """What a ceremony's transcript gives; ``kind`` is ``trustees`` or ``issuers``."""
        return self._trustees if kind == "trustees" else self._issuers

    def _ceremony(self, kind: str, entry: str, threshold: int, labels: list[str]) -> CeremonyResult:
        roles = [(role.id, role.key) for role in self.manifest.roles_of(kind[:-1])]
        return check_ceremony(
            self.blob(self.only(entry).fields["transcript"]),
            kind=kind,
            manifest_hash=self.manifest.hash,
            roles=roles,
            threshold=threshold,
            labels=labels,
            group=self.group,
            pairing=self.pairing,
        )

    @cached_property
    def _trustees(self) -> CeremonyResult:
        return self._ceremony("trustees", "trustee-ceremony", self.manifest.raw["trustees"]["t"], ["election-key"])

    @cached_property
    def _issuers(self) -> CeremonyResult:
        threshold = self.manifest.raw["issuers"]["k"]
        return self._ceremony("issuers", "issuer-ceremony", threshold, list(self.manifest.styles))

    @cached_property
    def public_key(self) -> bytes:
        """The election key K of the opening entry, canonical and not the identity."""
        key: bytes = self.opening.fields["trustees"]["key"]
        try:
            self.group.elements_decode(key, allow_identity=False)
        except DecodeError as error:
            raise NotRun("opening.keys", f"the election key is not usable: {error}") from None
        return key

    def verification_key(self, trustee: int) -> bytes:
        """A trustee's verification key, recomputed where possible; zero bytes where there is none."""
        keys = (self.ceremony("trustees").verification_keys or {}).get("election-key")
        if keys is None:
            keys = self.opening.fields["trustees"]["verification-keys"]
        return keys[32 * trustee - 32 : 32 * trustee] if 1 <= trustee <= len(keys) // 32 else bytes(32)

    @cached_property
    def issuance_keys(self) -> list[dict[str, Any]]:
        """The issuance keys blob."""
        try:
            keys: list[dict[str, Any]] = schema.decode_as(
                self.blob(self.opening.fields["issuers"]["keys"]), _KEYS, "issuance-keys"
            )
        except FormatError as error:
            raise NotRun("opening.keys", str(error)) from None
        return keys

    def code_book(self, contest: str) -> bytes:
        """The elements of a mixed contest's codes, derived again."""
        return self._code_books[contest]

    @cached_property
    def _code_books(self) -> dict[str, bytes]:
        return {
            name: code_elements(self.group, self.manifest.hash, name, codes_of(contest))
            for name, contest in self.manifest.contests.items()
            if contest["kind"] == "mixed"
        }

    @cached_property
    def election(self) -> Election:
        """What the equations are bound to."""
        return Election(self.fingerprint, self.manifest.hash, self.public_key)

    @cached_property
    def styles(self) -> dict[str, StyleShape]:
        """Every ballot style with its issuance key."""
        keys = {item["style"]: item["key"] for item in self.issuance_keys}
        for key in keys.values():
            try:
                self.pairing.g2_decode(key)
            except DecodeError as error:
                raise NotRun("opening.keys", f"an issuance key is not usable: {error}") from None
        if not keys.keys() >= self.manifest.styles.keys():
            raise NotRun("opening.keys", "a style has no issuance key")
        return {style: StyleShape(style, tuple(self._shapes(style)), keys[style]) for style in self.manifest.styles}

    def _shapes(self, style: str) -> Iterator[ContestShape]:
        for position, contest in enumerate(self.manifest.contests_of(style)):
            if contest["kind"] == "mixed":
                book = self.code_book(contest["id"])
                yield ContestShape(contest["id"], "mixed", position, width=contest["width"], code_book=book)
            else:
                options, low, high = len(contest["options"]), contest["min"], contest["max"]
                yield ContestShape(contest["id"], "homomorphic", position, options, low, high)

    # -- the end -------------------------------------------------------------------------------------------------------

    @cached_property
    def selection(self) -> RoleEntry:
        """The selection entry."""
        return self.only("selection")

    @cached_property
    def dispositions(self) -> bytes:
        """The office's claims about ballots and challenges."""
        return self.blob(self.selection.fields["dispositions"])

    @cached_property
    def voters(self) -> Voters:
        """The second pass over the log."""
        if self.scan.unreadable:
            raise NotRun("log.root", "entries cannot be read")
        return judge_voters(self)

    @cached_property
    def groups(self) -> dict[str, list[TallyGroup]]:
        """The tally groups of every contest, computed again."""
        counted = {style: self.voters.counted(style) for style in self.manifest.styles}
        return {contest: merge_groups(self.manifest, contest, counted) for contest in self.manifest.contests}

    @cached_property
    def result(self) -> dict[str, Any]:
        """The published result."""
        try:
            return decode_result(self.blob(self.only("result").fields["result"]))
        except FormatError as error:
            raise NotRun("record.encoding", str(error)) from None

    @cached_property
    def lists(self) -> list[dict[str, Any]]:
        """What the result says of every decrypted list."""
        try:
            return decode_lists(self.blob(self.only("result").fields["lists"]))
        except FormatError as error:
            raise NotRun("record.encoding", str(error)) from None


def _open_checkpoint(root: Path) -> Checkpoint:
    hint = "RECORD is the directory that holds the file 'checkpoint'"
    if not root.is_dir():
        raise UnreadableError(f"{root}: no such directory", hint)
    try:
        return parse_checkpoint(read_file(root / "checkpoint", MAX_NOTE_BYTES))
    except FormatError as error:
        raise UnreadableError(f"{root / 'checkpoint'}: {error}", hint) from None


def sha256(view: bytes | memoryview) -> bytes:
    """Plain SHA-256, releasing the interpreter for long inputs."""
    return hashlib.sha256(view).digest()
