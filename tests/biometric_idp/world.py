"""A small election as its issuers see it: real keys, real stores, software passkeys."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from pathlib import Path

from nacl.signing import SigningKey

from biometric_idp.client.issuance import new_wallet
from biometric_idp.client.keys import IssuanceKeys, StyleKeys
from biometric_idp.client.wallet import StoredWallet, WalletFile
from biometric_idp.enrolment.log import (
    MAX_ENROLMENTS,
    Enrolment,
    EnrolmentSource,
    encode_enrolments,
    encode_entry,
    sign_enrolment_checkpoint,
    sign_enrolments,
)
from biometric_idp.enrolment.passkey import Ed25519Passkey, Es256Passkey, Passkey, make_assertion
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.issuer.checks import DAY
from biometric_idp.issuer.service import Issuer, IssuerKeys
from biometric_idp.issuer.store import IssuerStore, create_store, store_exists
from biometric_idp.policy import IssuancePolicy, sign_officer_passkey
from biometric_idp.registrar.roll import Roll, make_roll
from biometric_idp.request import Answer, Assertion, Refusal, Request, request_hash
from biometric_idp.webauthn import RelyingParty
from crypto.group import BLS_ORDER, load_group, load_pairing_group

NOW = 1_800_000_000
ORIGIN = "elections.example/2030/log"
PARTY = RelyingParty("vote.example", "https://vote.example")
STYLES = ("abroad", "bishkek")
#: Positions 0..5; the last two have no passkey.
ROLL = make_roll(STYLES, [0, 1, 0, 1, 0, 1])
ENROLLED = 4


def key(label: str) -> SigningKey:
    return SigningKey(sha256(label.encode()).digest())


Kind = type[Ed25519Passkey] | type[Es256Passkey]
KINDS: tuple[Kind, ...] = (Ed25519Passkey, Es256Passkey)


def passkey(label: str, kind: Kind = Ed25519Passkey) -> Passkey:
    return kind(sha256(f"passkey {label}".encode()).digest(), sha256(f"id {label}".encode()).digest()[:20])


@dataclass
class World:
    """Policy, keys and stores of four issuers, three of which make a credential."""

    directory: Path
    fingerprint: bytes = field(default_factory=lambda: sha256(b"election").digest())
    idp: SigningKey = field(default_factory=lambda: key("identity provider"))
    registrar: SigningKey = field(default_factory=lambda: key("registrar"))
    issuers: int = 4
    threshold: int = 3
    #: Seconds since 1970; of the machine's clock where real processes take part.
    now: int = NOW
    #: Positions on the roll; the last two have no passkey.
    voters: int = len(ROLL)
    #: Addresses of databases by issuer, instead of files of SQLite in the directory.
    databases: dict[int, str] = field(default_factory=dict)
    opened: list[IssuerStore] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.group = load_group()
        self.pairing = load_pairing_group()
        self.passkeys = [passkey(f"voter {position}", KINDS[position % 2]) for position in range(self.voters - 2)]
        self.officers = [passkey("officer 1"), passkey("officer 2", Es256Passkey)]
        self.roll: Roll = make_roll(STYLES, [position % 2 for position in range(self.voters)])
        self.signing = [key(f"issuer {index}") for index in range(1, self.issuers + 1)]
        self.shares: dict[int, dict[str, int]] = {index: {} for index in range(1, self.issuers + 1)}
        styles = []
        for style in STYLES:
            coefficients = [
                int.from_bytes(sha256(f"{style} {degree}".encode()).digest() * 2, "big") % BLS_ORDER
                for degree in range(self.threshold)
            ]
            for index, shares in self.shares.items():
                shares[style] = sum(c * index**e for e, c in enumerate(coefficients)) % BLS_ORDER
            generator = self.pairing.g2_generator()
            share_keys = tuple(generator.mul([shares[style]]).encode() for shares in self.shares.values())
            styles.append(StyleKeys(style, generator.mul([coefficients[0]]).encode(), share_keys))
        self.keys = IssuanceKeys(tuple(styles))
        enrolled = [self.enrolment(position) for position in range(self.voters - 2)]
        self.entries = [
            self.enrolment_entry(enrolled[start : start + MAX_ENROLMENTS])
            for start in range(0, len(enrolled), MAX_ENROLMENTS)
        ]
        self.policy = self.make_policy(self.entries)
        self._names = count()

    def enrolment(self, position: int, chosen: Passkey | None = None, method: str = "code") -> Enrolment:
        own = chosen or self.passkeys[position]
        style = self.roll.style_of(position)
        assert style is not None
        return Enrolment(position, style, own.public, method, self.now - DAY * 3)

    def enrolment_entry(
        self, enrolments: Sequence[Enrolment], registrar: SigningKey | None = None, idp: SigningKey | None = None
    ) -> bytes:
        body = encode_enrolments(enrolments)
        return encode_entry(
            body,
            sign_enrolments(idp or self.idp, ORIGIN, body),
            sign_enrolments(registrar or self.registrar, ORIGIN, body),
        )

    def source(self, entries: Sequence[bytes]) -> EnrolmentSource:
        checkpoint = sign_enrolment_checkpoint(self.idp, ORIGIN, entries)
        return EnrolmentSource(
            ORIGIN, bytes(self.idp.verify_key), bytes(self.registrar.verify_key), checkpoint, self.now - 2 * DAY
        )

    def make_policy(self, entries: Sequence[bytes]) -> IssuancePolicy:
        return IssuancePolicy(
            self.fingerprint,
            ORIGIN,
            PARTY,
            self.now - DAY,
            self.now + DAY,
            tuple((f"issuer-{i}", bytes(k.verify_key)) for i, k in enumerate(self.signing, start=1)),
            self.threshold,
            tuple(self.roll.sizes()),
            tuple(
                sign_officer_passkey(key(f"officer {i}"), self.fingerprint, f"officer-{i}", own.public)
                for i, own in enumerate(self.officers, start=1)
            ),
            self.source(entries),
        )

    def store_path(self, index: int) -> Path:
        return self.directory / f"issuer-{index}.sqlite"

    def database(self, index: int) -> Path | str:
        """Where the store of an issuer is, made where there is none."""
        database = self.databases.get(index, self.store_path(index))
        if not store_exists(database):
            create_store(database, self.fingerprint, index, self.roll, self.policy.enrolment, self.entries)
        return database

    def store(self, index: int, probe: Callable[[str], None] = lambda _: None) -> IssuerStore:
        """Another connection to the store of an issuer."""
        store = IssuerStore(self.database(index), self.fingerprint, index, probe=probe)
        self.opened.append(store)
        return store

    def issuer(self, index: int, probe: Callable[[str], None] = lambda _: None) -> Issuer:
        keys = IssuerKeys(index, self.signing[index - 1], self.shares[index])
        return Issuer(self.policy, self.roll, keys, self.store(index, probe), self.pairing)

    def wallet(self, position: int) -> StoredWallet:
        """A fresh stored wallet for a position."""
        style = self.roll.style_of(position)
        assert style is not None
        file = WalletFile(self.directory / f"wallet-{next(self._names)}", bytes(32), os.urandom)
        return file.create(new_wallet(self.group, self.pairing, self.fingerprint, style, position, os.urandom))

    def hash_of(self, stored: StoredWallet, credential: bytes) -> bytes:
        wallet = stored.wallet
        return request_hash(self.fingerprint, wallet.style, wallet.position, credential, wallet.blinded)

    def request(self, stored: StoredWallet, counter: int = 0) -> Request:
        """An honest request by the passkey of the wallet's position."""
        own = self.passkeys[stored.wallet.position]
        hash_ = self.hash_of(stored, own.public.credential)
        return self.request_with(stored, own.public.credential, [make_assertion(own, PARTY, hash_, counter=counter)])

    def terminal_request(self, stored: StoredWallet, officers: Sequence[Passkey] | None = None) -> Request:
        hash_ = self.hash_of(stored, b"")
        signers = self.officers if officers is None else officers
        return self.request_with(stored, b"", [make_assertion(own, PARTY, hash_) for own in signers])

    def request_with(self, stored: StoredWallet, credential: bytes, assertions: Sequence[Assertion]) -> Request:
        """A request with a good ticket and any assertions."""
        wallet = stored.wallet
        ticket = sign_tickets(self.idp, self.fingerprint, [self.hash_of(stored, credential)], self.now // DAY)[0]
        return Request(wallet.style, wallet.position, credential, wallet.blinded, tuple(assertions), ticket)

    def close(self) -> None:
        for store in self.opened:
            store.close()


def refused(answers: Sequence[Answer | Refusal]) -> list[str | None]:
    """Code of each refusal, None for an answer."""
    return [answer.code if isinstance(answer, Refusal) else None for answer in answers]


def with_ticket(world: World, request: Request, hash_: bytes, signer: SigningKey) -> Request:
    """The request with a ticket of this signer for this hash."""
    return replace(request, ticket=sign_tickets(signer, world.fingerprint, [hash_], world.now // DAY)[0])
