"""Groups 20 to 23: decryption."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from verifier.checks.lists import TallyList, tally_lists
from verifier.checks.registry import NotRun, check
from verifier.equations.decryption import check_plaintext_codes, verify_plaintexts
from verifier.failure import Failure
from verifier.state import sha256

if TYPE_CHECKING:
    from verifier.state import State


@check("decryption.input", 20, "7.3, 9", "what is decrypted is the last mix's output or the recomputed aggregate")
def decryption_input(state: State) -> Iterator[Failure]:
    """Aggregates, and the lists that decryptions name; also those that are left out, or they could be of anything."""
    for item in tally_lists(state):
        if not item.is_mixed:
            yield from _aggregate(item)
        expected = sha256(item.ciphertexts)
        for entry, _ in item.posted.values():
            if entry.fields["list"] != expected:
                yield Failure(f"{item.name}: decrypts another list", entry.index, role=entry.signatures[0][0])


def _aggregate(item: TallyList) -> Iterator[Failure]:
    entries = item.entries("aggregate")
    if not entries:
        yield Failure(f"{item.name}: there is no aggregate")
    for entry in entries:
        if entry.fields["ciphertexts"] != item.aggregate or entry.fields["ballots"] != item.group.ballots:
            yield Failure(f"{item.name}: not the sum of the counted ballots", entry.index, role=entry.signatures[0][0])


@check(
    "decryption.proof", 21, "9", "used decryptions prove their factors against the recomputed key; left-out ones do not"
)
def decryption_proof(state: State) -> Iterator[Failure]:
    """Every factor of the result is the right one; nobody is left out without reason."""
    lists = list(tally_lists(state))
    state.settings.progress.start("verifying decryption", len(lists))
    for item in lists:
        for trustee, (entry, _) in item.posted.items():
            role, defects = entry.signatures[0][0], item.defects[trustee]
            if trustee in item.published["used"]:
                for defect in defects:
                    yield replace(defect, sentence=f"{item.name}: {defect.sentence}", entry=entry.index, role=role)
            elif not defects:
                yield Failure(f"{item.name}: left out, although it is valid", entry.index, role=role)
        state.settings.progress.advance(1)


@check("decryption.trustees", 22, "9", "at least t distinct trustees, signed by themselves; all valid ones are used")
def decryption_trustees(state: State) -> Iterator[Failure]:
    """Who decrypted, and what the result says about it."""
    trustees = {role.index: role.id for role in state.manifest.roles_of("trustee")}
    for entry in state.of("decryption"):
        names = [name for name, _ in entry.signatures]
        if names != [trustees.get(entry.fields["trustee"])]:
            yield Failure(f"not signed by trustee {entry.fields['trustee']}", entry.index, role=names[0])
    lists = list(tally_lists(state))
    result = state.only("result").index
    if [(item["contest"], item["group"]) for item in state.lists] != [(i.contest["id"], i.group.id) for i in lists]:
        yield Failure("the result's lists are not one for each tallied group in order", entry=result)
    for item in lists:
        yield from _quorum(state, item, result)


def _quorum(state: State, item: TallyList, result: int) -> Iterator[Failure]:
    try:
        used, left_out = item.published["used"], item.published["left-out"]
    except NotRun as error:
        yield Failure(error.sentence, entry=result)
        return
    if used != sorted(set(used)) or left_out != sorted(set(left_out)):
        yield Failure(f"{item.name}: trustees are not listed in ascending order, once each", entry=result)
    if sorted(set(used) | set(left_out)) != sorted(item.posted) or set(used) & set(left_out):
        yield Failure(f"{item.name}: not every decryption entry is either used or left out", entry=result)
    holders = [trustee for trustee in set(used) if any(state.verification_key(trustee))]
    threshold = state.manifest.raw["trustees"]["t"]
    if len(holders) < threshold:
        yield Failure(f"{item.name}: {len(holders)} trustees, fewer than {threshold}", entry=result)


@check(
    "plaintexts.codes", 23, "9", "plaintexts are what the factors give; each is the code it claims or listed invalid"
)
def plaintexts_codes(state: State) -> Iterator[Failure]:
    """Published plaintexts of mixed lists."""
    result = state.only("result").index
    for item in tally_lists(state):
        named = item.published["plaintexts"]
        if (named is not None) != item.is_mixed:
            yield Failure(f"{item.name}: plaintexts are named for mixed lists, and only for them", entry=result)
        if named is None or not item.is_mixed:
            continue
        book = state.code_book(item.contest["id"])
        failures = check_plaintext_codes(
            count=item.count, plaintexts=item.plaintexts, code_book=book, group=state.group
        ) or verify_plaintexts(
            ciphertexts=item.ciphertexts,
            used=item.used,
            plaintexts=item.plaintexts,
            code_book=book,
            group=state.group,
            randomness=state.settings.randomness,
        )
        for failure in failures:
            sentence = f"{item.name}: {failure.sentence}"
            yield replace(failure, sentence=sentence, entry=result, blob=named["hash"].hex())
