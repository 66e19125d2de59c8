"""Every path, link, anchor, command, target and test that the documents name is there."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.docs.attacks import all_tests

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    list(ROOT.glob("*.md")) + list((ROOT / "docs").rglob("*.md")) + list((ROOT / "verifier").rglob("*.md"))
)
PACKAGES = (
    "biometric_idp",
    "crypto",
    "docs",
    "evoting",
    "loadtests",
    "mix_net",
    "services",
    "tests",
    "tools",
    "verifier",
    "web",
)
#: What looks like a path and is none: files that a run makes, and domains (test_domains.py).
NO_PATHS = ("var/", ".venv/", "evoting/v1/")

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)\b")
COMMAND = re.compile(r"\bevoting-(?:demo|idp|issuer|mixer|office|registrar|trustee|verify|voter|voters|witness)\b")


def text_of(path: Path) -> str:
    """A document without its fenced blocks, whose contents are no Markdown."""
    return FENCE.sub("", path.read_text())


def slug(heading: str) -> str:
    """The anchor that the usual renderers make of a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@cache
def anchors(path: Path) -> frozenset[str]:
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} (.+)$", text_of(path), re.MULTILINE):
        base = slug(heading)
        found.append(base if base not in found else f"{base}-{found.count(base)}")
    return frozenset(found)


def broken_links(path: Path) -> list[str]:
    broken = []
    for link in LINK.findall(CODE.sub("", text_of(path))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        outside = not target.is_relative_to(ROOT)
        if outside or not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def missing_paths(path: Path) -> list[str]:
    """Code spans that look like paths of this repository, and are none."""
    missing = []
    known = {name for _, name in all_tests()}
    for span in CODE.findall(text_of(path)):
        name, _, test = span.partition("::")
        looks = re.fullmatch(r"[\w.*-]+(/[\w.*{}<>-]+)+/?", name)
        if not looks or not name.startswith(tuple(f"{package}/" for package in PACKAGES)) or name.startswith(NO_PATHS):
            continue
        if "*" in name or "<" in name:
            found = bool(list(ROOT.glob(re.sub(r"<[^>]*>", "*", name))))
        else:
            found = (ROOT / name).exists() or (path.parent / name).exists()
        if not found or (test and test not in known):
            missing.append(span)
    return missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_paths_lead_somewhere(path: Path) -> None:
    assert broken_links(path) == []
    assert missing_paths(path) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_targets_and_commands_exist(path: Path) -> None:
    text = path.read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    spans = "\n".join(CODE.findall(text) + re.findall(r"^ {4}\S.*$", text, re.MULTILINE))
    assert {name for name in TARGET.findall(spans) if name not in targets} == set()
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert {name for name in COMMAND.findall(text) if name not in scripts} == set()


def test_every_target_of_the_makefile_runs_something_that_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for module in re.findall(r"python -m ([a-z_.]+)", makefile):
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), module
    for script in re.findall(r"\btools/[a-z-]+\.(?:sh|py)", makefile):
        assert (ROOT / script).exists(), script


def test_every_console_command_has_its_function() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for command, target in scripts.items():
        module, function = target.split(":")
        source = (ROOT / module.replace(".", "/")).with_suffix(".py")
        assert source.exists(), f"{command}: {source.relative_to(ROOT)}"
        names = {node.name for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef)}
        assert function in names, command


def test_no_machine_path_in_any_document() -> None:
    for path in DOCUMENTS:
        assert re.findall(r"(?<![\w.])/(?:home|root|work|tmp|Users)/\S*", path.read_text()) == [], path


def test_these_checks_notice_what_they_are_for(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n[x](other.md) [y](#two) [z](#one) `crypto/none.py` `crypto/cbor.py`\n")
    # Links leave the repository here, so that only the anchor of the page itself could be right.
    assert broken_links(page) == ["other.md", "#two", "#one"]
    assert missing_paths(page) == ["crypto/none.py"]
    assert slug("2.4 `Bodies`, and more!") == "24-bodies-and-more"
