"""The directory that the participants of a ceremony share or carry around, and other public files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from crypto.dkg.files import TRANSCRIPT_FILE
from crypto.dkg.transcript import MAX_TRANSCRIPT_BYTES
from evoting.trustees.errors import TrusteeError
from evoting.trustees.store import write_durably

_TEMPORARY = ".tmp"


def read_shared(root: Path) -> dict[str, bytes]:
    """All files of a ceremony by relative name; a directory that is not there yet is empty.

    Raises:
        TrusteeError: a file cannot be read or is too large, or something else lies in the way.
    """
    if root.exists() and not root.is_dir():
        raise TrusteeError(f"{root} is not a directory")
    paths = sorted(root.glob("attempt-*/*")) if root.exists() else []
    if (root / TRANSCRIPT_FILE).exists():
        paths.append(root / TRANSCRIPT_FILE)
    return {
        path.relative_to(root).as_posix(): read_file(path, MAX_TRANSCRIPT_BYTES)
        for path in paths
        if path.suffix != _TEMPORARY
    }


def write_shared(root: Path, outgoing: Mapping[str, bytes]) -> list[Path]:
    """Write files that are not there yet.

    Returns:
        the paths of all of them, also of those that were there already with the same content.

    Raises:
        TrusteeError: another file has the name of one of them; nothing has been changed.
    """
    paths = []
    for name, data in outgoing.items():
        path = root / name
        if path.exists() and read_file(path, MAX_TRANSCRIPT_BYTES) != data:
            raise TrusteeError(f"{path} is there with another content and is not overwritten")
        paths.append(path)
    for path, data in zip(paths, outgoing.values(), strict=True):
        if path.exists():
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrusteeError(f"{path.parent}: {error.strerror}") from None
        write_durably(path, data)
    return paths


def read_file(path: Path, limit: int) -> bytes:
    """A whole file of at most ``limit`` bytes.

    Raises:
        TrusteeError: it cannot be read, or is longer.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise TrusteeError(f"{path}: {error.strerror}") from None
    if len(data) > limit:
        raise TrusteeError(f"{path} is longer than {limit} bytes")
    return data
