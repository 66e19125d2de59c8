"""An election whose selection would not fit into an entry is noticed before it starts, not after the close."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crypto import cbor
from evoting.definition import encode_manifest
from evoting.errors import RecordError
from evoting.office import cli, steps
from evoting.office.room import _AROUND, _largest_selection, require_room
from tests.support.small_election import SmallElection
from tests.support.small_manifest import ROLES, small_manifest

MANIFEST = small_manifest({name: bytes([number]) * 32 for number, (name, _, _) in enumerate(ROLES)})


def test_too_many_styles_are_refused_before_the_start() -> None:
    require_room(MANIFEST)
    (style, *_) = MANIFEST.styles
    many = replace(MANIFEST, styles=tuple(replace(style, id=f"style-{number:04d}") for number in range(300)))
    with pytest.raises(RecordError, match="300 ballot styles and 3 contests are too many"):
        require_room(many)


def test_a_manifest_without_room_makes_no_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest, record = tmp_path / "manifest.cbor", tmp_path / "record"
    manifest.write_bytes(encode_manifest(replace(MANIFEST, limits=replace(MANIFEST.limits, entry_bytes=1024))))
    command = ["start", record, "--manifest", manifest, "--state", tmp_path / "state", "--log-key", tmp_path / "none"]
    assert cli.main([*map(str, command), "--key", str(tmp_path / "none")]) == 2
    assert "limits.entry-bytes is 1024" in capsys.readouterr().err
    assert not record.exists()


def test_a_real_selection_is_within_what_was_reckoned(tmp_path: Path) -> None:
    election = SmallElection(tmp_path)
    for step in ("setup", "open", "issue", "vote", "close", "ledgers", "select"):
        getattr(election, step)()
    entry = election.record.only("selection")
    assert steps.published_groups(election.record)
    assert len(cbor.encode(entry.body)) <= _largest_selection(election.manifest)
    assert len(entry.raw) - len(cbor.encode(entry.body)) <= _AROUND
