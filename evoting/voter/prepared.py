"""An encrypted ballot whose voter has not decided yet whether to cast or to challenge it.

The file is secret: it holds the randomness, which opens the ballot. A ballot that was cast must never be opened, and
one that was opened must never be cast; so the file is renamed before anything leaves it, and goes on only that way.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from crypto import cbor
from crypto.elgamal import EncryptionKey
from crypto.errors import DecodeError
from crypto.group import load_group
from evoting.ballots.ballot import encode_challenged_ballot, tracking_code, tracking_hash
from evoting.ballots.build import Entropy, sign_ballots, sign_challenges
from evoting.files import synchronise_directory
from evoting.voter.errors import VoterError
from evoting.voter.wallet import Wallet

FORMAT = "evoting-prepared-ballot/v1"
Use = Literal["cast", "challenge"]
_OTHER: dict[Use, Use] = {"cast": "challenge", "challenge": "cast"}
_MAX_BYTES = 1 << 27


@dataclass(frozen=True)
class Prepared:
    """Body and opening of a ballot, with what its entries and the second device need."""

    manifest: bytes = field(repr=False)
    key: bytes
    body: bytes = field(repr=False)
    opening: bytes = field(repr=False)

    @property
    def tracking(self) -> str:
        """What the voter writes down before deciding: the short code, and the whole hash for a second device."""
        return f"{tracking_code(self.body)} {tracking_hash(self.body).hex()}"

    def cast(self, wallet: Wallet, entropy: Entropy) -> bytes:
        """The entry that the ballot box takes."""
        key = EncryptionKey.decode(load_group(), self.key)
        return sign_ballots(key, wallet.of_one(key.group), [self.body], entropy)[0]

    def challenge(self, wallet: Wallet, entropy: Entropy) -> bytes:
        """The entry that opens the ballot; it never counts."""
        key = EncryptionKey.decode(load_group(), self.key)
        return sign_challenges(key, wallet.of_one(key.group), [self.body], [self.opening], entropy)[0]

    def challenged(self, entry: bytes) -> bytes:
        """The file for a second device: ``evoting-verify ballot FILE``."""
        return encode_challenged_ballot(self.manifest, self.key, entry)


def store_prepared(path: Path, prepared: Prepared) -> None:
    """Write the file, readable by its owner only.

    Raises:
        VoterError: something is there already, or was and is being used.
    """
    for place in (path, *(_claimed(path, use) for use in _OTHER)):
        if place.exists():
            raise VoterError(f"{place} exists already and is not overwritten")
    content = {
        "format": FORMAT,
        "manifest": prepared.manifest,
        "key": prepared.key,
        "body": prepared.body,
        "opening": prepared.opening,
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(cbor.encode(content))
        file.flush()
        os.fsync(file.fileno())


def claim_prepared(path: Path, use: Use, pseudonym: bytes) -> Prepared:
    """Decide for one use, for ever, and read the file; again after an interruption.

    Raises:
        VoterError: the other use was decided before, or this is no prepared ballot of this voter; nothing was decided.
    """
    if _claimed(path, _OTHER[use]).exists():
        raise VoterError(f"{path}: this ballot is to be {_DONE[_OTHER[use]]}; make another one")
    place = _claimed(path, use)
    if path.exists():
        prepared = _read(path)
        if pseudonym not in prepared.body:
            raise VoterError(f"{path} was made with another wallet")
        path.rename(place)
        synchronise_directory(place.parent)
        return prepared
    if not place.exists():
        raise VoterError(f"{path} is not there: a prepared ballot is used once")
    return _read(place)


def forget_prepared(path: Path, use: Use) -> None:
    """Delete the file when what was made of it is safe."""
    _claimed(path, use).unlink()
    synchronise_directory(path.parent)


_DONE: dict[Use, str] = {"cast": "cast", "challenge": "challenged"}


def _claimed(path: Path, use: Use) -> Path:
    return path.with_name(f"{path.name}.{use}")


def _read(path: Path) -> Prepared:
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    try:
        content = cbor.decode(data, limit=_MAX_BYTES)
    except DecodeError as error:
        raise VoterError(f"{path} is no prepared ballot: {error}") from None
    names = ("manifest", "key", "body", "opening")
    if not isinstance(content, dict) or content.keys() != {"format", *names} or content["format"] != FORMAT:
        raise VoterError(f"{path} is no prepared ballot")
    if not all(isinstance(content[name], bytes) for name in names):
        raise VoterError(f"{path} is no prepared ballot")
    return Prepared(*(content[name] for name in names))
