"""Link this source tree into the running virtual environment, with its console scripts.

What an editable installation does, without a build back end: the set-up script makes the compiled module, and where
there is no Rust toolchain this must work all the same. Standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SCRIPT = """#!{python}
import sys

from {module} import {function}

if __name__ == "__main__":
    sys.exit({function}())
"""


def write(path: Path, text: str, mode: int = 0o644) -> bool:
    """Write where it differs; returns whether it did."""
    if path.exists() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return True


def main() -> int:
    if sys.prefix == sys.base_prefix:
        print("link: error: run this with the Python of a virtual environment", file=sys.stderr)
        return 2
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    name, version, scripts = project["name"], project["version"], project["scripts"]
    site = Path(sysconfig.get_paths()["purelib"])
    commands = Path(sysconfig.get_paths()["scripts"])
    info = site / f"{name}-{version}.dist-info"

    files = {site / f"{name}.pth": f"{ROOT}\n"}
    for command, target in scripts.items():
        module, function = target.split(":")
        files[commands / command] = SCRIPT.format(python=sys.executable, module=module, function=function)
    files[info / "METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files[info / "INSTALLER"] = "tools/link.py\n"
    entry_points = "".join(f"{command} = {target}\n" for command, target in sorted(scripts.items()))
    files[info / "entry_points.txt"] = f"[console_scripts]\n{entry_points}"

    for stale in site.glob(f"{name}-*.dist-info"):
        if stale != info:
            for file in stale.iterdir():
                file.unlink()
            stale.rmdir()
    record = ""
    for path, text in files.items():
        write(path, text, 0o755 if path.parent == commands else 0o644)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        location = path.relative_to(site) if path.is_relative_to(site) else path
        record += f"{location},sha256={digest},{len(text.encode())}\n"
    write(info / "RECORD", f"{record}{(info / 'RECORD').relative_to(site)},,\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
