"""Edits of a record: small functions that make one defect, to be put in tables."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from nacl.signing import SigningKey

from tests.support.small_election import ORIGIN
from tests.verifier.edited import Edited
from verifier.checks.registry import CHECKS, NotRun
from verifier.failure import Failures
from verifier.record.cbor import decode, encode
from verifier.run import ORDER

Edit = Callable[[Edited], object]


def sentences(edited: Edited, name: str) -> list[str]:
    """What a check reports about the edited record."""
    assert name in ORDER
    function = next(check.function for check in CHECKS if check.name == name)
    state = edited.state()
    try:
        found = function(state)
        return [failure.sentence for failure in (found.listed if isinstance(found, Failures) else found)]
    except NotRun as error:
        return [f"not run: {error}"]
    finally:
        state.close()


def insert(edited: Edited, at: int, *entries: bytes) -> None:
    edited.entries[at:at] = entries


def move(edited: Edited, kind: str, to: str, number: int = 0, after: bool = False) -> None:
    """Put an entry in front of (or behind) the first of another type."""
    raw = edited.entries.pop(edited.at(kind, number))
    insert(edited, edited.at(to) + after, raw)


def drop(kind: str, number: int = 0) -> Edit:
    return lambda edited: edited.entries.pop(edited.at(kind, number))


def put(kind: str, *path: Any, value: Any, number: int = 0) -> Edit:
    return lambda edited: edited.set(kind, *path, value=value, number=number)


def add(kind: str, body: Any, *signers: str, before: str | None = None) -> Edit:
    """Append an entry, or put it in front of the first of another type."""

    def edit(edited: Edited) -> None:
        at = len(edited.entries) if before is None else edited.at(before)
        insert(edited, at, edited.sign(kind, body, *signers))

    return edit


def repeat(kind: str) -> Edit:
    return lambda edited: insert(edited, edited.at(kind), edited.entries[edited.at(kind)])


def manifest(*path: Any, value: Any) -> Edit:
    """Change the manifest itself; it is named by entry 0 and the opening."""

    def edit(edited: Edited) -> None:
        def change(content: Any) -> None:
            for step in path[:-1]:
                content = content[step]
            content[path[-1]] = value

        edited.edit_blob("manifest", "manifest", change)
        edited.set("opening", "manifest", value=edited.body("manifest")["manifest"])

    return edit


def result(*path: Any, value: Any) -> Edit:
    def edit(edited: Edited) -> None:
        def change(content: Any) -> None:
            for step in path[:-1]:
                content = content[step]
            content[path[-1]] = value

        edited.edit_blob("result", "result", change)

    return edit


def lists(change: Callable[[Any], object]) -> Edit:
    return lambda edited: edited.edit_blob("result", "lists", change)


def signed_by(kind: str, *signers: str) -> Edit:
    return lambda edited: edited.edit(kind, lambda body: None, 0, *signers)


def unordered_signatures(edited: Edited) -> None:
    index = edited.at("close")
    outer: Any = decode(edited.entries[index])
    outer["signatures"].reverse()
    edited.entries[index] = encode(outer)


def flipped_signature(edited: Edited) -> None:
    index = edited.at("close")
    outer: Any = decode(edited.entries[index])
    outer["signatures"][0]["signature"] = outer["signatures"][1]["signature"]
    edited.entries[index] = encode(outer)


def other_issuance_keys(change: Callable[[Any], object]) -> Edit:
    def edit(edited: Edited) -> None:
        ref = edited.body("opening")["issuers"]["keys"]
        content: Any = decode((edited.root / "blob/sha256" / ref["hash"].hex()[:2] / ref["hash"].hex()).read_bytes())
        change(content)
        edited.set("opening", "issuers", "keys", value=edited.blob(encode(content)))

    return edit


def swap_first_two(items: Any) -> None:
    items[0], items[1] = items[1], items[0]


def ledger_checkpoint(size: int | None = None, key: SigningKey | None = None, origin: str | None = None) -> Edit:
    def edit(edited: Edited) -> None:
        fields = edited.body("ledger")
        count = sum(item["count"] for item in fields["issued"]) if size is None else size
        signer = key or edited.election.keys["issuer-1"]
        text = edited.checkpoint(count, os.urandom(32), signer, origin or f"{ORIGIN}/ledger/1").decode()
        edited.set("ledger", "checkpoint", value=text)

    return edit


def enrolment_checkpoint(key: str, origin: str) -> Edit:
    def edit(edited: Edited) -> None:
        text = edited.checkpoint(1, os.urandom(32), edited.election.keys[key], origin).decode()
        edited.set("enrolment", "checkpoint", value=text)

    return edit


def shorter_enrolment(edited: Edited) -> None:
    key, origin = edited.election.keys["identity-provider"], f"{ORIGIN}/enrolment"
    from verifier.record.merkle import EMPTY_ROOT

    body: Any = {"checkpoint": edited.checkpoint(0, EMPTY_ROOT, key, origin).decode(), "time": 1}
    insert(edited, edited.at("epoch"), edited.sign("enrolment", body, "identity-provider", "registrar"))


def early_ballot(edited: Edited) -> None:
    insert(edited, 3, edited.entries.pop(edited.at("ballot")))


def late_withdrawal(edited: Edited) -> None:
    """A candidate withdraws when the count is already known."""
    body: Any = {"contest": "ranking", "subject": "ann", "reason": "x", "time": 1_700_000_100}
    insert(edited, edited.at("result"), edited.sign("withdrawal", body, "officer-1", "officer-2"))


def descending_stages(edited: Edited) -> None:
    indices = [edited.at("mix", 0), edited.at("mix", 1)]
    edited.entries[indices[0]], edited.entries[indices[1]] = edited.entries[indices[1]], edited.entries[indices[0]]


def unsorted_batch(edited: Edited) -> None:
    end = edited.at("epoch", 1)
    edited.entries[end - 2], edited.entries[end - 1] = edited.entries[end - 1], edited.entries[end - 2]


def withdrawal(contest: str, subject: str) -> Edit:
    body: Any = {"contest": contest, "subject": subject, "reason": "x", "time": 1_700_000_100}
    return add("withdrawal", body, "officer-1", "officer-2", before="close")


def group_entry(edited: Edited) -> None:
    fields = edited.body("aggregate")
    fields["group"] = "north"
    insert(edited, edited.at("mix"), edited.sign("aggregate", fields, "officer-1"))


def aggregate_of_a_mixed_contest(edited: Edited) -> None:
    fields = edited.body("aggregate")
    fields["contest"] = "list"
    insert(edited, edited.at("mix"), edited.sign("aggregate", fields, "officer-1"))


def few_issued(edited: Edited) -> None:
    for number in range(4):
        edited.set("ledger", "issued", 0, "count", value=4, number=number)


def fewer_statements(edited: Edited) -> None:
    """One issuer has vanished, so that each credential needs only two signatures of the others, 12 in all."""
    edited.entries.pop(edited.at("ledger"))
    for number, count in enumerate((3, 4, 4)):
        edited.set("ledger", "issued", 1, "count", value=count, number=number)


def widened_ballot(edited: Edited) -> None:
    """A ballot whose body has a head a byte longer than it needs, which no decoder of the one encoding accepts."""
    raw = encode({"type": "ballot", "body": b"", "signature": bytes(64)})
    assert raw[:7] == b"\xa3\x64body\x40"
    insert(edited, 20, raw[:6] + b"\x58\x00" + raw[7:])


MODEL_OFF = manifest("model", value=False)
