"""A voter's sealed wallet, as the identity client wrote it (docs/spec/05-credentials.md section 5.10)."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt
from nacl.exceptions import CryptoError as NaclError

from crypto import cbor
from crypto.errors import DecodeError
from crypto.group.interface import Group
from evoting.ballots.build import Wallets
from evoting.voter.errors import VoterError

_FIRST_LINE = b"evoting-wallet/v1\n"
_NONCE_BYTES, _KEY_BYTES, _MAX_BYTES = 24, 32, 4096
_MEMBERS = {"fingerprint", "style", "position", "secret", "blinding", "blinded", "credential"}


@dataclass(frozen=True)
class Wallet:
    """What a ballot needs of a wallet; ``repr`` shows no secret."""

    fingerprint: bytes
    style: str
    secret: bytes = field(repr=False)
    credential: bytes

    def of_one(self, group: Group) -> Wallets:
        """The wallet as a batch of one voter.

        Raises:
            VoterError: the secret is no scalar.
        """
        try:
            secrets = group.scalars_decode(self.secret)
        except DecodeError as error:
            raise VoterError(f"the secret in the wallet: {error}") from None
        pseudonym = group.fixed_base(group.generator()).mul(secrets).encode()
        return Wallets(secrets, [pseudonym], [self.credential])


def read_wallet(path: Path, key_path: Path) -> Wallet:
    """Open a wallet with the key that its owner's device keeps.

    Args:
        key_path: 32 bytes, readable by their owner only.

    Raises:
        VoterError: names the file and what is wrong; a wallet without credential as well.
    """
    key = _read_key(key_path)
    data = _read(path, _MAX_BYTES)
    start = len(_FIRST_LINE)
    if not data.startswith(_FIRST_LINE) or len(data) <= start + _NONCE_BYTES:
        raise VoterError(f"{path} is no wallet")
    nonce, sealed = data[start : start + _NONCE_BYTES], data[start + _NONCE_BYTES :]
    try:
        content = cbor.decode(crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, _FIRST_LINE, nonce, key))
    except (NaclError, DecodeError):
        raise VoterError(f"{path} does not open with {key_path}, or was altered") from None
    if not isinstance(content, dict) or content.keys() != _MEMBERS:
        raise VoterError(f"{path}: the wallet's content is not of its schema")
    fingerprint, style, secret = content["fingerprint"], content["style"], content["secret"]
    credential = content["credential"]
    if credential is None:
        raise VoterError(f"{path} holds no credential yet: finish the issuance first")
    sizes = ((fingerprint, 32), (secret, 32), (credential, 48))
    if not isinstance(style, str) or any(not isinstance(value, bytes) or len(value) != size for value, size in sizes):
        raise VoterError(f"{path}: the wallet's content is not of its schema")
    return Wallet(fingerprint, style, secret, credential)


def _read_key(path: Path) -> bytes:
    data = _read(path, _KEY_BYTES)
    if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
        raise VoterError(f"{path} can be read by others: chmod 600 it")
    if len(data) != _KEY_BYTES:
        raise VoterError(f"{path}: the key of a wallet has {_KEY_BYTES} bytes, not {len(data)}")
    return data


def _read(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise VoterError(f"{path} is longer than {limit} bytes")
    return data
