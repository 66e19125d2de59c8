"""The population register within requests: what it cannot answer is a problem that a person is told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from biometric_idp.population.register import FingerprintTemplate, Person, Register, RegisterError
from services.logs import get_log
from services.problems import Problem

Result = TypeVar("Result")


class AskedRegister:
    """A ``Register`` that raises ``Problem`` with the code of its error, and logs the reason for the operator."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def person(self, pin: str) -> Person | None:
        return _ask(lambda: self._register.person(pin))

    def portrait(self, pin: str) -> bytes | None:
        return _ask(lambda: self._register.portrait(pin))

    def fingerprints(self, pin: str) -> tuple[FingerprintTemplate, ...]:
        return _ask(lambda: self._register.fingerprints(pin))

    def purge(self, before: int, most: int) -> list[str]:
        return self._register.purge(before, most)

    def close(self) -> None:
        self._register.close()


def _ask(question: Callable[[], Result]) -> Result:
    try:
        return question()
    except RegisterError as error:
        # Its message holds nothing about a person.
        get_log().warning("register-error", code=error.code, reason=str(error)[:200])
        raise Problem(error.code, retry_after=10) from None
