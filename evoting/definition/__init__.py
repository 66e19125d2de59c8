"""Election definition: the manifest, its encoding, its checks, and its import from files."""

from __future__ import annotations

from .codec import MAX_MANIFEST_BYTES, decode_manifest, encode_manifest, manifest_hash
from .errors import DefinitionError
from .importer import Imported, import_definition, import_folder
from .model import (
    AGAINST_ALL,
    BLANK,
    FORMAT,
    NONE,
    BallotStyle,
    Candidate,
    Contest,
    HomomorphicContest,
    Limits,
    Manifest,
    MixedContest,
    OpenListContest,
    Option,
    Party,
    RankedContest,
    Region,
    ReportingUnit,
    Role,
    RoleKind,
    Titles,
    UnitMinimum,
)

__all__ = [
    "AGAINST_ALL",
    "BLANK",
    "FORMAT",
    "MAX_MANIFEST_BYTES",
    "NONE",
    "BallotStyle",
    "Candidate",
    "Contest",
    "DefinitionError",
    "HomomorphicContest",
    "Imported",
    "Limits",
    "Manifest",
    "MixedContest",
    "OpenListContest",
    "Option",
    "Party",
    "RankedContest",
    "Region",
    "ReportingUnit",
    "Role",
    "RoleKind",
    "Titles",
    "UnitMinimum",
    "decode_manifest",
    "encode_manifest",
    "import_definition",
    "import_folder",
    "manifest_hash",
]
