"""Groups 6 and 7: parameters, and everything that the opening entry pins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from verifier.checks.registry import NotRun, check
from verifier.equations.parameters import parameters_hash
from verifier.failure import Failure
from verifier.hashing import sha
from verifier.record.errors import FormatError
from verifier.record.manifest_rules import violations
from verifier.record.note import ED25519_NOTE, Checkpoint, VerifierKey, parse_checkpoint, verify_note

if TYPE_CHECKING:
    from verifier.record.entries import RoleEntry
    from verifier.state import State


@check("group.parameters", 6, "2.5", "the opening's parameters are what the generators, derived again, give")
def group_parameters(state: State) -> Iterator[Failure]:
    """Group, generator and commitment generators."""
    if state.opening.fields["parameters"] != parameters_hash(state.group):
        yield Failure("made with another group or other generators", entry=state.opening.index)


@check(
    "opening.manifest", 7, "3", "the manifest is well-formed, consistent, and the one named by entry 0 and the opening"
)
def opening_manifest(state: State) -> Iterator[Failure]:
    """The election's definition."""
    first = state.only("manifest")
    try:
        for sentence in violations(state.manifest):
            yield Failure(sentence, entry=first.index, equation="3.7")
    except NotRun as error:
        if error.cause != "opening.manifest":
            raise
        yield Failure(error.sentence, entry=first.index)
    if state.opening.fields["manifest"] != first.fields["manifest"]:
        yield Failure("the opening names another manifest than entry 0", entry=state.opening.index)


def identity_provider_checkpoint(state: State, text: str, origin: str) -> Checkpoint:
    """A checkpoint of the enrolment log, signed by the identity provider.

    Raises:
        FormatError: another form, origin or signature.
    """
    checkpoint = parse_checkpoint(text.encode("utf-8", "surrogatepass"))
    if checkpoint.origin != origin:
        raise FormatError(f"its origin is not {origin}")
    roles = state.manifest.roles_of("identity-provider")
    if not any(verify_note(checkpoint.note, VerifierKey(origin, ED25519_NOTE, role.key)) for role in roles):
        raise FormatError("the identity provider's signature on it does not hold")
    return checkpoint


@check(
    "opening.roll",
    7,
    "2.4, 5",
    "roll and enrolment are the entries'; sizes fit the manifest; the enrolment age is kept",
)
def opening_roll(state: State) -> Iterator[Failure]:
    """Roll commitment, roll sizes, enrolment checkpoint."""
    opening, roll, enrolment = state.opening, state.only("roll"), state.only("enrolment")
    pinned = opening.fields["roll"]
    if pinned != {name: roll.fields[name] for name in ("commitment", "size", "styles")}:
        yield Failure("the opening's roll is not that of the roll entry", entry=opening.index)
    if pinned["size"] != sum(item["size"] for item in pinned["styles"]):
        yield Failure("the sizes of the styles do not add up to the roll's size", entry=opening.index)
    expected = [(name, style["roll"]) for name, style in state.manifest.styles.items()]
    if [(item["style"], item["size"]) for item in pinned["styles"]] != expected:
        yield Failure("the sizes of the styles are not the manifest's", entry=opening.index)
    if opening.fields["enrolment"] != sha("evoting/v1/entry-hash", enrolment.raw):
        yield Failure("the opening names another enrolment entry", entry=opening.index)
    age = state.manifest.raw["enrolment-age"]
    if not state.manifest.is_model and enrolment.fields["time"] + age > opening.fields["time"]:
        yield Failure(f"the enrolment checkpoint is younger than {age} s at the opening", entry=opening.index)
    yield from _enrolment_logs(state, state.of("enrolment"))


def _enrolment_logs(state: State, entries: list[RoleEntry]) -> Iterator[Failure]:
    origin, size = f"{state.opening.fields['origin']}/enrolment", 0
    for entry in entries:
        try:
            checkpoint = identity_provider_checkpoint(state, entry.fields["checkpoint"], origin)
        except FormatError as error:
            yield Failure(f"enrolment checkpoint: {error}", entry=entry.index, role="identity-provider")
            continue
        if checkpoint.size < size:
            yield Failure("the enrolment log became shorter", entry=entry.index)
        size = checkpoint.size


@check("opening.keys", 7, "4", "keys named by the opening are those that the ceremonies give")
def opening_keys(state: State) -> Iterator[Failure]:
    """The election key, verification keys and issuance keys."""
    opening = state.opening
    for member, kind in (("trustees", "trustee-ceremony"), ("issuers", "issuer-ceremony")):
        if opening.fields[member]["transcript"] != state.only(kind).fields["transcript"]:
            yield Failure(f"the opening names another transcript of the {member}", entry=opening.index)
    yield from _trustee_keys(state)
    yield from _issuance_keys(state)


def _trustee_keys(state: State) -> Iterator[Failure]:
    ceremony, published = state.ceremony("trustees"), state.opening.fields["trustees"]
    if ceremony.joint_keys is None or ceremony.verification_keys is None:
        raise NotRun("ceremony.trustees", "the transcript gives no key")
    if published["key"] != ceremony.joint_keys["election-key"]:
        yield Failure("the election key is not the ceremony's", entry=state.opening.index)
    if published["verification-keys"] != ceremony.verification_keys["election-key"]:
        yield Failure("the trustees' verification keys are not the ceremony's", entry=state.opening.index)


def _issuance_keys(state: State) -> Iterator[Failure]:
    opening, ceremony = state.opening, state.ceremony("issuers")
    try:
        published = state.issuance_keys
    except NotRun as error:
        if error.cause != "opening.keys":
            raise
        yield Failure(error.sentence, entry=opening.index, blob=opening.fields["issuers"]["keys"]["hash"].hex())
        return
    if ceremony.joint_keys is None or ceremony.verification_keys is None:
        raise NotRun("ceremony.issuers", "the transcript gives no key")
    if [item["style"] for item in published] != list(state.manifest.styles):
        yield Failure("issuance keys are not one for each style in the manifest's order", entry=opening.index)
    for item in published:
        style = item["style"]
        if item["key"] != ceremony.joint_keys.get(style):
            yield Failure(f"the issuance key of style {style} is not the ceremony's", entry=opening.index)
        if item["shares"] != ceremony.verification_keys.get(style):
            yield Failure(f"the issuers' share keys of style {style} are not the ceremony's", entry=opening.index)


@check("opening.code-books", 7, "2.5", "every code book is derived from manifest and contest; all elements differ")
def opening_code_books(state: State) -> Iterator[Failure]:
    """Code books of mixed contests."""
    opening = state.opening
    published = {item["contest"]: item["blob"] for item in opening.fields["code-books"]}
    mixed = [name for name, contest in state.manifest.contests.items() if contest["kind"] == "mixed"]
    if [item["contest"] for item in opening.fields["code-books"]] != mixed:
        yield Failure("not one code book for each mixed contest in the manifest's order", entry=opening.index)
    for contest in mixed:
        derived = state.code_book(contest)
        elements = [derived[at : at + 32] for at in range(0, len(derived), 32)]
        if len(set(elements)) < len(elements) or bytes(32) in elements:
            yield Failure(f"two codes of contest {contest} have one element", entry=opening.index)
        if contest in published and state.blob(published[contest]) != derived:
            blob = published[contest]["hash"].hex()
            yield Failure(f"the code book of contest {contest} is not derived", entry=opening.index, blob=blob)


@check("opening.partition", 7, "2.4, 3", "the partition equals the manifest's styles, each unit once")
def opening_partition(state: State) -> Iterator[Failure]:
    """Reporting units of every style."""
    expected = [{"style": name, "units": style["units"]} for name, style in state.manifest.styles.items()]
    partition = state.opening.fields["partition"]
    if partition != expected:
        yield Failure("the partition is not that of the manifest's styles", entry=state.opening.index)
    units = [unit for item in partition for unit in item["units"]]
    if len(units) != len(set(units)):
        yield Failure("a reporting unit occurs twice", entry=state.opening.index)
