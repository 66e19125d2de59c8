"""Choices as people write them, and the rows that a ballot encrypts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from evoting.ballots.build import Selections
from evoting.definition import (
    AGAINST_ALL,
    BLANK,
    NONE,
    Contest,
    HomomorphicContest,
    Manifest,
    OpenListContest,
    RankedContest,
)
from evoting.voter.errors import VoterError

_AND, _THEN = ",", ">"


def parse_choices(words: Sequence[str]) -> dict[str, str]:
    """``CONTEST=CHOICE`` by contest.

    Raises:
        VoterError: something else, or a contest twice.
    """
    chosen: dict[str, str] = {}
    for word in words:
        contest, equals, choice = word.partition("=")
        if not equals or not contest or not choice:
            raise VoterError(f"{word!a} is no choice: write CONTEST=CHOICE")
        if contest in chosen:
            raise VoterError(f"there are two choices for contest {contest!a}")
        chosen[contest] = choice
    return chosen


def selections(manifest: Manifest, style: str, chosen: dict[str, str]) -> list[Selections]:
    """One voter's selections in every contest of a style, in order.

    Raises:
        VoterError: a contest is missing or not on this ballot, or a choice is none of its own.
    """
    names = next(one.contests for one in manifest.styles if one.id == style)
    for name in chosen:
        if name not in names:
            raise VoterError(f"there is no contest {name!a} on this ballot; there are {', '.join(names)}")
    for name in names:
        if name not in chosen:
            raise VoterError(f"nothing is said about contest {name}: choose something, or write {name}={BLANK}")
    return [_selection(manifest.contest_by_id[name], chosen[name]) for name in names]


def describe_choices(manifest: Manifest, style: str, language: str) -> Iterator[str]:
    """What can be chosen on a style's ballots, line by line."""
    for name in next(one.contests for one in manifest.styles if one.id == style):
        contest = manifest.contest_by_id[name]
        yield f"{name}: {contest.title[language]}"
        if isinstance(contest, HomomorphicContest):
            for option in contest.options:
                yield f"  {name}={option.id}  {option.title[language]}"
            if contest.max > 1:
                yield f"  up to {contest.max} of them: {name}=ID{_AND}ID"
            if contest.min == 0:
                yield f"  {name}={BLANK}"
        elif isinstance(contest, OpenListContest):
            for party in contest.parties:
                yield f"  {name}={party.id}  {party.title[language]}"
                for candidate in party.candidates:
                    yield f"  {name}={party.id}/{candidate.id}  {party.title[language]}: {candidate.title[language]}"
            yield from (f"  {name}={code}" for code in contest.codes if code not in _own_codes(contest))
        else:
            for person in contest.candidates:
                yield f"  {name}={person.id}  {person.title[language]}"
            yield f"  up to {contest.width} in order: {name}=ID{_THEN}ID"
            if contest.against_all is not None:
                yield f"  {name}={AGAINST_ALL}"
            yield f"  {name}={BLANK}"


def _own_codes(contest: OpenListContest) -> set[str]:
    return {code for party in contest.parties for code in (party.id, *(f"{party.id}/{c.id}" for c in party.candidates))}


def _selection(contest: Contest, choice: str) -> Selections:
    if isinstance(contest, HomomorphicContest):
        return _options(contest, choice)
    if isinstance(contest, RankedContest):
        return _ranking(contest, choice)
    if choice not in contest.codes:
        raise VoterError(_unknown(contest.id, choice))
    return np.array([[contest.codes.index(choice)]], dtype=np.uint32)


def _options(contest: HomomorphicContest, choice: str) -> Selections:
    ids = [option.id for option in contest.options]
    picked = [] if choice == BLANK else choice.split(_AND)
    for name in picked:
        if name not in ids:
            raise VoterError(_unknown(contest.id, name))
    if len(set(picked)) != len(picked):
        raise VoterError(f"contest {contest.id}: an option can be chosen once")
    if not contest.min <= len(picked) <= contest.max:
        raise VoterError(
            f"contest {contest.id}: {len(picked)} options are chosen; from {contest.min} to {contest.max} can be"
        )
    return np.array([[name in picked for name in ids]], dtype=np.uint8)


def _ranking(contest: RankedContest, choice: str) -> Selections:
    ranks = [] if choice == BLANK else choice.split(_THEN)
    for name in ranks:
        if name == NONE or name not in contest.codes:
            raise VoterError(_unknown(contest.id, name))
    if len(ranks) > contest.width:
        raise VoterError(f"contest {contest.id}: {len(ranks)} are ranked; at most {contest.width} can be")
    if len(set(ranks)) != len(ranks):
        raise VoterError(f"contest {contest.id}: nobody can be ranked twice")
    if AGAINST_ALL in ranks and len(ranks) > 1:
        raise VoterError(f"contest {contest.id}: who is against all ranks nobody")
    filled = [*ranks, *[NONE] * (contest.width - len(ranks))]
    return np.array([[contest.codes.index(name) for name in filled]], dtype=np.uint32)


def _unknown(contest: str, name: str) -> str:
    return f"contest {contest}: {name!a} is no choice there (evoting-voter choices tells which are)"
