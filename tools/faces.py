"""Fetch the faces that tests and benchmarks use into var/faces: public images of two persons out of a package.

The source distribution of face_recognition 1.3.0 carries them as tests/test_images. Its hash is fixed here; the images
are never committed. Standard library and pip only, so that set-up can run it first. Quick when they are there.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FACES = ROOT / "var" / "faces"
PACKAGE, VERSION = "face_recognition", "1.3.0"
SHA256 = "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec"
_INSIDE = f"{PACKAGE}-{VERSION}/tests/test_images/"
#: Person and file name of each image, by its name in the package; 32bit.png repeats obama2.jpg and is left out.
IMAGES = {
    "biden.jpg": ("biden", "biden.jpg"),
    "obama.jpg": ("obama", "obama.jpg"),
    "obama2.jpg": ("obama", "obama2.jpg"),
    "obama3.jpg": ("obama", "obama3.jpg"),
    "obama_partial_face.jpg": ("obama", "obama_partial_face.jpg"),
    "obama_partial_face2.jpg": ("obama", "obama_partial_face2.jpg"),
}
_MAX_BYTES = 4 * 1024 * 1024


class FacesUnavailable(Exception):
    """The package could not be had: no registry and no copy here."""


def fetch(directory: Path = FACES) -> Path:
    """The directory with one sub-directory per person, filled where it is not yet.

    Raises:
        FacesUnavailable: neither a copy nor a registry.
    """
    if all((directory / person / name).is_file() for person, name in IMAGES.values()):
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as place:
        _extract(_download(Path(place)), directory)
    return directory


def _download(place: Path) -> Path:
    name = f"{PACKAGE}=={VERSION}"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--dest", str(place)]
    requirement = place / "requirement.txt"
    requirement.write_text(f"{name} --hash=sha256:{SHA256}\n")
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


def _extract(archive: Path, directory: Path) -> None:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != SHA256:
        raise FacesUnavailable(f"{archive.name} has SHA-256 {digest}, not {SHA256}")
    with tarfile.open(archive) as tar:
        for inside, (person, name) in IMAGES.items():
            member = tar.extractfile(_INSIDE + inside)
            if member is None:
                raise FacesUnavailable(f"{archive.name} holds no {inside}")
            target = directory / person / name
            target.parent.mkdir(exist_ok=True)
            # Several test processes may do this at once.
            draft = target.with_name(f".{name}.{os.getpid()}")
            draft.write_bytes(member.read(_MAX_BYTES))
            os.replace(draft, target)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the directory."""
    parser = argparse.ArgumentParser(prog="tools/faces.py", description=__doc__)
    parser.add_argument("--directory", type=Path, default=FACES, help="where to put them (var/faces)")
    options = parser.parse_args(arguments)
    try:
        print(fetch(options.directory))
    except (FacesUnavailable, OSError) as error:
        print(f"faces: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
