"""What a trustee decrypts, and what it refuses (docs/spec/09-decryption.md section 9.3)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from crypto.decryption import verify_factors
from crypto.entry import Binding, RoleEntry, decode_role_entry, require_signatures, sign_entry
from crypto.group import load_group
from evoting.office.tally import list_bytes
from evoting.record.trust_root import read_trust_root
from evoting.trustees.decrypt import decrypt_list
from evoting.trustees.errors import DecryptionRefused
from evoting.trustees.record import TrusteeRecord
from evoting.trustees.refusal import ClosedElection, require_closed, require_list
from tests.evoting.trustees.trustee_support import Desk, read_tree, run_until
from tests.support.small_election import SmallElection


class Case:
    """One election, with copies of its record after several steps."""

    def __init__(self, root: Path) -> None:
        self.election = SmallElection(root)
        self.open = run_until(self.election, ["setup", "open", "issue", "vote"])
        self.closed = run_until(self.election, ["close", "ledgers"])
        self.unmixed = run_until(self.election, ["select", "aggregate"])
        self.ready = run_until(self.election, ["mix"])
        self.desk = Desk.of(root / "desk", self.election, 1, with_share=True)
        share = self.desk.store.require_share()
        self.share = share
        trust_root = read_trust_root(self.election.trust_root_path)
        self.record = TrusteeRecord(self.ready, trust_root, share, self.election.clock + 100)
        self.closed_election = self.record.election

    @property
    def key(self) -> SigningKey:
        return self.election.keys["trustee-1"]

    def require_closed(self, entries: list[RoleEntry]) -> ClosedElection:
        return require_closed(entries, self.election.manifest_bytes, self.election.fingerprint, self.share)

    def entries(self) -> list[RoleEntry]:
        return list(self.closed_election.entries)

    def resign(self, entry: RoleEntry, *signers: str, **changes: object) -> RoleEntry:
        """The entry with other members, properly signed by anybody."""
        body = {**entry.body, **changes}
        keys = {name: self.election.keys[name] for name in signers}
        return decode_role_entry(sign_entry(entry.type, body, self.closed_election.binding, keys))


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    made = Case(tmp_path_factory.mktemp("election"))
    yield made
    made.election.board.close()


def refused(case: Case, record: Path, capsys: pytest.CaptureFixture[str], root: Path, rule: str, *more: str) -> str:
    """Run the command at a fresh desk; it must refuse by this rule in one line and write nothing."""
    desk = Desk.of(root / "fresh", case.election, 2, with_share=True)
    before = read_tree(desk.root)
    assert desk.decrypt(record, None, *more) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"evoting-trustee: error: {rule}: ")
    assert output.err.count("\n") == 1
    assert read_tree(desk.root) == before
    return output.err


def test_a_trustee_decrypts_every_list_once_and_gives_the_same_bytes_again(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    desk, election = case.desk, case.election
    assert desk.decrypt(case.ready) == 0
    assert capsys.readouterr().err == ""
    first = desk.outputs()
    lists = case.closed_election.lists
    assert {contest for contest, _ in lists} == {"question", "list", "ranking"}
    keys = {role.id: role.key for role in election.manifest.roles}
    for contest, group in lists:
        entry = decode_role_entry(first[f"{contest}.{group}.entry"])
        factors = first[f"{contest}.{group}.factors"]
        require_signatures(entry, Binding(election.manifest_hash, election.fingerprint), keys, ["trustee-1"])
        data = list_bytes(election.record, election.manifest.contest_by_id[contest], group)
        assert entry.body["list"] == hashlib.sha256(data).digest()
        assert entry.body["factors"] == {"hash": hashlib.sha256(factors).digest(), "length": len(factors)}
        proof = entry.body["proof"]
        assert isinstance(proof, bytes)
        key = election.verification_keys()[:32]
        verify_factors(load_group(), election.fingerprint, contest, group, 1, key, data, factors, proof)

    assert desk.decrypt(case.ready) == 0
    for path in desk.output.iterdir():
        path.unlink()
    assert desk.decrypt(case.ready) == 0
    assert desk.outputs() == first


def test_one_list_can_be_chosen(case: Case, tmp_path: Path) -> None:
    desk = Desk.of(tmp_path / "desk", case.election, 3, with_share=True)
    contest, group = case.closed_election.lists[0]
    assert desk.decrypt(case.ready, None, "--list", f"{contest}.{group}") == 0
    assert desk.outputs().keys() == {f"{contest}.{group}.entry", f"{contest}.{group}.factors"}


@pytest.mark.parametrize("name", ["nowhere.at-all", "question"])
def test_a_list_that_is_not_there_is_an_error(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    desk = Desk.of(tmp_path / "desk", case.election, 3, with_share=True)
    try:
        code = desk.decrypt(case.ready, None, "--list", name)
    except SystemExit as exit_:
        code = exit_.code  # type: ignore[assignment]
    assert code == 2
    assert capsys.readouterr().err.startswith("evoting-trustee: error: ")
    assert not desk.output.exists()


# D6: the record says it is too early, or it is another record


def test_D6_open_election(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "0 close entries" in refused(case, case.open, capsys, tmp_path, "decrypt.closed")


def test_D6_closed_but_nothing_selected(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "0 selection entries" in refused(case, case.closed, capsys, tmp_path, "decrypt.closed")


def test_D6_unmixed_list(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contest, group = next(name for name in case.closed_election.lists if name[0] == "list")
    refused(case, case.unmixed, capsys, tmp_path, "decrypt.mixed", "--list", f"{contest}.{group}")


def test_D6_record_of_another_election(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "trust-root.json"
    value = json.loads(case.election.trust_root_path.read_text())
    other.write_text(json.dumps({**value, "fingerprint": "00" * 32}))
    desk = Desk.of(tmp_path / "desk", case.election, 2, with_share=True)
    assert desk.decrypt(case.ready, other) == 1
    assert "decrypt.root: the log's opening entry" in capsys.readouterr().err
    assert not desk.output.exists()


def test_D6_checkpoint_that_too_few_witnesses_cosigned(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "record"
    shutil.copytree(case.ready, record)
    lines = (record / "checkpoint").read_text().splitlines(keepends=True)
    (record / "checkpoint").write_text("".join(lines[:-2]))
    assert "no quorum" in refused(case, record, capsys, tmp_path, "decrypt.root")


def test_D6_record_with_a_changed_tile(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / "record"
    shutil.copytree(case.ready, record)
    bundle = next(path for path in (record / "tile" / "entries").rglob("*") if path.is_file())
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(bytes(data))
    refused(case, record, capsys, tmp_path, "decrypt.root")


# D6: the log is authentic, and those who write it want a decryption that must not be


def expect(
    rule: str, case: Case, entries: list[RoleEntry], contest: str = "", group: str = "", data: bytes = b""
) -> None:
    def attempt() -> None:
        require_list(case.require_closed(entries), contest, group, data)

    with pytest.raises(DecryptionRefused) as caught:
        attempt()
    assert caught.value.rule == rule, str(caught.value)


def test_D6_close_signed_by_one_officer_alone(case: Case) -> None:
    for signers in (["officer-1"], ["officer-1", "registrar"], ["officer-1", "officer-2", "ballot-box"]):
        entries = [case.resign(e, *signers) if e.type == "close" else e for e in case.entries()]
        expect("decrypt.closed", case, entries)


def test_D6_selection_before_the_close(case: Case) -> None:
    entries = case.entries()
    close = next(e for e in entries if e.type == "close")
    entries.remove(close)
    expect("decrypt.closed", case, [*entries, close])


@pytest.mark.parametrize("groups", [5, [5], [{"contest": "list"}], [{"contest": 1, "groups": [{"group": "east"}]}]])
def test_malformed_selection_is_refused(case: Case, groups: object) -> None:
    selection = case.closed_election.of_type("selection")[0]
    malformed = case.resign(selection, "officer-1", "officer-2", groups=groups)
    expect("decrypt.closed", case, [malformed if e is selection else e for e in case.entries()])


def test_D6_two_openings(case: Case) -> None:
    opening = case.closed_election.of_type("opening")[0]
    expect("decrypt.root", case, [*case.entries(), opening])


def test_D6_close_of_another_election(case: Case) -> None:
    close = case.closed_election.of_type("close")[0]
    keys = {name: case.election.keys[name] for name in ("officer-1", "officer-2")}
    foreign = decode_role_entry(sign_entry("close", close.body, Binding(case.election.manifest_hash, bytes(32)), keys))
    expect("decrypt.closed", case, [foreign if e is close else e for e in case.entries()])


def mixed(case: Case) -> tuple[str, str, bytes, list[RoleEntry]]:
    contest, group = next(name for name in case.closed_election.lists if name[0] == "list")
    mixes = [e for e in case.closed_election.of_type("mix") if (e.body["contest"], e.body["group"]) == (contest, group)]
    return contest, group, case.record.list_bytes(contest, group), mixes


def test_D6_list_before_the_last_mix(case: Case) -> None:
    contest, group, data, mixes = mixed(case)
    expect("decrypt.mixed", case, [e for e in case.entries() if e is not mixes[1]], contest, group, data)


def test_D6_last_mix_alone(case: Case) -> None:
    contest, group, data, mixes = mixed(case)
    expect("decrypt.mixed", case, [e for e in case.entries() if e is not mixes[0]], contest, group, data)


def test_D6_one_mixer_runs_both_stages(case: Case) -> None:
    contest, group, data, mixes = mixed(case)
    again = case.resign(mixes[1], "mixer-1")
    expect("decrypt.mixed", case, [again if e is mixes[1] else e for e in case.entries()], contest, group, data)


def test_D6_second_mix_of_another_list(case: Case) -> None:
    contest, group, data, mixes = mixed(case)
    other = case.resign(mixes[1], "mixer-2", input=bytes(32))
    expect("decrypt.mixed", case, [other if e is mixes[1] else e for e in case.entries()], contest, group, data)


def test_D6_mixes_that_publish_their_input(case: Case) -> None:
    contest, group, data, mixes = mixed(case)
    digest = hashlib.sha256(data).digest()
    reference = {"hash": digest, "length": len(data)}
    changed = [case.resign(e, f"mixer-{n}", input=digest, output=reference) for n, e in enumerate(mixes, start=1)]
    replaced = dict(zip(map(id, mixes), changed, strict=True))
    expect("decrypt.mixed", case, [replaced.get(id(e), e) for e in case.entries()], contest, group, data)


def test_D6_single_ballot_instead_of_the_list(case: Case) -> None:
    contest, group, data, _ = mixed(case)
    expect("decrypt.mixed", case, case.entries(), contest, group, data[:64])


def test_D6_single_ballot_as_aggregate(case: Case) -> None:
    contest, group = next(name for name in case.closed_election.lists if name[0] == "question")
    data = case.record.list_bytes(contest, group)
    expect("decrypt.aggregate", case, case.entries(), contest, group, data[64:] + data[:64])
    entries = [e for e in case.entries() if e.type != "aggregate"]
    expect("decrypt.aggregate", case, entries, contest, group, data)
    forged = [case.resign(e, "mixer-1") if e.type == "aggregate" else e for e in case.entries()]
    expect("decrypt.aggregate", case, forged, contest, group, data)


def test_D6_group_that_the_selection_does_not_tally(case: Case) -> None:
    expect("decrypt.closed", case, case.entries(), "question", "nobody", bytes(64))
    expect("decrypt.closed", case, case.entries(), "nothing", "east", bytes(64))


def test_D6_second_list_of_the_same_name(case: Case, tmp_path: Path) -> None:
    """The office and all mixers start again with another mix after the first has been decrypted."""
    desk = Desk.of(tmp_path / "desk", case.election, 1, with_share=True)
    contest, group, data, mixes = mixed(case)
    with desk.store.locked():
        part = decrypt_list(
            load_group(),
            desk.store,
            case.share,
            case.key,
            case.closed_election,
            contest,
            group,
            data,
            5,
            os.urandom(64),
        )
        other = data[64:] + data[:64]
        reference = {"hash": hashlib.sha256(other).digest(), "length": len(other)}
        changed = case.resign(mixes[1], "mixer-2", output=reference)
        election = case.require_closed([changed if e is mixes[1] else e for e in case.entries()])
        with pytest.raises(DecryptionRefused) as caught:
            decrypt_list(
                load_group(), desk.store, case.share, case.key, election, contest, group, other, 6, os.urandom(64)
            )
        assert caught.value.rule == "decrypt.once"
        again = decrypt_list(
            load_group(),
            desk.store,
            case.share,
            case.key,
            case.closed_election,
            contest,
            group,
            data,
            7,
            os.urandom(64),
        )
    assert again == part


def test_D6_share_of_another_key(case: Case) -> None:
    own = case.share.shares[0]
    for changed in (replace(own, joint_key=bytes(32)), replace(own, verification_key=bytes(32))):
        share = replace(case.share, shares=(changed,))
        with pytest.raises(DecryptionRefused) as caught:
            require_closed(case.entries(), case.election.manifest_bytes, case.election.fingerprint, share)
        assert caught.value.rule == "decrypt.key"
    foreign = replace(case.share, manifest_hash=bytes(32))
    with pytest.raises(DecryptionRefused) as caught:
        require_closed(case.entries(), case.election.manifest_bytes, case.election.fingerprint, foreign)
    assert caught.value.rule == "decrypt.root"
