"""The master key that wraps every voter's key: in a file, or in an HSM that it never leaves (PKCS#11)."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qsl, unquote

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from biometric_idp.biometrics.errors import VaultError
from biometric_idp.errors import FormatError, StateError
from biometric_idp.files import write_atomic

KEY_BYTES = 32
_HEADER = "evoting-master-key@v1"
_NONCE = 24
_GCM_NONCE, _GCM_TAG = 12, 16
_MAX_FILE = 4096


class MasterKey(Protocol):
    """Wraps keys of 32 bytes. Safe for threads."""

    @property
    def id(self) -> str:
        """Public name, kept with everything that it wraps."""
        ...

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """The key, encrypted and bound to a context.

        Raises:
            VaultError: master-key-unusable.
        """
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The key again.

        Raises:
            VaultError: template-damaged (another key or context), master-key-unusable.
        """
        ...


def seal(key: bytes, plaintext: bytes, context: bytes) -> bytes:
    """XChaCha20-Poly1305 with a random nonce in front."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + bytes(crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, context, nonce, key))


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """Raises VaultError template-damaged."""
    try:
        return bytes(crypto_aead_xchacha20poly1305_ietf_decrypt(sealed[_NONCE:], context, sealed[:_NONCE], key))
    except (CryptoError, ValueError):
        raise VaultError("template-damaged", "does not open under its key and binding") from None


class FileMasterKey:
    """A master key in a file of mode 0600; for development, or where the disk itself is protected."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise FormatError(f"a master key has {KEY_BYTES} bytes")
        self._key = key
        self.id = "file-" + hashlib.blake2b(b"id", key=key, digest_size=8, person=b"master-key").hexdigest()

    def __repr__(self) -> str:
        return f"FileMasterKey({self.id})"

    @classmethod
    def generate(cls, path: Path) -> FileMasterKey:
        """Write a new key to a file that must not exist.

        Raises:
            StateError: it exists.
        """
        if path.exists():
            raise StateError(f"{path} exists: a master key is never overwritten")
        key = secrets.token_bytes(KEY_BYTES)
        write_atomic(path, f"{_HEADER}\nkey {key.hex()}\n".encode(), secret=True)
        return cls(key)

    @classmethod
    def read(cls, path: Path) -> FileMasterKey:
        """The key in a file.

        Raises:
            FormatError: missing, readable by others, or not a key file.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise FormatError(f"{path}: {error.strerror}") from None
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise FormatError(f"{path} can be read by others: chmod 600 it")
            data = file.read(_MAX_FILE)
        lines = data.decode("ascii", "replace").split("\n")
        if len(lines) != 3 or lines[0] != _HEADER or not lines[1].startswith("key ") or lines[2]:
            raise FormatError(f"{path}: not a file of format {_HEADER}")
        try:
            return cls(bytes.fromhex(lines[1][4:]))
        except ValueError:
            raise FormatError(f"{path}: not a file of format {_HEADER}") from None

    def wrap(self, key: bytes, context: bytes) -> bytes:
        return seal(self._key, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        return unseal(self._key, wrapped, context)


class _Token:
    """The one session of this process with a token. PKCS#11 logs a whole process in and out, so sessions are shared."""

    _all: ClassVar[dict[tuple[str, str], _Token]] = {}
    _guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, module: str, token: str) -> None:
        self._module, self._token = module, token
        self._lock = threading.Lock()
        self._session: Any = None
        self._pin = ""

    @classmethod
    def of(cls, module: str, token: str) -> _Token:
        with cls._guard:
            return cls._all.setdefault((module, token), cls(module, token))

    @contextmanager
    def session(self, pin: str) -> Iterator[Any]:
        """The session, for one thread at a time; opened again where the token dropped it.

        Raises:
            VaultError: master-key-unusable.
        """
        import pkcs11

        with self._lock, _token_errors():
            if self._session is not None:
                try:
                    self._session.generate_random(8)
                except pkcs11.exceptions.PKCS11Error:
                    self._session = None
            if self._session is None:
                self._session = pkcs11.lib(self._module).get_token(token_label=self._token).open(rw=True, user_pin=pin)
                self._pin = pin
            elif not hmac.compare_digest(self._pin.encode(), pin.encode()):
                raise VaultError("master-key-unusable", "not the PIN that opened the token")
            yield self._session


class Pkcs11MasterKey:
    """An AES-256 key inside a token. Wrapping is AES-GCM done by the token; the key is sensitive and not extractable.

    Raises:
        VaultError: master-key-unusable; also where the token would give the key away.
    """

    def __init__(self, module: str, token: str, label: str, pin: str) -> None:
        self._label, self._pin = label, pin
        self._token = _Token.of(module, token)
        self.id = f"pkcs11-{token}-{label}"
        with self._key():
            pass

    def __repr__(self) -> str:
        return f"Pkcs11MasterKey({self.id})"

    @classmethod
    def generate(cls, module: str, token: str, label: str, pin: str) -> Pkcs11MasterKey:
        """Make a new key in the token.

        Raises:
            StateError: there is one of that label.
            VaultError: master-key-unusable.
        """
        import pkcs11

        with _Token.of(module, token).session(pin) as session:
            if list(session.get_objects({pkcs11.Attribute.LABEL: label})):
                raise StateError(f"the token has an object {label}: a master key is never overwritten")
            session.generate_key(
                pkcs11.KeyType.AES,
                256,
                label=label,
                store=True,
                template={
                    pkcs11.Attribute.SENSITIVE: True,
                    pkcs11.Attribute.EXTRACTABLE: False,
                    pkcs11.Attribute.ENCRYPT: True,
                    pkcs11.Attribute.DECRYPT: True,
                },
            )
        return cls(module, token, label, pin)

    def wrap(self, key: bytes, context: bytes) -> bytes:
        import pkcs11

        nonce = secrets.token_bytes(_GCM_NONCE)
        with self._key() as master:
            params = pkcs11.GCMParams(nonce, context, 128)
            return nonce + bytes(master.encrypt(key, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=params))

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        import pkcs11

        if len(wrapped) != _GCM_NONCE + KEY_BYTES + _GCM_TAG:
            raise VaultError("template-damaged", f"a wrapped key of {len(wrapped)} bytes")
        nonce, data = wrapped[:_GCM_NONCE], wrapped[_GCM_NONCE:]
        with self._key() as master:
            params = pkcs11.GCMParams(nonce, context, 128)
            try:
                return bytes(master.decrypt(data, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=params))
            except (pkcs11.exceptions.EncryptedDataInvalid, pkcs11.exceptions.GeneralError):
                # SoftHSM calls a wrong tag a general error.
                raise VaultError("template-damaged", "does not unwrap in the token") from None

    @contextmanager
    def _key(self) -> Iterator[Any]:
        import pkcs11

        with self._token.session(self._pin) as session:
            key = session.get_key(key_type=pkcs11.KeyType.AES, label=self._label)
            if key[pkcs11.Attribute.EXTRACTABLE] or not key[pkcs11.Attribute.SENSITIVE]:
                raise VaultError("master-key-unusable", "the token would give the key away")
            yield key


@contextmanager
def _token_errors() -> Iterator[None]:
    """Every complaint of a token as one of ours; the PIN is in none of them."""
    import pkcs11

    try:
        yield
    except (pkcs11.exceptions.PKCS11Error, RuntimeError) as error:
        raise VaultError("master-key-unusable", f"the token answers {type(error).__name__}") from None


def open_master_key(address: str) -> MasterKey:
    """The master key at an address of the configuration.

    Args:
        address: a path, ``file:PATH``, or an RFC 7512 URI such as
            ``pkcs11:token=idp;object=biometrics-2026?module-path=/usr/lib/x.so&pin-source=file:/run/secrets/pin``.

    Raises:
        FormatError: not such an address, or an unusable file.
        VaultError: master-key-unusable.
    """
    if address.startswith("pkcs11:"):
        return Pkcs11MasterKey(*_in_token(address))
    return FileMasterKey.read(Path(address.removeprefix("file:")))


def generate_master_key(address: str) -> MasterKey:
    """Make a new master key at an address, as ``open_master_key`` takes it.

    Raises:
        FormatError: not such an address.
        StateError: there is one.
        VaultError: master-key-unusable.
    """
    if address.startswith("pkcs11:"):
        return Pkcs11MasterKey.generate(*_in_token(address))
    return FileMasterKey.generate(Path(address.removeprefix("file:")))


def _in_token(address: str) -> tuple[str, str, str, str]:
    """Module, token, label and PIN."""
    path, _, query = address.removeprefix("pkcs11:").partition("?")
    parts = {name: unquote(value) for name, _, value in (item.partition("=") for item in path.split(";"))}
    options = dict(parse_qsl(query))
    try:
        token, label, module, source = parts["token"], parts["object"], options["module-path"], options["pin-source"]
    except KeyError as error:
        raise FormatError(f"the address of the master key lacks {error.args[0]}") from None
    return module, token, label, read_pin(Path(source.removeprefix("file:")))


def read_pin(path: Path) -> str:
    """The PIN in a file that only its owner can read.

    Raises:
        FormatError: missing, empty, or readable by others.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise FormatError(f"{path} can be read by others: chmod 600 it")
        pin = path.read_text().strip()
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}") from None
    if not pin:
        raise FormatError(f"{path} is empty")
    return pin
