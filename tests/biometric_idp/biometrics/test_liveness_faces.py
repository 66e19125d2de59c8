"""Liveness with real faces before a synthetic camera: who acts as asked passes, every cheat is refused by its name."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image

from biometric_idp.biometrics.face_dlib import DlibFaceMatcher, compare_faces
from biometric_idp.biometrics.liveness import LivenessSession, LivenessSettings
from biometric_idp.biometrics.replay import SessionMarks
from tests.biometric_idp.biometrics.live import KEY, ORDER, PEOPLE, measure, play, session, video
from tests.support.faces import image, portrait
from tests.support.synthetic_motion import encode_jpeg, frames

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("person", PEOPLE)
def test_a_person_who_acts_as_asked_passes_and_is_matched(person: str) -> None:
    live = session()
    verdict = play(live, video(person))
    assert verdict.state == "passed", verdict
    matcher = DlibFaceMatcher()
    own = matcher.extract(image("obama/obama2.jpg") if person == "obama" else portrait(person))
    other = matcher.extract(portrait("biden" if person == "obama" else "obama"))
    assert compare_faces(live.best_template(), own).matches
    assert not compare_faces(live.best_template(), other).matches


@pytest.mark.parametrize("seed", [4])
def test_a_drawn_order_can_be_followed(seed: int) -> None:
    live = LivenessSession.start(LivenessSettings(), now=50.0, random=random.Random(seed))
    assert play(live, video("obama", live.order, seed)).state == "passed"


def test_C9_a_photograph_is_refused() -> None:
    still = video("obama")[0]
    verdict = play(session(), [still] * 70, wait=10)
    assert verdict.state == "failed"
    assert verdict.failures == ("no-movement",)


def test_C9_a_photograph_held_by_hand_is_refused() -> None:
    verdict = play(session(), video("obama", ("neutral",) * 6), wait=10)
    assert verdict.failures == ("no-movement",)


@pytest.mark.parametrize("person", PEOPLE)
def test_C9_an_injected_camera_in_the_wrong_order_is_refused(person: str) -> None:
    verdict = play(session(("turn-right", "blink", "turn-left")), video(person))
    assert verdict.failures == ("wrong-order",)


def test_C9_a_blink_before_the_turn_that_was_asked_for_is_the_wrong_order() -> None:
    verdict = play(
        session(("turn-left", "blink")), video("obama", ("blink", "turn-left", "neutral", "neutral")), wait=10
    )
    assert verdict.state == "failed"


def test_C9_late_frames_are_refused() -> None:
    shown = video("obama")
    assert play(session(), shown, delay=11.9).failures == ("too-late",)
    # All movements in the right order, but the second one begins after its time.
    pause = video("obama", ("turn-left", "neutral", "neutral", "neutral", "neutral", "neutral"))
    late = play(session(), [*pause, *shown[len(shown) // 2 :]])
    assert late.step == 1
    assert late.failures in (("too-late",), ("no-movement",))


def _again(frame: bytes) -> bytes:
    """As another camera or program would send it: smaller, compressed anew."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(frame)).resize((512, 384), Image.Resampling.BILINEAR).save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


@pytest.mark.parametrize("person", PEOPLE)
def test_C9_a_replay_is_refused_also_if_compressed_anew(person: str) -> None:
    first = session()
    assert play(first, video(person)).state == "passed"
    kept = [SessionMarks.decode(first.marks().encode())]
    assert play(session(started=5000), video(person), earlier=kept).failures == ("replayed",)
    assert play(session(started=5000), [_again(frame) for frame in video(person)], earlier=kept).failures == (
        "replayed",
    )
    # The same person on another day is no replay.
    assert play(session(started=5000), video(person, seed=2), earlier=kept).state == "passed"


def test_C9_a_recording_that_starts_again_is_refused() -> None:
    calm = video("obama", ("neutral",))
    assert "replayed" in play(session(), [*calm[:5], *calm[:5], *video("obama")]).failures


@pytest.mark.parametrize("person", PEOPLE)
def test_C9_swapping_faces_midway_is_refused(person: str) -> None:
    other = "biden" if person == "obama" else "obama"
    shown = video(person)
    third = len(shown) // 3
    assert "face-changed" in play(session(), [*shown[:third], *video(other)[third:]]).failures


def test_C9_two_faces_are_refused() -> None:
    def beside(a: bytes, b: bytes) -> bytes:
        left, right = (np.asarray(Image.open(io.BytesIO(item)))[:, 160:480] for item in (a, b))
        return encode_jpeg(np.concatenate([left, right], axis=1).astype(np.float64))

    shown = [beside(a, b) for a, b in zip(video("obama")[:12], video("biden")[:12], strict=True)]
    assert play(session(), shown).failures == ("several-faces",)


def test_C9_two_photographs_in_turns_are_refused() -> None:
    """A frontal and a turned photograph, with fresh noise in every frame but nothing in between."""
    turn = frames(portrait("obama"), ["turn-left"], fps=6, seconds_per_action=1.8, seed=3)
    middle = len(turn) // 2
    ahead, turned = turn[:6], turn[middle - 1 : middle + 2]
    verdict = play(session(("turn-left",)), [*ahead, *turned, *turn[-5:]])
    assert verdict.failures == ("too-few-frames",)


def test_the_state_tells_nothing_of_the_face_without_the_key() -> None:
    live = session()
    play(live, video("obama")[:8])
    text = live.to_json(KEY)
    embedding = measure(video("obama")[0], embed=True).embedding
    assert embedding.hex() not in text
    with pytest.raises(ValueError, match="damaged"):
        LivenessSession.from_json(text, live.settings, bytes(32))
    assert LivenessSession.from_json(text, live.settings, KEY).best_template() == live.best_template()
    assert live.order == ORDER
