"""``evoting-voter`` and the ballot box by files: encrypt, decide once, and be counted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from biometric_idp.client.wallet import Wallet, seal_wallet
from crypto import cbor
from crypto.log.note import NOTE_KEY
from evoting.ballots.lookup import find_entries
from evoting.board.keys import generate_key
from evoting.record.election import ElectionView, PublishedCopy
from evoting.voter import cli
from evoting.voter.choices import describe_choices, parse_choices, selections
from tests.evoting.office.office_desk import OfficeElection, tree
from tests.support.small_manifest import ROLES, small_manifest
from verifier.cli import main as verify

Capture = pytest.CaptureFixture[str]
#: Of every style the voters after those who vote in the small election itself.
SPARE = (6, 7)
BALLOT = ("question=yes", "list=red/1", "ranking=bob>ann")


class Polling(OfficeElection):
    """An open election, whose last voters of each style use the command."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.vote_on_the_board()
        self.write_trust_root()
        self.box_key = root / "ballot-box.key"
        generate_key(self.box_key, "ballot-box", NOTE_KEY, seed=bytes(self.keys["ballot-box"]))
        self.handed_in = root / "handed-in"
        self.handed_in.mkdir()
        for row in SPARE:
            self.store_wallet(f"voter-{row}", self.wallet("east", row))

    def wallet(self, own_style: str, row: int, **changes: Any) -> Wallet:
        """A voter's wallet, with some members changed."""
        wallets = self.wallets[own_style]
        members = {
            "fingerprint": self.fingerprint,
            "style": own_style,
            "position": row,
            "secret": wallets.secrets.encode()[32 * row : 32 * row + 32],
            "blinding": None,
            "blinded": bytes(48),
            "credential": wallets.credentials[row],
        }
        return Wallet(**{**members, **changes})

    def store_wallet(self, name: str, wallet: Wallet) -> None:
        key = os.urandom(32)
        for path, data in (
            (self.root / f"{name}.key", key),
            (self.root / f"{name}.wallet", seal_wallet(wallet, key, os.urandom)),
        ):
            path.write_bytes(data)
            path.chmod(0o600)

    def owner(self, name: str) -> list[str]:
        return ["--wallet", str(self.root / f"{name}.wallet"), "--wallet-key", str(self.root / f"{name}.key")]

    def election(self) -> list[str]:
        return [str(self.record_path), "--trust-root", str(self.trust_root_path)]

    def encrypt(self, name: str, out: str, choices: Sequence[str] = BALLOT, *more: str) -> int:
        chosen = [word for choice in choices for word in ("--choose", choice)]
        return cli.main(["encrypt", *self.election(), *self.owner(name), *chosen, "--out", str(self.root / out), *more])

    def use(self, verb: str, name: str, prepared: str, out: str | None = None, *more: str) -> int:
        entry = self.handed_in / f"{out or prepared}.entry"
        return cli.main([verb, str(self.root / prepared), *self.owner(name), "--out", str(entry), *more])

    def epoch(self) -> int:
        return self.office("epoch", str(self.handed_in), "--box-key", str(self.box_key), signers=())

    def statuses(self, row: int) -> list[tuple[str, int | None, str]]:
        view = ElectionView(PublishedCopy(self.record_path))
        dispositions = view.blob(view.only("selection"), "dispositions")
        pseudonym = self.wallets["east"].pseudonyms[row]
        found = find_entries(view.indexed_voter_entries(), pseudonym, dispositions)
        return [(one.kind, one.sequence, one.status) for one in found]


@pytest.fixture
def polling(tmp_path: Path, capsys: Capture) -> Polling:
    election = Polling(tmp_path / "polling")
    capsys.readouterr()
    return election


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Polling:
    """One that tests do not change."""
    return Polling(tmp_path_factory.mktemp("still"))


def refused(capsys: Capture, code: int, words: str) -> None:
    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    assert captured.err.startswith("evoting-voter: error: ")
    assert captured.err.count("\n") == 1
    assert words in captured.err


def test_ballots_by_files_are_counted_and_verified(polling: Polling, capsys: Capture) -> None:
    """One voter changes their mind, another one challenges first; both are counted once."""
    first, second = (f"voter-{row}" for row in SPARE)
    assert polling.encrypt(first, "one", ("question=no", "list=blank", "ranking=blank")) == 0
    assert polling.encrypt(second, "two") == 0
    codes = capsys.readouterr().out.split()
    assert [len(code) for code in codes] == [39, 64, 39, 64]
    assert polling.use("cast", first, "one") == 0
    file = polling.root / "challenged.cbor"
    assert polling.use("challenge", second, "two", None, "--file", str(file)) == 0
    assert capsys.readouterr().out.split() == codes
    assert polling.epoch() == 0
    capsys.readouterr()
    assert verify(["ballot", str(file), "--language", "en"]) == 0
    said = capsys.readouterr().out
    for words in ("Yes", "red", "bob", *codes[2:]):
        assert words in said

    # Sequence numbers follow from what is on the board.
    assert polling.encrypt(first, "again") == 0
    assert polling.encrypt(second, "at last", ("question=against-all", "list=against-all", "ranking=cyd")) == 0
    assert polling.use("cast", first, "again") == polling.use("cast", second, "at last") == 0
    assert polling.epoch() == 0
    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        f"evoting-office: note: {name}.entry is on the board already" for name in ("one", "two")
    ]
    polling.count()
    assert verify(["run", str(polling.record_path), "--trust-root", str(polling.trust_root_path), "--jobs", "1"]) == 0
    assert polling.statuses(SPARE[0]) == [("ballot", 0, "superseded"), ("ballot", 1, "counted")]
    assert polling.statuses(SPARE[1]) == [("challenge", 0, "challenged"), ("ballot", 1, "counted")]
    view = ElectionView(PublishedCopy(polling.record_path))
    result: Any = cbor.decode(view.blob(view.only("result"), "result"))
    counts = {
        item["contest"]: sum(sum(group["counts"] or []) for group in item["groups"]) for item in result["contests"]
    }
    blank = sum(row % 4 == 3 for row in range(polling.ballots_per_style)) * 2
    assert counts["question"] == 2 * polling.ballots_per_style + 2 - blank
    assert counts["list"] == 2 * polling.ballots_per_style + 2


def test_a_ballot_is_used_once_and_one_way(polling: Polling, capsys: Capture) -> None:
    """Opened after it was cast it would show the vote; cast after it was opened it would be one that others know."""
    (name, _) = (f"voter-{row}" for row in SPARE)
    for prepared in ("one", "two", "three"):
        assert polling.encrypt(name, prepared) == 0
    capsys.readouterr()
    refused(capsys, polling.encrypt(name, "one"), "is not overwritten")
    assert polling.use("cast", name, "one") == 0
    capsys.readouterr()
    assert not (polling.root / "one").exists()
    for verb in ("cast", "challenge"):
        refused(capsys, polling.use(verb, name, "one", "other"), "is used once")
    # Interrupted after the decision: it goes on the same way and on no other.
    (polling.root / "two").rename(polling.root / "two.cast")
    refused(capsys, polling.use("challenge", name, "two"), "is to be cast")
    refused(capsys, polling.encrypt(name, "two"), "is not overwritten")
    assert polling.use("cast", name, "two") == 0
    (polling.root / "three").rename(polling.root / "three.challenge")
    capsys.readouterr()
    refused(capsys, polling.use("cast", name, "three"), "is to be challenged")
    assert polling.use("challenge", name, "three") == 0
    left = {path.name for path in polling.root.iterdir()}
    assert not left & {"one", "one.cast", "two", "two.cast", "three", "three.challenge"}


def test_another_wallet_uses_no_prepared_ballot(polling: Polling, capsys: Capture) -> None:
    first, second = (f"voter-{row}" for row in SPARE)
    assert polling.encrypt(first, "one") == 0
    before = tree(polling.root)
    capsys.readouterr()
    refused(capsys, polling.use("cast", second, "one"), "another wallet")
    assert tree(polling.root) == before
    assert (polling.root / "one").stat().st_mode & 0o077 == 0


CHOICES = {
    "nothing for a contest": (BALLOT[:2], "nothing is said about contest ranking"),
    "a contest that is not there": ((*BALLOT, "mayor=ann"), "no contest 'mayor'"),
    "a contest twice": ((*BALLOT, "question=no"), "two choices for contest 'question'"),
    "no choice": (("question", *BALLOT[1:]), "write CONTEST=CHOICE"),
    "an unknown option": (("question=maybe", *BALLOT[1:]), "'maybe' is no choice there"),
    "two options of one": (("question=yes,no", *BALLOT[1:]), "2 options are chosen; from 0 to 1 can be"),
    "an option twice": (("question=yes,yes", *BALLOT[1:]), "can be chosen once"),
    "an unknown candidate": ((BALLOT[0], "list=red/9", BALLOT[2]), "'red/9' is no choice there"),
    "too many ranks": ((*BALLOT[:2], "ranking=ann>bob>cyd"), "3 are ranked; at most 2 can be"),
    "somebody ranked twice": ((*BALLOT[:2], "ranking=ann>ann"), "nobody can be ranked twice"),
    "nobody ranked": ((*BALLOT[:2], "ranking=none"), "'none' is no choice there"),
}


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_that_is_none_is_refused(still: Polling, capsys: Capture, name: str) -> None:
    choices, words = CHOICES[name]
    before = tree(still.root)
    capsys.readouterr()
    refused(capsys, still.encrypt(f"voter-{SPARE[0]}", "never", choices), words)
    assert tree(still.root) == before


def test_every_choice_that_is_told_of_can_be_made() -> None:
    manifest = small_manifest({name: bytes([number]) * 32 for number, (name, *_) in enumerate(ROLES)})
    usual = dict(parse_choices(BALLOT))
    told = [
        line.split()[0] for line in describe_choices(manifest, "east", "en") if line.startswith("  ") and "=" in line
    ]
    singles = [word for word in told if "ID" not in word and "up" not in word]
    assert len(singles) == 4 + 8 + 4
    for word in singles:
        assert len(selections(manifest, "east", {**usual, **parse_choices([word])})) == 3


def test_wallets_that_do_not_fit_are_refused(still: Polling, tmp_path: Path, capsys: Capture) -> None:
    stored = {
        "other election": (still.wallet("east", 6, fingerprint=bytes(32)), "of another election"),
        "no style": (still.wallet("east", 6, style="north"), "no ballot style 'north'"),
        "other style": (still.wallet("east", 6, style="west"), "does not hold in this election"),
        "other credential": (still.wallet("east", 6, credential=still.wallets["east"].credentials[0]), "does not hold"),
        "no point": (still.wallet("east", 6, credential=bytes(48)), "does not hold"),
        "no scalar": (still.wallet("east", 6, secret=b"\xff" * 32), "secret in the wallet"),
        "unfinished": (still.wallet("east", 6, credential=None, blinding=1), "holds no credential yet"),
    }
    for name, (wallet, words) in stored.items():
        still.store_wallet(name, wallet)
        capsys.readouterr()
        refused(capsys, still.encrypt(name, "never"), words)
    own = f"voter-{SPARE[0]}"
    key, sealed = still.root / "copy.key", still.root / "copy.wallet"
    shutil.copy(still.root / f"{own}.wallet", sealed)
    for data, mode, words in (
        (bytes(32), 0o600, "does not open with"),
        (bytes(31), 0o600, "has 32 bytes, not 31"),
        (bytes(33), 0o600, "longer than 32 bytes"),
        (bytes(32), 0o644, "can be read by others"),
    ):
        key.write_bytes(data)
        key.chmod(mode)
        refused(capsys, still.encrypt("copy", "never"), words)
    shutil.copy(still.root / f"{own}.key", key)
    key.chmod(0o600)
    for data, words in ((b"", "is no wallet"), (sealed.read_bytes()[:-1], "was altered"), (bytes(5000), "longer than")):
        sealed.write_bytes(data)
        refused(capsys, still.encrypt("copy", "never"), words)
    refused(capsys, still.encrypt("nobody", "never"), "No such file")


def test_only_the_election_of_the_trust_root_is_voted_in(still: Polling, tmp_path: Path, capsys: Capture) -> None:
    """A record of the attacker's making, with a key that the attacker knows, is told by its fingerprint."""
    trust_root = tmp_path / "trust-root.json"
    trust_root.write_text(still.trust_root_path.read_text().replace(still.fingerprint.hex(), "00" * 32))
    owner = still.owner(f"voter-{SPARE[0]}")
    chosen = [word for choice in BALLOT for word in ("--choose", choice)]
    out = ["--out", str(tmp_path / "never")]
    words = ["encrypt", str(still.record_path), *owner, *chosen, *out, "--trust-root"]
    refused(capsys, cli.main([*words, str(trust_root)]), "is not the record of the election")
    refused(capsys, cli.main([*words, str(still.record_path / "checkpoint")]), "not a trust root")
    assert not (tmp_path / "never").exists()


def test_choices_are_told_in_the_languages_of_the_election(still: Polling, capsys: Capture) -> None:
    assert cli.main(["choices", *still.election(), "--style", "east", "--language", "en"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "question: Question"
    assert "  list=red/1  red: One" in lines
    assert "  up to 2 in order: ranking=ID>ID" in lines
    refused(capsys, cli.main(["choices", *still.election(), "--style", "north"]), "there are east, west")
    refused(
        capsys, cli.main(["choices", *still.election(), "--style", "east", "--language", "fr"]), "it has ky, ru, en"
    )


def test_the_ballot_box_takes_only_what_is_valid_and_says_what_it_refuses(polling: Polling, capsys: Capture) -> None:
    name = f"voter-{SPARE[0]}"
    for prepared in ("good", "opened"):
        assert polling.encrypt(name, prepared) == 0
    assert polling.use("cast", name, "good") == polling.use("challenge", name, "opened") == 0
    good = cbor.decode((polling.handed_in / "good.entry").read_bytes())
    opened = cbor.decode((polling.handed_in / "opened.entry").read_bytes())
    assert isinstance(good, dict)
    assert isinstance(opened, dict)
    bad = {
        "empty": b"",
        "unsigned": cbor.encode({**good, "signature": bytes(64)}),
        "malformed": cbor.encode({**good, "body": b"x"}),
        "a role's": cbor.encode({"type": "epoch", "body": b"", "signatures": []}),
    }
    for file, data in bad.items():
        (polling.handed_in / f"{file}.entry").write_bytes(data)
    (polling.handed_in / "copy.entry").write_bytes((polling.handed_in / "good.entry").read_bytes())
    capsys.readouterr()
    before = ElectionView(PublishedCopy(polling.record_path)).voter_count
    assert polling.epoch() == 0
    said = {line.removeprefix("evoting-office: note: ") for line in capsys.readouterr().err.splitlines()}
    assert said == {
        "empty.entry is refused: no ballot or challenge",
        "a role's.entry is refused: no ballot or challenge",
        "malformed.entry is refused: malformed",
        "unsigned.entry is refused: signature",
        "good.entry is on the board already",
    }
    assert ElectionView(PublishedCopy(polling.record_path)).voter_count == before + 2


def test_only_the_ballot_box_appends_an_epoch(polling: Polling, capsys: Capture) -> None:
    before = tree(polling.root)
    for key, words in (
        (polling.key_files["officer-1"], "not the ballot box's"),
        (polling.root / "none", "No such file"),
    ):
        code = polling.office("epoch", str(polling.handed_in), "--box-key", str(key), signers=())
        assert code == 2
        assert words in capsys.readouterr().err
    polling.clock = polling.manifest.closes + 10
    assert polling.epoch() == 2
    assert "outside of the voting time" in capsys.readouterr().err
    assert tree(polling.root) == before
