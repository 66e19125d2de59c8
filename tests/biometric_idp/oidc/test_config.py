"""Configuration of clients, and the strict parsing of parameters."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from biometric_idp.idp.oidc.config import OidcConfig
from biometric_idp.idp.oidc.parameters import parse_parameters

NAMES = {"ky": "К", "ru": "К", "en": "C"}
GOOD: dict[str, Any] = {
    "id": "cabinet",
    "names": NAMES,
    "redirect_uris": ["https://cabinet.example/callback"],
    "authentication": "none",
}


def _config(**changes: Any) -> OidcConfig:
    return OidcConfig.model_validate({"keys": "keys", "clients": [{**GOOD, **changes}]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["http://cabinet.example/callback"]}, "https://"),
        ({"redirect_uris": ["https://cabinet.example/callback?x=1"]}, "redirect address"),
        ({"redirect_uris": ["https://cabinet.example/callback#x"]}, "redirect address"),
        ({"redirect_uris": ["https://a@cabinet.example/callback"]}, "redirect address"),
        ({"redirect_uris": ["https://Cabinet.example/callback"]}, "redirect address"),
        ({"redirect_uris": ["https://cabinet.example"]}, "redirect address"),
        ({"redirect_uris": ["https://*.example/callback"]}, "redirect address"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect address"),
        ({"redirect_uris": ["http://localhost.evil.example/x"]}, "https://"),
        ({"redirect_uris": ["http://127.0.0.1.evil.example/x"]}, "https://"),
        ({"redirect_uris": ["https://a.example/x", "https://b.example/x"]}, "sector"),
        ({"authentication": "client_secret_basic"}, "secret_sha256"),
        ({"authentication": "client_secret_post"}, "authentication"),
        ({"authentication": "private_key_jwt"}, "jwks"),
        ({"secret_sha256": "0" * 64}, "secret_sha256"),
        ({"jwks": "x.json"}, "jwks"),
        ({"scopes": ["profile"]}, "openid"),
        ({"scopes": ["openid", "roll-position"]}, "scopes"),
        ({"minimum_acr": "urn:x"}, "minimum_acr"),
        ({"origins": ["https://cabinet.example/"]}, "origin"),
        ({"origins": ["*"]}, "origin"),
        ({"origins": ["null"]}, "origin"),
        ({"names": {"en": "C"}}, "ky, ru and en"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_client_that_is_not_safe_is_refused(changes: dict[str, Any], message: str) -> None:
    _config()
    with pytest.raises(ValidationError, match=message):
        _config(**changes)


def test_two_clients_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="same id"):
        OidcConfig.model_validate({"keys": "keys", "clients": [GOOD, GOOD]})


def test_addresses_without_TLS_are_for_MODEL_deployments() -> None:
    config = _config(redirect_uris=["http://localhost:8000/callback"])
    with pytest.raises(ValueError, match="https://"):
        config.check_real()
    _config().check_real()


@pytest.mark.parametrize(
    ("query", "values", "repeated", "damaged", "is_broken"),
    [
        (b"a=1&b=2", {"a": "1", "b": "2"}, (), (), False),
        (b"a=x+y%20z%2B", {"a": "x y z+"}, (), (), False),
        (b"a=&b", {}, (), (), False),
        (b"a=1&a=1", {}, ("a",), (), False),
        (b"a=&a=1", {}, ("a",), (), False),
        (b"a=1&a=", {}, ("a",), (), False),
        (b"a=%ff&a=1", {}, ("a",), ("a",), False),
        (b"a=%0d%0a", {}, (), ("a",), False),
        (b"a=%e2%80%ae", {}, (), ("a",), False),
        (b"a=%", {}, (), ("a",), False),
        (b"a=%4", {}, (), ("a",), False),
        (b"%61=1", {}, (), (), True),
        (b"A=1&a-b=2&a=3", {"a": "3"}, (), (), False),
        (b"&".join(b"a%d=1" % n for n in range(41)), {}, (), (), True),
    ],
)
def test_parameters(
    query: bytes, values: dict[str, str], repeated: tuple[str, ...], damaged: tuple[str, ...], is_broken: bool
) -> None:
    parsed = parse_parameters(query)
    assert (dict(parsed.values), parsed.repeated, parsed.damaged) == (values, frozenset(repeated), frozenset(damaged))
    assert parsed.is_broken == is_broken
    assert parsed.has_flaws() == bool(repeated or damaged or is_broken)
