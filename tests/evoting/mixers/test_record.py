"""``evoting-mixer`` takes its list from a record that it has checked under its own trust root."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.log.note import NOTE_KEY
from evoting.board.keys import generate_key
from evoting.mixers import cli
from evoting.mixers.source import counted_list, read_job, trusted_view
from evoting.office.lists import list_path
from evoting.office.steps import published_groups
from mix_net.stage import ENTRY, OUTPUT, PROOF
from tests.evoting.office.office_desk import OfficeElection, tree
from verifier.cli import main as verify

Capture = pytest.CaptureFixture[str]


class Mixing(OfficeElection):
    """Aggregated; the mixers' turn. Each takes its list from the published record."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.vote_on_the_board()
        for step in ("close", "ledgers", "select", "aggregate"):
            getattr(self, step)()
        self.write_trust_root()
        self.publish()
        for number in (1, 2):
            self.key_files[f"mixer-{number}"] = path = root / f"own-{number}.key"
            generate_key(path, f"mixer-{number}", NOTE_KEY, seed=bytes(self.keys[f"mixer-{number}"]))

    def lists(self) -> list[tuple[str, str]]:
        groups = published_groups(self.record)
        return [
            (contest, group.id)
            for contest in ("list", "ranking")
            for group in groups[contest]
            if group.status == "tallied"
        ]

    def words(self, contest: str, group: str) -> list[str]:
        record = ["--record", str(self.record_path), "--trust-root", str(self.trust_root_path), "--quiet"]
        return [*record, "--contest", contest, "--group", group]

    def mix_one(self, number: int, contest: str, group: str, out: Path, *more: str) -> int:
        own = ["--key", str(self.key_files[f"mixer-{number}"]), "--private", str(self.root / f"mixer-{number}")]
        clock = ["--now", str(self.now())]
        return cli.main(["mix", *self.words(contest, group), *own, *clock, "--out", str(out), *more])

    def append(self, out: Path) -> None:
        blobs = ["--blob", str(out / OUTPUT), "--blob", str(out / PROOF)]
        assert self.office("post", str(out / ENTRY), *blobs, "--lists", str(self.root / "lists"), signers=()) == 0
        self.publish()

    def mix(self) -> None:
        for contest, group in self.lists():
            for number in (1, 2):
                out = self.root / f"{contest}.{group}.{number}"
                assert self.mix_one(number, contest, group, out) == 0
                self.append(out)


@pytest.fixture
def mixing(tmp_path: Path, capsys: Capture) -> Mixing:
    election = Mixing(tmp_path / "mixing")
    capsys.readouterr()
    return election


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Mixing:
    """One that tests do not change."""
    return Mixing(tmp_path_factory.mktemp("still"))


def refused(capsys: Capture, code: int, *words: str) -> None:
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.startswith("evoting-mixer: error: ")
    assert captured.err.count("\n") == 1
    for word in words:
        assert word in captured.err, captured.err


def test_what_mixers_take_from_the_record_is_mixed_and_verified(mixing: Mixing) -> None:
    mixing.mix()
    mixing.decrypt()
    mixing.result()
    mixing.publish()
    assert verify(["run", str(mixing.record_path), "--trust-root", str(mixing.trust_root_path), "--jobs", "1"]) == 0


def test_a_mixer_makes_the_first_list_itself_and_it_is_the_offices(still: Mixing) -> None:
    view = trusted_view(still.record_path, still.trust_root_path, still.now())
    lists = still.lists()
    assert lists
    for contest, group_id in lists:
        group = next(one for one in published_groups(view)[contest] if one.id == group_id)
        mixed = view.manifest.contest_by_id[contest]
        own = counted_list(view, mixed, group)  # type: ignore[arg-type]
        assert own == list_path(still.root / "lists", (contest, group_id)).read_bytes()
        assert read_job(view, contest, group_id, None).inputs == own


def test_a_stage_is_verified_against_the_record(mixing: Mixing, capsys: Capture) -> None:
    (contest, group), *_ = mixing.lists()
    out = mixing.root / "out"
    assert mixing.mix_one(1, contest, group, out) == 0
    words = ["verify", *mixing.words(contest, group), "--out", str(out)]
    capsys.readouterr()
    assert cli.main(words) == 0
    assert capsys.readouterr().out == "valid\n"
    mixing.append(out)
    assert cli.main([*words, "--stage", "1"]) == 0
    assert cli.main(words) == 1  # the second stage is due now, and this is not its output
    capsys.readouterr()


REFUSED: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "a list that is not mixed": (lambda w: change(w, "--contest", "question"), "no list question."),
    "a contest that is not there": (lambda w: change(w, "--contest", "mayor"), "it has list."),
    "a group that is not there": (lambda w: change(w, "--group", "nowhere"), "no list list.nowhere to mix"),
    "a stage before the one before": (lambda w: [*w, "--stage", "2"], "stage 2 is not due; 0 of 2"),
    "no stage": (lambda w: [*w, "--stage", "0"], "stage 0 is not due"),
    "no trust root": (lambda w: without(w, "--trust-root"), "--record needs --trust-root"),
    "a list as well": (lambda w: [*w, "--list", "x"], "not from both"),
    "nothing": (lambda w: w[: w.index("--record")] + w[w.index("--quiet") :], "or --record"),
}


def change(words: list[str], name: str, value: str) -> list[str]:
    place = words.index(name) + 1
    return [*words[:place], value, *words[place + 1 :]]


def without(words: list[str], name: str) -> list[str]:
    place = words.index(name)
    return words[:place] + words[place + 2 :]


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_mixed_is_refused_and_nothing_is_written(still: Mixing, capsys: Capture, name: str) -> None:
    alter, words = REFUSED[name]
    (contest, group), *_ = still.lists()
    private, out = still.root / "never", still.root / "nowhere"
    command = ["mix", *still.words(contest, group), "--private", str(private), "--out", str(out)]
    before = tree(still.root)
    capsys.readouterr()
    refused(capsys, cli.main(alter(command)), words)
    assert tree(still.root) == before
    assert not private.exists()


def test_a_mixer_does_not_work_in_anothers_turn(still: Mixing, capsys: Capture) -> None:
    (contest, group), *_ = still.lists()
    capsys.readouterr()
    code = still.mix_one(2, contest, group, still.root / "nowhere")
    refused(capsys, code, "stage 1 is for mixer-1", "own-2.key is not its key")


def test_a_record_that_does_not_hold_is_not_mixed(still: Mixing, tmp_path: Path, capsys: Capture) -> None:
    """One byte of a ballot, another election, or a log that no quorum has cosigned."""
    (contest, group), *_ = still.lists()
    copy = tmp_path / "record"
    shutil.copytree(still.record_path, copy)
    bundle = next(path for path in sorted((copy / "tile/entries").rglob("*")) if path.is_file())
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    command = ["mix", *still.words(contest, group), "--private", str(tmp_path / "p"), "--out", str(tmp_path / "o")]
    capsys.readouterr()
    refused(capsys, cli.main(change(command, "--record", str(copy))), "is not the hashes of what lies below it")
    refused(capsys, cli.main(change(command, "--record", str(tmp_path / "none"))), "none")
    root = tmp_path / "root.json"
    root.write_text(still.trust_root_path.read_text().replace(still.fingerprint.hex(), "00" * 32))
    refused(capsys, cli.main(change(command, "--trust-root", str(root))), "not the record of the election")
    shutil.copy(still.record_path / "checkpoint", copy / "checkpoint")
    note = (copy / "checkpoint").read_text().split("\n\n")
    (copy / "checkpoint").write_text(note[0] + "\n\n" + note[1].splitlines()[0] + "\n")
    refused(capsys, cli.main(change(command, "--record", str(copy))))
    assert not (tmp_path / "o").exists()
