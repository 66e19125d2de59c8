"""A small election that is open for voting, and entries made and changed at will."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from crypto import cbor
from crypto.hashing import frame
from crypto.schnorr_signature import sign_many
from evoting.ballots.ballot import (
    BALLOT_SIGNATURE,
    CHALLENGE_SIGNATURE,
    encode_ballot_entry,
    encode_challenge_entry,
)
from evoting.ballots.build import Wallets, build_ballots, encode_opening
from evoting.ballots.check import BallotContext, judge_entries
from evoting.ballots.code_books import code_books
from evoting.ballots.dispositions import describe_disposition
from evoting.ballots.shape import StyleShape, style_shapes
from evoting.office.selection import Selection, select
from tests.support.small_election import SmallElection

STYLES = ("east", "west")
VOTERS = 8
CHALLENGES = 3


class OpenElection(SmallElection):
    """Everything up to the opening, and credentials for eight voters of each style."""

    ballots_per_style = VOTERS - 2

    def __init__(self, root: Path, arithmetic: str | None = None) -> None:
        super().__init__(root, arithmetic)
        self.setup()
        self.open()
        self.issue()
        self.context: BallotContext = self.record.ballot_context(arithmetic)
        self.shapes: dict[str, StyleShape] = style_shapes(self.manifest)
        self.books = code_books(self.group, self.manifest_hash, self.manifest)

    def wallet(self, style: str, row: int) -> Wallets:
        """One voter's."""
        every = self.wallets[style]
        return Wallets(every.secrets[row : row + 1], [every.pseudonyms[row]], [every.credentials[row]])

    def body(
        self,
        style: str = "east",
        row: int = 0,
        sequence: int = 0,
        choices: list[np.ndarray] | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> tuple[bytes, bytes]:
        """A ballot's body and its opening."""
        if choices is None:
            choices = [column[[row]] for column in self.choices(style, VOTERS)]
        built = build_ballots(
            self.key, self.fingerprint, self.shapes[style], self.wallet(style, row), [sequence], choices, self.books,
            entropy,
        )  # fmt: skip
        return built.bodies[0], encode_opening(built, 0, 1)

    def sign_ballot(self, style: str, row: int, body: bytes, domain: str = BALLOT_SIGNATURE) -> bytes:
        """The entry of a body, signed by a voter."""
        wallet = self.wallet(style, row)
        table = self.key.generator_table
        (signature,) = sign_many(self.group, table, domain, wallet.secrets, wallet.pseudonyms, [body], os.urandom)
        return encode_ballot_entry(body, signature)

    def sign_challenge(self, style: str, row: int, body: bytes, opening: bytes) -> bytes:
        """The entry of a body and an opening, signed by a voter."""
        wallet = self.wallet(style, row)
        (signature,) = sign_many(
            self.group, self.key.generator_table, CHALLENGE_SIGNATURE, wallet.secrets, wallet.pseudonyms,
            [frame(body) + frame(opening)], os.urandom,
        )  # fmt: skip
        return encode_challenge_entry(body, signature, opening)

    def ballot(self, style: str = "east", row: int = 0, sequence: int = 0) -> bytes:
        """A valid ballot."""
        return self.sign_ballot(style, row, self.body(style, row, sequence)[0])

    def challenged(self, style: str = "east", row: int = 0) -> bytes:
        """A valid challenge."""
        return self.sign_challenge(style, row, *self.body(style, row))

    def edited(self, edit: Callable[[dict[str, Any]], object], style: str = "east", row: int = 0) -> bytes:
        """A ballot whose decoded body was changed before it was signed."""
        value = cbor.decode(self.body(style, row)[0])
        assert isinstance(value, dict)
        edit(value)
        return self.sign_ballot(style, row, cbor.encode(value))

    def judge(self, entries: Sequence[bytes]) -> Selection:
        """The office's judgement of these entries."""
        return select(self.context, lambda: entries, list(STYLES), CHALLENGES)

    def reasons(self, entries: Sequence[bytes]) -> list[str | None]:
        """The reasons that the server finds in each entry by itself."""
        return [row.reason for row in judge_entries(self.context, entries)]

    def fates(self, entries: Sequence[bytes]) -> list[str]:
        """What becomes of every entry, in words."""
        return [describe_disposition(byte) for byte in self.judge(entries).dispositions]


@cache
def open_election(arithmetic: str | None = None) -> OpenElection:
    """One for all tests of a run; nothing that they do changes it."""
    return OpenElection(Path(tempfile.mkdtemp(prefix="evoting-test-")), arithmetic)
