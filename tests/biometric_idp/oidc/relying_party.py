"""A client of the provider, on another library than the provider: httpx, and signatures by PyCA's cryptography."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def challenge_of(verifier: str) -> str:
    return encode(sha256(verifier.encode()).digest())


def sign_jwt(header: dict[str, Any], claims: dict[str, Any], key: ec.EllipticCurvePrivateKey) -> str:
    """ES256, whatever the header says."""
    signed = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    coordinates = {"x": encode(numbers.x.to_bytes(32, "big")), "y": encode(numbers.y.to_bytes(32, "big"))}
    return {"kty": "EC", "crv": "P-256", **coordinates}


def verify_id_token(token: str, jwks: dict[str, Any]) -> dict[str, Any]:
    """Claims of an ID token.

    Raises:
        InvalidSignature, KeyError: not signed by a published key.
    """
    header, claims, signature = token.split(".")
    members = json.loads(decode(header))
    assert members["alg"] == "ES256"
    key = next((key for key in jwks["keys"] if key["kid"] == members["kid"]), None)
    if key is None:
        raise InvalidSignature
    x, y = (int.from_bytes(decode(key[name]), "big") for name in ("x", "y"))
    raw = decode(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    public.verify(der, f"{header}.{claims}".encode(), ec.ECDSA(SHA256()))
    parsed = json.loads(decode(claims))
    assert isinstance(parsed, dict)
    return parsed


@dataclass
class RelyingParty:
    """One client; ``http`` speaks to the provider."""

    http: httpx.Client
    id: str
    redirect_uri: str
    secret: str | None = None
    key: ec.EllipticCurvePrivateKey | None = None
    scope: str = "openid profile pin"

    def start(self, **changes: str | None) -> tuple[dict[str, str], str]:
        """Parameters of a request, and the verifier that stays here; ``None`` leaves a parameter out."""
        verifier = secrets.token_urlsafe(48)
        parameters: dict[str, str | None] = {
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": self.scope,
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}, verifier

    def open(self, parameters: dict[str, str] | str) -> httpx.Response:
        query = parameters if isinstance(parameters, str) else urlencode(parameters)
        return self.http.get(f"/oidc/authorize?{query}")

    def post(self, parameters: dict[str, str] | str, session: str | None) -> httpx.Response:
        """What the sign-in page does."""
        body = parameters if isinstance(parameters, str) else urlencode(parameters)
        headers = FORM if session is None else {**FORM, "authorization": f"Bearer {session}"}
        return self.http.post("/oidc/authorize", content=body, headers=headers)

    def code(self, parameters: dict[str, str], session: str) -> str:
        answer = self.post(parameters, session)
        assert answer.status_code == 200, answer.text
        query = redirect_parameters(answer.json()["redirect"], self.redirect_uri)
        assert query["state"] == parameters["state"]
        return query["code"]

    def exchange(self, code: str | None, verifier: str | None, **changes: str | None) -> httpx.Response:
        values: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        auth: tuple[str, str] | None = None
        if self.secret is not None:
            auth = (self.id, self.secret)
        elif self.key is not None:
            values |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}
        else:
            values["client_id"] = self.id
        values |= changes
        form = {name: value for name, value in values.items() if value is not None}
        return self.http.post("/oidc/token", data=form, auth=auth if auth is not None else httpx.USE_CLIENT_DEFAULT)

    def assertion(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        assert self.key is not None
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.id,
            "sub": self.id,
            "aud": str(self.http.base_url).rstrip("/"),
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 60,
            **changes,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return sign_jwt(header or {"alg": "ES256", "typ": "JWT"}, kept, self.key)

    def tokens(self, session: str, **changes: str | None) -> dict[str, Any]:
        """The whole flow."""
        parameters, verifier = self.start(**changes)
        assert self.open(parameters).status_code == 200
        answer = self.exchange(self.code(parameters, session), verifier)
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        assert isinstance(tokens, dict)
        return tokens

    def claims(self, tokens: dict[str, Any]) -> dict[str, Any]:
        return verify_id_token(tokens["id_token"], self.http.get("/oidc/jwks").json())

    def userinfo(self, access_token: str) -> httpx.Response:
        return self.http.get("/oidc/userinfo", headers={"authorization": f"Bearer {access_token}"})


def redirect_parameters(location: str, redirect_uri: str) -> dict[str, str]:
    """Parameters that came back; exactly to the registered address, and each once."""
    assert location.split("?")[0] == redirect_uri
    parts = urlsplit(location)
    assert parts.fragment == ""
    query = parse_qs(parts.query, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}
