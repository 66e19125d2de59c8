"""Plays videos to a liveness session, with a clock of its own and real measurements of every frame."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from biometric_idp.biometrics.face_dlib import FaceDetector
from biometric_idp.biometrics.frames import FrameMeasure, measure_frame
from biometric_idp.biometrics.liveness import FrameRefused, LivenessSession, LivenessSettings
from biometric_idp.biometrics.liveness_rules import Action, Verdict
from biometric_idp.biometrics.replay import SessionMarks
from tests.support.faces import portrait
from tests.support.synthetic_motion import frames

KEY = bytes(range(32))
ORDER: tuple[Action, ...] = ("turn-left", "blink", "turn-right")
FPS = 6
PEOPLE = ("obama", "biden")


@lru_cache(maxsize=1)
def _detector() -> FaceDetector:
    return FaceDetector()


@lru_cache(maxsize=4096)
def _measured(frame: bytes) -> FrameMeasure:
    return measure_frame(_detector(), frame, embed=True)


def measure(frame: bytes, *, embed: bool) -> FrameMeasure:
    """As a worker does it; each frame once, because tests show the same frame in many ways."""
    found = _measured(frame)
    return found if embed else replace(found, embedding=b"")


@lru_cache(maxsize=16)
def video(person: str, actions: Sequence[str] = ORDER, seed: int = 1) -> tuple[bytes, ...]:
    """The person's portrait doing these actions."""
    return tuple(frames(portrait(person), list(actions), fps=FPS, seconds_per_action=1.8, seed=seed))


def session(order: tuple[Action, ...] = ORDER, started: float = 1000.0) -> LivenessSession:
    """A session that asks for this order."""
    settings = LivenessSettings(fixed_order=order, model_election=True)
    return LivenessSession.start(settings, now=started, random=random.Random(5))


def play(
    live: LivenessSession,
    shown: Sequence[bytes],
    *,
    fps: float = FPS,
    delay: float = 0.2,
    wait: float = 0.0,
    earlier: Sequence[SessionMarks] = (),
) -> Verdict:
    """Send frames at a rate until the session is decided; every request reads and writes the state as a database would.

    Args:
        delay: seconds before the first frame.
        wait: seconds that pass after the last one.
    """
    chance = random.Random(7)
    now = live.started + delay
    state, settings = live.to_json(KEY), live.settings
    for index, frame in enumerate(shown):
        now = live.started + delay + index / fps
        held = LivenessSession.from_json(state, settings, KEY)
        try:
            held.accept(index, frame, now=now, key=KEY, measure=measure, random=chance)
        except FrameRefused as error:
            if error.code != "liveness-over":
                raise
            break
        state = held.to_json(KEY)
    held = LivenessSession.from_json(state, settings, KEY)
    live.__dict__.update(held.__dict__)
    return live.judge(now + wait, earlier)
