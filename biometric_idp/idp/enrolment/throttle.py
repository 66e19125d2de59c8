"""Delays after failed attempts, by PIN, whether there is such a person or not.

Documents and faces are counted apart: whoever holds the document clears the one, and not the other. Attempts on one PIN
take turns on its row from the first on, so that many at once get no further than one after the other.

Nobody can be locked out for ever: an attempt that is refused for its time neither counts nor makes the delay longer,
the delay has a longest value, failures are forgotten after some quiet, and two officers can let a person in at any
time. Who has a passkey already signs in with it, untouched by any of this.
"""

from __future__ import annotations

from sqlalchemy import Connection

from biometric_idp.idp.config import EnrolmentConfig
from biometric_idp.idp.enrolment.repository import FailureRepository
from services.problems import Problem


def require_turn(db: Connection, subject: bytes, now: int) -> None:
    """Refuse an attempt that comes too early; others on this subject wait until the transaction ends.

    Raises:
        Problem: ``too-many-attempts``.
    """
    _require(FailureRepository(db).take(subject)[1], now)


def may_try(db: Connection, subject: bytes, now: int) -> None:
    """The same as a look that changes nothing, before work that takes long.

    Raises:
        Problem: ``too-many-attempts``.
    """
    _require(FailureRepository(db).get(subject)[1], now)


def _require(until: int, now: int) -> None:
    if now < until:
        raise Problem("too-many-attempts", retry_after=until - now)


def count_failure(db: Connection, config: EnrolmentConfig, subject: bytes, now: int) -> None:
    repository = FailureRepository(db)
    count, _, last = repository.take(subject)
    count = 1 if now - last > config.forget else count + 1
    repository.put(subject, count, now + delay_after(config, count), now)


def delay_after(config: EnrolmentConfig, count: int) -> int:
    """Seconds to wait after this many failures."""
    beyond = count - config.failures
    if beyond < 0:
        return 0
    return int(min(config.longest_delay, config.first_delay * 2 ** min(beyond, 20)))
