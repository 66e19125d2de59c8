"""Configuration of an X-Road register, ``evoting-xroad-register/v1``: a JSON file; paths are relative to it.

{"format": "evoting-xroad-register/v1",
 "server": "https://security-server.example:8443", "server_name": "security-server.example",
 "ca": "ca.pem", "certificate": "client.pem", "key": "client.key",
 "client": "KG/GOV/10000001/idp", "service": "KG/GOV/10000002/register/persons",
 "user_id": "KG-IDP", "issue": "model-2030", "evidence": "evidence",
 "attempt_seconds": 10, "attempts": 3, "total_seconds": 25, "max_bytes": 8388608,
 "request_hash": "verify", "signature": {"header": "X-Signature", "certificate": "register.pem"},
 "person": {"path": "/v1/persons/{pin}"},
 "portrait": {"path": "/v1/persons/{pin}/portrait", "pointer": null},
 "mapping": {"root": "/person", "fields": {"pin": "/pin", ...}, "documents": ["/documents", "/kind", "/no", "/till"]}}
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from biometric_idp.errors import FormatError
from biometric_idp.files import read_json
from biometric_idp.population.text import escape
from biometric_idp.population.xroad.client import Limits, XRoadClient
from biometric_idp.population.xroad.evidence import EvidenceStore
from biometric_idp.population.xroad.identifiers import parse_client, parse_service
from biometric_idp.population.xroad.mapping import AnswerMapping
from biometric_idp.population.xroad.register import Operation, XRoadRegister
from biometric_idp.population.xroad.signature import AnswerVerifier
from biometric_idp.population.xroad.transport import Exchanger, tls_context

FORMAT = "evoting-xroad-register/v1"
_REQUIRED = {"format", "server", "ca", "certificate", "key", "client", "service", "evidence", "person", "mapping"}
_OPTIONAL = {
    "server_name", "user_id", "issue", "attempt_seconds", "attempts", "total_seconds", "max_bytes", "request_hash",
    "signature", "portrait", "fingerprints",
}  # fmt: skip
_HEADER_VALUE = re.compile(r"[!-~]{1,100}", re.ASCII)
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~-]|\{pin\})+)*(?:\?[A-Za-z0-9._~=&{}-]+)?", re.ASCII)


def open_xroad_register(path: Path) -> XRoadRegister:
    """Read the configuration and make the register; nothing is sent.

    Raises:
        FormatError: names the member that does not fit.
        OSError: a file cannot be read.
    """
    value = read_json(path, FORMAT)
    odd = sorted((_REQUIRED - value.keys()) | (value.keys() - _REQUIRED - _OPTIONAL))
    if odd:
        raise FormatError(f"{path}: missing or unknown members: {escape(', '.join(odd), 200)}")
    try:
        return _register(value, path.parent)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def _register(value: dict[str, Any], base: Path) -> XRoadRegister:
    host, port = _server(value["server"])
    limits = Limits(
        _seconds(value, "attempt_seconds", 10.0),
        _whole(value, "attempts", 3, 10),
        _seconds(value, "total_seconds", 25.0),
    )
    exchanger = Exchanger(
        host,
        port,
        _text(value, "server_name", host),
        tls_context(*(base / _text(value, name) for name in ("ca", "certificate", "key"))),
        limits.attempt_seconds,
        _whole(value, "max_bytes", 8_388_608, 67_108_864),
    )
    if value.get("request_hash", "verify") not in ("verify", "record"):
        raise FormatError("request_hash is neither verify nor record")
    verifier, header = _signature(value.get("signature"), base)
    client = XRoadClient(
        exchanger,
        host if port == 443 else f"{host}:{port}",
        parse_client(value["client"], "client"),
        parse_service(value["service"], "service"),
        EvidenceStore(base / _text(value, "evidence")),
        limits=limits,
        user_id=_header_value(value, "user_id"),
        issue=_header_value(value, "issue"),
        verifier=verifier,
        signature_header=header,
        check_hash=value.get("request_hash", "verify") == "verify",
    )
    person = _operation(value["person"], "person")
    portrait = _operation(value["portrait"], "portrait") if "portrait" in value else None
    fingerprints = _operation(value["fingerprints"], "fingerprints") if "fingerprints" in value else None
    return XRoadRegister(client, _mapping(value["mapping"]), person, portrait, fingerprints)


def _server(value: object) -> tuple[str, int]:
    parts = urlsplit(value) if type(value) is str and value.isascii() else None
    try:
        if parts is None or parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("another form")
        if parts.query or parts.fragment or parts.username is not None:
            raise ValueError("more than host and port")
        return parts.hostname, parts.port or 443
    except ValueError:
        raise FormatError("server is no https://HOST:PORT") from None


def _signature(value: Any, base: Path) -> tuple[AnswerVerifier | None, str]:
    if value is None:
        return None, "X-Signature"
    if type(value) is not dict or value.keys() != {"header", "certificate"}:
        raise FormatError("signature is no object with header and certificate")
    if type(value["header"]) is not str or not _HEADER_NAME.fullmatch(value["header"]):
        raise FormatError("signature.header is no name of a header")
    return AnswerVerifier((base / _text(value, "certificate")).read_bytes()), value["header"]


def _operation(value: Any, name: str) -> Operation:
    if type(value) is not dict or not {"path"} <= value.keys() <= {"path", "body", "pointer"}:
        raise FormatError(f"{name} is no object with path, body and pointer")
    path, body, pointer = value["path"], value.get("body"), value.get("pointer")
    if type(path) is not str or not _PATH.fullmatch(path) or "/.." in path or "/./" in path:
        raise FormatError(f"{name}.path is no path below the service")
    if body is not None and (type(body) is not dict or "{pin}" not in body.values()):
        raise FormatError(f"{name}.body is no object with a member {{pin}}")
    if body is None and "{pin}" not in path:
        raise FormatError(f"{name} has no place for {{pin}}")
    if pointer is not None and (type(pointer) is not str or not pointer.startswith("/")):
        raise FormatError(f"{name}.pointer is no JSON Pointer")
    return Operation(path, body, pointer)


def _mapping(value: Any) -> AnswerMapping:
    optional = {"date_form", "sexes", "deceased", "kinds", "documents", "portrait", "fingerprints"}
    if type(value) is not dict or not {"root", "fields"} <= value.keys() <= {"root", "fields"} | optional:
        raise FormatError(f"mapping is no object with root, fields and {', '.join(sorted(optional))}")
    for name in ("fields", "sexes", "kinds"):
        if name in value and not _is_map(value[name], str):
            raise FormatError(f"mapping.{name} is no object of texts")
    if "deceased" in value and not _is_map(value["deceased"], bool):
        raise FormatError("mapping.deceased is no object of true and false")
    for name in ("documents", "fingerprints"):
        if name in value and not (
            type(value[name]) is list and len(value[name]) == 4 and all(type(item) is str for item in value[name])
        ):
            raise FormatError(f"mapping.{name} is no list of four JSON Pointers")
    for name in ("root", "portrait", "date_form"):
        if name in value and type(value[name]) is not str:
            raise FormatError(f"mapping.{name} is no text")
    lists = {name: tuple(value[name]) for name in ("documents", "fingerprints") if name in value}
    return AnswerMapping(**{**value, **lists})


def _is_map(value: object, kind: type) -> bool:
    return type(value) is dict and all(type(item) is kind for item in value.values())


def _text(value: dict[str, Any], name: str, default: str | None = None) -> str:
    text = value.get(name, default)
    if type(text) is not str or not 0 < len(text) <= 1024 or "\0" in text:
        raise FormatError(f"{name} is no text")
    return text


def _header_value(value: dict[str, Any], name: str) -> str | None:
    text = value.get(name)
    if text is not None and (type(text) is not str or not _HEADER_VALUE.fullmatch(text)):
        raise FormatError(f"{name} is no text of up to 100 ASCII characters without blanks")
    return text


def _seconds(value: dict[str, Any], name: str, default: float) -> float:
    seconds = value.get(name, default)
    if type(seconds) not in (int, float) or not 0.1 <= seconds <= 600:
        raise FormatError(f"{name} is no number of seconds from 0.1 to 600")
    return float(seconds)


def _whole(value: dict[str, Any], name: str, default: int, most: int) -> int:
    number = value.get(name, default)
    if type(number) is not int or not 1 <= number <= most:
        raise FormatError(f"{name} is no number from 1 to {most}")
    return number
