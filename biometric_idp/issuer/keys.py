"""An issuer's directory: its secrets, its share of the ceremony, and its copies for one election.

    issuer-key.json   Ed25519 seed and ledger secret                         0600
    key-share.cbor    shares of the issuance keys, made by the ceremony      0600
    ceremony.cbor     the ceremony's state while it lasts                    0600
    policy.json, roll.bin, ledger.sqlite    made by ``open``; the ledger may be in another database instead
    ledger-head       the ledger's last signed checkpoint, to notice that an old database was restored

Nothing here is ever overwritten by a step that can fail afterwards.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nacl.signing import SigningKey

from biometric_idp.errors import FormatError, StateError
from biometric_idp.files import read_json, require_private, write_atomic, write_json
from biometric_idp.issuer.service import IssuerKeys
from biometric_idp.policy import IssuancePolicy, read_policy
from biometric_idp.registrar.roll import Roll, read_roll
from biometric_idp.schema import require_hex
from crypto.dkg.files import KeyShareFile
from crypto.dkg.parameters import ISSUERS
from crypto.errors import DecodeError
from crypto.group.interface import BLS_ORDER

KEY_FORMAT = "evoting-issuer-key/v1"


@dataclass(frozen=True, slots=True)
class IssuerSecrets:
    """What ``keygen`` makes: the role key, and the secret behind the salts of the ledger's tree."""

    signing: SigningKey
    ledger_secret: bytes

    def __repr__(self) -> str:
        return "IssuerSecrets()"


class IssuerDirectory:
    """Names of the files, and the steps that make and read them."""

    def __init__(self, path: Path, database: str | None = None) -> None:
        """``database`` is an address as ``services.database.open_engine`` takes, where it is not the file here."""
        self.path = path
        self.database: Path | str = database or path / "ledger.sqlite"
        self.key = path / "issuer-key.json"
        self.share = path / "key-share.cbor"
        self.ceremony = path / "ceremony.cbor"
        self.policy = path / "policy.json"
        self.roll = path / "roll.bin"
        self.head = path / "ledger-head"

    def generate_key(self, seed: bytes, ledger_secret: bytes) -> IssuerSecrets:
        """Make the directory and the role key.

        Raises:
            StateError: a key is already there.
        """
        if self.key.exists():
            raise StateError(f"{self.key}: a key is already here")
        self.path.mkdir(parents=True, exist_ok=True)
        os.chmod(self.path, 0o700)
        write_json(
            self.key,
            {"format": KEY_FORMAT, "seed": seed.hex(), "ledger-secret": ledger_secret.hex()},
            secret=True,
        )
        return self.read_key()

    def read_key(self) -> IssuerSecrets:
        """The secrets of ``keygen``.

        Raises:
            FormatError: readable by others, damaged or foreign.
        """
        require_private(self.key)
        members = read_json(self.key, KEY_FORMAT)
        what = str(self.key)
        return IssuerSecrets(
            SigningKey(require_hex(members, "seed", 32, what)), require_hex(members, "ledger-secret", 32, what)
        )

    def read_share(self) -> KeyShareFile:
        """The key share that the ceremony left.

        Raises:
            StateError: there is none yet.
            FormatError: readable by others, damaged, or of another kind of ceremony.
        """
        if not self.share.is_file():
            raise StateError(f"{self.share}: no key share here; finish the ceremony first")
        require_private(self.share)
        try:
            share = KeyShareFile.decode(self.share.read_bytes())
        except DecodeError as error:
            raise FormatError(f"{self.share}: {error}") from None
        if share.kind != ISSUERS:
            raise FormatError(f"{self.share}: a key share of {share.kind}, not of issuers")
        return share

    def write_share(self, share: KeyShareFile) -> None:
        """Keep the key share; the same one may be written again.

        Raises:
            StateError: another one is already there.
        """
        data = share.encode()
        if self.share.exists() and self.share.read_bytes() != data:
            raise StateError(f"{self.share}: another key share is already here")
        write_atomic(self.share, data, secret=True)

    def read_election(self) -> tuple[IssuancePolicy, Roll]:
        """Policy and roll of the election that was opened here.

        Raises:
            StateError: none was.
        """
        if not self.policy.is_file() or not self.roll.is_file():
            raise StateError(f"{self.path}: no election was opened here")
        return read_policy(self.policy), read_roll(self.roll)

    def issuer_keys(self, policy: IssuancePolicy) -> IssuerKeys:
        """All secrets that answering takes, checked against the policy.

        Raises:
            StateError: this is none of the policy's issuers, or the shares are for other styles.
        """
        secrets = self.read_key()
        share = self.read_share()
        index = issuer_index(policy, secrets.signing)
        if share.index != index or share.threshold != policy.threshold:
            raise StateError(f"{self.share}: the key share is not the one of issuer {index} in this election")
        shares = {item.label: int.from_bytes(item.secret, "big") for item in share.shares}
        if list(shares) != [style for style, _ in policy.styles] or not all(
            0 < value < BLS_ORDER for value in shares.values()
        ):
            raise StateError(f"{self.share}: the key share is not for the ballot styles of this election")
        return IssuerKeys(index, secrets.signing, shares)


def issuer_index(policy: IssuancePolicy, key: SigningKey) -> int:
    """Which issuer of the policy has this role key.

    Raises:
        StateError: none.
    """
    public = bytes(key.verify_key)
    for index, (_, issuer_key) in enumerate(policy.issuers, start=1):
        if issuer_key == public:
            return index
    raise StateError("the policy names no issuer with this role key")
