"""The command: reports, exit codes, one line of error; and that every register code is in the catalogue."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import biometric_idp.population
from biometric_idp.population.cli import main
from biometric_idp.population.open import open_register
from services.problems import read_catalogue
from tests.biometric_idp.population.test_file_register import ANNA, write_json
from tests.biometric_idp.population.voter_list import KEY, RULES, Lists, person

PACKAGE = Path(biometric_idp.population.__file__).parent
CODE = re.compile(r'"(register-[a-z-]+)"')


class Command:
    """The arguments that every import needs."""

    def __init__(self, root: Path) -> None:
        self.lists = Lists(root)
        self.database = str(root / "population.db")
        rules = {
            "format": "evoting-list-rules/v1", "election": RULES.election, "minimum_age": 18,
            "election_day": RULES.election_day.isoformat(), "units": dict(RULES.units),
        }  # fmt: skip
        (root / "rules.json").write_text(json.dumps(rules))
        pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (root / "keeper.pem").write_bytes(pem)
        self.root = root

    def take(self, path: Path, *options: str) -> int:
        return main(
            [
                "import-list", str(path), "--signature", str(self.lists.sign(path)), "--rules",
                str(self.root / "rules.json"), "--trust", str(self.root / "keeper.pem"), "--database",
                self.database, *options,
            ]
        )  # fmt: skip


@pytest.fixture(name="command")
def fixture_command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def test_a_list_is_imported_shown_and_imported_again(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    path = command.lists.write([person(1), person(2)])
    assert command.take(path, "--language", "en") == 0
    assert "List 1 (preliminary, model-2030): accepted" in capsys.readouterr().out
    assert command.take(path, "--json") == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "unchanged"
    assert main(["show", "--database", command.database, "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["lists"]
    assert (shown["number"], shown["voters"], shown["message_id"]) == (1, 2, "message-1")
    assert main(["show", "--database", command.database, "--election", "other"]) == 0
    assert "no list was imported" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("language", "sentence"), [("ky", "Адам каза болгон"), ("ru", "умерший"), ("en", "marked as deceased")]
)
def test_rejected_lines_are_exit_code_1_and_told_in_the_language(
    command: Command, capsys: pytest.CaptureFixture[str], language: str, sentence: str
) -> None:
    path = command.lists.write([person(1), person(2, status="deceased")])
    assert command.take(path, "--language", language) == 1
    captured = capsys.readouterr()
    assert sentence in captured.out
    assert " 3, status: deceased: " in captured.out
    assert captured.err == ""
    assert command.take(path, "--leave-out-rejected") == 0


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("python -m biometric_idp.population: error: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_bad_input_is_one_line_and_exit_code_2(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    path = command.lists.write([person(1)])
    foreign = command.lists.write([person(1)], election="other", number=2)
    assert command.take(foreign) == 2
    assert "election other" in one_line(capsys)
    assert command.take(path, "--trust", str(command.root / "missing.pem")) == 2
    assert "missing.pem" in one_line(capsys)
    command.database = str(command.root / "keeper.pem")
    assert command.take(path) == 2
    one_line(capsys)
    command.database = "mysql://x/y"
    assert command.take(path) == 2
    one_line(capsys)
    strange = command.root / "a\nb\u202e.json"
    strange.write_text("{")
    assert main(["check-register", str(strange)]) == 2
    assert "\u202e" not in one_line(capsys)


def test_a_register_is_checked_without_telling_who_is_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "portraits").mkdir()
    (tmp_path / "portraits/1.jpg").write_bytes(b"\xff\xd8")
    register = write_json(tmp_path, {**ANNA, "fingerprints": []})
    assert main(["check-register", str(register), "--pin", ANNA["pin"], "--json"]) == 0
    output = capsys.readouterr().out
    assert json.loads(output) == {
        "register": "file", "persons": 1, "portraits": 1, "fingerprints": 0, "known": True, "portrait": True,
        "fingerprints-of-person": 0, "documents": 1,
    }  # fmt: skip
    assert main(["check-register", str(register), "--pin", "20101198000001"]) == 0
    assert "known: false" in capsys.readouterr().out
    assert main(["check-register", str(register), "--pin", "x"]) == 2
    one_line(capsys)
    (tmp_path / "portraits/1.jpg").unlink()
    assert main(["check-register", str(register)]) == 2
    assert "line 3, portrait" in one_line(capsys)


def test_an_x_road_configuration_is_told_from_a_register(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "register.json"
    value: dict[str, Any] = {"format": "evoting-xroad-register/v1"}
    path.write_text(json.dumps(value))
    assert main(["check-register", str(path)]) == 2
    assert "missing or unknown members" in one_line(capsys)
    assert len(list(open_register(write_json(tmp_path, {**ANNA, "portrait": None})).fingerprints("x"))) == 0


@pytest.mark.parametrize("step", ["", "import-list", "show", "check-register"])
def test_help_helps(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*([step] if step else []), "--help"])
    assert caught.value.code == 0
    assert "usage: python -m biometric_idp.population" in capsys.readouterr().out


def test_every_register_code_has_a_sentence_in_three_languages_and_a_next_step() -> None:
    told = set(read_catalogue(PACKAGE / "problems.toml").entries) - set(read_catalogue().entries)
    raised = {code for path in PACKAGE.rglob("*.py") for code in CODE.findall(path.read_text())}
    assert raised == told
