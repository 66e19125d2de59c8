"""The writer's order of entries and the verifier's are written twice; here both judge the same records."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from crypto.entry import RoleEntry
from evoting.errors import RecordError
from evoting.record import rules
from verifier.checks import order
from verifier.record.entries import SIGNERS

Entry = tuple[str, dict[str, Any]]

LIST = {"contest": "c", "group": "g"}
#: A complete record: every type at least once, in the order of section 2.3.
RECORD: list[Entry] = [
    *[(kind, {}) for kind in rules.SETUP],
    ("epoch", {}),
    ("extension", {}),
    ("vote-page", {}),
    ("withdrawal", {}),
    ("terminal-opening", {"terminal": "t"}),
    ("terminal-closing", {"terminal": "t"}),
    ("terminal-exclusion", {"terminal": "u"}),
    ("complaint", {}),
    ("close", {}),
    ("ledger", {"issuer": 1}),
    ("ledger", {"issuer": 2}),
    ("selection", {}),
    ("aggregate", LIST),
    ("mix", {**LIST, "stage": 1}),
    ("mix", {**LIST, "stage": 2}),
    ("decryption", {**LIST, "trustee": 1}),
    ("decryption", {**LIST, "trustee": 2}),
    ("result", {}),
    ("annulment", {}),
]
#: Every type once more, about something that the record has nothing about.
FURTHER: list[Entry] = [
    *[(kind, {}) for kind in SIGNERS if kind not in rules._SUBJECT],
    *[(kind, {"terminal": "v"}) for kind in ("terminal-opening", "terminal-closing", "terminal-exclusion")],
    ("ledger", {"issuer": 3}),
    ("aggregate", {**LIST, "group": "h"}),
    ("mix", {**LIST, "group": "h", "stage": 1}),
    ("decryption", {**LIST, "trustee": 3}),
]


def written(record: list[Entry], *, model: bool) -> bool:
    """Whether the writer appends all of it, one after the other."""
    there: list[RoleEntry] = []
    for kind, body in record:
        entry = RoleEntry(kind, body, (), b"", b"")
        try:
            rules.require_order(there, entry, model=model)
        except RecordError:
            return False
        there.append(entry)
    return True


def verified(record: list[Entry], *, model: bool) -> bool:
    """Whether both checks of group 5 pass; an epoch after the close is what they leave to bounds.closing."""
    kinds = [kind for kind, _ in record]
    if "close" in kinds and "epoch" in kinds[kinds.index("close") :]:
        return False
    entries = [
        SimpleNamespace(index=at, type=kind, fields=body, raw=bytes([at])) for at, (kind, body) in enumerate(record)
    ]
    state: Any = SimpleNamespace(
        entries=entries,
        of=lambda *kinds: [entry for entry in entries if entry.type in kinds],
        manifest=SimpleNamespace(is_model=model, limits={"ballots": 10}),
        scan=SimpleNamespace(kinds=bytes(len(entries))),
        log=SimpleNamespace(size=len(entries)),
        voter_indices=[],
    )
    return not [*order.order_phases(state), *order.order_counts(state)]


def variants() -> Iterator[tuple[str, list[Entry]]]:
    for kind, body in [*FURTHER, *RECORD]:
        for at in range(len(RECORD) + 1):
            yield f"{kind} {body} at {at}", [*RECORD[:at], (kind, body), *RECORD[at:]]
    for at in range(len(RECORD)):
        for to in range(len(RECORD)):
            moved = [*RECORD[:at], *RECORD[at + 1 :]]
            yield f"{RECORD[at]} from {at} to {to}", [*moved[:to], RECORD[at], *moved[to:]]


def test_both_know_the_same_types_and_phases() -> None:
    assert set(rules._PHASE_OF) | rules.ANYWHERE == set(SIGNERS)
    assert rules._PHASE_OF == order._PHASE
    assert rules.ANYWHERE == order._ANYWHERE
    assert set(rules._ONCE) == set(order._ONCE)
    assert {kind for kind, _ in RECORD} == set(SIGNERS)


@pytest.mark.parametrize("model", [False, True])
def test_what_the_writer_appends_is_what_the_verifier_accepts(model: bool) -> None:
    assert written(RECORD, model=model)
    assert verified(RECORD, model=model)
    verdicts = {name: (written(r, model=model), verified(r, model=model)) for name, r in variants()}
    assert {name for name, (appended, accepted) in verdicts.items() if appended != accepted} == set()
    assert {appended for appended, _ in verdicts.values()} == {True, False}
