"""The wallet: one voter's pseudonym, and what it takes to finish issuance (docs/spec/05-credentials.md section 5.10).

Sealed under a 32-byte key that the caller supplies (in a browser: from the passkey's PRF). It is stored and read back
before the first request goes out, because a pseudonym that is lost after issuance cannot be replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError as NaclError

from biometric_idp.errors import FormatError, StateError
from biometric_idp.files import write_atomic
from biometric_idp.schema import decode_map, require_bytes, require_id, require_uint
from crypto import cbor
from crypto.group.interface import BLS_ORDER, G1_BYTES

FIRST_LINE = b"evoting-wallet/v1\n"
KEY_BYTES = 32
_NONCE_BYTES = 24
_MAX_BYTES = 4096
_MEMBERS = frozenset({"fingerprint", "style", "position", "secret", "blinding", "blinded", "credential"})


@dataclass(frozen=True, slots=True)
class Wallet:
    """Contents of a wallet. ``repr`` shows no secret.

    Attributes:
        secret: the pseudonym's scalar, 32 bytes little-endian.
        blinding: the randomizer r until the credential is there, then erased.
        blinded: M', which is what issuers see.
    """

    fingerprint: bytes
    style: str
    position: int
    secret: bytes = field(repr=False)
    blinding: int | None = field(repr=False)
    blinded: bytes
    credential: bytes | None

    def __post_init__(self) -> None:
        if (self.blinding is None) == (self.credential is None):
            raise FormatError("a wallet holds either a blinding or a credential")
        if self.blinding is not None and not 0 < self.blinding < BLS_ORDER:
            raise FormatError("the blinding is no scalar")

    def completed(self, credential: bytes) -> Wallet:
        """The wallet with its credential; the blinding is gone."""
        return replace(self, credential=credential, blinding=None)


def seal_wallet(wallet: Wallet, key: bytes, entropy: Callable[[int], bytes]) -> bytes:
    """The file of a wallet: XChaCha20-Poly1305 under a fresh nonce."""
    _require_key(key)
    plain = cbor.encode(
        {
            "fingerprint": wallet.fingerprint,
            "style": wallet.style,
            "position": wallet.position,
            "secret": wallet.secret,
            "blinding": None if wallet.blinding is None else wallet.blinding.to_bytes(32, "big"),
            "blinded": wallet.blinded,
            "credential": wallet.credential,
        }
    )
    nonce = entropy(_NONCE_BYTES)
    return FIRST_LINE + nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(plain, FIRST_LINE, nonce, key)


def open_wallet(data: bytes, key: bytes) -> Wallet:
    """Strict inverse of ``seal_wallet``.

    Raises:
        FormatError: no wallet, another key, or altered.
    """
    _require_key(key)
    start = len(FIRST_LINE)
    if not data.startswith(FIRST_LINE) or not start + _NONCE_BYTES < len(data) <= _MAX_BYTES:
        raise FormatError("not a wallet")
    nonce, sealed = data[start : start + _NONCE_BYTES], data[start + _NONCE_BYTES :]
    try:
        plain = crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, FIRST_LINE, nonce, key)
    except NaclError:
        raise FormatError("the wallet does not open with this key, or was altered") from None
    members = decode_map(plain, _MEMBERS, "wallet", _MAX_BYTES)
    blinding, credential = members["blinding"], members["credential"]
    return Wallet(
        require_bytes(members["fingerprint"], "fingerprint", 32),
        require_id(members["style"], "style"),
        require_uint(members["position"], "position"),
        require_bytes(members["secret"], "secret", 32),
        None if blinding is None else int.from_bytes(require_bytes(blinding, "blinding", 32), "big"),
        require_bytes(members["blinded"], "blinded", G1_BYTES),
        None if credential is None else require_bytes(credential, "credential", G1_BYTES),
    )


class WalletFile:
    """A wallet on disk, readable by its owner only."""

    def __init__(self, path: Path, key: bytes, entropy: Callable[[int], bytes]) -> None:
        _require_key(key)
        self._path = path
        self._key = key
        self._entropy = entropy

    def exists(self) -> bool:
        """Whether a wallet was stored here, by this device or an earlier attempt."""
        return self._path.exists()

    def create(self, wallet: Wallet) -> StoredWallet:
        """Store a new wallet and read it back; what this returns is what requests are made from.

        Raises:
            StateError: a wallet is already there; or what was read back differs.
        """
        if self._path.exists():
            raise StateError(f"{self._path}: a wallet is already here")
        return self._store(wallet)

    def complete(self, stored: StoredWallet, credential: bytes) -> StoredWallet:
        """Replace the blinding by the credential."""
        return self._store(stored.wallet.completed(credential))

    def load(self) -> StoredWallet:
        """The wallet as it is on disk, for a device that resumes.

        Raises:
            FormatError: no wallet, another key, or altered.
        """
        try:
            return StoredWallet(open_wallet(self._path.read_bytes(), self._key))
        except FormatError as error:
            raise FormatError(f"{self._path}: {error}") from None

    def _store(self, wallet: Wallet) -> StoredWallet:
        write_atomic(self._path, seal_wallet(wallet, self._key, self._entropy), secret=True)
        stored = self.load()
        if stored.wallet != wallet:
            raise StateError(f"{self._path}: what was read back is not what was written")
        return stored


@dataclass(frozen=True, slots=True)
class StoredWallet:
    """A wallet that has been read from durable storage: the step that a request needs before it."""

    wallet: Wallet


def _require_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a wallet's key has {KEY_BYTES} bytes")
