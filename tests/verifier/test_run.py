"""The command on an honest record, on damaged ones, and on things that are no record."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.small_election import SmallElection
from tests.verifier.edited import Edited
from verifier.checks.registry import CHECKS, check
from verifier.cli import main
from verifier.record.cbor import Value, decode, encode
from verifier.record.entries import split_voter_entry
from verifier.record.manifest import decode_manifest
from verifier.record.trust import load_trust_root
from verifier.report.report import schema
from verifier.run import ORDER, run_checks
from verifier.state import Settings, State

Verify = Callable[..., tuple[int, list[str]]]


def test_an_honest_record_is_verified(election: SmallElection, verify: Verify, tmp_path: Path) -> None:
    json_path, html_path = tmp_path / "report.json", tmp_path / "report.html"
    code, lines = verify(election.record_path, "--json", str(json_path), "--html", str(html_path))
    assert (code, lines[-1]) == (0, "VERIFIED")
    report = json.loads(json_path.read_text())
    jsonschema.validate(report, schema())
    assert report["verified"] is True
    assert [item["name"] for item in report["checks"]] == [*ORDER, "verifier.complete"]
    assert {item["status"] for item in report["checks"]} == {"pass"}
    assert any("MODEL ELECTION" in line for line in lines)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_the_checks_are_those_of_the_specification() -> None:
    page = (Path(__file__).parents[2] / "docs/spec/11-checks.md").read_text()
    names = re.findall(r"^\|[^|]*\| `([a-z.-]+)` \|", page, flags=re.MULTILINE)
    assert [*ORDER, "verifier.complete"] == names
    assert len(CHECKS) == len(ORDER)


class _Page(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_is_self_contained_and_shows_the_result(
    election: SmallElection, verify: Verify, tmp_path: Path
) -> None:
    verify(election.record_path, "--html", str(tmp_path / "report.html"))
    page = _Page()
    page.feed((tmp_path / "report.html").read_text())
    assert not {"script", "img", "link", "iframe", "object", "a"} & set(page.tags)
    assert not {name for name in page.attributes if name.startswith("on") or name in ("src", "href")}
    shown = " ".join(page.text)
    language = election.manifest.languages[0]
    for expected in ("VERIFIED", "MODEL ELECTION", election.manifest.title[language], "Accounting", "mix.proof"):
        assert expected in shown


@pytest.mark.full
def test_the_arithmetics_agree(election: SmallElection, verify: Verify) -> None:
    code, lines = verify(election.record_path, "--arithmetic", "portable")
    assert (code, lines[-1]) == (0, "VERIFIED")
    assert "portable" in lines[-2]


class _Larger(SmallElection):
    """Enough entries for several bundles."""

    ballots_per_style = 140


def test_processes_and_chunks_change_nothing(verify: Verify, tmp_path: Path) -> None:
    larger = _Larger(tmp_path / "larger").run()
    reports = []
    for number, options in enumerate((["--chunk", "1"], ["--chunk", "100000"], ["--jobs", "2", "--chunk", "256"])):
        path = tmp_path / f"{number}.json"
        verify(larger.record_path, "--trust-root", str(larger.trust_root_path), *options, "--json", str(path))
        reports.append({k: v for k, v in json.loads(path.read_text()).items() if k not in ("seconds", "finished")})
    assert reports[0] == reports[1] == reports[2]
    # More credentials than the small roll allows, and nothing else.
    failed = {item["name"] for item in reports[0]["checks"] if item["status"] != "pass"}
    assert failed == {"ledger.bounds"}


def test_an_annulment_is_shown_before_anything_else(edited: Edited, verify: Verify, tmp_path: Path) -> None:
    """The reason holds a direction override and a tag: A6, W1."""
    body: Any = {"scope": "everything", "reason": "court \u202e<b>order", "time": 1_700_000_200}
    edited.entries.append(edited.sign("annulment", body, "officer-1", "officer-2"))
    edited.state().close()
    _, lines = verify(edited.root, "--json", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html"))
    index = len(edited.entries) - 1
    assert f"ANNULMENT entry {index}, everything (court \\u202e<b>order)" in lines
    assert lines[-2].startswith(f"ANNULMENT in entry {index}")
    report = json.loads((tmp_path / "r.json").read_text())
    jsonschema.validate(report, schema())
    assert [notice["type"] for notice in report["notices"]] == ["annulment"]
    page = (tmp_path / "r.html").read_text()
    assert 'role="alert">ANNULMENT' in page
    assert "\\u202e&lt;b&gt;order" in page
    assert "\u202e" not in page


@pytest.mark.parametrize("content", ["honest", "damaged"])
def test_a_closed_pipe_leaves_the_verdict_in_the_exit_code(election: SmallElection, record: Path, content: str) -> None:
    if content == "damaged":
        (record / "extra").touch()
    arguments = [sys.executable, "-m", "verifier", "run", str(record), "--trust-root", str(election.trust_root_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(60) == (0 if content == "honest" else 1)


# Damaged files, without any key


def _failed(lines: list[str]) -> set[str]:
    return {match[1] for line in lines if (match := re.match(r"[ 0-9]{2}  ([a-z.-]+) +FAIL", line))}


def _one(record: Path, pattern: str) -> Path:
    return sorted(path for path in record.glob(pattern) if path.is_file())[0]


def test_an_extra_file_is_found(record: Path, verify: Verify) -> None:
    (record / "blob/sha256/readme.txt").write_text("hello")
    code, lines = verify(record)
    assert (code, _failed(lines)) == (1, {"record.files"})


def test_an_empty_directory_means_nothing(record: Path, verify: Verify) -> None:
    (record / "blob/sha256/zz").mkdir()
    assert verify(record)[0] == 0


def test_a_link_in_place_of_a_blob_is_found(record: Path, verify: Verify, tmp_path: Path) -> None:
    blob = _one(record, "blob/sha256/*/*")
    shutil.move(blob, tmp_path / "elsewhere")
    blob.symlink_to(tmp_path / "elsewhere")
    code, lines = verify(record)
    assert code == 1
    assert {"record.files", "record.blobs"} <= _failed(lines)


def test_a_pipe_in_place_of_a_tile_does_not_hang(record: Path, verify: Verify) -> None:
    tile = _one(record, "tile/0/*/*")
    tile.unlink()
    os.mkfifo(tile)
    code, lines = verify(record)
    assert code == 1
    assert {"record.files", "log.root"} <= _failed(lines)


def test_L5_a_wrong_hash_tile_is_named_and_not_the_entry(record: Path, verify: Verify) -> None:
    tile = _one(record, "tile/0/*/*")
    data = bytearray(tile.read_bytes())
    data[40] ^= 1
    tile.write_bytes(data)
    code, lines = verify(record)
    assert (code, _failed(lines)) == (1, {"log.root"})
    (detail,) = [line for line in lines if line.startswith("      - ")]
    assert "hash tile 0/0" in detail
    assert "entry" not in detail.split("hash tile")[0]


def test_a_checkpoint_of_an_enormous_size_fails_at_once(election: SmallElection, record: Path, verify: Verify) -> None:
    text = (record / "checkpoint").read_text().replace(f"\n{election.board.size}\n", f"\n{2**48}\n", 1)
    (record / "checkpoint").write_text(text)
    code, lines = verify(record)
    assert code == 1
    assert {"record.files", "checkpoint.signature", "checkpoint.quorum"} <= _failed(lines)
    assert lines[-1] == "NOT VERIFIED"


def test_L6_an_older_checkpoint_of_another_history_is_named(
    election: SmallElection, record: Path, verify: Verify, tmp_path: Path
) -> None:
    (tmp_path / "same").write_bytes((record / "checkpoint").read_bytes())
    assert verify(record, "--checkpoint", str(tmp_path / "same"))[0] == 0
    text = (record / "checkpoint").read_text()
    root = text.split("\n")[2]
    (tmp_path / "other").write_text(text.replace(root, "A" * 43 + "=", 1))
    code, lines = verify(record, "--checkpoint", str(tmp_path / "same"), "--checkpoint", str(tmp_path / "other"))
    assert (code, _failed(lines)) == (1, {"log.consistency"})


@pytest.mark.parametrize("seed", range(12))
def test_random_damage_is_a_verdict_and_never_a_traceback(record: Path, verify: Verify, seed: int) -> None:
    source = random.Random(seed)
    files = sorted(path for path in record.rglob("*") if path.is_file())
    path = source.choice(files) if seed % 3 else source.choice([file for file in files if "tile" in file.parts])
    data = bytearray(path.read_bytes())
    kind = seed % 4
    if kind == 0:
        data[source.randrange(len(data))] ^= 1 << source.randrange(8)
    elif kind == 1:
        del data[source.randrange(len(data)) :]
    elif kind == 2:
        data += source.randbytes(40)
    else:
        at = source.randrange(len(data))
        data[at : at + 200] = source.randbytes(200)
    path.write_bytes(data)
    code, lines = verify(record)
    if code == 2:
        assert path.name == "checkpoint"
        assert lines[0].startswith("evoting-verify: error: ")
    else:
        assert (code, lines[-1]) == (1, "NOT VERIFIED")


# Nothing to check


@pytest.mark.parametrize(
    ("what", "content"),
    [
        ("missing", None),
        ("empty", b""),
        ("foreign", b"\x89PNG\r\n\x1a\n"),
        ("no note", b"hello\n"),
        ("megabytes", b"a" * 3_000_000),
    ],
)
def test_without_a_checkpoint_nothing_is_checked(
    record: Path, verify: Verify, what: str, content: bytes | None
) -> None:
    (record / "checkpoint").unlink()
    if content is not None:
        (record / "checkpoint").write_bytes(content)
    code, lines = verify(record)
    assert code == 2
    assert lines[0].startswith("evoting-verify: error: ")
    assert lines[1].startswith("hint: ")
    assert len(lines) == 2


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b'{"format": "evoting-trust-root/v1"}'])
def test_without_a_trust_root_nothing_is_checked(
    election: SmallElection, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    path = tmp_path / "trust-root.json"
    if content is not None:
        path.write_bytes(content)
    assert main(["run", str(election.record_path), "--trust-root", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("evoting-verify: error: trust root ")


def test_a_record_that_is_no_directory_is_not_checked(verify: Verify, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "missing"):
        code, lines = verify(tmp_path / name)
        assert code == 2
        assert lines[0].endswith(f"{name}: no such directory")


def test_a_report_that_cannot_be_written_is_refused_before_the_work(
    election: SmallElection, verify: Verify, tmp_path: Path
) -> None:
    code, lines = verify(election.record_path, "--json", str(tmp_path / "missing/report.json"))
    assert code == 2
    assert "does not exist" in lines[0]
    code, lines = verify(election.record_path, "--html", str(tmp_path))
    assert code == 2
    assert "cannot be written" in lines[0]


def test_a_report_that_cannot_be_written_after_the_work_leaves_the_verdict(
    election: SmallElection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    words = ["--trust-root", str(election.trust_root_path), "--jobs", "1", "--json", str(tmp_path / "report.json")]
    assert main(["run", str(election.record_path), *words]) == 0
    captured = capsys.readouterr()
    assert captured.out.endswith("VERIFIED\n")
    assert captured.err.splitlines()[-1].startswith("evoting-verify: error: ")
    assert not (tmp_path / "report.json").exists()


def test_an_arithmetic_whose_package_is_missing_is_no_verdict(
    election: SmallElection, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    import verifier.cli as module

    def missing(_: str | None) -> object:
        raise ModuleNotFoundError("No module named 'rbcl'", name="rbcl")

    monkeypatch.setattr(module, "load_group", missing)
    code, lines = verify(election.record_path, "--arithmetic", "portable")
    assert code == 2
    assert "needs the package rbcl" in lines[0]


@pytest.mark.parametrize("arguments", [[], ["run"], ["run", "x"], ["frobnicate"], ["run", "x", "--jobs", "0"]])
def test_wrong_arguments_are_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("evoting-verify: error: ")


def test_S10_another_trust_root_fails_the_fingerprint_only(
    election: SmallElection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = json.loads(election.trust_root_path.read_text())
    trust["fingerprint"] = "00" * 32
    (tmp_path / "trust-root.json").write_text(json.dumps(trust))
    code = main(["run", str(election.record_path), "--trust-root", str(tmp_path / "trust-root.json"), "--jobs", "1"])
    assert (code, _failed(capsys.readouterr().out.splitlines())) == (1, {"trust.fingerprint"})


# The machinery of checks


@pytest.fixture
def state(election: SmallElection) -> State:
    return State(
        election.record_path,
        load_trust_root(election.trust_root_path),
        Settings(arithmetic=election.group.name, jobs=1, chunk=8192, now=election.clock + 100),
    )


def test_a_check_without_place_or_function_is_an_error(state: State) -> None:
    check("record.invented", 1, "-", "nothing")(lambda _: ())
    try:
        with pytest.raises(AssertionError, match=r"record\.invented"):
            run_checks(state)
    finally:
        CHECKS.pop()


def test_a_future_checkpoint_fails_only_the_times(election: SmallElection) -> None:
    settings = Settings(arithmetic=election.group.name, jobs=1, chunk=8192, now=election.clock - 10_000)
    results = run_checks(State(election.record_path, load_trust_root(election.trust_root_path), settings))
    assert [result.name for result in results if result.status != "pass"] == ["checkpoint.times"]


# Challenged ballots


def _challenge_file(election: SmallElection, entry: bytes, path: Path) -> Path:
    content: dict[str, Value] = {
        "format": "evoting-challenged-ballot/v1",
        "manifest": election.manifest_bytes,
        "key": election.joint_key(),
        "entry": entry,
    }
    path.write_bytes(encode(content))
    return path


@pytest.mark.parametrize(("language", "word"), [("ky", "шифрлейт"), ("ru", "зашифровано"), ("en", "encrypts")])
def test_a_challenged_ballot_is_put_into_words(
    election: SmallElection, tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, word: str
) -> None:
    (entry,) = election.challenge("west", [1])
    path = _challenge_file(election, entry, tmp_path / "ballot")
    assert main(["ballot", str(path), "--language", language]) == 0
    shown = capsys.readouterr().out
    assert word in shown
    chosen = election.choices("west", 8)
    manifest = decode_manifest(election.manifest_bytes).raw
    title = manifest["contests"][0]["options"][int(chosen[0][1].argmax())]["title"]
    assert title.get(language, title[manifest["languages"][0]]) in shown


def test_W4_a_device_that_encrypts_another_choice_is_caught(
    election: SmallElection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The device signs an opening that claims another selection than the ciphertext holds."""
    entry = bytearray(election.challenge("west", [1])[0])
    split = split_voter_entry(bytes(entry))
    assert split is not None
    assert split.opening is not None
    opening: Any = decode(split.opening)
    first = opening["contests"][0]["selections"]
    first[0], first[1] = first[1], first[0]
    changed = encode(
        {"type": "challenge", "body": split.body, "signature": split.signature, "opening": encode(opening)}
    )
    assert main(["ballot", str(_challenge_file(election, changed, tmp_path / "ballot"))]) == 1
    assert "THE CHECK FAILED" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"\xa0", b"hello", encode({"format": "evoting-challenged-ballot/v2"})])
def test_a_file_that_is_no_challenged_ballot_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "ballot").write_bytes(content)
    assert main(["ballot", str(tmp_path / "ballot")]) == 2
    assert capsys.readouterr().err.startswith("evoting-verify: error: ")


def test_a_ballot_that_was_cast_is_not_a_challenged_one(
    election: SmallElection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (entry,) = election.cast("west", [1], 9)
    assert main(["ballot", str(_challenge_file(election, entry, tmp_path / "ballot"))]) == 2
    assert "not a challenge" in capsys.readouterr().err
