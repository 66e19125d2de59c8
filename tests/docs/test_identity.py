"""docs/identity.md says of every table of the services where its rows go, with the days of the configuration."""

from __future__ import annotations

import re

import pytest

from biometric_idp.idp.app import SCHEMAS as IDP
from biometric_idp.idp.config import RetentionConfig as IdpRetention
from biometric_idp.issuer.models import metadata as issuer
from biometric_idp.logs.models import metadata as logs
from biometric_idp.registrar.app import SCHEMAS as REGISTRAR
from biometric_idp.registrar.config import RetentionConfig as RegistrarRetention
from tests.docs.attacks import all_tests
from tests.docs.test_links import ROOT

PAGE = (ROOT / "docs/identity.md").read_text()
STORED = PAGE.split("## What is stored")[1].split("\n## ")[0]


def rows_of(party: str) -> str:
    """The part of the table about one party: its row with the name, and those without any."""
    found = re.search(rf"^\| \*\*{party}\*\* .*\n(?:\| \| .*\n)*", STORED, re.MULTILINE)
    assert found, party
    return found[0]


@pytest.mark.parametrize(("party", "schemas"), [("IdP", IDP), ("registrar", REGISTRAR), ("issuer", [issuer, logs])])
def test_the_table_names_every_table_of_a_database_and_no_other(party: str, schemas: object) -> None:
    assert isinstance(schemas, list | tuple)
    tables = {name for metadata in schemas for name in metadata.tables}
    columns = [row.split("|")[2] for row in rows_of(party).splitlines()]
    assert set(re.findall(r"`([a-z_]+)`", " ".join(columns))) == tables


@pytest.mark.parametrize(("party", "model"), [("IdP", IdpRetention), ("registrar", RegistrarRetention)])
def test_days_are_the_defaults_of_the_configuration(
    party: str, model: type[IdpRetention] | type[RegistrarRetention]
) -> None:
    said = {name: int(days) for name, days in re.findall(r"`retention\.([a-z_]+)` \((\d+) days\)", rows_of(party))}
    assert said == model().model_dump()


def test_every_test_that_the_page_names_exists() -> None:
    known = {name for _, name in all_tests()}
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named
    assert named <= known


def test_every_attack_of_the_issue_has_a_row() -> None:
    rows = re.findall(r"^\| ([AC]\d+) \|", PAGE, re.MULTILINE)
    assert rows == [f"C{n}" for n in range(1, 17)] + [f"A{n}" for n in (1, 4, 5, 6, 7, 8)]


def test_no_diagram_has_a_semicolon_which_would_end_a_statement() -> None:
    for page in ("README.md", "docs/architecture.md", "docs/identity.md"):
        diagrams = re.findall(r"^```mermaid\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
        assert diagrams
        assert not any(";" in diagram for diagram in diagrams), page
