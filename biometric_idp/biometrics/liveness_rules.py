"""Active liveness as a pure function: what was asked, what was seen and when, and what follows.

No picture, clock or randomness in here. An observation is one frame's measurements with the server's time of arrival;
the next action is shown when the one before is complete, so its time limit starts with the frame that completed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median, pstdev
from typing import Literal

Action = Literal["turn-left", "turn-right", "blink"]
ACTIONS: tuple[Action, ...] = ("turn-left", "turn-right", "blink")

#: Every way to fail, in the order in which one is told to the person first.
FAILURES = (
    "replayed",
    "face-changed",
    "several-faces",
    "wrong-order",
    "no-movement",
    "too-few-frames",
    "no-face",
    "too-late",
)


@dataclass(frozen=True, slots=True)
class LivenessRules:
    """Thresholds; calibrated on the packaged faces (docs/identity.md), so calibrate them on cameras of real voters.

    Attributes:
        seconds_to_start: for looking ahead, from the session's start.
        seconds_per_action: for each action, from when it was shown.
        baseline_frames: frames looking ahead that tell the person's own pose and eyes.
        steady_degrees: greatest spread of yaw among them.
        ahead_degrees: at most so far from the baseline is "ahead".
        turn_degrees: at least so far is "turned".
        closed_ratio, open_ratio: eye aspect ratio over the baseline's, below and above which eyes are closed and open.
        closed_frames: consecutive frames with closed eyes that make a blink.
        long_blink_frames: from so many on a blink that was not asked for counts as an action.
        moving_frames: frames of a turn that are not ahead; at least one of them on the way.
        max_gap: seconds between two frames with a face.
        min_rate: distinct frames with a face per second, on average.
        still_degrees, still_eyes: no movement if the standard deviations of yaw and of the eye ratio (over
            the baseline's) are less.
        same_face, same_face_turned: greatest distance of an embedding to the first one's, ahead and turned.
        rival_frames: frames with several faces that are one too many.
    """

    seconds_to_start: float = 12.0
    seconds_per_action: float = 8.0
    baseline_frames: int = 4
    steady_degrees: float = 7.0
    ahead_degrees: float = 9.0
    turn_degrees: float = 16.0
    closed_ratio: float = 0.78
    open_ratio: float = 0.86
    closed_frames: int = 2
    long_blink_frames: int = 3
    moving_frames: int = 3
    max_gap: float = 1.5
    min_rate: float = 3.0
    still_degrees: float = 2.5
    still_eyes: float = 0.08
    same_face: float = 0.50
    same_face_turned: float = 0.60
    rival_frames: int = 2


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame.

    Attributes:
        sequence: the client's number, rising.
        at: seconds since the session's start, by the server's clock.
        faces: see ``FrameMeasure``; so are ``yaw`` and ``eyes``.
        mark: keyed hash of the frame's bytes.
        distance: of its embedding to the first one's, where this frame was sampled.
    """

    sequence: int
    at: float
    faces: int
    yaw: float
    eyes: float
    mark: str
    distance: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the observations show.

    Attributes:
        state: ``ongoing``, ``passed`` or ``failed``.
        failures: all that were found, the one to tell first in front.
        step: actions completed; the one to show now is the order's ``step``-th.
        deadline: seconds since the session's start by which the current step must be complete.
        yaw, eyes: the person's baseline, once it is known.
    """

    state: Literal["ongoing", "passed", "failed"]
    failures: tuple[str, ...]
    step: int
    deadline: float
    yaw: float | None = None
    eyes: float | None = None


@dataclass
class _Walk:
    """The state of one pass over the observations."""

    order: Sequence[Action]
    rules: LivenessRules
    failures: set[str] = field(default_factory=set)
    step: int = 0
    shown: float = 0.0
    yaw: float | None = None
    eyes: float | None = None
    finished: float | None = None
    # Of the current step: deviations and eye ratios seen; actions in this or earlier steps that were not asked for.
    seen: list[tuple[float, float]] = field(default_factory=list)
    unasked: set[Action] = field(default_factory=set)
    # Of the movement under way.
    away: list[float] = field(default_factory=list)
    closed: int = 0
    was_open: bool = False

    @property
    def deadline(self) -> float:
        return self.shown + (self.rules.seconds_to_start if self.yaw is None else self.rules.seconds_per_action)

    def complete(self, at: float) -> None:
        self.step += 1
        self.shown = at
        self.seen, self.away, self.closed, self.was_open = [], [], 0, False
        if self.step == len(self.order):
            self.finished = at


def judge(order: Sequence[Action], rules: LivenessRules, observations: Sequence[Observation], now: float) -> Verdict:
    """What a session's frames show until ``now`` (seconds since its start).

    Args:
        order: the actions that were asked for.
        observations: in order of arrival.
    """
    walk = _Walk(order, rules)
    frames = [item for item in observations if item.faces]
    _look_at_faces(walk, observations)
    start = _baseline(walk, frames)
    previous = None
    for item in frames[start:]:
        if walk.finished is not None:
            break
        if item.at > walk.deadline:
            break
        if previous is not None and item.at - previous.at > rules.max_gap:
            walk.failures.add("too-few-frames")
        _follow(walk, item, is_new=previous is None or item.mark != previous.mark)
        previous = item
    if walk.finished is None and now > walk.deadline:
        _explain_lateness(walk, frames)
    if walk.finished is not None:
        _require_rate(walk, frames)
    failures = tuple(name for name in FAILURES if name in walk.failures)
    state: Literal["ongoing", "passed", "failed"] = "ongoing"
    if failures:
        state = "failed"
    elif walk.finished is not None:
        state = "passed"
    return Verdict(state, failures, walk.step, walk.deadline, walk.yaw, walk.eyes)


def _look_at_faces(walk: _Walk, observations: Sequence[Observation]) -> None:
    """Rules about single frames, whatever was asked: one face, always the same, and no frame twice."""
    rules = walk.rules
    if sum(item.faces > 1 for item in observations) >= rules.rival_frames:
        walk.failures.add("several-faces")
    sampled = [item for item in observations if item.distance is not None]
    for item in sampled:
        turned = abs(item.yaw - sampled[0].yaw) > rules.ahead_degrees
        if item.distance is not None and item.distance > (rules.same_face_turned if turned else rules.same_face):
            walk.failures.add("face-changed")
    # A camera may deliver one frame twice in a row; the same noise later on is a recording that starts again.
    last: dict[str, int] = {}
    for index, item in enumerate(item for item in observations if item.faces):
        if item.mark in last and last[item.mark] != index - 1:
            walk.failures.add("replayed")
        last[item.mark] = index


def _baseline(walk: _Walk, frames: Sequence[Observation]) -> int:
    """Find the first frames that look ahead steadily; returns the index after them."""
    count = walk.rules.baseline_frames
    for stop in range(count, len(frames) + 1):
        window = frames[stop - count : stop]
        yaws = [item.yaw for item in window]
        if window[-1].at > walk.deadline:
            break
        if max(yaws) - min(yaws) <= walk.rules.steady_degrees:
            walk.yaw, walk.eyes = median(yaws), median(item.eyes for item in window)
            walk.shown = window[-1].at
            return stop
    return len(frames)


def _follow(walk: _Walk, item: Observation, *, is_new: bool) -> None:
    """Take one frame into account for the current step."""
    assert walk.yaw is not None
    assert walk.eyes is not None
    rules, wanted = walk.rules, walk.order[walk.step]
    deviation = item.yaw - walk.yaw
    eyes = item.eyes / walk.eyes if walk.eyes else 0.0
    walk.seen.append((deviation, eyes))
    if not is_new:
        return
    if abs(deviation) > rules.ahead_degrees:
        walk.away.append(deviation)
        walk.closed = 0
        if abs(deviation) >= rules.turn_degrees and wanted != _side(deviation):
            walk.failures.add("wrong-order")
        return
    if walk.away:
        _end_turn(walk, item, wanted)
        return
    if eyes < rules.closed_ratio:
        walk.closed += 1
        return
    if eyes > rules.open_ratio:
        closed, walk.closed = walk.closed, 0
        if wanted == "blink" and walk.was_open and closed >= rules.closed_frames:
            walk.complete(item.at)
            return
        if wanted != "blink" and closed >= rules.long_blink_frames:
            walk.unasked.add("blink")
        walk.was_open = True


def _side(deviation: float) -> Action:
    return "turn-left" if deviation > 0 else "turn-right"


def _end_turn(walk: _Walk, item: Observation, wanted: Action) -> None:
    """The head is ahead again: a whole turn, one too small to count, or one whose movement nobody saw."""
    away, walk.away = walk.away, []
    peak = max(away, key=abs)
    if abs(peak) < walk.rules.turn_degrees or _side(peak) != wanted:
        return
    on_the_way = [value for value in away if abs(value) < 0.85 * abs(peak)]
    if len(away) < walk.rules.moving_frames or not on_the_way:
        walk.failures.add("too-few-frames")
        return
    walk.complete(item.at)


def _explain_lateness(walk: _Walk, frames: Sequence[Observation]) -> None:
    if walk.yaw is None or walk.eyes is None:
        walk.failures.add("too-late" if frames else "no-face")
        return
    if not walk.seen:
        # Nothing arrived in time: frames came late, or none showed a face.
        walk.failures.add("too-late" if any(item.at > walk.shown for item in frames) else "no-face")
        return
    if walk.unasked:
        walk.failures.add("wrong-order")
    yaws, eyes = [item[0] for item in walk.seen], [item[1] for item in walk.seen]
    still = pstdev(yaws) < walk.rules.still_degrees and pstdev(eyes) < walk.rules.still_eyes
    walk.failures.add("no-movement" if still else "too-late")


def _require_rate(walk: _Walk, frames: Sequence[Observation]) -> None:
    assert walk.finished is not None
    used = [item for item in frames if item.at <= walk.finished]
    distinct = len({item.mark for item in used})
    seconds = walk.finished - used[0].at
    if distinct < walk.rules.min_rate * seconds:
        walk.failures.add("too-few-frames")
