"""Group 1: a complete, canonical record and nothing extra."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from verifier.checks.registry import NotRun, check
from verifier.failure import Failure, Failures
from verifier.record.entries import decode_lists
from verifier.record.errors import FormatError
from verifier.record.files import blob_path, walk
from verifier.record.results import decode_result

if TYPE_CHECKING:
    from verifier.state import State


@check("record.files", 1, "2", "the directory holds exactly the files of the log and the blobs that entries name")
def record_files(state: State) -> Iterator[Failure]:
    """No file is missing, none is there beside them."""
    if not state.has_enough_files:
        yield Failure(f"a log of {state.log.size} entries has {state.log.expected_count()} files, more than are here")
        return
    expected = state.log.expected_paths()
    expected.update(blob_path(digest) for digest, _ in state.named_blobs)
    for path, is_regular in walk(state.root):
        if not is_regular:
            yield Failure(f"{path[:200]!r} is not a regular file, or cannot be listed")
        elif path in expected:
            expected.remove(path)
        else:
            yield Failure(f"{path[:200]!r} does not belong to the record")
    for path in sorted(expected):
        yield Failure(f"{path} is missing")


@check("record.blobs", 1, "2", "every blob has the hash and the length by which it is named")
def record_blobs(state: State) -> Iterator[Failure]:
    """The bytes of blobs are those that entries name."""
    named = state.named_blobs
    state.settings.progress.start("hashing blobs", len(named))
    for (digest, length), entry in named.items():
        problem = state.blob_status(digest, length)
        if problem is not None:
            yield Failure(problem, entry=entry, blob=digest.hex())
        state.settings.progress.advance(1)


@check(
    "record.encoding", 1, "1.1, 2.2, 2.4", "entries and bodies are deterministic CBOR of their schema, within limits"
)
def record_encoding(state: State) -> Failures:
    """Every role entry decodes; nothing exceeds the manifest's limits."""
    failures = Failures()
    failures.merge(state.undecodable)
    for failure in (*_published(state), *_oversized(state)):
        failures.add(failure)
    return failures


def _oversized(state: State) -> Iterator[Failure]:
    try:
        limits = state.manifest.limits
    except NotRun:
        return
    for index, length in enumerate(state.scan.lengths):
        if length > limits["entry-bytes"]:
            yield Failure(f"{length} bytes are beyond limits.entry-bytes", entry=index)
    for (digest, length), entry in state.named_blobs.items():
        if length > limits["blob-bytes"]:
            yield Failure(f"{length} bytes are beyond limits.blob-bytes", entry=entry, blob=digest.hex())


def _published(state: State) -> Iterator[Failure]:
    """The blobs of the result are of their schema."""
    for entry in state.of("result"):
        for name, decode in (("result", decode_result), ("lists", decode_lists)):
            try:
                decode(state.blob(entry.fields[name]))
            except NotRun:
                continue
            except FormatError as error:
                yield Failure(str(error), entry=entry.index, blob=entry.fields[name]["hash"].hex())
