"""What passes between the service and a matcher process: framed JSON with one binary part.

Not pickle: a worker parses images of strangers, and unpickling its answer would hand it the service.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict

from biometric_idp.biometrics.errors import (
    BiometricError,
    ImageRefused,
    MatcherUnavailable,
    TemplateMismatch,
    WorkerFailed,
)
from biometric_idp.biometrics.frames import FrameMeasure
from biometric_idp.biometrics.interface import MAX_TEMPLATE_BYTES, MODALITIES, Modality, Score, Template
from biometric_idp.errors import FormatError

#: An image and a little more.
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_ERRORS: Mapping[str, type[BiometricError]] = {
    kind.__name__: kind for kind in (ImageRefused, MatcherUnavailable, TemplateMismatch, WorkerFailed)
}


def send(
    channel: socket.socket, header: Mapping[str, object], body: bytes = b"", deadline: float | None = None
) -> None:
    """Write one message.

    Args:
        deadline: on the monotonic clock.

    Raises:
        TimeoutError, OSError: at the deadline; the other side is gone.
    """
    text = json.dumps(header).encode()
    channel.settimeout(_remaining(deadline))
    channel.sendall(len(text).to_bytes(4, "big") + len(body).to_bytes(4, "big") + text + body)


def receive(channel: socket.socket, deadline: float | None = None) -> tuple[dict[str, object], bytes]:
    """Read one message.

    Raises:
        TimeoutError: at the deadline.
        EOFError: the other side is gone.
        FormatError: this is no message.
    """
    prefix = _read(channel, 8, deadline)
    lengths = int.from_bytes(prefix[:4], "big"), int.from_bytes(prefix[4:], "big")
    if sum(lengths) > MAX_MESSAGE_BYTES:
        raise FormatError("a message is too long")
    text, body = _read(channel, lengths[0], deadline), _read(channel, lengths[1], deadline)
    try:
        header = json.loads(text)
    except ValueError:
        raise FormatError("a message is not JSON") from None
    if type(header) is not dict:
        raise FormatError("a message is no object")
    return header, body


def _read(channel: socket.socket, length: int, deadline: float | None) -> bytes:
    data = bytearray()
    while len(data) < length:
        channel.settimeout(_remaining(deadline))
        part = channel.recv(min(length - len(data), 1 << 20))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def _remaining(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def template_header(template: Template) -> dict[str, object]:
    return {
        "modality": template.modality,
        "algorithm": template.algorithm,
        "version": template.version,
        "data": template.data.hex(),
    }


def read_template(value: object) -> Template:
    """Raises FormatError."""
    if type(value) is not dict or value.keys() != {"modality", "algorithm", "version", "data"}:
        raise FormatError("not a template")
    data = value["data"]
    modality, algorithm, version = value["modality"], value["algorithm"], value["version"]
    if type(data) is not str or len(data) > 2 * MAX_TEMPLATE_BYTES:
        raise FormatError("a template's data are too long")
    if type(algorithm) is not str or type(version) is not int:
        raise FormatError("a template without algorithm")
    return Template(read_modality(modality), algorithm, version, bytes.fromhex(data))


def read_modality(value: object) -> Modality:
    for modality in MODALITIES:
        if value == modality:
            return modality
    raise FormatError("an unknown modality")


def score_header(score: Score) -> dict[str, object]:
    return asdict(score)


def read_score(value: object) -> Score:
    """Raises FormatError."""
    if type(value) is not dict or value.keys() != {"value", "threshold", "higher_is_closer"}:
        raise FormatError("not a score")
    return Score(float(value["value"]), float(value["threshold"]), bool(value["higher_is_closer"]))


def measure_header(measure: FrameMeasure) -> dict[str, object]:
    return asdict(measure) | {"embedding": measure.embedding.hex(), "tiles": [list(tile) for tile in measure.tiles]}


def read_measure(value: object) -> FrameMeasure:
    """Raises FormatError."""
    if type(value) is not dict:
        raise FormatError("not a measurement")
    try:
        members = dict(value)
        embedding = bytes.fromhex(members.pop("embedding"))
        tiles = tuple((int(number), int(bits)) for number, bits in members.pop("tiles"))
        faces = int(members.pop("faces"))
        figures = {name: float(figure) for name, figure in members.items()}
        return FrameMeasure(faces, tiles=tiles, embedding=embedding, **figures)
    except (KeyError, TypeError, ValueError):
        raise FormatError("not a measurement") from None


def error_header(error: BiometricError) -> dict[str, object]:
    return {"error": type(error).__name__, "code": error.code, "detail": error.detail}


def raise_error(header: Mapping[str, object]) -> None:
    """Raise what the worker raised, if anything."""
    name = header.get("error")
    if name is None:
        return
    kind = _ERRORS.get(str(name))
    if kind is None:
        raise FormatError(str(header.get("detail")))
    raise kind(str(header.get("code")), str(header.get("detail")))
