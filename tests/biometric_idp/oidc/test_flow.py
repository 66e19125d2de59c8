"""The whole flow, by clients on other libraries, against the running provider."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Any

import httpx
import pytest
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import select, update

from biometric_idp.idp.oidc.levels import DOCUMENT, PASSKEY, PASSKEY_FACE
from biometric_idp.idp.oidc.repository import purge, revoke_subject
from biometric_idp.idp.oidc.tables import ASSERTION, CODE, TOKEN
from services.database import open_engine
from tests.biometric_idp.oidc.provider_app import PERSON
from tests.biometric_idp.oidc.relying_party import encode, redirect_parameters
from tests.biometric_idp.oidc.world import PIN, World, running_world


def test_the_cabinet_learns_who_signed_in_and_how(world: World) -> None:
    parameters, verifier = world.cabinet.start()
    answer = world.cabinet.post(parameters, world.sign_in(age=30))
    back = redirect_parameters(answer.json()["redirect"], world.cabinet.redirect_uri)
    assert back.keys() == {"code", "state", "iss"}
    assert (back["state"], back["iss"]) == (parameters["state"], world.process.url)
    tokens = world.cabinet.exchange(back["code"], verifier).json()
    assert tokens.keys() == {"token_type", "access_token", "expires_in", "scope", "id_token"}
    claims, now = world.cabinet.claims(tokens), time.time()
    at_hash = encode(sha256(tokens["access_token"].encode()).digest()[:16])
    expected = {"iss": world.process.url, "aud": "cabinet", "nonce": parameters["nonce"], "acr": PASSKEY}
    assert {name: claims[name] for name in expected} == expected
    assert (claims["amr"], claims["at_hash"]) == (["pop", "user", "hwk"], at_hash)
    assert claims["auth_time"] == pytest.approx(now - 30, abs=5)
    assert claims["iat"] == pytest.approx(now, abs=5)
    assert claims["exp"] - claims["iat"] == 600
    # Nothing else about the person, and neither account nor PIN inside of the subject.
    assert claims.keys() == {*expected, "sub", "amr", "at_hash", "auth_time", "iat", "exp"}
    info = world.cabinet.userinfo(tokens["access_token"]).json()
    assert info == {"sub": claims["sub"], "name": "Айгүл Үсөнова", "pin": PIN}


def test_scopes_bound_what_userinfo_tells(world: World) -> None:
    session = world.sign_in(acr=PASSKEY_FACE)
    only_openid = world.cabinet.tokens(session, scope="openid")
    assert world.cabinet.userinfo(only_openid["access_token"]).json().keys() == {"sub"}
    profile = world.office.tokens(session)
    assert world.office.userinfo(profile["access_token"]).json().keys() == {"sub", "name"}
    refused = world.office.post(world.office.start(scope="openid pin")[0], session).json()["redirect"]
    assert redirect_parameters(refused, world.office.redirect_uri)["error"] == "invalid_scope"


def test_clients_cannot_link_a_person_by_subject_unless_they_are_public(world: World) -> None:
    session, other = world.sign_in(acr=PASSKEY_FACE), world.sign_in("account-2")
    world.add_person("account-2", "Бакыт Асанов", "10101199000124")
    subjects = {party.id: party.claims(party.tokens(session))["sub"] for party in (world.cabinet, world.office)}
    assert len(set(subjects.values())) == 2
    assert world.cabinet.claims(world.cabinet.tokens(session))["sub"] == subjects["cabinet"]
    assert world.cabinet.claims(world.cabinet.tokens(other))["sub"] != subjects["cabinet"]
    public = [party.claims(party.tokens(session))["sub"] for party in (world.help_desk, world.archive)]
    assert public[0] == public[1] not in subjects.values()


@pytest.mark.parametrize("party", ["cabinet", "office", "help_desk"])
def test_an_off_the_shelf_client_signs_in(world: World, party: str) -> None:
    """Authlib's client with its own PKCE, state and authentication; the ID token by joserfc."""
    mine = getattr(world, party)
    metadata = world.http.get("/.well-known/openid-configuration").json()
    key = None if mine.key is None else ECKey.import_key(mine.key)
    method = {"cabinet": "none", "office": "private_key_jwt", "help_desk": "client_secret_basic"}[party]
    with OAuth2Session(
        mine.id, key if key is not None else mine.secret, method, scope=mine.scope,
        redirect_uri=mine.redirect_uri, code_challenge_method="S256",
    ) as client:  # fmt: skip
        # RFC 7523 as revised: the audience is the issuer, not the token endpoint.
        client.register_client_auth_method(PrivateKeyJWT(metadata["issuer"], alg="ES256"))
        verifier, nonce = encode(b"v" * 40), encode(b"n" * 16)
        address, state = client.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
        assert httpx.get(address).status_code == 200
        answer = mine.post(address.split("?", 1)[1], world.sign_in(acr=PASSKEY_FACE))
        token = client.fetch_token(
            metadata["token_endpoint"],
            authorization_response=answer.json()["redirect"],
            state=state,
            code_verifier=verifier,
        )
        keys = KeySet.import_key_set(httpx.get(metadata["jwks_uri"]).json())
        claims = jwt.decode(token["id_token"], keys, algorithms=["ES256"]).claims
        registry = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": metadata["issuer"]},
            aud={"essential": True, "value": mine.id},
            nonce={"essential": True, "value": nonce},
            exp={"essential": True},
        )
        registry.validate(claims)
        assert client.get(metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"]


def test_the_page_is_told_what_it_shows(world: World) -> None:
    parameters, _ = world.office.start(ui_locales="fr-CA ru-KG en", max_age="300")
    answer = world.office.open(parameters)
    assert answer.json() == {
        "client": "office",
        "names": {"ky": "Шайлоо комиссиясы", "ru": "Избирательная комиссия", "en": "Election office"},
        "scopes": ["openid", "profile"],
        "acr": PASSKEY_FACE,
        "fresh": True,
        "languages": ["ru", "en", "ky"],
    }


@pytest.mark.parametrize(
    ("acr", "asked", "missing"),
    [
        (PASSKEY, PASSKEY_FACE, "face"),
        (DOCUMENT, PASSKEY_FACE, "passkey"),
        (DOCUMENT, None, "passkey"),
        ("urn:something:else", PASSKEY, "passkey"),
        (PASSKEY, f"{PASSKEY_FACE} {PASSKEY}", None),
        (PASSKEY_FACE, PASSKEY, None),
        (PASSKEY, f"urn:unknown {PASSKEY}", None),
        # What the registration demands is not lowered by the request.
        (DOCUMENT, DOCUMENT, "passkey"),
    ],
)
def test_the_page_is_told_which_step_is_missing(world: World, acr: str, asked: str | None, missing: str | None) -> None:
    parameters, _ = world.cabinet.start(acr_values=asked)
    answer = world.cabinet.post(parameters, world.sign_in(acr=acr))
    if missing is None:
        assert "code" in redirect_parameters(answer.json()["redirect"], world.cabinet.redirect_uri)
        return
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (403, "oidc-step-missing")
    assert (problem["detail"]["missing"], problem["detail"]["error"]) == (missing, "interaction_required")


def test_a_client_that_demands_a_face_gets_no_code_without(world: World) -> None:
    parameters, _ = world.office.start()
    answer = world.office.post(parameters, world.sign_in())
    assert answer.json()["detail"] == {"error": "interaction_required", "missing": "face", "acr": PASSKEY_FACE}


def test_levels_that_nobody_knows_are_told_to_the_client(world: World) -> None:
    parameters, _ = world.cabinet.start(acr_values="urn:mace:incommon:iap:silver")
    answer = world.cabinet.open(parameters)
    assert answer.status_code == 302
    back = redirect_parameters(answer.headers["location"], world.cabinet.redirect_uri)
    assert back["error"] == "unmet_authentication_requirements"
    assert (back["state"], back["iss"]) == (parameters["state"], world.process.url)


@pytest.mark.parametrize(
    ("changes", "age", "is_enough"),
    [
        ({"max_age": "100"}, 60, True),
        ({"max_age": "100"}, 200, False),
        ({"max_age": "0"}, 60, True),
        ({"max_age": "0"}, 200, False),
        ({"prompt": "login"}, 60, True),
        ({"prompt": "login"}, 200, False),
        ({"prompt": "select_account", "max_age": "9999"}, 200, False),
        ({}, 800, True),
    ],
)
def test_an_old_sign_in_is_not_enough_where_a_fresh_one_is_asked(
    world: World, changes: dict[str, str | None], age: int, is_enough: bool
) -> None:
    parameters, _ = world.cabinet.start(**changes)
    answer = world.cabinet.post(parameters, world.sign_in(age=age))
    if is_enough:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["detail"]["missing"]) == (403, "sign-in")


def test_without_cookies_nobody_is_signed_in_already(world: World) -> None:
    answer = world.cabinet.open(world.cabinet.start(prompt="none")[0])
    assert answer.status_code == 302
    assert redirect_parameters(answer.headers["location"], world.cabinet.redirect_uri)["error"] == "login_required"


def test_who_does_not_want_to_sign_in_goes_back(world: World) -> None:
    parameters, _ = world.cabinet.start()
    answer = world.http.post("/oidc/authorize/cancel", data=parameters)
    back = redirect_parameters(answer.json()["redirect"], world.cabinet.redirect_uri)
    assert (back["error"], back["state"]) == ("access_denied", parameters["state"])


def test_blocking_an_account_ends_its_tokens_and_codes(world: World) -> None:
    world.add_person("account-3")
    session = world.sign_in("account-3")
    tokens = world.cabinet.tokens(session)
    parameters, verifier = world.cabinet.start()
    code = world.cabinet.code(parameters, session)
    with world.engine.begin() as db:
        assert revoke_subject(db, "account-3", int(time.time())) == 1
    assert world.cabinet.userinfo(tokens["access_token"]).status_code == 401
    assert world.cabinet.exchange(code, verifier).json()["error"] == "invalid_grant"


def test_an_account_that_is_gone_has_no_claims(world: World) -> None:
    world.add_person("account-4")
    tokens = world.cabinet.tokens(world.sign_in("account-4"))
    with world.engine.begin() as db:
        db.execute(PERSON.delete().where(PERSON.c.subject == "account-4"))
    answer = world.cabinet.userinfo(tokens["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_the_database_holds_no_secret_that_works(world: World) -> None:
    parameters, verifier = world.cabinet.start()
    code = world.cabinet.code(parameters, world.sign_in())
    tokens = world.cabinet.exchange(code, verifier).json()
    with world.engine.connect() as db:
        rows: list[Any] = [row for table in (CODE, TOKEN, ASSERTION) for row in db.execute(select(table))]
    text = repr(rows)
    for secret in (code, tokens["access_token"], verifier, tokens["id_token"]):
        assert secret not in text
        assert repr(secret.encode()) not in text


def test_purge_deletes_what_nobody_can_use_and_nothing_else(tmp_path: Any) -> None:
    with running_world(tmp_path) as world:
        session = world.sign_in(acr=PASSKEY_FACE)
        office, unused = world.office.tokens(session), world.cabinet.code(world.cabinet.start()[0], session)
        assert unused
        engine, now = open_engine(f"sqlite:///{tmp_path / 'provider.db'}"), int(time.time())
        with engine.begin() as db:
            assert purge(db, now) == {"oidc-codes": 0, "oidc-tokens": 0, "oidc-assertions": 0}
        assert world.office.userinfo(office["access_token"]).status_code == 200
        with engine.begin() as db:
            # The assertion's time and leeway are over; the code that made a valid token is still remembered.
            assert purge(db, now + 200) == {"oidc-codes": 0, "oidc-tokens": 0, "oidc-assertions": 1}
            assert purge(db, now + 3000) == {"oidc-codes": 2, "oidc-tokens": 1, "oidc-assertions": 0}
            assert all(db.execute(select(table)).first() is None for table in (CODE, TOKEN, ASSERTION))


def test_tokens_and_codes_end_by_themselves(world: World) -> None:
    session = world.sign_in()
    tokens = world.cabinet.tokens(session)
    parameters, verifier = world.cabinet.start()
    code = world.cabinet.code(parameters, session)
    now = int(time.time())
    with world.engine.begin() as db:
        db.execute(update(TOKEN).values(expires=now - 1))
        db.execute(update(CODE).where(CODE.c.used.is_(None)).values(expires=now - 1))
    assert world.cabinet.userinfo(tokens["access_token"]).status_code == 401
    assert world.cabinet.exchange(code, verifier).json()["error"] == "invalid_grant"
