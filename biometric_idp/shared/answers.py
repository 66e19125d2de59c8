"""Schemas of answers for the OpenAPI documents; fuzzing holds every answer against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
Responses = dict[int | str, dict[str, Any]]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SECONDS: Schema = {**COUNT, "description": "Seconds since 1970."}
DAYS: Schema = {**COUNT, "description": "Days since 1970-01-01."}
TOKEN: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$", "description": "A bearer token."}
BASE64URL: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]*$", "description": "Base64url without padding."}
HEX32: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
OPTIONS: Schema = {"type": "object", "required": ["challenge"], "description": "Options of WebAuthn, as JSON."}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT, "required": ["ky", "ru", "en"]}
CBOR = "application/cbor"
BYTES = "application/octet-stream"
NOTE = "text/plain"


def one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def maybe(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [dict(schema), {"type": "null"}]}


def many(schema: Schema) -> Schema:
    return {"type": "array", "items": dict(schema)}


def members(optional: Sequence[str] = (), /, **schemas: Schema) -> Schema:
    """An object with exactly these members."""
    return {
        "type": "object",
        "properties": {name: dict(schema) for name, schema in schemas.items()},
        "required": [name for name in schemas if name not in optional],
        "additionalProperties": False,
    }


def answer(optional: Sequence[str] = (), /, *, status: int = 200, **schemas: Schema) -> Responses:
    """For ``responses=`` of a route: a JSON object with these members."""
    return {status: {"content": {"application/json": {"schema": dict(members(optional, **schemas))}}}}


def raw(kind: str, description: str) -> Responses:
    """For ``responses=`` of a route: bytes, or a text, of a media type."""
    schema = {"type": "string"} if kind.startswith("text/") else {"type": "string", "format": "binary"}
    return {200: {"description": description, "content": {kind: {"schema": schema}}}}


def body(*kinds: str) -> dict[str, Any]:
    """For ``openapi_extra=`` of a route: a body of bytes, of one of these media types."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    return {"requestBody": {"required": True, "content": content}}
