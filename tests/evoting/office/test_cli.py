"""``evoting-office`` from the manifest to the result, and everything that it refuses."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pytest

import evoting.examples
from evoting.board.reader import RecordReader
from evoting.definition import Manifest, decode_manifest, manifest_hash
from evoting.office import cli
from evoting.record.election import ElectionView, PublishedCopy
from tests.evoting.office.office_desk import OfficeElection, tree
from tests.support.small_manifest import CLOSES
from verifier.cli import main as verify

COUNCIL = Path(evoting.examples.__file__).parent / "council"
Capture = pytest.CaptureFixture[str]


def refused(capsys: Capture, code: int, *words: str) -> None:
    """One line on standard error, exit code 2, nothing on standard output."""
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.startswith("evoting-office: error: ")
    assert captured.err.count("\n") == 1
    for word in words:
        assert word in captured.err, captured.err


def test_a_whole_election_with_announcements_is_verified(tmp_path: Path, capsys: Capture) -> None:
    """Extension, withdrawal, complaint, vote page, annulment and terminal exclusion are all in the record."""
    election = OfficeElection(tmp_path / "election")
    for step in ("setup", "open", "issue"):
        getattr(election, step)()
    election.post(
        "terminal-opening", {"terminal": "terminal-1", "unit": "west-1", "time": election.now()}, "terminal-1"
    )
    for number, entries in enumerate(election.epochs()):
        election.board.append(election.sort_epoch(entries))
        election.post("epoch", {"number": number, "time": election.now(), "entries": len(entries)}, "ballot-box")
    election.hand_over()
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html>")
    (page / "assets" / "main.js").write_text("0")
    document = tmp_path / "complaint.txt"
    document.write_text("a complaint")
    capsys.readouterr()
    assert election.office("vote-page", "--page", str(page), "--reason", "a label was wrong") == 0
    first = int(capsys.readouterr().out)
    assert election.office("extension", "--closes", str(CLOSES + 3600), "--reason", "flood") == 0
    assert election.office("withdrawal", "--contest", "list", "--subject", "red/1", "--reason", "own wish") == 0
    assert election.office("post-withdrawal", "--contest", "ranking", "--subject", "bob", "--reason", "own wish") == 0
    options: tuple[str, ...] = ("--number", "7/2023", "--subject", "queue at West 1", "--document", str(document))
    assert election.office("complaint", *options, signers=("officer-2",)) == 0
    options = ("--terminal", "terminal-1", "--count", "3", "--reason", "stolen")
    assert election.office("terminal-exclusion", *options) == 0
    assert [int(line) for line in capsys.readouterr().out.split()] == list(range(first + 1, first + 6))
    election.clock = CLOSES + 3600
    election.count()
    options = ("--scope", "west-1", "--reason", "court decision 5")
    assert election.office("annulment", *options) == 0
    assert election.office("complaint", "--number", "8", "--subject", "late", signers=("officer-1",)) == 0
    election.publish()
    capsys.readouterr()
    assert verify(["run", str(election.record_path), "--trust-root", str(election.trust_root_path), "--jobs", "1"]) == 0
    view = ElectionView(PublishedCopy(election.record_path))
    assert view.closing_time() == CLOSES + 3600
    assert [file["path"] for file in view.only("vote-page").body["files"]] == [  # type: ignore[attr-defined]
        "assets/main.js",
        "index.html",
    ]
    assert view.blob(view.only("complaint"), "document") == b"a complaint"
    capsys.readouterr()
    assert cli.main(["status", str(election.record_path)]) == 0
    lines = capsys.readouterr().out
    for words in ("phase: ", " ended", "extended 1 times", "1 opened", "complaint entries:", "mixes 2 of 2", "MODEL"):
        assert words in lines


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> OfficeElection:
    """A finished election that tests look at and never change."""
    election = OfficeElection(tmp_path_factory.mktemp("counted"))
    election.vote_on_the_board()
    election.count()
    return election


@pytest.fixture
def voted(tmp_path: Path, capsys: Capture) -> OfficeElection:
    """An election whose last ballot is cast, not yet closed."""
    election = OfficeElection(tmp_path / "voted")
    election.vote_on_the_board()
    capsys.readouterr()
    return election


def test_import_makes_the_manifest(tmp_path: Path, capsys: Capture) -> None:
    output = tmp_path / "manifest.cbor"
    for _ in range(2):  # again is fine
        assert cli.main(["import", str(COUNCIL), "--output", str(output)]) == 0
        assert capsys.readouterr().out.strip() == manifest_hash(output.read_bytes()).hex()
    assert decode_manifest(output.read_bytes()).contests
    output.write_bytes(b"something else")
    refused(capsys, cli.main(["import", str(COUNCIL), "--output", str(output)]), "is not overwritten")
    assert output.read_bytes() == b"something else"


def test_import_names_file_and_place_of_an_error(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "definition"
    shutil.copytree(COUNCIL, folder)
    (folder / "election.json").write_text((folder / "election.json").read_text().replace('"format"', '"fromat"', 1))
    output = tmp_path / "manifest.cbor"
    refused(capsys, cli.main(["import", str(folder), "--output", str(output)]), "election.json")
    refused(capsys, cli.main(["import", str(tmp_path / "none"), "--output", str(output)]), "No such file")
    assert not output.exists()


def test_start_makes_a_record_with_the_manifest(tmp_path: Path, capsys: Capture) -> None:
    parts = OfficeElection(tmp_path / "parts")
    manifest = tmp_path / "manifest.cbor"
    manifest.write_bytes(parts.manifest_bytes)
    record, state = tmp_path / "new" / "record", tmp_path / "new" / "state"
    options = [
        "start",
        str(record),
        "--manifest",
        str(manifest),
        "--state",
        str(state),
        "--log-key",
        str(parts.log_key_file),
    ]
    refused(capsys, cli.main([*options, *parts.signing("officer-1")]), "2 different officers")
    refused(capsys, cli.main([*options, *parts.signing("officer-1", "officer-1")]), "2 different officers")
    refused(capsys, cli.main([*options, *parts.signing("officer-1", "mixer-1")]), "no officer's")
    assert not record.exists()
    assert cli.main([*options, *parts.signing("officer-1", "officer-2")]) == 0
    assert capsys.readouterr().out.strip() == parts.log_key.verifier.encode()
    assert ElectionView(PublishedCopy(record)).manifest == parts.manifest
    refused(capsys, cli.main([*options, *parts.signing("officer-1", "officer-2")]), "holds a log already")


def test_lookup_shows_a_voters_entries_before_and_after_the_count(
    voted: OfficeElection, counted: OfficeElection, capsys: Capture
) -> None:
    pseudonym = counted.wallets["east"].pseudonyms[0].hex()
    assert cli.main(["lookup", str(counted.record_path), "--pseudonym", pseudonym]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(", ")[1:3] for line in lines] == [["sequence 0", "superseded"], ["sequence 1", "counted"]]
    assert cli.main(["lookup", str(counted.record_path), "--pseudonym", pseudonym, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [len(row["tracking-hash"]) for row in rows] == [64, 64]
    mine = voted.wallets["east"].pseudonyms[1].hex()
    assert cli.main(["lookup", str(voted.record_path), "--pseudonym", mine]) == 0
    assert "not judged yet" in capsys.readouterr().out
    assert cli.main(["lookup", str(voted.record_path), "--pseudonym", "00" * 32]) == 0
    assert capsys.readouterr().err == "evoting-office: note: no ballot and no challenge names this pseudonym\n"


def test_the_trust_root_must_be_this_elections(counted: OfficeElection, tmp_path: Path, capsys: Capture) -> None:
    record, output = str(counted.record_path), tmp_path / "root.json"
    policy = tmp_path / "policy"
    policy.write_bytes(counted.policy())
    assert cli.main(["make-trust-root", record, "--policy", str(policy), "--output", str(output)]) == 0
    made = json.loads(output.read_text())
    assert made == {**json.loads(counted.trust_root_path.read_text()), "policy": counted.policy().decode()}
    capsys.readouterr()
    output.unlink()
    options = ["make-trust-root", record, "--output", str(output)]
    refused(capsys, cli.main(options), "--policy FILE")
    refused(capsys, cli.main([*options, "--log", counted.log_key.verifier.encode()]), "witnesses are witness-1")
    policy.write_bytes(counted.policy().replace(b"witnesses 3", b"witnesses 2"))
    refused(capsys, cli.main([*options, "--policy", str(policy)]), "two quorums")
    policy.write_bytes(counted.policy().replace(b"log log.example/small", b"log log.example/other"))
    refused(capsys, cli.main([*options, "--policy", str(policy)]))
    assert not output.exists()


TWO = ("officer-1", "officer-2")
ONE = ("officer-1",)
WITHDRAWAL = "withdrawal --reason x --contest"
EXTENSION = "extension --reason x --closes"
EXCLUSION = "terminal-exclusion --count 0 --reason x --terminal"
ANNULMENT = "annulment --scope x --reason"
REFUSALS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "a withdrawal of nobody": (f"{WITHDRAWAL} list --subject green", TWO, "cannot withdraw"),
    "a withdrawal of against-all": (f"{WITHDRAWAL} list --subject against-all", TWO, "cannot withdraw"),
    "a withdrawal from a referendum": (f"{WITHDRAWAL} question --subject yes", TWO, "nobody can"),
    "a withdrawal from no contest": (f"{WITHDRAWAL} mayor --subject yes", TWO, "no contest"),
    "an extension into the past": (f"{EXTENSION} 1700000000", TWO, "only name a later time"),
    "an extension by a century": (f"{EXTENSION} 4855759200", TWO, "at most 7 days later"),
    "an extension by one officer": (f"{EXTENSION} 1800000000", ONE, "2 different officers"),
    "an extension by one officer twice": (f"{EXTENSION} 1800000000", ONE * 2, "2 different officers"),
    "an extension by an officer and a mixer": (f"{EXTENSION} 1800000000", (*ONE, "mixer-1"), "no officer's"),
    "a time without zone": (f"{EXTENSION} 2026-11-29T22:00:00", TWO, "is no time"),
    "a complaint by two officers": ("complaint --number 1 --subject x", TWO, "one officer"),
    "a complaint without its document": ("complaint --number 1 --subject x --document none", ONE, "No such file"),
    "a reason with a direction override": (f"{ANNULMENT} 'a\u202eb'", TWO, "U+202E"),
    "a reason with a line break": (f"{ANNULMENT} 'a\nb'", TWO, "U+000A"),
    "a reason that is empty": (f"{ANNULMENT} ''", TWO, "reason: text is empty"),
    "a reason that is not Unicode": (f"{ANNULMENT} \udcff", TWO, "U+DCFF"),
    "a reason too long": (f"{ANNULMENT} {'x' * 501}", TWO, "at most 500"),
    "an exclusion of a terminal that delivered": (f"{EXCLUSION} terminal-1", TWO, "has delivered"),
    "an exclusion of a terminal never opened": (f"{EXCLUSION} terminal-9", TWO, "never opened"),
    "a close before the end": ("close", TWO, "--early"),
    "a selection before the close": ("select", TWO, "no close entry yet"),
    "aggregates before the selection": ("aggregate --lists lists", ONE, "no selection entry yet"),
    "a result before the selection": ("result", TWO, "no selection entry yet"),
    "a vote page without files": ("vote-page --page empty --reason x", TWO, "holds 0 files"),
    "an entry that is none": ("post README", (), "CBOR"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_makes_no_sense_is_refused_and_nothing_changes(
    voted_once: OfficeElection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, name: str
) -> None:
    line, signers, words = REFUSALS[name]
    command, *options = shlex.split(line)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "README").write_text("not an entry")
    before = tree(voted_once.root)
    capsys.readouterr()
    try:
        code = voted_once.office(command, *options, signers=signers)
    except SystemExit as stop:
        code = int(stop.code or 0)
    refused(capsys, code, words)
    assert tree(voted_once.root) == before
    assert not (tmp_path / "lists").exists()


@pytest.fixture(scope="module")
def voted_once(tmp_path_factory: pytest.TempPathFactory) -> OfficeElection:
    """One for all refusals, none of which changes it."""
    election = OfficeElection(tmp_path_factory.mktemp("voted"))
    election.vote_on_the_board()
    assert election.office("withdrawal", "--contest", "list", "--subject", "red", "--reason", "own wish") == 0
    return election


def test_a_second_withdrawal_and_a_second_number_are_refused(voted_once: OfficeElection, capsys: Capture) -> None:
    options = ("--contest", "list", "--subject", "red", "--reason", "again")
    refused(capsys, voted_once.office("withdrawal", *options), "has withdrawn from contest list already")


def test_after_the_result_only_announcements_are_taken(voted: OfficeElection, capsys: Capture) -> None:
    voted.count()
    capsys.readouterr()
    refused(capsys, voted.office("close", "--early"), "has its close entry already")
    refused(capsys, voted.office("select"), "has its selection entry already")
    refused(capsys, voted.office("result"), "has its result entry already")
    refused(capsys, voted.office("extension", "--closes", str(CLOSES + 60), "--reason", "x"), "out of its phase")
    options = ("--contest", "list", "--subject", "red", "--reason", "late")
    refused(capsys, voted.office("withdrawal", *options), "out of its phase")
    assert voted.office("annulment", "--scope", "east", "--reason", "court decision") == 0


class BindingElection(OfficeElection):
    """Not a MODEL election."""

    @cached_property
    def manifest(self) -> Manifest:
        origins = {"voting_origin": "https://vote.example", "identity_origin": "https://id.example"}
        never = 4_000_000_000
        return replace(super().manifest, model=False, closes=never, enrolment_age=2 * 86_400, **origins)  # type: ignore[arg-type]

    def writing(self) -> list[str]:
        return super().writing()[:-2]  # without --now


@pytest.fixture(scope="module")
def binding(tmp_path_factory: pytest.TempPathFactory) -> BindingElection:
    """One for refusals, none of which changes it."""
    election = BindingElection(tmp_path_factory.mktemp("binding"))
    election.vote_on_the_board()
    return election


def test_only_a_model_election_is_closed_early(
    binding: BindingElection, voted: OfficeElection, capsys: Capture
) -> None:
    before = tree(binding.root)
    capsys.readouterr()
    for options in ([], ["--early"]):
        refused(capsys, binding.office("close", *options), "only a MODEL election can be closed before its end")
    refused(capsys, binding.office("close", "--now", "4000000001"), "--now is for MODEL elections")
    assert tree(binding.root) == before
    assert voted.office("close", "--early") == 0


def test_an_entry_handed_in_must_be_signed_by_its_role_and_bring_its_blobs(
    voted: OfficeElection, capsys: Capture
) -> None:
    from crypto.entry import sign_entry

    voted.close()
    voted.ledgers()
    voted.select()
    voted.aggregate()
    capsys.readouterr()
    proof = voted.board.put_blob(b"proof")
    body = {
        "contest": "list", "group": "east", "stage": 1, "count": 6, "input": bytes(32),
        "output": {"hash": proof.hash, "length": proof.length}, "proof": {"hash": proof.hash, "length": proof.length},
        "time": voted.now(),
    }  # fmt: skip
    entry = voted.root / "mix.entry"

    def hand_in(signer: str, *blobs: str, **changes: object) -> int:
        keys = {signer: voted.keys[signer]}
        entry.write_bytes(sign_entry("mix", {**body, **changes}, voted.record.binding, keys))
        return voted.office("post", str(entry), *blobs, signers=())

    blob = str(voted.root / "outbox" / proof.hash.hex())
    refused(capsys, hand_in("mixer-2", "--blob", blob), "signed by another role")
    refused(capsys, hand_in("officer-1", "--blob", blob), "must be signed by 1 mixer")
    refused(capsys, hand_in("mixer-2", "--blob", blob, stage=2), "stage 1 is due")
    refused(capsys, hand_in("mixer-1"), "give it by --blob")
    refused(capsys, hand_in("mixer-1", "--blob", str(entry)), "is not a blob that the entry names")
    other = sign_entry("mix", body, voted.record.binding, {"mixer-1": voted.keys["mixer-2"]})
    entry.write_bytes(other)
    refused(capsys, voted.office("post", str(entry), "--blob", blob, signers=()), "does not hold")


def spoil_checkpoint(election: OfficeElection) -> None:
    path = election.record_path / "checkpoint"
    path.write_bytes(path.read_bytes()[:40])


def spoil_manifest(election: OfficeElection) -> None:
    ref = ElectionView(PublishedCopy(election.record_path)).only("manifest").body["manifest"]
    path = election.record_path / f"blob/sha256/{ref['hash'].hex()[:2]}/{ref['hash'].hex()}"  # type: ignore[index]
    path.write_bytes(path.read_bytes()[:-1])


def spoil_entries(election: OfficeElection) -> None:
    """What is published; the writer has its own copy of the last entries."""
    for path in (election.record_path / "tile" / "entries").rglob("*.p/*"):
        path.write_bytes(path.read_bytes()[:-7])


def spoil_key(election: OfficeElection) -> None:
    path = election.key_files["officer-1"]
    path.write_bytes(path.read_bytes()[:30])


def spoil_log_key(election: OfficeElection) -> None:
    election.log_key_file.write_bytes(b"")


def remove_state(election: OfficeElection) -> None:
    shutil.rmtree(election.root / "state")


@pytest.mark.parametrize(
    "spoil", [spoil_checkpoint, spoil_manifest, spoil_entries, spoil_key, spoil_log_key, remove_state]
)
def test_damaged_files_give_one_line_and_stay_as_they_are(
    voted_once: OfficeElection, tmp_path: Path, capsys: Capture, spoil: Callable[[OfficeElection], None]
) -> None:
    election = OfficeElection.__new__(OfficeElection)
    election.__dict__.update(voted_once.__dict__)
    shutil.copytree(voted_once.root, tmp_path / "copy")
    election.root, election.record_path = tmp_path / "copy", tmp_path / "copy" / "record"
    election.log_key_file = election.root / "log.key"
    election.key_files = {role: election.root / f"{role}.key" for role in voted_once.key_files}
    spoil(election)
    before = tree(election.root)
    capsys.readouterr()
    if spoil is not spoil_entries:
        refused(capsys, election.office("withdrawal", "--contest", "list", "--subject", "blue", "--reason", "x"))
    if spoil in (spoil_checkpoint, spoil_manifest, spoil_entries):
        refused(capsys, cli.main(["status", str(election.record_path)]))
    after = tree(election.root)
    assert {name: after.get(name) for name in before} == before


def test_foreign_directories_are_refused(tmp_path: Path, capsys: Capture) -> None:
    for command in (["status"], ["lookup", "--pseudonym", "00" * 32], ["make-trust-root", "--output", "x"]):
        refused(capsys, cli.main([command[0], str(tmp_path), *command[1:]]), "checkpoint")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["status"], ["nonsense"], ["lookup", "r", "--pseudonym", "zz"]])
def test_wrong_arguments_give_one_line(capsys: Capture, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("evoting-office: error: ")


def test_help_says_what_every_command_does(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for words in ("exit codes", "extension", "two officers sign", "voting ends later"):
        assert words in text
    with pytest.raises(SystemExit):
        cli.main(["withdrawal", "--help"])
    assert "Two officers sign." in capsys.readouterr().out


def test_status_for_programs(counted: OfficeElection, capsys: Capture) -> None:
    capsys.readouterr()
    assert cli.main(["status", str(counted.record_path), "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert lines["phase"] == "ended"
    assert lines["fingerprint"] == json.loads(counted.trust_root_path.read_text())["fingerprint"]
    assert RecordReader(counted.record_path).checkpoint()
