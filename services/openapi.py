"""The OpenAPI document of a service, completed with what the framework cannot know: its errors.

Every operation lists the statuses of the service's catalogue, each with the codes that may stand in it, so that a
stranger's client can be generated with all of them. Operations that say otherwise about a status are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.problems import LANGUAGES, Catalogue

PROBLEM = "application/problem+json"
_METHODS = ("get", "post", "put", "delete", "patch")


def describe(app: FastAPI, catalogue: Catalogue) -> None:
    """Let the application answer ``/openapi.json`` with its errors described."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, routes=app.routes)
            app.openapi_schema = with_problems(made, catalogue)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def with_problems(document: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """The document with the catalogue's answers in every operation."""
    codes: dict[int, list[str]] = {}
    for code, entry in catalogue.entries.items():
        codes.setdefault(entry.status, []).append(code)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Texts"] = _object({language: {"type": "string", "minLength": 1} for language in LANGUAGES})
    schemas["Problem"] = _problem(sorted(catalogue.entries))
    # The framework's own form of a validation error is never sent.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    responses = components.setdefault("responses", {})
    for status, names in sorted(codes.items()):
        responses[f"Problem{status}"] = {
            "description": "; ".join(sorted(names)),
            "content": {PROBLEM: {"schema": _with_codes(status, sorted(names))}},
        }
    for operations in document.get("paths", {}).values():
        for method in _METHODS:
            if method in operations:
                _add(operations[method].setdefault("responses", {}), codes)
    return document


def _add(responses: dict[str, Any], codes: Mapping[int, list[str]]) -> None:
    """Every status of the catalogue; what the operation says itself about one comes beside it, not instead."""
    for status in codes:
        reference = f"#/components/responses/Problem{status}"
        said = responses.get(str(status))
        if said is None or _is_frameworks(said):
            responses[str(status)] = {"$ref": reference}
        else:
            content = said.setdefault("content", {})
            content[PROBLEM] = {"schema": {"$ref": f"{reference}/content/application~1problem+json/schema"}}


def _is_frameworks(response: Mapping[str, Any]) -> bool:
    return "HTTPValidationError" in str(response.get("content", ""))


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _problem(codes: list[str]) -> dict[str, Any]:
    texts = {"$ref": "#/components/schemas/Texts"}
    schema = _object(
        {
            "type": {"type": "string", "pattern": "^urn:evoting:problem:[a-z0-9-]+$"},
            "code": {"type": "string", "enum": codes},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "title": {"type": "string", "minLength": 1},
            "message": {**texts, "description": "What happened."},
            "next": {**texts, "description": "What to do now."},
        }
    )
    schema["properties"]["detail"] = {
        "type": "object",
        "description": "Facts for programs.",
        "additionalProperties": {"type": ["string", "integer", "boolean"]},
    }
    schema["additionalProperties"] = False
    return schema


def _with_codes(status: int, codes: list[str]) -> dict[str, Any]:
    narrowed = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
    return {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]}
