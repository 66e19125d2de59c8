"""Liveness and face match, for an enrolment and for a fresh check after sign-in.

Frames are measured in worker processes between two transactions; no image is ever stored. A state that two requests
advance at once is kept of one of them, and the other is told to send its frames again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from biometric_idp.biometrics.errors import BiometricError, Busy, ImageRefused, VaultError
from biometric_idp.biometrics.interface import Template
from biometric_idp.biometrics.liveness import FrameRefused, LivenessSession
from biometric_idp.biometrics.liveness_rules import Verdict
from biometric_idp.errors import FormatError
from biometric_idp.idp.context import DAY, Idp
from biometric_idp.idp.faces.component import Faces
from biometric_idp.idp.faces.repository import LivenessRepository, StoredLiveness
from services.problems import Problem

Answer = dict[str, object]
_MOST_FRAMES = 32
#: What a failed verdict is called, where it is not called like the refusal of an image.
_PLAIN = frozenset({"no-face", "several-faces"})


def require_faces(idp: Idp) -> Faces:
    """The component.

    Raises:
        Problem: ``wrong-step``, where this deployment checks no faces.
    """
    if idp.faces is None:
        raise Problem("wrong-step", next="none")
    return idp.faces


def problem_of(error: BiometricError) -> Problem:
    """What a person is told; figures stay in the log."""
    if isinstance(error, Busy):
        return Problem("busy", retry_after=error.retry_after)
    return Problem(error.code)


def begin(db: Connection, idp: Idp, owner: bytes, expires: int) -> Answer:
    """A new liveness session of this owner, in place of an earlier one."""
    faces, now = require_faces(idp), idp.clock()
    repository = LivenessRepository(db)
    earlier = repository.get(owner)
    attempts = 0 if earlier is None else earlier.attempts
    if attempts >= idp.config.liveness.attempts:
        raise Problem("too-many-liveness-attempts")
    session = LivenessSession.start(faces.settings, now=now, random=faces.random)
    state = session.to_json(faces.key)
    repository.put(StoredLiveness(owner, secrets.token_hex(16), state, 0, 0, attempts + 1, expires))
    stored = repository.get(owner)
    assert stored is not None
    return {
        **_told(session, session.judge(now), now),
        "id": stored.id,
        "frames_per_second": idp.config.liveness.frames_per_second,
    }


def _told(session: LivenessSession, verdict: Verdict, now: float) -> Answer:
    prompt = session.prompt(now)
    is_passed = verdict.state == "passed"
    action = None if is_passed else prompt["action"]
    actions = [] if action is None else [{"action": action, "seconds": prompt["seconds_left"]}]
    return {
        "state": "passed" if is_passed else "continue",
        "next_action": action,
        "actions": actions,
        "step": prompt["step"],
        "steps": prompt["steps"],
    }


def split_frames(content_type: str, body: bytes) -> list[bytes]:
    """One JPEG, or several, each after its length in four bytes.

    Raises:
        Problem: ``image-unreadable``.
    """
    if content_type == "image/jpeg":
        return [body]
    frames: list[bytes] = []
    at = 0
    while content_type == "application/octet-stream" and at < len(body) and len(frames) < _MOST_FRAMES:
        stop = at + 4 + int.from_bytes(body[at : at + 4], "big")
        if at + 4 > len(body) or stop > len(body):
            raise Problem("image-unreadable")
        frames.append(body[at + 4 : stop])
        at = stop
    if not frames or at != len(body):
        raise Problem("image-unreadable")
    return frames


def take_frames(
    idp: Idp,
    stored: StoredLiveness | None,
    voter: str,
    sequence: int,
    frames: Sequence[bytes],
    passed: Callable[[Connection], None],
) -> Answer:
    """Measure frames and judge; ``passed`` runs in the transaction in which the session passes.

    Raises:
        Problem: ``liveness-...`` with what was found first; the session is over then.
    """
    faces = require_faces(idp)
    # When they arrived counts, not when a worker came to them: a busy server is not the person's fault.
    arrived = idp.precise_clock()
    if stored is None or not stored.state or stored.expires <= idp.clock():
        raise Problem("liveness-over")
    if stored.passed:
        return {"state": "passed", "next_action": None, "actions": []}
    try:
        session = LivenessSession.from_json(stored.state, faces.settings, faces.key)
        verdict = session.judge(arrived)
        refused: ImageRefused | None = None
        for number, frame in enumerate(frames, sequence):
            if verdict.state != "ongoing":
                break
            try:
                verdict = session.accept(
                    number,
                    frame,
                    now=arrived,
                    key=faces.key,
                    measure=faces.pool.measure,
                    random=faces.random,
                )
            except ImageRefused as error:
                refused = error
        if verdict.state != "ongoing":
            verdict = session.judge(arrived, faces.marks.earlier(voter, idp.clock()))
    except FormatError:
        raise Problem("liveness-over") from None
    except FrameRefused as error:
        raise problem_of(error) from None
    except BiometricError as error:
        raise problem_of(error) from None
    if verdict.state != "ongoing":
        expires = idp.clock() + idp.config.liveness.marks_days * DAY
        faces.marks.remember(stored.id, voter, session.marks(), expires)
    state = session.to_json(faces.key)

    def keep(db: Connection) -> Problem | None:
        repository = LivenessRepository(db)
        if not repository.advance(stored, state, int(verdict.state == "passed")):
            return Problem("frame-out-of-sequence")
        if verdict.state == "passed":
            passed(db)
        if verdict.state == "failed":
            repository.erase(stored.owner)
            first = verdict.failures[0] if verdict.failures else "too-late"
            return Problem(first if first in _PLAIN else f"liveness-{first}")
        return None

    idp.committer.commit("liveness-frames", keep)
    if refused is not None and verdict.state == "ongoing":
        raise problem_of(refused)
    return _told(session, verdict, idp.precise_clock())


def probe_of(idp: Idp, stored: StoredLiveness | None) -> Template:
    """The template of the best frame of a liveness session that passed.

    Raises:
        Problem: ``liveness-over``.
    """
    faces = require_faces(idp)
    if stored is None or not stored.passed or stored.expires <= idp.clock():
        raise Problem("liveness-over")
    try:
        return LivenessSession.from_json(stored.state, faces.settings, faces.key).best_template()
    except FormatError:
        raise Problem("liveness-over") from None


def matches_portrait(idp: Idp, probe: Template, portrait: bytes | None) -> bool:
    """Whether the register's portrait shows the same person.

    Raises:
        Problem: ``no-portrait``, ``busy``, or what a matcher says.
    """
    faces = require_faces(idp)
    if portrait is None:
        raise Problem("no-portrait")
    try:
        return faces.pool.compare(faces.pool.extract("face", portrait), probe).matches
    except ImageRefused:
        raise Problem("no-portrait") from None
    except BiometricError as error:
        raise problem_of(error) from None


def matches_template(idp: Idp, probe: Template, voter: str) -> bool:
    """Whether the template in the vault is of the same person."""
    faces = require_faces(idp)
    try:
        return faces.vault.compare(probe, voter, faces.pool.compare).matches
    except BiometricError as error:
        raise problem_of(error) from None


def keep_template(idp: Idp, probe: Template, voter: str) -> None:
    """The template of a confirmed face goes into the vault, under a key of its own."""
    faces = require_faces(idp)
    try:
        faces.vault.enrol(voter, probe)
    except BiometricError as error:
        raise problem_of(error) from None


def revoke_template(idp: Idp, voter: str) -> None:
    """Destroy the voter's template; revoking it again, or one that never was, changes nothing."""
    faces = require_faces(idp)
    try:
        if faces.vault.state(voter, "face") == "active":
            faces.vault.revoke(voter, "face")
    except VaultError as error:
        raise problem_of(error) from None
