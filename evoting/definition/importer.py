"""Import of an election definition: ``election.json`` and the tables that it names.

The files are a convenience for people. What counts is the manifest that comes out: it passes every check of the
specification, or nothing comes out at all. Shapes are those of the manifest (docs/spec/03-manifest.md), but times,
durations, fractions, keys and positions are written as people write them, what has a usual value may be left out, and
long lists may stand in tables: ``"units": "units.csv"``, and in a contest ``"parties"``, ``"candidates"`` or
``"options"``. Rows are in ballot order. See ``evoting/examples/council/`` for a complete one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .codec import encode_manifest, manifest_hash, read_manifest
from .errors import DefinitionError
from .import_tables import Tables
from .import_text import MAX_FILE_BYTES, decode_text, parse_json
from .import_tree import complete_tree
from .model import Manifest
from .reader import MapReader
from .text import file_label
from .validate import validate

FORMAT = "evoting-election/v1"
ELECTION_FILE = "election.json"


@dataclass(frozen=True)
class Imported:
    """A valid manifest, its bytes and hash, and what was tolerated on the way."""

    manifest: Manifest
    data: bytes
    hash: bytes
    notices: tuple[str, ...]


def import_folder(folder: Path) -> Imported:
    """Import ``election.json`` and the tables beside it.

    Raises:
        DefinitionError: names file, line and column or field, and what is expected there.
        OSError: the folder cannot be read.
    """
    files = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".json", ".csv") and path.is_file():
            if path.stat().st_size > MAX_FILE_BYTES:
                raise DefinitionError(file_label(path.name), f"larger than {MAX_FILE_BYTES} bytes")
            files[path.name] = path.read_bytes()
    return import_definition(files)


def import_definition(files: Mapping[str, bytes]) -> Imported:
    """Import from the contents of files by name; all or nothing.

    Raises:
        DefinitionError: as ``import_folder``.
    """
    notices: list[str] = []
    if ELECTION_FILE not in files:
        raise DefinitionError(ELECTION_FILE, "there is no such file")
    tables = Tables(files, notices)
    try:
        election = parse_json(ELECTION_FILE, decode_text(ELECTION_FILE, files[ELECTION_FILE], notices))
        reader = MapReader(election, "")
        reader.word("format", (FORMAT,))
        manifest = read_manifest(complete_tree(reader, tables))
        validate(manifest)
    except DefinitionError as error:
        raise _located(error, tables) from None
    unused = sorted(set(files) - tables.used - {ELECTION_FILE})
    notices += [f"{file_label(name)}: not used by {ELECTION_FILE}" for name in unused]
    data = encode_manifest(manifest)
    return Imported(manifest, data, manifest_hash(data), tuple(notices))


def _located(error: DefinitionError, tables: Tables) -> DefinitionError:
    """The same error with the line of the table that the field came from, or with the file."""
    parts = error.path
    best = max((path for path in tables.sources if _within(parts, path)), key=len, default=None)
    if best is not None:
        source = tables.sources[best]
        field = parts[len(best) :].lstrip(".").replace("title.", "title_").split("[")[0]
        place = f'{source}, column "{field}"' if field else source
        return DefinitionError(place, f"{error.reason} ({error.path})")
    if any(error.path.startswith(file_label(name)) for name in (ELECTION_FILE, *tables.used, *tables.missing)):
        return error
    return DefinitionError(f"{ELECTION_FILE}: {error.path}" if error.path else ELECTION_FILE, error.reason)


def _within(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith((f"{prefix}.", f"{prefix}["))
