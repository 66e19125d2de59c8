"""Whether what the office must publish after the close fits into entries; after the close nobody can change that."""

from __future__ import annotations

from crypto import cbor
from evoting.ballots.dispositions import REASONS
from evoting.definition import HomomorphicContest, Manifest
from evoting.errors import RecordError

#: Outer map, type, and two signatures with role ids of 64 characters.
_AROUND = 512


def require_room(manifest: Manifest) -> None:
    """Check that the largest possible selection and aggregates are within ``limits.entry-bytes``.

    Raises:
        RecordError: there are too many ballot styles, contests or options for one entry.
    """
    limit = manifest.limits.entry_bytes
    needed = {"selection": _largest_selection(manifest) + _AROUND}
    for contest in manifest.contests:
        if isinstance(contest, HomomorphicContest):
            needed[f"aggregate of {contest.id}"] = 64 * len(contest.options) + 2 * _AROUND
    for name, size in needed.items():
        if size > limit:
            raise RecordError(
                f"the entry {name} of this election may need {size} bytes, and limits.entry-bytes is {limit}: "
                f"{len(manifest.styles)} ballot styles and {len(manifest.contests)} contests are too many for it"
            )


def _largest_selection(manifest: Manifest) -> int:
    """Every number at its limit, every reason of rejection in every style, no two styles merged."""
    most = max(manifest.limits.ballots, 1 << 32)
    numbers = dict.fromkeys(("appended", "counted", "superseded", "challenged"), most)
    rejected = [{"reason": reason, "count": most} for reason in REASONS]
    body = {
        "dispositions": {"hash": bytes(32), "length": most},
        "accounting": [{"style": style.id, **numbers, "rejected": rejected} for style in manifest.styles],
        "malformed": most,
        "groups": [
            {
                "contest": contest.id,
                "groups": [
                    {"group": style.id, "styles": [style.id], "ballots": most, "status": "withheld"}
                    for style in manifest.styles_with(contest.id)
                ],
            }
            for contest in manifest.contests
        ],
        "time": 1 << 40,
    }
    return len(cbor.encode(body))
