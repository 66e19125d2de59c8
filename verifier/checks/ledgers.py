"""Group 9: the issuers' statements; docs/spec/05-credentials.md sections 5.7 and 5.8."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from verifier.checks.registry import check
from verifier.failure import Failure
from verifier.record.errors import FormatError
from verifier.record.note import ED25519_NOTE, VerifierKey, parse_checkpoint, verify_note
from verifier.stream.precedence import used_pseudonyms

if TYPE_CHECKING:
    from verifier.record.entries import RoleEntry
    from verifier.state import State


@check("ledger.statements", 9, "5", "statements of at least k issuers, one each, whose checkpoint the issuer signed")
def ledger_statements(state: State) -> Iterator[Failure]:
    """Every statement by itself."""
    statements, threshold = state.of("ledger"), state.manifest.raw["issuers"]["k"]
    indices = {entry.fields["issuer"] for entry in statements}
    if len(indices) < threshold:
        yield Failure(f"statements of {len(indices)} issuers, fewer than {threshold}")
    for entry in statements:
        for sentence in _defects(state, entry):
            yield Failure(sentence, entry=entry.index, role=entry.signatures[0][0])


def _defects(state: State, entry: RoleEntry) -> Iterator[str]:
    fields = entry.fields
    issuer = next((role for role in state.manifest.roles_of("issuer") if role.index == fields["issuer"]), None)
    if issuer is None:
        yield f"there is no issuer {fields['issuer']}"
        return
    if [item["style"] for item in fields["issued"]] != list(state.manifest.styles):
        yield "not the manifest's styles in its order"
    if any(item["terminal"] > item["count"] for item in fields["issued"]):
        yield "more issued at terminals than in all"
    if fields["tree"]["size"] != state.opening.fields["roll"]["size"]:
        yield "the tree has not one leaf for each roll position"
    origin = f"{state.opening.fields['origin']}/ledger/{fields['issuer']}"
    try:
        checkpoint = parse_checkpoint(fields["checkpoint"].encode("utf-8", "surrogatepass"))
    except FormatError as error:
        yield f"ledger checkpoint: {error}"
        return
    if checkpoint.origin != origin:
        yield f"the origin of the ledger checkpoint is not {origin}"
    if not verify_note(checkpoint.note, VerifierKey(checkpoint.origin, ED25519_NOTE, issuer.key)):
        yield "the issuer's signature on the ledger checkpoint does not hold"
    if checkpoint.size != sum(item["count"] for item in fields["issued"]):
        yield "the ledger's size is not the sum of its counts"


@check("ledger.bounds", 9, "5, 7.1", "issued_i <= roll size of the style; (k - (m - r)) * used <= sum of issued_i")
def ledger_bounds(state: State) -> Iterator[Failure]:
    """No more credentials were used than were issued, none issued beyond the roll."""
    statements = state.of("ledger")
    issuers = state.manifest.raw["issuers"]
    needed = issuers["k"] - (issuers["m"] - len(statements))
    for number, (name, style) in enumerate(state.manifest.styles.items()):
        total = 0
        for entry in statements:
            issued = sum(item["count"] for item in entry.fields["issued"] if item["style"] == name)
            total += issued
            if issued > style["roll"]:
                sentence = f"{issued} issued in style {name} with a roll of {style['roll']}"
                yield Failure(sentence, entry=entry.index, role=entry.signatures[0][0])
        used = used_pseudonyms(state.voters.table, number)
        if needed * used > total:
            yield Failure(f"{used} credentials of style {name} are used, with {total} partial signatures issued")
