"""A demonstration some of whose files are damaged: one line says which, and nothing else is touched."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evoting.demo.places import Places
from evoting.record.election import ElectionView, PublishedCopy, read_blobref
from tests.evoting.demo.small_demo import SmallDemo

pytestmark = pytest.mark.slow


def tree(root: Path) -> dict[str, bytes]:
    """Every file below a directory but locks, which are empty."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def interrupted(root: Path, patch: pytest.MonkeyPatch, stop: tuple[str, ...], times: int = 1) -> Path:
    """A demonstration that was stopped at some event, when it came for the given time."""
    demo = SmallDemo(root, patch)
    count = 0

    def watch(*event: str) -> None:
        nonlocal count
        count += event[: len(stop)] == stop
        if count == times:
            raise KeyboardInterrupt

    demo.watch = watch
    assert demo.run()[0] == 2
    return demo.places.root


@pytest.fixture(scope="module")
def voting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stopped after the first of three epochs."""
    with pytest.MonkeyPatch.context() as patch:
        return interrupted(tmp_path_factory.mktemp("voting") / "demo", patch, ("append", "before", "epoch"), 2)


@pytest.fixture(scope="module")
def decrypting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stopped before the trustee decrypts."""
    stop = ("party", "before", "evoting-trustee", "decrypt")
    with pytest.MonkeyPatch.context() as patch:
        return interrupted(tmp_path_factory.mktemp("decrypting") / "demo", patch, stop)


@pytest.fixture(scope="module")
def publishing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stopped before the result."""
    with pytest.MonkeyPatch.context() as patch:
        return interrupted(tmp_path_factory.mktemp("result") / "demo", patch, ("append", "before", "result"))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    path.write_bytes(b"\xff" * 300)


def manifest(places: Places) -> Path:
    view = ElectionView(PublishedCopy(places.record))
    return places.record / read_blobref(view.only("manifest").body["manifest"]).path()


def issuance_keys(places: Places) -> Path:
    view = ElectionView(PublishedCopy(places.record))
    return places.record / read_blobref(view.only("opening").body["issuers"]["keys"]).path()  # type: ignore[index]


def newest(places: Places, pattern: str) -> Path:
    return sorted(places.root.glob(pattern))[-1]


VOTING: dict[str, Callable[[Places], Path]] = {
    "plan": lambda places: places.plan,
    "manifest blob": manifest,
    "issuance keys blob": issuance_keys,
    "log key": lambda places: places.secrets("log") / "key",
    "log head": lambda places: places.secrets("log") / "state" / "head",
    "ballot box key": lambda places: places.secrets("ballot-box") / "key",
    "public key of a trustee": lambda places: places.stick / "keys" / "trustee-1.json",
    "public key of an officer": lambda places: places.stick / "keys" / "officer-2.json",
    "enrolment": lambda places: places.secrets("voters") / "enrolment.json",
    "wallets": lambda places: newest(places, "secrets/voters/wallets/*.bin"),
    "issuance policy": lambda places: places.stick / "issuance-policy.json",
    "code book blob": lambda places: newest_book(places),
}
DECRYPTING: dict[str, Callable[[Places], Path]] = {
    "trustee key": lambda places: places.secrets("trustee-1") / "key",
    "trustee share": lambda places: newest(places, "secrets/trustee-1/private/*share*"),
    "last mix": lambda places: last_mix(places),
    "witness key": lambda places: places.secrets("witness-1") / "key",
}


def last_mix(places: Places) -> Path:
    body = ElectionView(PublishedCopy(places.record)).entries("mix")[-1].body
    return places.record / read_blobref(body["output"]).path()


def newest_book(places: Places) -> Path:
    view = ElectionView(PublishedCopy(places.record))
    books = view.only("opening").body["code-books"]
    return places.record / read_blobref(books[-1]["blob"]).path()  # type: ignore[index]


def spoil_and_run(
    state: Path, root: Path, patch: pytest.MonkeyPatch, choose: Callable[[Places], Path], damage: Callable[[Path], None]
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Damage a file of a copy and go on; gives all files before and after."""
    shutil.copytree(state, root)
    demo = SmallDemo(root, patch)
    damage(choose(demo.places))
    before = tree(root)
    code, error = demo.run()
    assert code == 2, error
    assert error.splitlines()[-1].startswith("evoting-demo: error: ")
    assert "Traceback" not in error
    return before, tree(root)


DAMAGES = pytest.mark.parametrize("damage", [truncate, empty, overwrite], ids=lambda damage: damage.__name__)


@DAMAGES
@pytest.mark.parametrize("name", VOTING)
def test_a_damaged_file_while_voting_goes_on(
    voting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, damage: Callable[[Path], None]
) -> None:
    before, after = spoil_and_run(voting, tmp_path / "demo", monkeypatch, VOTING[name], damage)
    assert {file: after.get(file) for file in before} == before
    # The record did not grow either.
    assert {file for file in after if file.startswith("record/")} <= before.keys()


@DAMAGES
@pytest.mark.parametrize("name", DECRYPTING)
def test_a_damaged_file_before_decryption(
    decrypting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, damage: Callable[[Path], None]
) -> None:
    """Log witnesses may have cosigned once more, which changes the checkpoint; everything else stays."""
    before, after = spoil_and_run(decrypting, tmp_path / "demo", monkeypatch, DECRYPTING[name], damage)
    cosigned = {"record/checkpoint", *(file for file in before if file.startswith("secrets/witness-1/"))}
    for file in before.keys() - cosigned:
        assert after.get(file) == before[file], file
    assert {file for file in after if file.startswith("record/")} <= before.keys()


@DAMAGES
def test_a_damaged_officers_key_before_the_result(
    publishing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None]
) -> None:
    before, after = spoil_and_run(
        publishing, tmp_path / "demo", monkeypatch, lambda places: places.secrets("officer-2") / "key", damage
    )
    # What was appended before the interruption is published now, and nothing after it.
    assert ElectionView(PublishedCopy(tmp_path / "demo" / "record")).entries("result") == []
    assert {file: data for file, data in after.items() if file.startswith("secrets/officer")} == {
        file: data for file, data in before.items() if file.startswith("secrets/officer")
    }


@pytest.mark.parametrize("state", ["voting", "decrypting", "publishing"])
def test_the_states_themselves_can_be_resumed(
    state: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the other tests start from is sound."""
    shutil.copytree(request.getfixturevalue(state), tmp_path / "demo")
    assert SmallDemo(tmp_path / "demo", monkeypatch).run()[0] == 0
