"""What the camera sees: the packaged portraits, made to look ahead, turn and blink, and the same material misused.

Rendering takes a while, so recordings are kept in var/recordings, under the hash of what they are made from. They show
people and are never committed.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from tests.support import synthetic_motion
from tests.support.faces import portrait

_KEPT = Path(__file__).resolve().parents[2] / "var/recordings"
FPS = 10
_SECONDS = 2.0
#: Time to open the camera, to ask for the challenge, and to be seen looking ahead; then neutral between the actions.
_LEAD = ("neutral",) * 2
ORDER = ("turn-left", "blink", "turn-right")
_TAIL = ("neutral",) * 2


@dataclass(frozen=True)
class Recording:
    """JPEG frames of one recording, in parts that all begin and end with the face at rest."""

    lead: list[bytes]
    actions: dict[str, list[bytes]]
    tail: list[bytes]

    def play(self, *order: str) -> list[bytes]:
        """The recording with its actions in this order."""
        return self.lead + [frame for action in order for frame in self.actions[action]] + self.tail

    def still(self) -> list[bytes]:
        """A photograph held before the camera."""
        return self.lead[-1:] * FPS

    def motionless(self) -> list[bytes]:
        """A person who does nothing."""
        return self.lead + self.tail


def recording(person: str, seed: int) -> Recording:
    """A recording of a person of ``tests.support.faces``; the same seed is the same recording."""
    picture = portrait(person)
    actions = [part for action in ORDER for part in (action, "neutral")]
    plan = [*_LEAD, *actions, *_TAIL]
    source = Path(synthetic_motion.__file__).read_bytes()
    name = hashlib.sha256(b"|".join([picture, source, repr((plan, seed)).encode()])).hexdigest()[:16]
    path = _KEPT / name
    if path.exists():
        frames = _unpack(path.read_bytes())
    else:
        frames = synthetic_motion.frames(picture, plan, FPS, _SECONDS, seed=seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_bytes(b"".join(struct.pack(">I", len(frame)) + frame for frame in frames))
        new.rename(path)
    return _cut(frames)


def _cut(frames: list[bytes]) -> Recording:
    part = round(FPS * _SECONDS)
    start = FPS + part * len(_LEAD)
    actions = {}
    for index, action in enumerate(ORDER):
        at = start + 2 * part * index
        actions[action] = frames[at : at + 2 * part]
    return Recording(frames[:start], actions, frames[start + 2 * part * len(ORDER) :])


def _unpack(data: bytes) -> list[bytes]:
    frames = []
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        frames.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return frames
