"""``python -m tests.docs.attacks``: bring the last two columns of the table in docs/threat-model.md up to date.

Records come from the corpus, tests from their names; what a row names besides stays, if it exists. What stops an attack
is written by people.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path

from tests.tampered.cases import CASES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/threat-model.md"
ROW = re.compile(r"^\| ([SCBLMDAWO]\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ID = re.compile(r"(?<![A-Za-z0-9])([SCBLMDAWO][0-9]+)(?![0-9A-Za-z])")
#: More would hide the table behind its last column.
MOST_RECORDS, MOST_TESTS = 4, 3


@cache
def all_tests() -> tuple[tuple[Path, str], ...]:
    """File and name of every test function of the repository."""
    return tuple(
        (path, node.name)
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def attacks_of(name: str) -> set[str]:
    """Ids of the attacks that a test's name names; a test that is only *like* one names none."""
    return set() if "_like_" in name else set(ID.findall(name.replace("_", " ")))


def records_of(attack: str) -> list[str]:
    """Cases of the corpus that plant an attack."""
    return [case.__name__ for case in CASES if case.attack.split()[0].rstrip(":") == attack]


def tests_of(attack: str) -> list[str]:
    """One test of every file that has some about an attack."""
    by_file: dict[Path, str] = {}
    for path, name in all_tests():
        if attack in attacks_of(name):
            by_file.setdefault(path, name)
    return list(by_file.values())


def updated_row(match: re.Match[str]) -> str:
    """A row with its last two columns made anew."""
    attack, what, stopped, _, tests = match.groups()
    records = records_of(attack)
    shown = ", ".join(f"`{name}`" for name in records[:MOST_RECORDS])
    if len(records) > MOST_RECORDS:
        shown += " and more"
    known = {name for _, name in all_tests()}
    kept = [name for name in re.findall(r"`(\w+)`", tests) if name in known and attack not in attacks_of(name)]
    named = ", ".join(f"`{name}`" for name in [*tests_of(attack)[:MOST_TESTS], *kept])
    if not named and not records and "later" not in stopped:
        named = "*no test yet*"
    return f"| {attack} | {what} | {stopped} | {shown or '-'} | {named or '-'} |"


def main() -> int:
    """Rewrite the table."""
    PAGE.write_text(ROW.sub(updated_row, PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
