"""Settings of a demonstration: resumed, moved aside and brought back, and never written into a foreign directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from evoting.demo.cli import main
from evoting.demo.plan import Plan, PlanError


def test_the_same_settings_go_on(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "plan.json"
    assert Plan.load_or_start(path, 1000, "both") == Plan.load_or_start(path, 1000, "both")


def test_other_settings_move_the_earlier_one_aside_and_back(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "plan.json"
    first = Plan.load_or_start(path, 1000, "both")
    (path.parent / "work").mkdir()
    told: list[str] = []
    second = Plan.load_or_start(path, 100, "referendum", told.append)
    assert second != first
    assert (tmp_path / "demo-1000-both-files" / "work").is_dir()
    assert Plan.load_or_start(path, 1000, "both", told.append) == first
    assert (path.parent / "work").is_dir()
    assert (tmp_path / "demo-100-referendum-files" / "plan.json").exists()
    assert len(told) == 3


def test_nothing_is_overwritten_when_both_places_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "plan.json"
    Plan.load_or_start(path, 1000, "both")
    (tmp_path / "demo-1000-both-files").mkdir()
    with pytest.raises(PlanError, match="there already"):
        Plan.load_or_start(path, 100, "both")
    assert path.exists()


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"scale": 1000}', b"\xff\xfe"])
def test_a_foreign_directory_is_refused_in_one_line(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "photos"
    out.mkdir()
    (out / "holiday.txt").write_text("keep me")
    if content is not None:
        (out / "plan.json").write_bytes(content)
    before = sorted((path.name, path.read_bytes()) for path in out.iterdir())
    for arguments in (["--out", str(out)], ["--out", str(out), "--fresh"]):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("evoting-demo: error: ")
        assert error.count("\n") == 1
    assert sorted((path.name, path.read_bytes()) for path in out.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "value"), [("SCALE", "0"), ("SCALE", "abc"), ("SCALE", "1.5"), ("CONTEST", "foo"), ("ISSUANCE", "foo")]
)
def test_a_mistyped_setting_is_one_line_and_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    out = tmp_path / "demo"
    Plan.load_or_start(out / "plan.json", 1000, "both")
    before = (out / "plan.json").read_bytes()
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        main(["--out", str(out)])
    assert stopped.value.code == 2
    assert value in capsys.readouterr().err.splitlines()[-1]
    assert (out / "plan.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
