"""Resolve all dependencies of pyproject.toml anew into requirements.lock: versions and hashes, no addresses.

The requirements are read here and not by the build back end, which would need a Rust toolchain.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = [
    "--quiet",
    "--strip-extras",
    "--generate-hashes",
    "--allow-unsafe",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
    "--no-header",
    "--no-annotate",
]


def main() -> int:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    every = [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]
    lock = ROOT / "requirements.lock"
    with tempfile.TemporaryDirectory() as directory:
        wanted = Path(directory) / "requirements.in"
        wanted.write_text("".join(f"{item}\n" for item in every if not item.startswith(project["name"])))
        command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, "--output-file", str(lock), str(wanted)]
        return subprocess.run([*command, *sys.argv[1:]], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
