"""A liveness session: draws the order, takes frames, and can be put into a database between two requests.

Who owns what: the service keeps ``to_json`` in its database and gives the key; the rules are ``liveness_rules``; the
pictures are measured in a worker and are gone when ``accept`` returns. What is kept of the face (two embeddings, until
the session is judged) is sealed under the key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Protocol

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from biometric_idp.biometrics.errors import BiometricError
from biometric_idp.biometrics.face_dlib import DlibFaceMatcher, compare_faces
from biometric_idp.biometrics.frames import FrameMeasure
from biometric_idp.biometrics.interface import Template
from biometric_idp.biometrics.liveness_rules import (
    ACTIONS,
    FAILURES,
    Action,
    LivenessRules,
    Observation,
    Verdict,
    judge,
)
from biometric_idp.biometrics.replay import SessionMarks, Tiles, exact_mark, tile_marks
from biometric_idp.errors import FormatError, StateError

_FORMAT = "evoting-liveness/v1"
_MAX_ACTIONS = 8
_TILE = struct.Struct("<BH")


class Measure(Protocol):
    """Measures a frame in a worker: ``MatcherPool.measure``."""

    def __call__(self, frame: bytes, *, embed: bool) -> FrameMeasure: ...


class Random(Protocol):
    """``random.SystemRandom``, or a seeded one in tests."""

    def choice(self, seq: Sequence[Action], /) -> Action: ...
    def uniform(self, a: float, b: float, /) -> float: ...


class FrameRefused(BiometricError):
    """The frame is not taken. Codes: liveness-over, frame-out-of-sequence, too-many-frames."""


@dataclass(frozen=True, slots=True)
class LivenessSettings:
    """What is asked of the person.

    Attributes:
        actions: how many, at least one of them a turn.
        repetitions: whether an action may be drawn twice.
        fixed_order: asked instead of a drawn one; only for a MODEL election, whose tests play a prepared video.
        model_election: whether the service serves a MODEL election.
        max_frames: of one session, which bounds the work that a stranger can ask for.
        sample_seconds: a frame is compared with the first one after a random time of at most this.

    Raises:
        StateError: an order is fixed outside a MODEL election, or cannot be drawn.
    """

    actions: int = 3
    repetitions: bool = True
    fixed_order: tuple[Action, ...] | None = None
    model_election: bool = False
    max_frames: int = 400
    sample_seconds: float = 1.2
    rules: LivenessRules = field(default_factory=LivenessRules)

    def __post_init__(self) -> None:
        if self.fixed_order is not None:
            if not self.model_election:
                raise StateError("the order of liveness actions can be fixed in a MODEL election only")
            if not 1 <= len(self.fixed_order) <= _MAX_ACTIONS or not set(self.fixed_order) <= set(ACTIONS):
                raise StateError(f"the fixed order needs 1 to {_MAX_ACTIONS} of {', '.join(ACTIONS)}")
        elif not 2 <= self.actions <= (_MAX_ACTIONS if self.repetitions else len(ACTIONS)):
            raise StateError(f"{self.actions} liveness actions cannot be drawn")


def draw_order(settings: LivenessSettings, random: Random) -> tuple[Action, ...]:
    """The actions to ask for. Never blinks alone: everybody blinks unasked."""
    if settings.fixed_order is not None:
        return settings.fixed_order
    while True:
        rest: list[Action] = list(ACTIONS)
        order: list[Action] = []
        for _ in range(settings.actions):
            action = random.choice(rest)
            order.append(action)
            if not settings.repetitions:
                rest.remove(action)
        if set(order) != {"blink"}:
            return tuple(order)


@dataclass
class LivenessSession:
    """One attempt of one person. Times are seconds of the server's clock; the caller passes them.

    Attributes:
        order: all actions; the client is told one after the other (``prompt``).
        started: when it was made.
    """

    settings: LivenessSettings
    order: tuple[Action, ...]
    started: float
    observations: list[Observation] = field(default_factory=list)
    _first: bytes = field(default=b"", repr=False)
    _best: bytes = field(default=b"", repr=False)
    _best_rank: float = field(default=float("inf"), repr=False)
    _tiles: list[Tiles] = field(default_factory=list, repr=False)
    _next_sample: float = field(default=0.0, repr=False)

    @classmethod
    def start(cls, settings: LivenessSettings, *, now: float, random: Random) -> LivenessSession:
        """A new session with an order of its own."""
        return cls(settings, draw_order(settings, random), now)

    def accept(
        self, sequence: int, frame: bytes, *, now: float, key: bytes, measure: Measure, random: Random
    ) -> Verdict:
        """Take one frame (JPEG) that arrived at ``now``, and judge again.

        Args:
            sequence: the client's number, above that of every frame before.
            key: 32 bytes of this deployment, for marks and sealing.
            random: decides which frames are compared with the first one, so that a client cannot foresee it.

        Raises:
            FrameRefused: the session is over, or the number is not higher.
            ImageRefused, Busy, WorkerFailed: the frame was not taken; send it or the next one again.
        """
        at = now - self.started
        if self.judge(now).state != "ongoing":
            raise FrameRefused("liveness-over")
        if len(self.observations) >= self.settings.max_frames:
            raise FrameRefused("too-many-frames", f"at most {self.settings.max_frames}")
        if self.observations and sequence <= self.observations[-1].sequence:
            raise FrameRefused("frame-out-of-sequence")
        measured = measure(frame, embed=at >= self._next_sample)
        distance = None
        if measured.faces == 1 and measured.embedding:
            distance = self._sample(measured)
            self._next_sample = at + random.uniform(0.3, self.settings.sample_seconds)
        if measured.faces:
            self._tiles.append(tile_marks(_subkey(key, b"marks"), measured.tiles))
        self.observations.append(
            Observation(
                sequence,
                round(at, 3),
                measured.faces,
                round(measured.yaw, 2),
                round(measured.eyes, 4),
                exact_mark(_subkey(key, b"marks"), frame),
                distance,
            )
        )
        return self.judge(now)

    def judge(self, now: float, earlier: Iterable[SessionMarks] = ()) -> Verdict:
        """What the frames show so far.

        Args:
            earlier: marks of this voter's earlier sessions; give them before a pass counts.
        """
        verdict = judge(self.order, self.settings.rules, self.observations, now - self.started)
        mine = None
        for marks in earlier:
            mine = mine or self.marks()
            if mine.repeats(marks):
                names = {"replayed", *verdict.failures}
                failures = tuple(name for name in FAILURES if name in names)
                return Verdict("failed", failures, verdict.step, verdict.deadline, verdict.yaw, verdict.eyes)
        return verdict

    def prompt(self, now: float) -> dict[str, object]:
        """What to tell the client: the state, the action to do now, and how long it has."""
        verdict = self.judge(now)
        action: str | None = None
        if verdict.state == "ongoing":
            action = "look-ahead" if verdict.yaw is None else self.order[verdict.step]
        return {
            "state": verdict.state,
            "failures": list(verdict.failures),
            "step": verdict.step,
            "steps": len(self.order),
            "action": action,
            "seconds_left": max(0.0, round(self.started + verdict.deadline - now, 1)),
        }

    def marks(self) -> SessionMarks:
        """Keyed marks of this session, to be kept when it ends, whatever the verdict."""
        return SessionMarks.collect((item.mark for item in self.observations if item.faces), self._tiles)

    def best_template(self) -> Template:
        """The template of the frame that looks ahead best with open eyes: the probe of the one-to-one match.

        Raises:
            StateError: no frame was usable.
        """
        if not self._best:
            raise StateError("no frame of this session can be matched")
        return _template(self._best)

    def _sample(self, measured: FrameMeasure) -> float:
        """Keep the frame's embedding if it is the first or the best, and compare it with the first."""
        self._first = self._first or measured.embedding
        seen = [item for item in self.observations if item.faces == 1]
        yaw = median([item.yaw for item in seen] or [measured.yaw])
        eyes = median([item.eyes for item in seen] or [measured.eyes])
        # Degrees from ahead; a half-closed eye weighs as much as ten; sharpness decides among equals.
        rank = abs(measured.yaw - yaw) + 20 * max(0.0, 1 - measured.eyes / max(eyes, 1e-6)) - measured.sharp / 20
        if rank < self._best_rank:
            self._best, self._best_rank = measured.embedding, rank
        return round(compare_faces(_template(self._first), _template(measured.embedding)).value, 4)

    def to_json(self, key: bytes) -> str:
        """The whole state; what is biometric in it is sealed."""
        sealed = SecretBox(_subkey(key, b"seal")).encrypt(self._first + self._best)
        value = {
            "format": _FORMAT,
            "order": list(self.order),
            "started": self.started,
            "next_sample": self._next_sample,
            "best_rank": None if self._best_rank == float("inf") else self._best_rank,
            "observations": [list(asdict(item).values()) for item in self.observations],
            "tiles": [
                base64.b64encode(b"".join(_TILE.pack(*tile) for tile in tiles)).decode() for tiles in self._tiles
            ],
            "sealed": base64.b64encode(sealed).decode(),
        }
        return json.dumps(value, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, settings: LivenessSettings, key: bytes) -> LivenessSession:
        """Raises FormatError: not such a state, or sealed under another key."""
        try:
            value: Any = json.loads(text)
            if value["format"] != _FORMAT:
                raise FormatError("not the state of a liveness session")
            faces = SecretBox(_subkey(key, b"seal")).decrypt(base64.b64decode(value["sealed"]))
            half = len(faces) // 2
            return cls(
                settings,
                tuple(value["order"]),
                value["started"],
                [Observation(*item) for item in value["observations"]],
                faces[:half],
                faces[half:],
                float("inf") if value["best_rank"] is None else value["best_rank"],
                [tuple(_TILE.iter_unpack(base64.b64decode(item))) for item in value["tiles"]],
                value["next_sample"],
            )
        except (ValueError, KeyError, TypeError, CryptoError, struct.error):
            raise FormatError("the state of a liveness session is damaged") from None


def _template(embedding: bytes) -> Template:
    return Template("face", DlibFaceMatcher.algorithm, DlibFaceMatcher.version, embedding)


def _subkey(key: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(b"evoting/v1/liveness", key=key, person=purpose, digest_size=32).digest()
