"""Making the record of one case, ready to be verified by anybody."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.tampered.case import Case


def write_case(case: type[Case], directory: Path) -> Case:
    """Run a case; leave its public files and ``expected.json``.

    ``expected.json`` says which attack is planted, what the verdict must be, and which checks must fail (section 11 of
    the specification); others may fail or not run as a consequence.
    """
    directory.mkdir(parents=True, exist_ok=True)
    election = case(directory).run()
    older = [path.name for path in election.older_checkpoints()]
    expected = {
        "case": case.__name__,
        "defect": case.attack,
        "verdict": "not verified" if case.checks else "verified",
        "exit": 1 if case.checks else 0,
        "checks": list(case.checks),
        "checkpoints": older,
    }
    for private in ("state", "lists"):
        shutil.rmtree(directory / private, ignore_errors=True)
    (directory / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    return election
