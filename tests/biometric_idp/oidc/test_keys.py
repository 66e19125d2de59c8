"""Signing keys: files, rotation, subjects; and the files of clients."""

from __future__ import annotations

import json
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey, RSAKey

from biometric_idp.errors import FormatError, StateError
from biometric_idp.idp.oidc.keys import KeyRing, new_key, read_client_keys, read_keys
from tests.biometric_idp.oidc.relying_party import encode, public_jwk

AGE = 600


def test_files_are_for_the_owner_only(tmp_path: Path) -> None:
    new_key(tmp_path / "keys", 1000, least_age=AGE)
    files = list((tmp_path / "keys").iterdir())
    assert len(files) == 2
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["*.json", "pairwise.secret"])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, name: str) -> None:
    new_key(tmp_path, 1000, least_age=AGE)
    next(tmp_path.glob(name)).chmod(0o640)
    with pytest.raises(FormatError, match="chmod 600"):
        KeyRing(tmp_path)


def test_the_id_is_the_thumbprint_of_RFC_7638(tmp_path: Path) -> None:
    kid = new_key(tmp_path, 1000, least_age=AGE)
    keys = read_keys(tmp_path).jwks()["keys"]
    assert isinstance(keys, list)
    key = keys[0]
    members = {name: key[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
    assert key["kid"] == kid == encode(sha256(canonical).digest())


def test_two_keys_are_published_and_the_previous_can_sign_no_more(tmp_path: Path) -> None:
    kids = [new_key(tmp_path, 1000 * number, least_age=AGE) for number in range(1, 5)]
    keys = read_keys(tmp_path)
    assert keys.kid == kids[3]
    assert [key.thumbprint() for key in keys.published] == [kids[3], kids[2]]
    assert [key.is_private for key in keys.published] == [True, False]
    assert "d" not in json.loads((tmp_path / f"{kids[2]}.json").read_text())["key"]
    assert not (tmp_path / f"{kids[1]}.json").exists()
    assert not any("d" in key for key in keys.jwks()["keys"])  # type: ignore[attr-defined]


def test_a_key_is_not_replaced_while_tokens_of_the_one_before_are_valid(tmp_path: Path) -> None:
    first = new_key(tmp_path, 1000, least_age=AGE)
    with pytest.raises(StateError, match="wait 500 s"):
        new_key(tmp_path, 1100, least_age=AGE)
    assert read_keys(tmp_path).kid == first
    second = new_key(tmp_path, 1100, least_age=AGE, drop_previous=True)
    assert [key.thumbprint() for key in read_keys(tmp_path).published] == [second]


def test_a_clock_that_went_back_does_not_bring_an_old_key_back(tmp_path: Path) -> None:
    new_key(tmp_path, 10_000, least_age=AGE)
    second = new_key(tmp_path, 5000, least_age=AGE, drop_previous=True)
    assert read_keys(tmp_path).kid == second


def test_a_running_service_takes_up_a_new_key_and_survives_a_damaged_one(tmp_path: Path) -> None:
    new_key(tmp_path, 1000, least_age=AGE)
    ring = KeyRing(tmp_path)
    second = new_key(tmp_path, 9000, least_age=AGE)
    assert ring.keys().kid == second
    (tmp_path / "zzz.json").write_text("{}")
    assert ring.keys().kid == second
    (tmp_path / "zzz.json").unlink()
    assert ring.keys().kid == second


@pytest.mark.parametrize(
    "damage",
    [
        lambda key: key.update(format="other"),
        lambda key: key.update(created="1"),
        lambda key: key.update(key="x"),
        lambda key: key["key"].update(crv="P-384"),
        lambda key: key["key"].update(x=key["key"]["y"]),
        lambda key: key["key"].pop("y"),
        lambda key: key.update(key=dict(RSAKey.generate_key(2048).as_dict(private=True))),
        lambda key: key.update(key=dict(ECKey.generate_key("P-256").as_dict(private=True))),
        lambda key: key["key"].pop("d"),
    ],
)
def test_a_damaged_key_is_refused(tmp_path: Path, damage: object) -> None:
    kid = new_key(tmp_path, 1000, least_age=AGE)
    path = tmp_path / f"{kid}.json"
    content = json.loads(path.read_text())
    damage(content)  # type: ignore[operator]
    path.write_text(json.dumps(content))
    with pytest.raises((FormatError, StateError)):
        read_keys(tmp_path)


def test_without_keys_the_operator_is_told_what_to_do(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(StateError, match="evoting-idp oidc-key new"):
            KeyRing(directory)
    new_key(tmp_path, 1000, least_age=AGE)
    (tmp_path / "pairwise.secret").unlink()
    with pytest.raises(StateError, match="other subjects"):
        KeyRing(tmp_path)


def test_subjects_stay_over_rotations_and_differ_by_sector(tmp_path: Path) -> None:
    new_key(tmp_path, 1000, least_age=AGE)
    before = KeyRing(tmp_path).subject("sector:a", "account")
    new_key(tmp_path, 9000, least_age=AGE)
    ring = KeyRing(tmp_path)
    assert ring.subject("sector:a", "account") == before
    others = [("sector:b", "account"), ("sector:a", "other"), ("sector:aa", "ccount"), ("public", "account")]
    assert len({before, *(ring.subject(*pair) for pair in others)}) == 5
    new_key(tmp_path / "elsewhere", 1000, least_age=AGE)
    assert KeyRing(tmp_path / "elsewhere").subject("sector:a", "account") != before


def test_a_client_gives_us_public_keys_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    good = public_jwk(ec.generate_private_key(ec.SECP256R1()))
    path.write_text(json.dumps({"keys": [good]}))
    assert len(read_client_keys(path).keys) == 1
    for bad in (
        {**good, "d": good["x"]},
        {"kty": "oct", "k": "c2VjcmV0"},
        {**good, "crv": "P-384"},
        {**good, "y": good["x"]},
        dict(RSAKey.generate_key(2048).as_dict(private=False)),
    ):
        path.write_text(json.dumps({"keys": [good, bad]}))
        with pytest.raises(FormatError):
            read_client_keys(path)
    for text in ("", "[]", "{}", '{"keys":[]}', '{"keys":7}', '{"keys":[1]}', '{"keys":[],"keys":[]}', "[" * 9999):
        path.write_text(text)
        with pytest.raises(FormatError):
            read_client_keys(path)
