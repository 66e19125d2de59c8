"""The counting rules; docs/spec/10-results.md sections 10.11 to 10.16, one function each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from verifier.equations.outcome_count import METHODS, Count, capped, required


def list_seats(count: Count) -> None:
    """Proportional lists (10.11)."""
    rule, parties = count.rule, [p for p in count.contest["parties"] if p["id"] not in count.withdrawn]
    votes = {party["id"]: _party_votes(party, count.votes) for party in parties}
    if count.against_all_wins(list(votes.values())):
        return count.conclude("repeat")
    base = count.base(rule["national"])
    eligible = []
    for party, number in votes.items():
        if count.reaches("national-threshold", party, number, base, rule["national"]) and number >= 1:
            eligible.append(party)
    if rule["area"] is not None:
        eligible = _reach_areas(count, parties, eligible)
    if not eligible:
        return count.conclude("repeat", vacant=rule["seats"])
    chosen = {party: votes[party] for party in eligible}
    seats, vacant = capped(count, METHODS[rule["method"]], chosen, rule["seats"], rule["cap"])
    elected: list[dict[str, Any]] = []
    for party in parties:
        number = seats.get(party["id"], 0)
        if number >= 1:
            filled = fill_list(count, party, number)
            vacant += number - len(filled)
            elected += filled
    listed = [{"party": party["id"], "seats": seats.get(party["id"], 0)} for party in count.contest["parties"]]
    return count.conclude("decided", elected=elected, seats=listed, vacant=vacant)


def _codes(party: Mapping[str, Any]) -> list[str]:
    return [f"{party['id']}/{candidate['id']}" for candidate in party["candidates"]]


def _party_votes(party: Mapping[str, Any], votes: Mapping[str, int]) -> int:
    return sum(votes[code] for code in [party["id"], *_codes(party)])


def _reach_areas(count: Count, parties: Sequence[Mapping[str, Any]], eligible: list[str]) -> list[str]:
    """Those that miss no area threshold."""
    share, missed = count.rule["area"]["share"], set()
    by_id = {party["id"]: party for party in parties}
    for area, totals in count.areas():
        votes = dict(zip(count.names, totals["counts"], strict=True))
        for party in eligible:
            number = _party_votes(by_id[party], votes)
            if not count.reaches("area-threshold", f"{party}@{area}", number, count.base(share, totals), share):
                missed.add(party)
    return [party for party in eligible if party not in missed]


def fill_list(count: Count, party: Mapping[str, Any], seats: int) -> list[dict[str, Any]]:
    """Who takes a party's seats: step 6 of section 10.11."""
    count.record("seats", party["id"], seats)
    sexes = dict(zip(_codes(party), (candidate["sex"] for candidate in party["candidates"]), strict=True))
    listed = [code for code in sexes if code not in count.withdrawn]
    quota, needed = count.rule["women"], 0
    if quota is not None:
        needed = required(quota, seats)
        count.record("women-quota", party["id"], seats, *quota["fraction"], needed)
    preferences = {code: count.votes[code] for code in listed}
    women = {code: votes for code, votes in preferences.items() if sexes[code] == "f"}
    first = count.pick_in_order("women", women, needed, listed)
    if len(first) < needed:
        count.record("women-short", party["id"], needed, len(first))
    rest = {code: votes for code, votes in preferences.items() if code not in first}
    second = count.pick_in_order("preference", rest, seats - len(first), listed)
    elected = [count.elect(code, preferences[code], "women-quota", "elected-woman") for code in first]
    elected += [count.elect(code, preferences[code], "preferences", "elected") for code in second]
    if len(elected) < seats:
        count.record("list-exhausted", party["id"], seats, len(elected))
    return elected


def referendum(count: Count) -> None:
    """Turnout and adoption (10.12)."""
    rule = count.rule
    participants = count.totals["counted"]
    if not count.reaches("turnout", "", participants, count.base(rule["turnout"]), rule["turnout"]):
        return count.conclude("not-valid")
    answers = {option["id"]: count.votes[option["id"]] for option in count.choices}
    if count.against_all_wins(list(answers.values())):
        return count.conclude("repeat")
    proposed = next((option["id"] for option in count.choices if option["role"] == "yes"), None)
    if proposed is None:
        proposed = count.pick("answer", answers, 1)[0]
    base = count.base(rule["adoption"])
    if count.reaches("adoption", proposed, answers[proposed], base, rule["adoption"]):
        return count.conclude("decided", adopted=proposed)
    return count.conclude("not-adopted")


def _candidate_votes(count: Count) -> dict[str, int]:
    return {candidate["id"]: count.votes[candidate["id"]] for candidate in count.candidates}


def _supported(votes: Mapping[str, int]) -> dict[str, int]:
    """Candidates with at least one vote."""
    return {name: number for name, number in votes.items() if number >= 1}


def majority_second_round(count: Count) -> None:
    """A share of the votes, or a second round (10.13)."""
    votes, rule = _candidate_votes(count), count.rule
    if count.against_all_wins(list(votes.values())):
        return count.conclude("repeat")
    supported = _supported(votes)
    if supported:
        first = count.pick("first", supported, 1)[0]
        if count.reaches("majority", first, votes[first], count.base(rule["majority"]), rule["majority"]):
            return count.conclude("decided", elected=[count.elect(first, votes[first], "majority", "elected")])
    if len(supported) < 2:
        return count.conclude("repeat", vacant=1)
    advance = count.pick("second-round", supported, rule["advance"])
    for candidate in advance:
        count.record("second-round", candidate, votes[candidate])
    return count.conclude("second-round", advance=advance)


def top_k(count: Count) -> None:
    """The most votes, with an option for the other sex (10.14)."""
    votes, seats = _candidate_votes(count), count.rule["seats"]
    if count.against_all_wins(list(votes.values())):
        return count.conclude("repeat")
    supported = _supported(votes)
    if not supported:
        return count.conclude("repeat", vacant=seats)
    chosen = count.pick("seat", supported, seats)
    elected = [count.elect(candidate, votes[candidate], "votes", "elected") for candidate in chosen]
    if count.rule["gender"] == "other-sex-last" and len(chosen) == seats >= 2:
        elected = other_sex_last(count, chosen, supported, elected)
    return count.conclude("decided", elected=elected, vacant=seats - len(elected))


def other_sex_last(
    count: Count, chosen: Sequence[str], supported: Mapping[str, int], elected: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """If all are of one sex, the last gives way to the best of the other: step 4 of section 10.14."""
    sexes = {candidate["id"]: candidate["sex"] for candidate in count.candidates}
    present = {sexes[candidate] for candidate in chosen}
    if len(present) != 1:
        return elected
    others = {name: number for name, number in supported.items() if sexes[name] not in present}
    if not others:
        count.record("no-other-sex")
        return elected
    kept = count.pick("last-seat", {name: supported[name] for name in chosen}, len(chosen) - 1)
    last = next(name for name in chosen if name not in kept)
    best = count.pick("other-sex", others, 1)[0]
    count.record("gives-way", last, supported[last])
    replaced = [item for item in elected if item["id"] != last]
    return [*replaced, count.elect(best, supported[best], "other-sex", "elected-other-sex")]


def council_majority(count: Count) -> None:
    """A council with a women's quota (10.15)."""
    votes, seats, quota = _candidate_votes(count), count.rule["seats"], count.rule["women"]
    if count.against_all_wins(list(votes.values())):
        return count.conclude("repeat")
    supported = _supported(votes)
    if not supported:
        return count.conclude("repeat", vacant=seats)
    needed = required(quota, seats)
    count.record("women-quota", "", seats, *quota["fraction"], needed)
    women = {c["id"]: supported[c["id"]] for c in count.women(count.candidates) if c["id"] in supported}
    first = count.pick("women", women, needed)
    if len(first) < needed:
        count.record("women-short", "", needed, len(first))
    rest = {name: number for name, number in supported.items() if name not in first}
    second = count.pick("seat", rest, seats - len(first))
    elected = [count.elect(name, votes[name], "women-quota", "elected-woman") for name in first]
    elected += [count.elect(name, votes[name], "votes", "elected") for name in second]
    return count.conclude("decided", elected=elected, vacant=seats - len(elected))


def instant_runoff(count: Count) -> None:
    """Votes pass on until somebody has more than half (10.16)."""
    inside = [candidate["id"] for candidate in count.candidates]
    if count.contest["width"] == 1:
        ballots = [((name,), number) for name, number in count.votes.items()]
    else:
        ballots = [(tuple(count.names[index] for index in ranks), number) for ranks, number in count.totals["rankings"]]
    against = sum(number for ranks, number in ballots if ranks[0] == "against-all")
    if count.against_all_wins(list(_first_choices(ballots, inside).values()), against):
        return count.conclude("repeat")
    number = 0
    while inside:
        number += 1
        votes = _first_choices(ballots, inside)
        counting = sum(votes.values())
        count.record("runoff-round", "", number, counting)
        for candidate in inside:
            count.record("runoff-votes", candidate, votes[candidate])
        if counting == 0:
            break
        winner = next((candidate for candidate in inside if 2 * votes[candidate] > counting), None)
        if winner is not None:
            return count.conclude("decided", elected=[count.elect(winner, votes[winner], "runoff", "elected")])
        kept = count.pick("elimination", votes, len(inside) - 1)
        out = next(candidate for candidate in inside if candidate not in kept)
        count.record("eliminated", out, votes[out])
        inside.remove(out)
    return count.conclude("repeat", vacant=1)


def _first_choices(ballots: Sequence[tuple[tuple[str, ...], int]], inside: Sequence[str]) -> dict[str, int]:
    """Ballots by the first candidate in rank order who is in."""
    votes = dict.fromkeys(inside, 0)
    for ranks, number in ballots:
        chosen = next((name for name in ranks if name in votes), None)
        if chosen is not None:
            votes[chosen] += number
    return votes
