"""Which entry may come next: the writer's own rules against the verifier's, and every signer who must sign."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto.entry import RoleEntry, decode_role_entry, sign_entry
from evoting.errors import RecordError
from evoting.record.rules import phase_name, require_order, require_signers
from tests.support.small_election import SmallElection
from verifier.record.entries import SIGNERS

SETUP = ["manifest", "roll", "enrolment", "trustee-ceremony", "issuer-ceremony", "opening"]


def entry(kind: str, **body: object) -> RoleEntry:
    return RoleEntry(kind, dict(body), (), b"", b"")


def entries(*kinds: str) -> list[RoleEntry]:
    return [entry(kind) for kind in kinds]


def allowed(before: list[RoleEntry], after: RoleEntry, *, model: bool = False) -> bool:
    try:
        require_order(before, after, model=model)
    except RecordError:
        return False
    return True


def test_setup_comes_in_its_order_and_once() -> None:
    for number, kind in enumerate(SETUP):
        before = entries(*SETUP[:number])
        assert [name for name in SETUP if allowed(before, entry(name))] == [kind]
    assert not any(allowed(entries(*SETUP), entry(name)) for name in SETUP)


def test_nothing_else_comes_before_the_opening() -> None:
    for kind in ("epoch", "close", "withdrawal", "annulment", "complaint", "ledger", "result", "vote-page"):
        for number in range(len(SETUP)):
            assert not allowed(entries(*SETUP[:number]), entry(kind)), (kind, number)


@pytest.mark.parametrize(
    ("phase", "before", "next_kinds"),
    [
        ("open", [], {"epoch", "extension", "vote-page", "withdrawal", "terminal-opening", "close"}),
        ("open", ["epoch"], {"epoch", "extension", "vote-page", "withdrawal", "terminal-opening", "close"}),
        ("closed", ["close"], {"ledger", "selection"}),
        ("ledger", ["close", "ledger"], {"ledger", "selection"}),
        ("selection", ["close", "selection"], {"aggregate", "mix", "decryption", "result"}),
        ("aggregate", ["close", "selection", "aggregate"], {"aggregate", "mix", "decryption", "result"}),
        ("mix", ["close", "selection", "mix"], {"mix", "decryption", "result"}),
        ("decryption", ["close", "selection", "decryption"], {"decryption", "result"}),
        ("ended", ["close", "selection", "result"], set()),
    ],
)
def test_phases_follow_each_other(phase: str, before: list[str], next_kinds: set[str]) -> None:
    there = entries(*SETUP, *before)
    assert phase_name(there) == phase
    candidates = {
        "epoch": entry("epoch"),
        "extension": entry("extension"),
        "vote-page": entry("vote-page"),
        "withdrawal": entry("withdrawal"),
        "terminal-opening": entry("terminal-opening", terminal="t"),
        "close": entry("close"),
        "ledger": entry("ledger", issuer=2),
        "selection": entry("selection"),
        "aggregate": entry("aggregate", contest="c", group="g"),
        "mix": entry("mix", contest="c", group="g", stage=1),
        "decryption": entry("decryption", contest="c", group="g", trustee=1),
        "result": entry("result"),
    }
    assert {kind for kind, candidate in candidates.items() if allowed(there, candidate)} == next_kinds
    for kind in ("annulment", "complaint"):
        assert allowed(there, entry(kind))


def test_a_subject_is_not_repeated() -> None:
    for first, same, other in (
        (entry("ledger", issuer=1), entry("ledger", issuer=1), entry("ledger", issuer=2)),
        (
            entry("decryption", contest="c", group="g", trustee=1),
            entry("decryption", contest="c", group="g", trustee=1),
            entry("decryption", contest="c", group="h", trustee=1),
        ),
        (
            entry("aggregate", contest="c", group="g"),
            entry("aggregate", contest="c", group="g"),
            entry("aggregate", contest="d", group="g"),
        ),
    ):
        before = [*entries(*SETUP, "close", *(["selection"] if first.type != "ledger" else [])), first]
        assert not allowed(before, same)
        assert allowed(before, other)


def test_stages_of_a_mix_come_one_after_the_other() -> None:
    before = entries(*SETUP, "close", "selection")
    first = entry("mix", contest="c", group="g", stage=1)
    assert not allowed(before, entry("mix", contest="c", group="g", stage=2))
    assert allowed([*before, first], entry("mix", contest="c", group="g", stage=2))
    assert not allowed([*before, first], entry("mix", contest="c", group="h", stage=2))


def test_only_a_model_election_enrols_while_it_is_open() -> None:
    there = entries(*SETUP, "epoch")
    assert allowed(there, entry("enrolment"), model=True)
    assert not allowed(there, entry("enrolment"), model=False)
    assert not allowed(entries(*SETUP, "close"), entry("enrolment"), model=True)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(RecordError, match="'ballot' is no type of entry"):
        require_order(entries(*SETUP), entry("ballot"), model=True)


@pytest.fixture(scope="module")
def election(tmp_path_factory: pytest.TempPathFactory) -> SmallElection:
    election = SmallElection(tmp_path_factory.mktemp("rules"))
    election.setup()
    election.open()
    return election


#: A body that names the role or index that must sign, and who that is; for the others the kinds that must sign.
SIGNED_BY = {
    "roll": ("registrar", "officer-2"),
    "enrolment": ("identity-provider", "registrar"),
    "trustee-ceremony": ("officer-2",),
    "issuer-ceremony": ("officer-1",),
    "opening": ("officer-1", "officer-2"),
    "epoch": ("ballot-box",),
    "terminal-opening": ("terminal-1",),
    "terminal-closing": ("terminal-1",),
    "terminal-exclusion": ("officer-1", "officer-2"),
    "extension": ("officer-1", "officer-2"),
    "vote-page": ("officer-1", "officer-2"),
    "withdrawal": ("officer-1", "officer-2"),
    "annulment": ("officer-1", "officer-2"),
    "complaint": ("officer-2",),
    "close": ("officer-1", "officer-2"),
    "ledger": ("issuer-3",),
    "selection": ("officer-1", "officer-2"),
    "aggregate": ("officer-1",),
    "mix": ("mixer-2",),
    "decryption": ("trustee-2",),
    "result": ("officer-1", "officer-2"),
}
NAMED = {"terminal": "terminal-1", "issuer": 3, "stage": 2, "trustee": 2}


def signed(election: SmallElection, kind: str, roles: tuple[str, ...]) -> RoleEntry:
    keys = {role: election.keys[role] for role in roles}
    return decode_role_entry(sign_entry(kind, NAMED, election.record.binding, keys))


def test_the_verifier_knows_the_same_types() -> None:
    assert {*SIGNED_BY, "manifest"} == set(SIGNERS)


@pytest.mark.parametrize("kind", SIGNED_BY)
def test_exactly_the_right_roles_sign(election: SmallElection, kind: str) -> None:
    right = SIGNED_BY[kind]
    require_signers(signed(election, kind, right), election.record.binding, election.manifest)
    wrong = [right[:-1], (*right, "witness-1"), ("mixer-1", "officer-1"), ("issuer-1",), ("trustee-1",)]
    for roles in wrong:
        with pytest.raises(RecordError, match="signed by"):
            require_signers(signed(election, kind, roles), election.record.binding, election.manifest)


def test_a_signature_that_does_not_hold_is_refused(election: SmallElection, tmp_path: Path) -> None:
    keys = {"officer-1": election.keys["officer-1"], "officer-2": election.keys["mixer-1"]}
    forged = decode_role_entry(sign_entry("close", {}, election.record.binding, keys))
    with pytest.raises(RecordError, match="signature of officer-2 on the close entry does not hold"):
        require_signers(forged, election.record.binding, election.manifest)
    size = election.board.size
    with pytest.raises(RecordError, match="does not hold"):
        election.record.post_signed(forged.raw)
    assert election.board.size == size
