"""``python -m tests.tampered``: write the corpus of records with one defect each into ``var/tampered``."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.tampered.cases import CASES
from tests.tampered.run import write_case


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the corpus; a record that is there already is kept unless ``--fresh``."""
    parser = argparse.ArgumentParser(prog="python -m tests.tampered", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("var/tampered"))
    parser.add_argument("--fresh", action="store_true", help="make every record anew")
    options = parser.parse_args(arguments)
    index = []
    for number, case in enumerate(CASES, start=1):
        directory = options.out / case.__name__
        if options.fresh or not (directory / "expected.json").exists():
            shutil.rmtree(directory, ignore_errors=True)
            write_case(case, directory)
        index.append(json.loads((directory / "expected.json").read_text()))
        print(f"\r{number} of {len(CASES)} records", end="", file=sys.stderr, flush=True)
    (options.out / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    print(f"\n{options.out / 'index.json'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
