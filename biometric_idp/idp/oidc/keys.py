"""Keys of the provider in a directory: ES256 signing keys (current and previous), and the secret of pairwise subjects.

A new key takes over at once; what is left of the previous one is its public half, which stays published so that
tokens that it signed verify until they expire.
"""

from __future__ import annotations

import hmac
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from biometric_idp.errors import FormatError, IdpError, StateError
from biometric_idp.files import read_json, sync_directory, unique_names, write_atomic, write_json
from biometric_idp.shared.fields import encode_base64url
from services.logs import get_log

ALGORITHM = "ES256"
_CURVE = "P-256"
_FORMAT = "evoting-oidc-key/v1"
_SECRET = "pairwise.secret"
_SECRET_BYTES = 32


@dataclass(frozen=True)
class SigningKeys:
    """Keys as they are in the directory at one moment; the current one is the newest."""

    current: ECKey
    published: tuple[ECKey, ...]

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint of the current key."""
        return self.current.thumbprint()

    def jwks(self) -> dict[str, object]:
        """Public halves, the current one first."""
        return {"keys": [_published(key) for key in self.published]}


class KeyRing:
    """Keys in use; a rotation is noticed without a restart.

    Raises:
        FormatError: a file is readable by others or holds something else.
        StateError: no key yet.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._stamp = _stamp(directory)
        self._keys = read_keys(directory)
        self._secret = _read_secret(directory)

    def keys(self) -> SigningKeys:
        """The keys of this moment; the ones known so far where the directory cannot be used any more."""
        with self._lock:
            try:
                stamp = _stamp(self._directory)
                if stamp != self._stamp:
                    self._keys = read_keys(self._directory)
                    self._stamp = stamp
            except (IdpError, OSError) as error:
                get_log().error("oidc-keys-unusable", kind=type(error).__name__)
            return self._keys

    def subject(self, sector: str, account: str) -> str:
        """``sub`` of an account in a sector: nobody without the secret can compare sectors, or guess the account."""
        message = b"".join(len(part).to_bytes(8, "big") + part for part in (sector.encode(), account.encode()))
        return encode_base64url(hmac.digest(self._secret, b"evoting/v1/oidc-subject" + message, "sha256"))


def _stamp(directory: Path) -> int:
    try:
        return directory.stat().st_mtime_ns
    except FileNotFoundError:
        raise StateError(f"{directory}: there is no such directory; run: evoting-idp oidc-key new") from None


def read_keys(directory: Path) -> SigningKeys:
    """All keys, the newest first.

    Raises:
        FormatError, StateError: see ``KeyRing``.
    """
    found: list[tuple[int, ECKey]] = []
    for path in sorted(directory.glob("*.json")):
        _check_mode(path)
        content = read_json(path, _FORMAT)
        created, members = content.get("created"), content.get("key")
        if type(created) is not int or type(members) is not dict:
            raise FormatError(f"{path}: lacks created or key")
        key = _import_key(members, str(path))
        if key.thumbprint() != path.stem:
            raise FormatError(f"{path}: is not named after its key")
        found.append((created, key))
    found.sort(key=lambda item: -item[0])
    if not found or not found[0][1].is_private:
        raise StateError(f"{directory}: there is no signing key; run: evoting-idp oidc-key new")
    keys = tuple(key for _, key in found)
    return SigningKeys(keys[0], keys[:2])


def new_key(directory: Path, now: int, *, least_age: int, drop_previous: bool = False) -> str:
    """Make a signing key that takes over at once; returns its id. Whatever a crash leaves can be used.

    Args:
        least_age: seconds that the present key must have been in use, because only two are published.
        drop_previous: the present key may be in other hands: publish it no more.

    Raises:
        StateError: the present key is too young.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = _by_age(directory)
    if files and not drop_previous and now - files[0][0] < least_age:
        raise StateError(
            f"the present key is {now - files[0][0]} s old; tokens of the one before it may be valid: wait "
            f"{least_age - (now - files[0][0])} s, or use --drop-previous if a key is in other hands"
        )
    if not (directory / _SECRET).exists():
        write_atomic(directory / _SECRET, os.urandom(_SECRET_BYTES), secret=True)
    key = ECKey.generate_key(_CURVE)
    kid = key.thumbprint()
    # A clock that went back must not make the new key an old one.
    created = max([now, *(age + 1 for age, _ in files[:1])])
    _write(directory / f"{kid}.json", created, key, private=True)
    for position, (age, path) in enumerate(files):
        if position == 0 and not drop_previous:
            _write(path, age, _import_key(_members(path), str(path)), private=False)
        else:
            path.unlink()
    sync_directory(directory)
    return kid


def _by_age(directory: Path) -> list[tuple[int, Path]]:
    ages = [(read_json(path, _FORMAT).get("created"), path) for path in directory.glob("*.json")]
    return sorted(((age, path) for age, path in ages if type(age) is int), key=lambda item: -item[0])


def _members(path: Path) -> dict[str, object]:
    members = read_json(path, _FORMAT).get("key")
    if type(members) is not dict:
        raise FormatError(f"{path}: lacks key")
    return members


def _write(path: Path, created: int, key: ECKey, *, private: bool) -> None:
    value = {"format": _FORMAT, "created": created, "key": dict(key.as_dict(private=private))}
    write_json(path, value, secret=True)


def _check_mode(path: Path) -> None:
    if path.stat().st_mode & 0o077:
        raise FormatError(f"{path} can be read by others: chmod 600 it")


def _read_secret(directory: Path) -> bytes:
    path = directory / _SECRET
    try:
        _check_mode(path)
        secret = path.read_bytes()
    except FileNotFoundError:
        raise StateError(f"{path} is missing; without it every client would see other subjects") from None
    if len(secret) != _SECRET_BYTES:
        raise FormatError(f"{path}: not a secret of {_SECRET_BYTES} bytes")
    return secret


def _import_key(members: dict[str, object], where: str) -> ECKey:
    try:
        key = ECKey.import_key({name: value for name, value in members.items() if isinstance(value, str)})
    except (JoseError, ValueError, TypeError, KeyError):
        raise FormatError(f"{where}: not a key of curve {_CURVE}") from None
    if key.curve_name != _CURVE:
        raise FormatError(f"{where}: not a key of curve {_CURVE}")
    return key


def _published(key: ECKey) -> dict[str, object]:
    members = key.as_dict(private=False)
    wanted = {name: members[name] for name in ("kty", "crv", "x", "y")}
    return {**wanted, "kid": key.thumbprint(), "alg": ALGORITHM, "use": "sig"}


def read_client_keys(path: Path) -> KeySet:
    """A client's public keys, out of a JWK set.

    Raises:
        FormatError: no JSON, no key, a private key, or another kind than ES256.
    """
    try:
        value = json.loads(path.read_bytes(), object_pairs_hook=unique_names)
    except (ValueError, RecursionError):
        raise FormatError(f"{path}: not JSON") from None
    entries = value.get("keys") if type(value) is dict else None
    if type(entries) is not list or not entries or not all(type(entry) is dict for entry in entries):
        raise FormatError(f"{path}: not a JWK set")
    keys = []
    for entry in entries:
        if "d" in entry:
            raise FormatError(f"{path}: holds a private key, which only the client may have")
        keys.append(_import_key(entry, str(path)))
    return KeySet(list(keys))
