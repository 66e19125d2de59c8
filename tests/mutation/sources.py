"""What a result depends on: hashes of sources."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.mutants import ROOT

_KINDS = {".py", ".so", ".json", ".rs"}
#: What the verifier's verdict on a planted defect depends on.
ALL = ("verifier", "crypto", "evoting", "mix_net", "biometric_idp", "docs/spec/vectors", "tests")
#: What the making of tampered records depends on.
CORPUS = ("crypto", "evoting", "mix_net", "biometric_idp", "tests/tampered", "tests/support")


def hash_sources(folders: Sequence[str]) -> str:
    """One hash over the sources in some folders."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in _KINDS and "target" not in path.parts and path.is_file():
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(_read(path)).digest())
    return digest.hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # an editor replaces files
        return b""
