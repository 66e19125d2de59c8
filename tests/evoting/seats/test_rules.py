"""Outcomes by each rule: the cases of the commission, and what happens at the edges."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from evoting.definition import Contest
from evoting.definition.model import OptionRole
from evoting.definition.rules import (
    AreaThreshold,
    CouncilRule,
    MajorityRule,
    Quota,
    ReferendumRule,
    RunoffRule,
    Share,
    TopKRule,
)
from evoting.seats import GroupTally, Outcome, ResultError, describe_outcome, outcome
from tests.evoting.seats.builders import (
    ANY,
    FINGERPRINT,
    FIVE_PERCENT,
    MAJORITY,
    THIRTY_PERCENT,
    by_lot,
    choice,
    decide,
    election,
    list_rule,
    lists,
    party_counts,
    ranked,
    tally,
)

TOP_3 = TopKRule(3, "other-sex-last", "repeat")
PRESIDENT = MajorityRule(MAJORITY, 2, "repeat")
TURNOUT = Share(Fraction(3, 10), "registered", strict=True)
REFERENDUM = ReferendumRule(TURNOUT, MAJORITY, "repeat")


def names(result: Outcome) -> list[str]:
    return [entry.id for entry in result.elected]


def seats(result: Outcome) -> list[int]:
    return [count for _, count in result.seats]


# Top k


def test_three_seats_the_third_goes_to_the_best_woman_where_all_are_men() -> None:
    result = decide(choice(TOP_3, "mmmff"), [13278, 5983, 4000, 902, 300, 100])
    assert [(entry.id, entry.votes, entry.by) for entry in result.elected] == [
        ("a", 13278, "votes"),
        ("b", 5983, "votes"),
        ("d", 902, "other-sex"),
    ]
    assert result.status == "decided"
    assert any(line == "gives way: c with 4000" for line in describe_outcome(result))


def test_three_women_give_way_to_the_best_man() -> None:
    assert names(decide(choice(TOP_3, "fffm"), [9, 8, 7, 1, 0])) == ["a", "b", "d"]


def test_mixed_top_three_stays() -> None:
    assert names(decide(choice(TOP_3, "mmfm"), [9, 8, 7, 6, 0])) == ["a", "b", "c"]


def test_without_the_gender_rule_three_men_stay() -> None:
    rule = replace(TOP_3, gender="none")
    assert names(decide(choice(rule, "mmmf"), [9, 8, 7, 6, 0])) == ["a", "b", "c"]


def test_a_woman_without_a_vote_replaces_nobody() -> None:
    result = decide(choice(TOP_3, "mmmf"), [9, 8, 7, 0, 0])
    assert names(result) == ["a", "b", "c"]
    assert ("no-other-sex", "", ()) in [(step.name, step.subject, step.values) for step in result.steps]


def test_equal_second_and_third_who_gives_way_is_decided_by_lot_and_listed() -> None:
    result = decide(choice(TOP_3, "mmmf"), [9, 5, 5, 1, 0])
    stays, goes = by_lot("b", "c")
    assert names(result) == ["a", stays, "d"]
    (tie,) = result.ties
    assert (tie.purpose, tie.ids, tie.places) == ("last-seat", (stays, goes), 1)


def test_tie_for_the_last_seat_is_listed() -> None:
    result = decide(choice(replace(TOP_3, gender="none"), "mmmmm"), [9, 5, 5, 5, 1, 0])
    assert names(result) == ["a", *by_lot("b", "c", "d")[:2]]
    assert [(tie.purpose, tie.places, len(tie.ids)) for tie in result.ties] == [("seat", 2, 3)]


def test_fewer_candidates_with_votes_than_seats_leave_a_vacancy() -> None:
    result = decide(choice(TOP_3, "mmf"), [9, 0, 3, 0])
    assert (names(result), result.vacant) == (["a", "c"], 1)


def test_no_vote_at_all_repeats_the_election() -> None:
    for rule in (TOP_3, PRESIDENT, CouncilRule(3, THIRTY_PERCENT, "repeat")):
        result = decide(choice(rule, "mf"), [0, 0, 0])
        assert (result.status, result.elected) == ("repeat", ())


# Against all


@pytest.mark.parametrize(
    "rule", [TOP_3, PRESIDENT, CouncilRule(3, THIRTY_PERCENT, "repeat")], ids=lambda rule: str(rule.kind)
)
def test_most_votes_against_all_repeat_the_election(rule: TopKRule) -> None:
    assert decide(choice(rule, "mmf"), [9, 8, 7, 10]).status == "repeat"
    assert decide(choice(rule, "mmf"), [9, 8, 7, 9]).status != "repeat"
    ignoring = replace(rule, against_all="ignore")
    assert decide(choice(ignoring, "mmf"), [9, 8, 7, 10]).status != "repeat"


def test_against_all_repeats_a_list_election_by_votes_of_parties_not_of_candidates() -> None:
    contest = lists(list_rule(2), "fm", "fm")
    assert decide(contest, party_counts(contest, {"a/1": 6, "a/2": 5, "b": 3}, against_all=10)).status == "decided"
    assert decide(contest, party_counts(contest, {"a/1": 6, "a/2": 5, "b": 3}, against_all=12)).status == "repeat"


# Majority


def test_more_than_half_elects_and_exactly_half_does_not() -> None:
    elected = decide(choice(PRESIDENT, "mf"), [51, 49, 0])
    assert (elected.status, names(elected)) == ("decided", ["a"])
    half = decide(choice(PRESIDENT, "mf"), [50, 40, 10])
    assert (half.status, half.advance) == ("second-round", ("a", "b"))


def test_blank_ballots_count_for_the_majority_of_those_who_took_part() -> None:
    assert decide(choice(PRESIDENT, "mf"), [51, 29, 0], counted=102).status == "second-round"


def test_tie_for_the_second_round_is_decided_by_lot_and_listed() -> None:
    result = decide(choice(PRESIDENT, "mfmf"), [40, 20, 20, 20, 0])
    order = by_lot("b", "c", "d")
    assert result.advance == ("a", order[0])
    assert [(tie.purpose, list(tie.ids), tie.places) for tie in result.ties] == [("second-round", order, 1)]


def test_a_candidate_alone_without_a_majority_is_no_second_round() -> None:
    result = decide(choice(PRESIDENT, "m", against_all=False), [4], counted=10)
    assert (result.status, result.vacant) == ("repeat", 1)


# Referendum


def referendum(counts: list[int], counted: int, registered: int, sexes: str = "--", role: str = "answer") -> Outcome:
    contest = choice(REFERENDUM, sexes, role=role)
    manifest = election(contest, rolls=[registered])
    return outcome(manifest, contest, [tally(counts, counted=counted)], FINGERPRINT)


def test_the_referendum_of_2021() -> None:
    result = referendum([1133485, 151931, 62145], 1394218, 3563574)
    assert (result.status, result.adopted) == ("decided", "a")
    assert describe_outcome(result)[0] == "turnout: 1394218 / 3563574 = 39.12 % > 3/10: yes"
    assert describe_outcome(result)[2] == "adoption a: 1133485 / 1394218 = 81.30 % > 1/2: yes"


def test_turnout_of_exactly_thirty_percent_is_not_above_it() -> None:
    assert referendum([300, 0, 0], 300, 1000).status == "not-valid"
    assert referendum([301, 0, 0], 301, 1000).status == "decided"


def test_half_of_those_who_took_part_do_not_adopt() -> None:
    assert referendum([200, 150, 0], 400, 1000).status == "not-adopted"
    assert referendum([201, 150, 0], 400, 1000).status == "decided"


def test_a_referendum_with_most_against_all_is_repeated() -> None:
    assert referendum([100, 100, 150], 400, 1000).status == "repeat"


def test_yes_and_no() -> None:
    contest = choice(REFERENDUM, "--")
    roles: tuple[OptionRole, ...] = ("yes", "no", "against-all")
    options = (replace(option, role=role) for option, role in zip(contest.options, roles, strict=True))
    yes_no = replace(contest, options=tuple(options))
    manifest = election(yes_no, rolls=[1000])
    results = [outcome(manifest, yes_no, [tally(counts)], FINGERPRINT) for counts in ([300, 200, 0], [200, 300, 0])]
    assert [(result.status, result.adopted) for result in results] == [("decided", "a"), ("not-adopted", None)]


# Council


def test_the_quota_goes_to_women_first_and_is_rounded_up() -> None:
    result = decide(choice(CouncilRule(4, THIRTY_PERCENT, "repeat"), "mmmmff"), [90, 80, 70, 60, 5, 4, 0])
    assert [(entry.id, entry.by) for entry in result.elected] == [
        ("e", "women-quota"),
        ("f", "women-quota"),
        ("a", "votes"),
        ("b", "votes"),
    ]


def test_rounding_down_is_a_value_of_the_manifest() -> None:
    rule = CouncilRule(4, Quota(Fraction(3, 10), "down"), "repeat")
    assert names(decide(choice(rule, "mmmmff"), [90, 80, 70, 60, 5, 4, 0])) == ["e", "a", "b", "c"]


def test_women_beyond_the_quota_are_elected_by_votes() -> None:
    result = decide(choice(CouncilRule(3, THIRTY_PERCENT, "repeat"), "fffm"), [9, 8, 7, 6, 0])
    assert [(entry.id, entry.by) for entry in result.elected] == [("a", "women-quota"), ("b", "votes"), ("c", "votes")]


def test_too_few_women_are_noted_and_others_take_the_seats() -> None:
    result = decide(choice(CouncilRule(4, THIRTY_PERCENT, "repeat"), "mmmmf"), [9, 8, 7, 6, 1, 0])
    assert names(result) == ["e", "a", "b", "c"]
    assert [step.values for step in result.steps if step.name == "women-short"] == [(2, 1)]


# Lists


def test_national_threshold_counts_blank_and_invalid_ballots() -> None:
    contest = lists(list_rule(20, national=FIVE_PERCENT), "m" * 20, "m" * 20)
    manifest = election(contest)
    counts = party_counts(contest, {"a": 90, "b": 5}, blank=5)
    exactly = outcome(manifest, contest, [tally(counts)], FINGERPRINT)
    assert seats(exactly) == [19, 1]
    diluted = outcome(manifest, contest, [tally(counts, invalid=1)], FINGERPRINT)
    assert seats(diluted) == [20, 0]
    assert [step.values for step in diluted.steps if step.name == "national-threshold"] == [
        (90, 101, 1, 20, 0, 1),
        (5, 101, 1, 20, 0, 0),
    ]


def test_a_party_below_the_threshold_in_one_area_gets_nothing() -> None:
    area = AreaThreshold(Share(Fraction(1, 200), "participants", strict=False), ("north", "south"))
    contest = lists(list_rule(10, national=FIVE_PERCENT, area=area), "mmmmmmmmmm", "mmmmmmmmmm")
    manifest = election(contest, rolls=[5000, 5000, 50], regions=["north", "south", "abroad"])
    north = tally(party_counts(contest, {"a": 500, "b": 499}, blank=1))
    south = replace(tally(party_counts(contest, {"a": 996, "b": 4})), group="s1", styles=("s1",))
    abroad = replace(tally(party_counts(contest, {"a": 40})), group="s2", styles=("s2",))
    result = outcome(manifest, contest, [north, south, abroad], FINGERPRINT)
    assert seats(result) == [10, 0]
    missed = [
        (step.subject, step.values) for step in result.steps if step.name == "area-threshold" and not step.values[-1]
    ]
    assert missed == [("b@south", (4, 1000, 1, 200, 0, 0))]
    assert not [step for step in result.steps if step.subject == "b@abroad"]


def test_areas_that_share_a_tally_group_are_one_area() -> None:
    area = AreaThreshold(Share(Fraction(1, 10), "participants", strict=False), ("north", "south"))
    contest = lists(list_rule(2, area=area), "mm", "mm")
    manifest = election(contest, rolls=[5000, 5000, 5000], regions=["north", "south", "north"])
    merged = tally(party_counts(contest, {"a": 100, "b": 5}), styles=["s1", "s2"])
    other = replace(tally(party_counts(contest, {"a": 100, "b": 20})), group="s0", styles=("s0",))
    result = outcome(manifest, contest, [other, merged], FINGERPRINT)
    subjects = {step.subject for step in result.steps if step.name == "area-threshold"}
    assert subjects == {"a@north+south", "b@north+south"}
    assert seats(result) == [2, 0]
    assert [step.values[:2] for step in result.steps if step.subject == "b@north+south"] == [(25, 225)]


def test_no_party_above_the_threshold_repeats_the_election() -> None:
    contest = lists(list_rule(2, national=Share(Fraction(1, 2), "valid", strict=True)), "m", "m")
    result = decide(contest, party_counts(contest, {"a": 5, "b": 5}))
    assert (result.status, result.vacant, result.elected) == ("repeat", 2, ())


def test_no_votes_at_all_repeat_the_election_even_without_a_threshold() -> None:
    contest = lists(list_rule(2, national=ANY), "m", "m")
    assert decide(contest, party_counts(contest, {}, blank=50)).status == "repeat"
    assert decide(contest, party_counts(contest, {})).status == "repeat"


def test_preferences_order_the_list_and_women_come_first() -> None:
    contest = lists(list_rule(4, women=THIRTY_PERCENT), "mmmmff")
    counts = party_counts(contest, {"a": 50, "a/1": 1, "a/2": 9, "a/3": 5, "a/4": 7, "a/5": 1, "a/6": 2})
    result = decide(contest, counts)
    assert [(entry.id, entry.votes, entry.by) for entry in result.elected] == [
        ("a/6", 2, "women-quota"),
        ("a/5", 1, "women-quota"),
        ("a/2", 9, "preferences"),
        ("a/4", 7, "preferences"),
    ]


def test_without_preferences_the_list_order_decides_and_the_tie_is_listed() -> None:
    contest = lists(list_rule(3, women=THIRTY_PERCENT), "mmmff")
    result = decide(contest, party_counts(contest, {"a": 10}))
    assert names(result) == ["a/4", "a/1", "a/2"]
    assert [(tie.purpose, tie.ids, tie.places, tie.by) for tie in result.ties] == [
        ("women", ("a/4", "a/5"), 1, "list-order"),
        ("preference", ("a/1", "a/2", "a/3", "a/5"), 2, "list-order"),
    ]


def test_a_list_with_fewer_candidates_than_seats_leaves_them_vacant() -> None:
    contest = lists(list_rule(4), "mf", "mmmm")
    result = decide(contest, party_counts(contest, {"a": 30, "b": 10}))
    assert (seats(result), result.vacant, names(result)) == ([3, 1], 1, ["a/1", "a/2", "b/1"])


def test_withdrawn_candidates_and_parties_take_no_seat_but_their_votes_count() -> None:
    contest = lists(list_rule(2, national=FIVE_PERCENT), "mm", "mm")
    counts = party_counts(contest, {"a/1": 30, "b/1": 60})
    result = decide(contest, counts, withdrawn=["b", "a/1"])
    assert (seats(result), names(result), result.vacant) == ([2, 0], ["a/2"], 1)
    assert [step.subject for step in result.steps if step.name == "withdrawn"] == ["a/1", "b"]
    assert [step.values[:2] for step in result.steps if step.name == "national-threshold"] == [(30, 90)]


def test_a_withdrawn_candidate_is_not_elected() -> None:
    assert names(decide(choice(TOP_3, "mfmf"), [9, 8, 7, 6, 0], withdrawn=["a"])) == ["b", "c", "d"]
    with pytest.raises(ResultError, match="no candidate 'x'"):
        decide(choice(TOP_3, "mfmf"), [9, 8, 7, 6, 0], withdrawn=["x"])
    with pytest.raises(ResultError, match="against-all"):
        decide(choice(TOP_3, "mfmf"), [9, 8, 7, 6, 0], withdrawn=["against-all"])


# Ranked


def ranking_outcome(contest: Contest, rankings: dict[str, int], invalid: int = 0) -> Outcome:
    codes = {code[0] if code != "against-all" else "!": index for index, code in enumerate(contest.codes)}  # type: ignore[union-attr]
    codes["-"] = len(contest.codes) - 1  # type: ignore[union-attr]
    rows = tuple(sorted((tuple(codes[rank] for rank in ranks), count) for ranks, count in rankings.items()))
    counted = sum(rankings.values()) + invalid
    group = GroupTally("s0", ("s0",), counted, "tallied", None, rows, invalid)
    return outcome(election(contest), contest, [group], FINGERPRINT)


def test_run_off_passes_votes_on() -> None:
    contest = ranked(RunoffRule("repeat"), "abc", 3)
    result = ranking_outcome(contest, {"abc": 40, "bca": 35, "cba": 25})
    assert names(result) == ["b"]
    assert [(step.subject, step.values) for step in result.steps if step.name == "eliminated"] == [("c", (25,))]
    assert result.elected[0].votes == 60


def test_run_off_with_exhausted_ballots_needs_half_of_what_still_counts() -> None:
    contest = ranked(RunoffRule("repeat"), "abc", 3)
    result = ranking_outcome(contest, {"a--": 40, "b--": 35, "c--": 25, "---": 50}, invalid=3)
    assert names(result) == ["a"]
    assert [step.values for step in result.steps if step.name == "runoff-round"] == [(1, 100), (2, 75)]


def test_run_off_eliminates_one_of_equals_by_lot_and_lists_it() -> None:
    contest = ranked(RunoffRule("repeat"), "abc", 2)
    result = ranking_outcome(contest, {"ab": 40, "b-": 30, "c-": 30})
    goes = by_lot("b", "c")[1]
    assert [step.subject for step in result.steps if step.name == "eliminated"] == [goes]
    assert [(tie.purpose, tie.places) for tie in result.ties] == [("elimination", 1)]
    assert names(result) == ["a"]


def test_run_off_against_all_and_nobody() -> None:
    contest = ranked(RunoffRule("repeat"), "ab", 2, against_all=True)
    assert ranking_outcome(contest, {"ab": 4, "b-": 3, "!-": 5}).status == "repeat"
    assert ranking_outcome(contest, {"--": 4}).status == "repeat"


def test_one_rank_is_a_choice_of_one() -> None:
    contest = ranked(PRESIDENT, "abc", 1, against_all=True)
    assert names(decide(contest, [6, 3, 1, 1, 0])) == ["a"]
    assert decide(contest, [6, 3, 1, 1, 1]).status == "second-round"
    assert names(decide(ranked(RunoffRule("ignore"), "abc", 1), [6, 3, 1, 9])) == ["a"]
