"""The rules of liveness over measurements made up for each rule: what must pass passes, each defect has its name."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from biometric_idp.biometrics.liveness import LivenessSession, LivenessSettings, draw_order
from biometric_idp.biometrics.liveness_rules import ACTIONS, Action, LivenessRules, Observation, Verdict, judge
from biometric_idp.errors import StateError

RULES = LivenessRules()
AHEAD = [0.0] * 5
LEFT = [5.0, 12.0, 22.0, 28.0, 28.0, 20.0, 11.0, 4.0, 0.0]
RIGHT = [-value for value in LEFT]
OPEN, CLOSED = 0.25, 0.13


def film(yaws: Sequence[float], *, eyes: Sequence[float] | None = None, rate: float = 10.0) -> list[Observation]:
    """Frames at a rate, each with noise of its own."""
    opened = eyes or [OPEN] * len(yaws)
    return [
        Observation(index, index / rate, 1, yaw + 3.0, eye, f"{index:016x}", 0.2 if index % 5 == 0 else None)
        for index, (yaw, eye) in enumerate(zip(yaws, opened, strict=True))
    ]


BLINK = [OPEN, OPEN, CLOSED, CLOSED, CLOSED, OPEN, OPEN]


def after(seen: Sequence[Observation], order: Sequence[Action], wait: float = 0.0) -> Verdict:
    return judge(order, RULES, seen, seen[-1].at + wait)


def test_two_turns_and_a_blink_pass() -> None:
    yaws = [*AHEAD, *LEFT, *RIGHT, *[0.0] * len(BLINK)]
    seen = film(yaws, eyes=[OPEN] * (len(yaws) - len(BLINK)) + BLINK)
    verdict = after(seen, ("turn-left", "turn-right", "blink"))
    assert (verdict.state, verdict.failures, verdict.step) == ("passed", (), 3)
    assert verdict.yaw == pytest.approx(3.0)


def test_each_step_has_its_own_time_from_when_it_was_shown() -> None:
    seen = film([*AHEAD, *LEFT])
    verdict = after(seen, ("turn-left", "turn-right"))
    assert verdict.state == "ongoing"
    assert verdict.step == 1
    completed = next(item.at for item in seen if item.sequence == len(AHEAD) + 7)
    assert verdict.deadline == pytest.approx(completed + RULES.seconds_per_action)


def test_the_other_side_is_the_wrong_order_at_once() -> None:
    assert after(film([*AHEAD, *RIGHT[:4]]), ("turn-left",)).failures == ("wrong-order",)
    assert after(film([*AHEAD, *LEFT[:4]]), ("blink",)).failures == ("wrong-order",)


def test_an_unasked_natural_blink_is_no_fault() -> None:
    yaws = [*AHEAD, *[0.0] * len(BLINK), *LEFT]
    eyes = [OPEN] * len(AHEAD) + [OPEN, OPEN, CLOSED, CLOSED, OPEN, OPEN, OPEN] + [OPEN] * len(LEFT)
    assert after(film(yaws, eyes=eyes), ("turn-left",)).state == "passed"


def test_a_long_blink_instead_of_the_turn_is_the_wrong_order_once_time_is_over() -> None:
    seen = film([*AHEAD, *[0.0] * len(BLINK)], eyes=[OPEN] * len(AHEAD) + BLINK)
    assert after(seen, ("turn-left",)).state == "ongoing"
    assert "wrong-order" in after(seen, ("turn-left",), wait=9).failures


def test_a_small_turn_does_not_count_and_time_goes_on() -> None:
    seen = film([*AHEAD, 6.0, 12.0, 14.0, 12.0, 6.0, 0.0])
    assert after(seen, ("turn-left",)).state == "ongoing"
    assert after(seen, ("turn-left",), wait=9).failures == ("too-late",)


def test_frames_after_the_limit_do_not_count() -> None:
    late = [*film(AHEAD), *(replace(item, at=item.at + 8.2, sequence=item.sequence + 5) for item in film(LEFT))]
    assert "too-late" in after(late, ("turn-left",)).failures


def test_looking_ahead_too_late_is_too_late_and_no_face_is_no_face() -> None:
    late = [replace(item, at=item.at + 11.8) for item in film([*AHEAD, *LEFT])]
    assert after(late, ("turn-left",)).failures == ("too-late",)
    nobody = [replace(item, faces=0) for item in film(AHEAD)]
    assert after(nobody, ("turn-left",), wait=13).failures == ("no-face",)


def test_a_turn_that_nobody_saw_move_has_too_few_frames() -> None:
    assert after(film([*AHEAD, 28.0, 28.0, 28.0, 28.0, 0.0]), ("turn-left",)).failures == ("too-few-frames",)


def test_a_gap_or_a_low_rate_has_too_few_frames() -> None:
    seen = film([*AHEAD, *LEFT])
    gap = [item if item.sequence < 8 else replace(item, at=item.at + 1.6) for item in seen]
    assert "too-few-frames" in after(gap, ("turn-left",)).failures
    assert "too-few-frames" in after(film([*AHEAD, *LEFT], rate=2.5), ("turn-left",)).failures


def test_nothing_moves_in_a_still_picture() -> None:
    seen = film([0.5 * (-1) ** index for index in range(40)])
    assert after(seen, ("turn-left",), wait=8).failures == ("no-movement",)


def test_another_face_is_noticed_and_a_turned_one_may_differ_more() -> None:
    seen = film([*AHEAD, *LEFT])
    turned = [replace(item, distance=0.58) if item.sequence == 8 else item for item in seen]
    assert after(turned, ("turn-left",)).state == "passed"
    ahead = [replace(item, distance=0.58) if item.sequence == 4 else item for item in seen]
    assert after(ahead, ("turn-left",)).failures == ("face-changed",)
    other = [replace(item, distance=0.61) if item.sequence == 8 else item for item in seen]
    assert after(other, ("turn-left",)).failures == ("face-changed",)


def test_several_faces_are_noticed_one_glimpse_is_not() -> None:
    seen = film([*AHEAD, *LEFT])
    once = [replace(item, faces=2) if item.sequence == 6 else item for item in seen]
    assert after(once, ("turn-left",)).state == "passed"
    twice = [replace(item, faces=2) if item.sequence in (6, 9) else item for item in seen]
    assert after(twice, ("turn-left",)).failures == ("several-faces",)


def test_the_same_frame_again_is_a_replay_unless_it_follows_itself() -> None:
    seen = film([*AHEAD, *LEFT])
    doubled = [replace(item, mark=seen[5].mark) if item.sequence == 6 else item for item in seen]
    assert after(doubled, ("turn-left",)).state == "passed"
    again = [replace(item, mark=seen[2].mark) if item.sequence == 9 else item for item in seen]
    assert after(again, ("turn-left",)).failures == ("replayed",)


def test_C9_the_order_is_fixed_in_a_model_election_only() -> None:
    with pytest.raises(StateError, match="MODEL"):
        LivenessSettings(fixed_order=("turn-left",))
    settings = LivenessSettings(fixed_order=("turn-left", "blink"), model_election=True)
    assert LivenessSession.start(settings, now=0, random=random.Random(1)).order == ("turn-left", "blink")


def test_every_order_is_drawn_and_never_blinks_alone() -> None:
    chance = random.Random(1)
    orders = {draw_order(LivenessSettings(actions=2), chance) for _ in range(500)}
    assert len(orders) == len(ACTIONS) ** 2 - 1
    assert ("blink", "blink") not in orders
    once = {draw_order(LivenessSettings(actions=3, repetitions=False), chance) for _ in range(200)}
    assert len(once) == 6
    for wrong in (1, 9):
        with pytest.raises(StateError, match="drawn"):
            LivenessSettings(actions=wrong)
