"""Challenges that prove themselves: nothing is stored before one is used, so asking for many costs no space.

    challenge = expiry (8) || nonce (16) || HMAC-SHA256(secret, purpose, binding, expiry, nonce) (32)

``binding`` ties a challenge to a session, so that one made for somebody else is worth nothing.
"""

from __future__ import annotations

import hmac
import secrets

from sqlalchemy import Connection

from biometric_idp.idp.challenges.repository import ChallengeRepository
from biometric_idp.idp.context import Idp
from services.problems import Problem

_NONCE, _BYTES = 16, 56


def make_challenge(idp: Idp, purpose: str, binding: bytes, seconds: int) -> bytes:
    head = (idp.clock() + seconds).to_bytes(8, "big") + secrets.token_bytes(_NONCE)
    return head + _mac(idp, purpose, binding, head)


def use_challenge(db: Connection, idp: Idp, purpose: str, binding: bytes, challenge: bytes) -> None:
    """Accept a challenge once.

    Raises:
        Problem: ``challenge-invalid``: foreign, expired, or used before.
    """
    head, mac = challenge[: 8 + _NONCE], challenge[8 + _NONCE :]
    expires = int.from_bytes(head[:8], "big")
    fits = len(challenge) == _BYTES and hmac.compare_digest(mac, _mac(idp, purpose, binding, head))
    if not fits or expires <= idp.clock() or not ChallengeRepository(db).use(head[8:], expires):
        raise Problem("challenge-invalid")


def _mac(idp: Idp, purpose: str, binding: bytes, head: bytes) -> bytes:
    return idp.digest("challenge", purpose.encode(), binding, head)
