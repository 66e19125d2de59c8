"""Group 17: everything appended is accounted for; docs/spec/07-counting.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from verifier.checks.registry import check
from verifier.failure import Failure, Failures
from verifier.stream import claims

if TYPE_CHECKING:
    from verifier.state import State


@check(
    "accounting.dispositions",
    17,
    "7.1",
    "every entry's disposition is the computed one, rejected ones with their reason",
)
def accounting_dispositions(state: State) -> Failures:
    """The office's claims, as far as they are not of groups 10 to 15 and 25."""
    failures = Failures(_unknown_dispositions(state))
    failures.merge(state.voters.of("accounting.dispositions"))
    return failures


def _unknown_dispositions(state: State) -> Iterator[Failure]:
    blob, index = state.dispositions, state.selection.index
    if len(blob) != len(state.voter_indices):
        sentence = f"{len(blob)} dispositions for {len(state.voter_indices)} ballots and challenges"
        yield Failure(sentence, entry=index, blob=state.selection.fields["dispositions"]["hash"].hex())
    known = np.array(sorted(claims.NAMES), dtype=np.uint8)
    for ordinal in np.flatnonzero(~np.isin(np.frombuffer(blob, dtype=np.uint8), known)).tolist():
        entry = int(state.voter_indices[ordinal]) if ordinal < len(state.voter_indices) else index
        yield Failure(f"the disposition {blob[ordinal]} is unknown", entry=entry)


def _accounting(style: str, counts: NDArray[np.int64]) -> dict[str, Any]:
    """What the selection must say of a style."""
    return {
        "style": style,
        "appended": int(counts.sum()),
        "counted": int(counts[claims.COUNTED]),
        "superseded": int(counts[claims.SUPERSEDED]),
        "challenged": int(counts[claims.CHALLENGED]),
        "rejected": [
            {"reason": reason, "count": int(counts[byte])} for byte, reason in claims.REASONS.items() if counts[byte]
        ],
    }


@check("accounting.styles", 17, "7.1", "the published accounting is the computed one")
def accounting_styles(state: State) -> Iterator[Failure]:
    """appended = counted + superseded + challenged + rejected, in every style."""
    published, index = state.selection.fields, state.selection.index
    none = np.zeros(256, dtype=np.int64)
    computed = [_accounting(style, state.voters.counts.get(style, none)) for style in state.manifest.styles]
    for expected, found in zip(computed, published["accounting"], strict=False):
        if expected != found:
            yield Failure(f"the accounting of style {expected['style']} is not {_shown(expected)}", entry=index)
    if len(computed) != len(published["accounting"]):
        yield Failure("not one accounting for each style", entry=index)
    malformed = int(state.voters.counts.get(None, none).sum())
    if published["malformed"] != malformed:
        yield Failure(f"{malformed} entries name no style, not {published['malformed']}", entry=index)


def _shown(accounting: dict[str, Any]) -> str:
    parts = [f"{name} {accounting[name]}" for name in ("appended", "counted", "superseded", "challenged")]
    return ", ".join(parts + [f"{item['reason']} {item['count']}" for item in accounting["rejected"]])


@check("accounting.groups", 17, "7.2", "the published tally groups are the computed ones")
def accounting_groups(state: State) -> Iterator[Failure]:
    """Merging below the minimum, contest by contest."""
    computed = [
        {
            "contest": contest,
            "groups": [
                {"group": group.id, "styles": list(group.styles), "ballots": group.ballots, "status": group.status}
                for group in groups
            ],
        }
        for contest, groups in state.groups.items()
    ]
    published = state.selection.fields["groups"]
    for expected, found in zip(computed, published, strict=False):
        if expected != found:
            sentence = f"the tally groups of contest {expected['contest']} are not the computed ones"
            yield Failure(sentence, entry=state.selection.index)
    if len(computed) != len(published):
        yield Failure("not the tally groups of every contest", entry=state.selection.index)
