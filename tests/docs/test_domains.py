"""docs/spec/12-domains.md lists exactly the domain strings of the code, and the page that defines each has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/spec/12-domains.md"
DOMAIN = re.compile(r"evoting/v1/[a-z0-9-]+")
CODE = ("biometric_idp", "crypto", "evoting", "loadtests", "mix_net", "verifier")
#: Domains are spelled out in the code; nothing is glued together from parts, or this test would see less than there is.
GLUED = re.compile(r"evoting/v1/?(?![a-z0-9/-])|evoting/v1/[a-z0-9-]*\{")


def sources() -> list[Path]:
    return sorted(path for name in CODE for end in ("py", "pyi", "rs") for path in (ROOT / name).rglob(f"*.{end}"))


def rows() -> list[tuple[str, str]]:
    """Domain and last column of every row of the page's tables."""
    found = re.findall(r"^\| `(evoting/v1/[a-z0-9-]+)` \|.*\| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE)
    assert len(found) == len(DOMAIN.findall(PAGE.read_text())), "a domain on the page is not a row of a table"
    return found


def used(paths: list[Path]) -> set[str]:
    return {domain for path in paths for domain in DOMAIN.findall(path.read_text())}


def test_page_and_code_name_the_same_domains() -> None:
    listed = [domain for domain, _ in rows()]
    assert len(listed) == len(set(listed))
    assert set(listed) == used(sources())


def test_no_domain_is_put_together_from_parts() -> None:
    assert [str(path.relative_to(ROOT)) for path in sources() if GLUED.search(path.read_text())] == []


@pytest.mark.parametrize(("domain", "place"), rows())
def test_the_page_or_file_that_defines_a_domain_has_it(domain: str, place: str) -> None:
    link = re.fullmatch(r"\[[^]]+\]\(([a-z0-9-]+\.md)#[^)]+\)", place)
    path = PAGE.parent / link[1] if link else ROOT / place.strip("`")
    assert domain in DOMAIN.findall(path.read_text())


def test_the_verifier_uses_every_domain_of_the_first_table_and_no_other() -> None:
    first = PAGE.read_text().split("## 12.2")[0]
    assert used(verifier_sources(auditors=False)) == set(DOMAIN.findall(first))


def test_the_auditors_part_uses_the_marked_domains_of_the_second_table() -> None:
    second = PAGE.read_text().split("## 12.2")[1].split("## 12.3")[0]
    marked = set(re.findall(r"^\| `(evoting/v1/[a-z0-9-]+)` \| [^|]+ \| \* ", second, re.MULTILINE))
    first = set(DOMAIN.findall(PAGE.read_text().split("## 12.2")[0]))
    assert used(verifier_sources(auditors=True)) - first == marked


def verifier_sources(*, auditors: bool) -> list[Path]:
    """Sources of the universal verifier, or of the commands of auditors and citizens."""
    ledger = ROOT / "verifier/ledger"
    return [path for path in sorted((ROOT / "verifier").rglob("*.py")) if path.is_relative_to(ledger) == auditors]
