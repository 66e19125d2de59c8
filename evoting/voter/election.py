"""The election as a voter's device needs it: from any copy of the record, pinned by the trust root's fingerprint.

The fingerprint pins the opening entry, and that pins manifest, keys and origin. Code books are derived here and not
read: whoever wrote the record could have swapped two elements, and a vote with them.
"""

from __future__ import annotations

import os
from pathlib import Path

from crypto.blind_bls import StyleCredentials, encode_message, find_invalid_credentials
from crypto.group import load_group
from evoting.ballots.build import build_ballots, encode_opening
from evoting.ballots.code_books import code_books
from evoting.ballots.lookup import find_entries
from evoting.ballots.shape import style_shapes
from evoting.definition import Manifest, manifest_hash
from evoting.record.election import ElectionView, PublishedCopy, read_blobref
from evoting.record.trust_root import read_trust_root
from evoting.voter.choices import selections
from evoting.voter.errors import VoterError
from evoting.voter.prepared import Prepared
from evoting.voter.wallet import Wallet


class VoterElection:
    """A record whose opening entry is the trust root's.

    Raises:
        VoterError: it is another election's record.
    """

    def __init__(self, record: Path, trust_root: Path) -> None:
        self._view = ElectionView(PublishedCopy(record))
        trusted = read_trust_root(trust_root).fingerprint
        if self._view.fingerprint != trusted:
            raise VoterError(f"{record} is not the record of the election in {trust_root}")
        self.fingerprint = trusted
        named = read_blobref(self._view.only("opening").body["manifest"])
        if manifest_hash(self._view.manifest_bytes) != named.hash:
            raise VoterError(f"{record}: the manifest is not the one that the opening names")

    @property
    def manifest(self) -> Manifest:
        return self._view.manifest

    def next_sequence(self, pseudonym: bytes) -> int:
        """One more than the highest sequence number on the board under the voter's pseudonym."""
        found = find_entries(self._view.indexed_voter_entries(), pseudonym)
        return max((one.sequence for one in found if one.sequence is not None), default=-1) + 1

    def encrypt(self, wallet: Wallet, chosen: dict[str, str], sequence: int | None) -> Prepared:
        """Encrypt and prove one ballot.

        Args:
            chosen: choice by contest, as ``choices.parse_choices`` gives it.
            sequence: None takes the next one after those on the board.

        Raises:
            VoterError: a wallet of another election or style, a credential that does not hold, or no such choice.
        """
        if wallet.fingerprint != self.fingerprint:
            raise VoterError("the wallet is of another election")
        shape = style_shapes(self.manifest).get(wallet.style)
        if shape is None:
            raise VoterError(f"the election has no ballot style {wallet.style!a}, which the wallet is for")
        voter = wallet.of_one(load_group())
        context = self._view.ballot_context()
        message = encode_message(self.fingerprint, wallet.style, voter.pseudonyms[0])
        credential = StyleCredentials(context.issuance_keys[wallet.style], [message], wallet.credential)
        if find_invalid_credentials(context.pairing, [credential], os.urandom):
            raise VoterError("the credential in the wallet does not hold in this election")
        number = self.next_sequence(voter.pseudonyms[0]) if sequence is None else sequence
        rows = selections(self.manifest, wallet.style, chosen)
        books = code_books(load_group(), manifest_hash(self._view.manifest_bytes), self.manifest)
        built = build_ballots(context.key, self.fingerprint, shape, voter, [number], rows, books, os.urandom)
        return Prepared(
            self._view.manifest_bytes, context.key.element.encode(), built.bodies[0], encode_opening(built, 0, 1)
        )
