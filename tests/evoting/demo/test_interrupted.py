"""The demonstration interrupted and resumed: at every step boundary once, and the record is verified in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from evoting.ballots.dispositions import CHALLENGED, COUNTED, REASONS, SUPERSEDED
from evoting.record.election import ElectionView, PublishedCopy
from tests.evoting.demo.small_demo import SmallDemo
from verifier.cli import main as verify


class Interrupter:
    """Raises before or after each party's call and each append, the first time it meets one of its kind.

    Args:
        every: each single one, instead of one for each command of a party and each type of entry.
    """

    def __init__(self, *, every: bool) -> None:
        self.met: set[tuple[object, ...]] = set()
        self._every = every

    def __call__(self, *event: object) -> None:
        kind, when, name, *rest = event
        words = 0 if kind == "append" else 2 if rest[0] == "ceremony" else 1
        place = event if self._every else (kind, when, name, *rest[:words])
        if place not in self.met:
            self.met.add(place)
            raise KeyboardInterrupt


def resume_until_done(demo: SmallDemo, interrupter: Interrupter) -> int:
    """Run again and again, as its message says; gives the number of interruptions."""
    demo.watch = interrupter
    for interruptions in range(10_000):
        code, error = demo.run()
        if code == 0:
            return interruptions
        assert code == 2
        assert error.endswith("evoting-demo: interrupted; run the same command again to go on\n"), error
        # A thread that works on another list may be interrupted as well before the first one is heard of.
        assert len(interrupter.met) > interruptions
    raise AssertionError("it never ends")


@pytest.mark.parametrize(
    "every",
    [pytest.param(False, marks=pytest.mark.slow), pytest.param(True, marks=pytest.mark.full)],
    ids=["kinds", "every"],
)
def test_interrupted_at_step_boundaries_it_ends_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = SmallDemo(tmp_path / "demo", monkeypatch)
    interruptions = resume_until_done(demo, Interrupter(every=every))
    assert interruptions > (150 if every else 50)
    assert capsys.readouterr().out.rstrip().endswith("VERIFIED")
    # A finished demonstration does nothing again, and the files stay the verified ones.
    record = _untouched(demo.places.record)
    demo.watch = lambda *_: None
    assert demo.run()[0] == 0
    assert _untouched(demo.places.record) == record


@pytest.mark.slow
def test_interrupted_in_the_middle_of_voting_and_mixing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first epoch of three, and after the fifth of eighteen mix entries."""
    demo = SmallDemo(tmp_path / "demo", monkeypatch)
    seen: dict[object, int] = {}

    def watch(kind: str, when: str, name: str, *_: object) -> None:
        seen[kind, when, name] = seen.get((kind, when, name), 0) + 1
        if (kind, when, name, seen[kind, when, name]) in {
            ("append", "after", "epoch", 1),
            ("append", "before", "mix", 5),
        }:
            raise KeyboardInterrupt

    demo.watch = watch
    codes = [demo.run()[0] for _ in range(3)]
    assert codes == [2, 2, 0]
    # Nothing was cast or mixed twice.
    assert seen["append", "after", "epoch"] == 3
    assert seen["append", "after", "mix"] == 18
    assert verify(["run", str(demo.places.record), "--trust-root", str(demo.places.trust_root), "--jobs", "1"]) == 0
    # What a real election day brings is all there: one of every kind of rejected entry, re-votes, challenges.
    view = ElectionView(PublishedCopy(demo.places.record))
    fates = set(view.blob(view.only("selection"), "dispositions"))
    assert fates == {COUNTED, SUPERSEDED, CHALLENGED, *REASONS.values()}


def _untouched(record: Path) -> dict[Path, int]:
    """When each file of a record was written; but for the checkpoint, which a log witness may cosign again."""
    return {path: path.stat().st_mtime_ns for path in record.rglob("*") if path.is_file() and path.name != "checkpoint"}
