"""Every error that a person can meet has its texts, and no text is left over."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from biometric_idp.idp import app as idp_app
from biometric_idp.registrar import app as registrar_app

PACKAGE = Path(__file__).parents[3] / "biometric_idp"
#: A code stands as the first argument of a Problem, or is passed on from the registrar by name.
RAISED = re.compile(r'Problem\(\s*"([a-z-]+)"')


def codes(*parts: str) -> set[str]:
    sources = [path for part in parts for path in (PACKAGE / part).rglob("*.py")]
    return {code for path in sources for code in RAISED.findall(path.read_text())}


def entries(part: str) -> set[str]:
    return set(tomllib.loads((PACKAGE / part / "problems.toml").read_text()))


@pytest.mark.parametrize(
    ("part", "catalogue"), [("idp", idp_app.catalogue()), ("registrar", registrar_app.catalogue())]
)
def test_every_code_in_the_source_is_in_the_catalogue(part: str, catalogue: object) -> None:
    raised = codes(part, "shared")
    assert raised
    assert raised <= set(catalogue.entries)  # type: ignore[attr-defined]


def test_no_entry_is_left_over() -> None:
    passed_on = {"not-on-roll", "no-contact", "credential-in-use", "change-in-person", "too-many-requests"}
    assert entries("idp") - codes("idp") <= passed_on
    assert entries("registrar") <= codes("registrar")
    assert entries("shared") <= codes("idp", "registrar", "shared")


def test_what_the_registrar_refuses_by_name_reaches_the_citizen_in_words() -> None:
    from biometric_idp.idp.voting.registrar_client import _PASSED_ON

    assert set(idp_app.catalogue().entries) >= _PASSED_ON
    assert set(registrar_app.catalogue().entries) >= _PASSED_ON
