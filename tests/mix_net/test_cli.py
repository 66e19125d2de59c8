"""``evoting-mixer`` as its users meet it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from nacl.signing import VerifyKey

from crypto.entry import Binding, decode_role_entry, require_signatures
from mix_net import stage as stage_module
from mix_net.cli import main
from mix_net.keys import load_key
from tests.mix_net.support import FINGERPRINT, make_instance


class Place:
    """A mixer's working directory with a list of nine ciphertexts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.instance = make_instance(9, seed="cli")
        self.list = root / "input.list"
        self.list.write_bytes(self.instance.statement.inputs)
        self.context = root / "context.json"
        self.write_context()
        self.out = root / "out"
        self.private = root / "private"

    def write_context(self, **changes: object) -> None:
        context = {
            "fingerprint": FINGERPRINT.hex(),
            "contest": "parliament",
            "group": "style-1",
            "stage": 1,
            "mixer": "mixer-1",
            "width": 1,
        }
        self.context.write_text(json.dumps({**context, **changes}))

    def job(self) -> list[str]:
        key = self.instance.statement.public_key.hex()
        return ["--list", str(self.list), "--context", str(self.context), "--public-key", key, "--quiet"]

    def mix(self, *more: str) -> int:
        return main(["mix", *self.job(), "--out", str(self.out), "--private", str(self.private), *more])

    def verify(self) -> int:
        return main(["verify", *self.job(), "--out", str(self.out)])

    def published(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.out.iterdir())} if self.out.exists() else {}

    def snapshot(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def error_of(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("evoting-mixer: error: ")
    return line


def test_mix_then_verify(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.mix() == 0
    assert capsys.readouterr().out.split() == [str(place.out / name) for name in ("mixed.list", "proof.bin")]
    assert place.verify() == 0
    assert capsys.readouterr().out == "valid\n"
    outputs = place.published()["mixed.list"]
    assert len(outputs) == len(place.list.read_bytes())
    assert outputs != place.list.read_bytes()


def test_whole_session_with_key_and_pairs(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    key, pairs = place.root / "mixer.key", place.root / "pairs"
    assert main(["keygen", str(key), "--name", "mixer-1"]) == 0
    public_key = bytes.fromhex(capsys.readouterr().out)
    assert key.stat().st_mode & 0o777 == 0o600
    arguments = ["--public-key", place.instance.statement.public_key.hex(), "--count", "20", "--quiet"]
    assert main(["prepare", str(pairs), *arguments]) == 0
    assert place.mix("--key", str(key), "--pairs", str(pairs), "--now", "1700000000") == 0
    assert place.verify() == 0
    files = place.published()
    assert bytes(load_key(key).verify_key) == public_key
    entry = decode_role_entry(files["entry.cbor"])
    require_signatures(entry, Binding(bytes(32), FINGERPRINT), {"mixer-1": public_key}, ["mixer-1"])
    assert VerifyKey(public_key)
    assert entry.type == "mix"
    assert entry.body == {
        "contest": "parliament",
        "group": "style-1",
        "stage": 1,
        "count": 9,
        "input": hashlib.sha256(place.list.read_bytes()).digest(),
        "output": {"hash": hashlib.sha256(files["mixed.list"]).digest(), "length": 9 * 64},
        "proof": {"hash": hashlib.sha256(files["proof.bin"]).digest(), "length": len(files["proof.bin"])},
        "time": 1700000000,
    }


def test_empty_list(place: Place) -> None:
    place.list.write_bytes(b"")
    assert place.mix() == 0
    assert place.published() == {"mixed.list": b"", "proof.bin": b""}
    assert place.verify() == 0


@pytest.mark.parametrize("arithmetic", ["native", "portable"])
def test_runs_as_a_process_under_both_arithmetics(place: Place, arithmetic: str) -> None:
    arguments = ["--out", str(place.out), "--arithmetic", arithmetic]
    command = [sys.executable, "-m", "mix_net.cli", "mix", *place.job(), "--private", str(place.private), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert place.verify() == 0


def test_progress_goes_to_stderr(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [argument for argument in place.job() if argument != "--quiet"]
    assert main(["mix", *arguments, "--out", str(place.out), "--private", str(place.private)]) == 0
    captured = capsys.readouterr()
    assert "shuffling 9 ciphertexts" in captured.err
    assert "verifying the proof" in captured.err
    assert "shuffling" not in captured.out


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(f"evoting-mixer {command}" in text for command in ("keygen", "prepare", "mix", "verify"))
    assert "exit codes" in text


# M10: once per stage.


def test_M10_repeating_a_mix_writes_identical_bytes(place: Place) -> None:
    assert place.mix() == 0
    first = place.published()
    for name in first:
        (place.out / name).unlink()
    assert place.mix() == 0
    assert place.published() == first


def test_M10_another_output_directory_gets_identical_bytes(place: Place) -> None:
    assert place.mix() == 0
    first = place.published()
    place.out = place.root / "elsewhere"
    assert place.mix() == 0
    assert place.published() == first


def test_M10_resuming_after_publishing_part_completes_the_same_bytes(place: Place) -> None:
    assert place.mix() == 0
    first = place.published()
    (place.out / "proof.bin").unlink()
    assert place.mix() == 0
    assert place.published() == first


def test_M10_same_stage_with_another_list_is_refused(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.mix() == 0
    before = place.snapshot()
    capsys.readouterr()
    place.list.write_bytes(place.instance.statement.outputs)
    before["input.list"] = place.instance.statement.outputs
    place.out = place.root / "elsewhere"
    assert place.mix() == 2
    assert "mixed before, with another input" in error_of(capsys)
    assert place.snapshot() == before


def test_M10_other_stages_get_other_permutations_and_randomness(place: Place) -> None:
    assert place.mix() == 0
    first = place.published()
    place.write_context(stage=2)
    place.out = place.root / "elsewhere"
    assert place.mix() == 0
    second = place.published()
    words = [
        {data[at : at + 32] for data in files.values() for at in range(0, len(data), 32)} - {bytes(32)}
        for files in (first, second)
    ]
    assert words[0] & words[1] == set()


class PowerCut(BaseException):
    """Not an Exception, so that nothing on the way handles it."""


@pytest.mark.parametrize("survived", range(12))
def test_M10_crash_anywhere_publishes_at_most_one_output(
    place: Place, survived: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies at rename number ``survived``; whatever was published before stays what is published."""
    calls = 0
    pairs = place.root / "pairs"
    key = place.instance.statement.public_key.hex()
    assert main(["prepare", str(pairs), "--public-key", key, "--count", "18", "--quiet"]) == 0

    def dying(real: object) -> object:
        def call(*arguments: object) -> object:
            nonlocal calls
            if calls == survived:
                raise PowerCut
            calls += 1
            return real(*arguments)  # type: ignore[operator]

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", dying(os.replace))
        patch.setattr(os, "rename", dying(os.rename))
        with contextlib.suppress(PowerCut):
            place.mix("--pairs", str(pairs))
    seen = place.published()
    assert place.mix("--pairs", str(pairs)) == 0
    complete = place.published()
    assert set(complete) == {"mixed.list", "proof.bin"}
    assert {name: complete[name] for name in seen} == seen
    assert place.verify() == 0
    assert not [path for path in place.out.iterdir() if path.name.startswith(".")]


def test_foreign_files_in_the_output_directory_are_left_alone(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.out.mkdir()
    (place.out / "proof.bin").write_bytes(b"somebody else's")
    assert place.mix() == 2
    assert "not overwritten" in error_of(capsys)
    assert place.published() == {"proof.bin": b"somebody else's"}


# Bad input: one line, the right code, nothing changed.


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        ("missing list", "input.list: No such file"),
        ("list cut off", "no list of ciphertexts"),
        ("identity in the list", "ciphertext 3 of the inputs"),
        ("garbage in the list", "ciphertext 3 of the inputs"),
        ("context is no JSON", "not JSON"),
        ("context deeply nested", "not JSON"),
        ("context is a list", "an object with the members"),
        ("context lacks a member", "an object with the members"),
        ("context has one more member", "an object with the members"),
        ("stage is text", "stage must be a whole number"),
        ("stage is true", "stage must be a whole number"),
        ("stage is zero", "stage counts from 1"),
        ("fingerprint too short", "64 lower-case hex digits"),
        ("fingerprint in capitals", "64 lower-case hex digits"),
        ("public key is no hex", "is no public key"),
        ("public key is the identity", "is no public key"),
        ("key file missing", "No such file"),
        ("key file foreign", "not a key file"),
        ("pairs foreign", "no file of re-encryption pairs"),
        ("private directory open to others", "open to other accounts"),
        ("private directory is a file", "File exists"),
    ],
)
def test_bad_input_gives_one_line(place: Place, defect: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    more: list[str] = []
    inputs = place.instance.statement.inputs
    foreign = place.root / "foreign"
    foreign.write_bytes(b"nothing of ours\n")
    foreign.chmod(0o600)
    match defect:
        case "missing list":
            place.list.unlink()
        case "list cut off":
            place.list.write_bytes(inputs[:-1])
        case "identity in the list":
            place.list.write_bytes(inputs[: 3 * 64] + bytes(32) + inputs[3 * 64 + 32 :])
        case "garbage in the list":
            place.list.write_bytes(inputs[: 3 * 64] + b"\xff" * 64 + inputs[4 * 64 :])
        case "context is no JSON":
            place.context.write_text("{")
        case "context deeply nested":
            place.context.write_text("[" * 60_000)
        case "context is a list":
            place.context.write_text("[]")
        case "context lacks a member":
            place.context.write_text("{}")
        case "context has one more member":
            place.write_context(comment="hello")
        case "stage is text":
            place.write_context(stage="1")
        case "stage is true":
            place.write_context(stage=True)
        case "stage is zero":
            place.write_context(stage=0)
        case "fingerprint too short":
            place.write_context(fingerprint="00")
        case "fingerprint in capitals":
            place.write_context(fingerprint=FINGERPRINT.hex().upper())
        case "public key is no hex":
            more = ["--public-key", "key"]
        case "public key is the identity":
            more = ["--public-key", "00" * 32]
        case "key file missing":
            more = ["--key", str(place.root / "nowhere")]
        case "key file foreign":
            more = ["--key", str(foreign)]
        case "pairs foreign":
            more = ["--pairs", str(foreign)]
        case "private directory open to others":
            place.private.mkdir(mode=0o755)
        case "private directory is a file":
            place.private.write_bytes(b"")
    before = place.snapshot()
    assert place.mix(*more) == 2
    assert message in error_of(capsys)
    assert place.snapshot() == before
    assert place.published() == {}


def test_keygen_refuses_to_overwrite(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    before = place.snapshot()
    assert main(["keygen", str(place.list), "--name", "mixer-1"]) == 2
    assert "not overwritten" in error_of(capsys)
    assert main(["keygen", str(place.root / "key"), "--name", "with space"]) == 2
    assert "no key name" in error_of(capsys)
    assert place.snapshot() == before


@pytest.mark.parametrize("spoiled", ["mixed.list", "proof.bin"])
def test_verify_says_what_fails(place: Place, spoiled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.mix() == 0
    capsys.readouterr()
    data = bytearray((place.out / spoiled).read_bytes())
    data[-1] ^= 1
    (place.out / spoiled).write_bytes(data)
    assert place.verify() == 1
    assert "not valid (shuffle." in error_of(capsys)
    (place.out / spoiled).write_bytes(data[:-1])
    assert place.verify() == 1
    assert "not valid (shuffle." in error_of(capsys)


def test_verify_under_another_context(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.mix() == 0
    capsys.readouterr()
    place.write_context(stage=2)
    assert place.verify() == 1
    assert "not valid (shuffle." in error_of(capsys)


def test_damaged_pairs_publish_nothing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """A pair whose points do not belong to its randomizer: the mixer's own verification stops it."""
    pairs = place.root / "pairs"
    key = place.instance.statement.public_key.hex()
    assert main(["prepare", str(pairs), "--public-key", key, "--count", "9", "--quiet"]) == 0
    data = bytearray(pairs.read_bytes())
    first, second = 12288 + 32, 12288 + 96 + 32
    data[first : first + 64], data[second : second + 64] = data[second : second + 64], data[first : first + 64]
    pairs.write_bytes(data)
    assert place.mix("--pairs", str(pairs)) == 2
    assert "does not hold" in error_of(capsys)
    assert place.published() == {}
    assert not (place.private / "stages").exists()


def test_usage_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["shuffle"], ["mix"], ["prepare", "file", "--count", "many"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
        assert "--help" in error_of(capsys)


def test_interruption_is_reported(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage_module, "prove_shuffle", interrupted)
    assert place.mix() == 130
    assert "interrupted" in error_of(capsys)
    assert place.published() == {}
