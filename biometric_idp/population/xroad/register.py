"""``Register`` over X-Road."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from biometric_idp.population.pin import PinError, parse_pin
from biometric_idp.population.register import FingerprintTemplate, Person, RegisterError
from biometric_idp.population.xroad.client import XRoadClient
from biometric_idp.population.xroad.mapping import (
    AnswerMapping,
    decode_json,
    map_fingerprints,
    map_image,
    map_person,
    point,
)
from biometric_idp.population.xroad.transport import Answer

_IMAGES = ("image/jpeg", "image/png", "image/jp2", "application/octet-stream")


@dataclass(frozen=True)
class Operation:
    """How something is asked for.

    Attributes:
        path: below the service, with ``{pin}`` where the PIN goes.
        body: for POST, a JSON object whose texts ``{pin}`` are replaced; None means GET. POST keeps PINs out of the
            logs of servers on the way, GET may be repeated after a failure.
        pointer: where the answer's image (base64) or its PIN stands; None means the body is the image itself.
    """

    path: str
    body: dict[str, object] | None = None
    pointer: str | None = None


class XRoadRegister:
    """The register behind an X-Road service. Threads may share it."""

    def __init__(
        self,
        client: XRoadClient,
        mapping: AnswerMapping,
        person: Operation,
        portrait: Operation | None = None,
        fingerprints: Operation | None = None,
    ) -> None:
        """Take the operations; portrait and fingerprints come with the person where they have none of their own."""
        self._client = client
        self._mapping = mapping
        self._person = person
        self._portrait = portrait
        self._fingerprints = fingerprints

    def person(self, pin: str) -> Person | None:
        answer = self._ask(self._person, pin)
        return None if answer is None else map_person(_json(answer), pin, self._mapping)

    def portrait(self, pin: str) -> bytes | None:
        if self._portrait is None:
            person = self.person(pin)
            return None if person is None else person.portrait
        accept = ", ".join(_IMAGES[:3]) if self._portrait.pointer is None else "application/json"
        answer = self._ask(self._portrait, pin, accept)
        if answer is None:
            return None
        if self._portrait.pointer is not None:
            return map_image(_owned(_json(answer), pin, self._mapping), self._portrait.pointer)
        if _media_type(answer) not in _IMAGES or not answer.body:
            raise RegisterError("register-answer", "the answer is no image")
        return answer.body

    def fingerprints(self, pin: str) -> tuple[FingerprintTemplate, ...]:
        if self._fingerprints is None:
            person = self.person(pin)
            return () if person is None else person.fingerprints or ()
        answer = self._ask(self._fingerprints, pin)
        if answer is None or self._mapping.fingerprints is None:
            return ()
        return map_fingerprints(_owned(_json(answer), pin, self._mapping), self._mapping.fingerprints)

    def purge(self, before: int, most: int) -> list[str]:
        return self._client.evidence.purge(before, most)

    def close(self) -> None:
        """Nothing is held between calls."""

    def _ask(self, operation: Operation, pin: str, accept: str = "application/json") -> Answer | None:
        try:
            # Digits only from here on: nothing of it can change path, query or body.
            text = parse_pin(pin).text
        except PinError:
            return None
        path = operation.path.replace("{pin}", quote(text, safe=""))
        if operation.body is None:
            return self._client.call("GET", path, None, accept)
        filled = {name: text if value == "{pin}" else value for name, value in operation.body.items()}
        return self._client.call("POST", path, json.dumps(filled, separators=(",", ":")).encode(), accept)


def _owned(value: object, pin: str, mapping: AnswerMapping) -> object:
    """The root of an answer that may name the person, who then has to be the right one."""
    root = point(value, mapping.root)
    named = point(root, mapping.fields["pin"])
    if named is not None and named != pin:
        raise RegisterError("register-wrong-person", "the register answered with another person's data")
    return root


def _json(answer: Answer) -> object:
    if _media_type(answer) != "application/json":
        raise RegisterError("register-answer", "the answer is not application/json")
    return decode_json(answer.body)


def _media_type(answer: Answer) -> str:
    return (answer.header("Content-Type") or "").partition(";")[0].strip().lower()
