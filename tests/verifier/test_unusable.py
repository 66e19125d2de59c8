"""Values that later checks would work on but cannot: they do not run, and say because of which check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crypto.errors import DecodeError
from tests.verifier.edited import Edited
from tests.verifier.edits import Edit, lists, manifest, other_issuance_keys, put, sentences
from verifier import state as state_module
from verifier.checks.checkpoint import checkpoint_quorum
from verifier.checks.lists import tally_lists
from verifier.checks.log import log_consistency
from verifier.checks.opening import opening_code_books
from verifier.checks.record import record_encoding
from verifier.checks.registry import Check, NotRun
from verifier.failure import Failure
from verifier.record.errors import FormatError
from verifier.record.files import blob_path
from verifier.record.policy import parse_policy
from verifier.record.trust import TrustRoot
from verifier.run import run_check
from verifier.state import State


def without_plaintexts(items: Any) -> None:
    for item in items:
        item["plaintexts"] = None


# check, words of the reason, edit
UNUSABLE: list[tuple[str, str, Edit]] = [
    (
        "ballots.proof",
        "opening.keys: the election key is not usable",
        put("opening", "trustees", "key", value=bytes(32)),
    ),
    (
        "ballots.proof",
        "opening.keys: the election key is not usable",
        put("opening", "trustees", "key", value=b"\xff" * 32),
    ),
    ("ballots.credential", "opening.keys: a style has no issuance key", other_issuance_keys(lambda keys: keys.pop())),
    (
        "ballots.credential",
        "opening.keys: an issuance key is not usable",
        other_issuance_keys(lambda keys: keys[0].update(key=b"\xc0" + bytes(95))),
    ),
    ("decryption.trustees", "record.encoding: lists", lists(lambda items: items[0].update(more=1))),
    ("tally.totals", "plaintexts.codes", lists(without_plaintexts)),
]


@pytest.mark.parametrize(("name", "words", "edit"), UNUSABLE, ids=[f"{n}: {w}" for n, w, _ in UNUSABLE])
def test_a_check_without_its_values_does_not_run(edited: Edited, name: str, words: str, edit: Edit) -> None:
    edit(edited)
    (sentence,) = sentences(edited, name)
    assert sentence.startswith(f"not run: {words}")


def cut_bundle(edited: Edited) -> State:
    state = edited.state()
    (path,) = (edited.root / "tile/entries").rglob("*.p/*")
    path.write_bytes(path.read_bytes()[:-1])
    return state


def test_entries_that_cannot_be_read_are_not_judged(edited: Edited) -> None:
    with pytest.raises(NotRun, match="log.root: entries cannot be read"):
        _ = cut_bundle(edited).voters
    state = cut_bundle(edited)
    state.settings.older = [("older", (edited.root / "checkpoint").read_bytes())]
    with pytest.raises(NotRun, match="log.root: entries cannot be read"):
        list(log_consistency(state))


def test_a_blob_that_vanishes_after_it_was_hashed(edited: Edited, monkeypatch: pytest.MonkeyPatch) -> None:
    state = edited.state()
    ref = state.only("manifest").fields["manifest"]

    def gone(*_: object) -> bytes:
        raise FormatError("gone")

    assert state.blob_view(ref) == state.blob(ref)
    for name in ("map_file", "read_file"):
        monkeypatch.setattr(state_module, name, gone)
    for read in (state.blob_view, state.blob):
        with pytest.raises(NotRun, match="record.blobs: gone"):
            read(ref)


def test_a_blob_of_other_bytes_or_another_length_is_not_worked_on(edited: Edited) -> None:
    """``record.blobs`` names it; no other check draws conclusions from it."""
    state = edited.state()
    ref = state.only("manifest").fields["manifest"]
    for read in (state.blob_view, state.blob):
        with pytest.raises(NotRun, match=f"record.blobs: it has {ref['length']} bytes, named with 7"):
            read(ref | {"length": 7})
    path = edited.root / blob_path(ref["hash"])
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    state = edited.state()
    for read in (state.blob_view, state.blob):
        with pytest.raises(NotRun, match="record.blobs: its bytes have the hash"):
            read(ref)
    path.unlink()
    state = edited.state()
    for read in (state.blob_view, state.blob):
        with pytest.raises(NotRun, match="record.blobs: .*No such file"):
            read(ref)


def test_a_blob_that_is_decoded_as_a_whole_has_a_bound(edited: Edited, monkeypatch: pytest.MonkeyPatch) -> None:
    state = edited.state()
    ref = state.only("manifest").fields["manifest"]
    monkeypatch.setattr(state_module, "MAX_DECODED_BLOB", ref["length"] - 1)
    with pytest.raises(NotRun, match="record.blobs"):
        state.blob(ref)


def test_nothing_can_be_added_up_without_a_ballot(edited: Edited) -> None:
    state = edited.state()
    state.voters.sums.clear()
    item = next(item for item in tally_lists(state) if not item.is_mixed)
    with pytest.raises(NotRun, match="ballots.encoding: .*no ballot can be added up"):
        _ = item.aggregate


def test_a_ballot_that_the_scan_took_for_a_role_entry_is_named(edited: Edited) -> None:
    """Both readers accept the same bytes; where they did not, the entry would be counted nowhere."""
    state = edited.state()
    index = edited.at("ballot")
    state.scan.roles.append((index, edited.entries[index]))
    assert [(failure.entry, failure.sentence) for failure in record_encoding(state)] == [
        (index, "a ballot or challenge in another form than the one encoding")
    ]


# Rules that one defect in the manifest or the trust root breaks


def test_M4_two_mixers_with_one_key(edited: Edited) -> None:
    places = [number for number, role in enumerate(edited.election.manifest.roles) if role.kind == "mixer"]
    manifest("roles", places[1], "key", value=edited.election.manifest.roles[places[0]].key)(edited)
    assert "two mixers have one key" in sentences(edited, "mix.mixers")


def test_S9_two_candidates_of_one_code(edited: Edited) -> None:
    number = [contest.id for contest in edited.election.manifest.contests].index("list")
    manifest("contests", number, "parties", 0, "candidates", 1, "id", value="1")(edited)
    assert "two codes of contest list have one element" in sentences(edited, "opening.code-books")


@pytest.mark.parametrize("change", [lambda book: book[:32] + book[:-32], lambda book: bytes(32) + book[32:]])
def test_S9_a_code_that_is_the_identity_or_another_one(edited: Edited, change: Any) -> None:
    """Hashing gives neither, so the derived book itself is planted, and published too."""
    state = edited.state()
    book = change(state.code_book("list"))
    place = [item["contest"] for item in edited.body("opening")["code-books"]].index("list")
    edited.set("opening", "code-books", place, "blob", value=edited.blob(book))
    state = edited.state()
    state._code_books["list"] = book
    found = [failure.sentence for failure in opening_code_books(state)]
    assert found == ["two codes of contest list have one element"]


def test_L6_a_policy_whose_quorums_need_not_meet(edited: Edited) -> None:
    state = edited.state()
    policy = edited.election.policy().decode()
    assert "group witnesses 3 " in policy
    split = parse_policy(policy.replace("group witnesses 3 ", "group witnesses 2 "))
    found = {}
    for name, chosen in (("whole", state.trust.policy), ("split", split)):
        state.trust = TrustRoot(state.trust.fingerprint, chosen)
        found[name] = [failure.sentence for failure in checkpoint_quorum(state)]
    words = "the policy's quorum can be reached by two sets of witnesses without a common member"
    assert words not in found["whole"]
    assert words in found["split"]


# What a check makes of trouble


def _result(edited: Edited, function: Any) -> tuple[str, list[str]]:
    state = edited.state()
    result = run_check(Check("record.files", 1, "-", "-", function), state)
    return result.status, [failure.sentence for failure in result.failures]


def test_hostile_bytes_in_a_check_are_its_failure(edited: Edited) -> None:
    for error in (FormatError("of no form"), DecodeError("no element")):

        def raising(_: State, error: Exception = error) -> Iterator[Failure]:
            yield Failure("first")
            raise error

        def raising_at_once(_: State, error: Exception = error) -> Iterator[Failure]:
            raise error

        assert _result(edited, raising) == ("fail", ["first", f"hostile bytes: {error}"])
        assert _result(edited, raising_at_once) == ("fail", [f"hostile bytes: {error}"])


def test_a_check_that_cannot_go_on_has_failed_all_the_same(edited: Edited) -> None:
    def stopping(_: State) -> Iterator[Failure]:
        yield Failure("first")
        raise NotRun("log.root", "no entries")

    assert _result(edited, stopping) == ("fail", ["first", "could not go on because of log.root: no entries"])
