"""Groups 18 and 19: mixing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from verifier.checks.lists import TallyList, tally_lists
from verifier.checks.registry import NotRun, check
from verifier.equations.shuffle import verify_shuffle
from verifier.failure import Failure
from verifier.state import sha256

if TYPE_CHECKING:
    from verifier.state import State


def _mixed(state: State) -> list[TallyList]:
    return [item for item in tally_lists(state) if item.is_mixed]


@check("mix.input", 18, "7.4", "stage 1's input is the counted set in log order")
def mix_input(state: State) -> Iterator[Failure]:
    """The mixers start from exactly the counted ballots."""
    for item in _mixed(state):
        entry = item.stages.get(1)
        if entry is not None and entry.fields["input"] != sha256(item.rows):
            yield Failure(f"{item.name}: the input is not the counted set", entry.index, role=entry.signatures[0][0])


@check("mix.chain", 18, "7.4", "every stage is there, in order, each input the previous output, counts unchanged")
def mix_chain(state: State) -> Iterator[Failure]:
    """Nothing is added, dropped or replaced between the mixers."""
    for item in _mixed(state):
        expected = list(range(1, state.manifest.raw["mixers"] + 1))
        if sorted(item.stages) != expected:
            yield Failure(f"{item.name}: stages {sorted(item.stages)} instead of {expected}")
        for stage, entry in item.stages.items():
            fields, role = entry.fields, entry.signatures[0][0]
            if fields["count"] != item.group.ballots:
                yield Failure(f"{item.name}: {fields['count']} rows, not {item.group.ballots}", entry.index, role=role)
            if fields["output"]["length"] != item.group.ballots * item.contest["width"] * 64:
                yield Failure(f"{item.name}: an output of another length", entry.index, role=role)
            before = item.stages.get(stage - 1)
            if before is not None and fields["input"] != before.fields["output"]["hash"]:
                yield Failure(f"{item.name}: the input is not the output before", entry.index, role=role)


@check("mix.proof", 19, "8", "every shuffle proof holds, with the matrix shape of the table")
def mix_proof(state: State) -> Iterator[Failure]:
    """Outputs are permuted re-encryptions of inputs."""
    lists = _mixed(state)
    state.settings.progress.start("verifying shuffles", sum(len(item.stages) for item in lists))
    for item in lists:
        for stage in sorted(item.stages):
            yield from _stage(state, item, stage)
            state.settings.progress.advance(1)


def _stage(state: State, item: TallyList, stage: int) -> Iterator[Failure]:
    entry = item.stages[stage]
    mixer = entry.signatures[0][0]
    try:
        inputs = item.stage_input(stage)
        outputs, proof = state.blob_view(entry.fields["output"]), state.blob(entry.fields["proof"])
    except NotRun as error:
        yield Failure(f"{item.name}: cannot be verified ({error})", entry.index, role=mixer)
        return
    failures = verify_shuffle(
        fingerprint=state.fingerprint,
        contest=item.contest["id"],
        group_id=item.group.id,
        stage=stage,
        mixer=mixer,
        public_key=state.public_key,
        width=item.contest["width"],
        inputs=inputs,
        outputs=outputs,
        proof=proof,
        group=state.group,
        randomness=state.settings.randomness,
    )
    for failure in failures:
        yield replace(failure, sentence=f"{item.name}: {failure.sentence}", entry=entry.index, role=mixer)


@check("mix.mixers", 19, "7.5", "stage s is signed by the mixer with index s; all are different parties")
def mix_mixers(state: State) -> Iterator[Failure]:
    """No party runs two stages."""
    mixers = {role.index: role for role in state.manifest.roles_of("mixer")}
    for entry in state.of("mix"):
        names = [name for name, _ in entry.signatures]
        due = mixers.get(entry.fields["stage"])
        if due is None or names != [due.id]:
            expected = due.id if due else "nobody"
            sentence = f"stage {entry.fields['stage']} is for {expected}, not for {', '.join(names)}"
            yield Failure(sentence, entry.index, role=names[0])
    keys = [role.key for role in mixers.values()]
    if len(set(keys)) < len(keys):
        yield Failure("two mixers have one key", entry=state.only("manifest").index)
