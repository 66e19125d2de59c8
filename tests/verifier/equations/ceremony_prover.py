"""A key ceremony of trustees after docs/spec/04-ceremonies.md in one process, with hooks for defects."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nacl import bindings
from nacl.signing import SigningKey

from crypto.group import ORDER, Group
from tests.verifier.equations.provers import Randomness, encode_scalars, generator, linear, times_generator
from verifier.hashing import frame, scalar, sha
from verifier.record import cbor

MANIFEST = hashlib.sha256(b"manifest").digest()
KINDS = ("commit", "reveal", "shares", "confirm")
Body = dict[str, Any]


@dataclass
class Party:
    """What one participant of one attempt holds."""

    index: int
    receiver_secret: int
    coefficients: list[int]
    ephemeral: dict[int, int] = field(default_factory=dict)


@dataclass
class Script:
    """Deviations of an attempt; every hook may change what it is given before it is hashed and signed."""

    #: Changes the polynomials before anything is made of them.
    polynomials: Callable[[dict[int, list[int]]], object] = lambda _: None
    #: Changes a body: round from 0, sender, body.
    body: Callable[[int, int, Body], None] = lambda *_: None
    #: Changes a reveal after it was committed to.
    late: Callable[[int, Body], None] = lambda *_: None
    #: Changes the plain shares for a receiver: dealer, receiver, bytes.
    plain: Callable[[int, int, bytes], bytes] = lambda _dealer, _receiver, plain: plain
    #: Dealers that a receiver complains about.
    complaints: dict[int, list[int]] = field(default_factory=dict)
    #: Changes a complaint item: receiver, item.
    complaint: Callable[[int, Body], None] = lambda *_: None
    #: Changes the envelopes of a round: round from 0, envelopes.
    envelopes: Callable[[int, list[Body]], None] = lambda *_: None
    rounds: int = 4
    culprits: list[tuple[int, str]] = field(default_factory=list)


class Ceremony:
    """Makes transcripts for n trustees with threshold t."""

    def __init__(self, group: Group, n: int = 3, t: int = 2, seed: str = "ceremony") -> None:
        self.group, self.n, self.t = group, n, t
        self.rng = Randomness(seed)
        self.keys = [SigningKey(self.rng(32)) for _ in range(n)]
        self.roles = [(f"trustee-{i + 1}", bytes(key.verify_key)) for i, key in enumerate(self.keys)]

    def prove_logarithm(self, secret: int, domain: str, *parts: bytes | str | int) -> bytes:
        k = self.rng.scalar()
        c = scalar(domain, *parts, times_generator(self.group, k))
        return encode_scalars([c, k + c * secret])

    def envelope(self, kind: str, sender: int, body: Body | bytes) -> Body:
        data = body if isinstance(body, bytes) else cbor.encode(body)
        message = frame("evoting/v1/ceremony") + frame(MANIFEST) + frame(kind) + frame(data)
        signature = self.keys[sender - 1].sign(message).signature
        return {"type": kind, "body": data, "role": self.roles[sender - 1][0], "signature": signature}

    def transcript(self, *scripts: Script) -> Body:
        value: Body = {"format": "evoting-ceremony/v1", "kind": "trustees", "manifest": MANIFEST, "attempts": []}
        participants = list(range(1, self.n + 1))
        for number, script in enumerate(scripts, 1):
            attempt: Body = {"number": number, "participants": participants, "rounds": [], "culprits": []}
            value["attempts"].append(attempt)
            self.run(value, attempt, script)
            attempt["culprits"] = [{"participant": i, "reason": reason} for i, reason in script.culprits]
            participants = [i for i in participants if i not in dict(script.culprits)]
        return value

    def run(self, transcript: Body, attempt: Body, script: Script) -> None:
        members = attempt["participants"]
        polynomials = {i: self.rng.scalars(self.t) for i in members}
        script.polynomials(polynomials)
        parties = {i: Party(i, self.rng.scalar(), polynomials[i]) for i in members}
        reveals = {i: self.reveal(attempt, party, script) for i, party in parties.items()}
        makers: list[Callable[[int], tuple[str, Body]]] = [
            lambda i: ("commit", self.commit(attempt, parties[i], reveals[i])),
            lambda i: ("reveal", reveals[i]),
            lambda i: ("shares", self.shares(attempt, parties[i], parties, script)),
            lambda i: self.answer(transcript, attempt, parties[i], parties, script),
        ]
        for number in range(script.rounds):
            envelopes = []
            for i in members:
                kind, body = makers[number](i)
                if number != 1:
                    script.body(number, i, body)
                else:
                    script.late(i, body)
                envelopes.append(self.envelope(kind, i, body))
            script.envelopes(number, envelopes)
            attempt["rounds"].append(envelopes)

    def header(self, attempt: Body, i: int) -> Body:
        return {"kind": "trustees", "attempt": attempt["number"], "sender": i}

    def context(self, attempt: Body) -> tuple[bytes, str, int]:
        return MANIFEST, "trustees", attempt["number"]

    def commit(self, attempt: Body, party: Party, reveal: Body) -> Body:
        key = times_generator(self.group, party.receiver_secret)
        domain, context = "evoting/v1/ceremony-receiver-key", self.context(attempt)
        return self.header(attempt, party.index) | {
            "commitment": sha("evoting/v1/ceremony-commitment", MANIFEST, cbor.encode(reveal)),
            "receiver-key": key,
            "possession": self.prove_logarithm(party.receiver_secret, domain, *context, party.index, key),
        }

    def reveal(self, attempt: Body, party: Party, script: Script) -> Body:
        commitments = b"".join(times_generator(self.group, a) for a in party.coefficients)
        parts = (*self.context(attempt), "election-key", party.index, commitments)
        possession = self.prove_logarithm(party.coefficients[0], "evoting/v1/ceremony-possession", *parts)
        instance = {"label": "election-key", "commitments": commitments, "possession": possession}
        body = self.header(attempt, party.index) | {"instances": [instance]}
        script.body(1, party.index, body)
        return body

    def shares(self, attempt: Body, party: Party, parties: dict[int, Party], script: Script) -> Body:
        items = []
        for j, receiver in parties.items():
            if j == party.index:
                continue
            r = party.ephemeral.setdefault(j, self.rng.scalar())
            point, key = times_generator(self.group, r), times_generator(self.group, receiver.receiver_secret)
            shared = linear(self.group, (r, key))
            parts = (*self.context(attempt), party.index, j, point, key, shared)
            secret = sha("evoting/v1/ceremony-share-key", *parts)
            value = sum(a * j**k for k, a in enumerate(party.coefficients))
            plain = script.plain(party.index, j, encode_scalars([value]))
            box = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, None, bytes(24), secret)
            items.append({"receiver": j, "point": point, "box": box})
        return self.header(attempt, party.index) | {"shares": items}

    def answer(
        self, transcript: Body, attempt: Body, party: Party, parties: dict[int, Party], script: Script
    ) -> tuple[str, Body]:
        if party.index in script.complaints:
            items = [self.complain(attempt, party, parties[i], script) for i in script.complaints[party.index]]
            return "complaint", self.header(attempt, party.index) | {"complaints": items}
        shortened = attempt | {"rounds": attempt["rounds"][:3], "culprits": []}
        so_far = transcript | {"attempts": [*transcript["attempts"][:-1], shortened]}
        confirmed = sha("evoting/v1/ceremony-transcript", cbor.encode(so_far))
        return "confirm", self.header(attempt, party.index) | {"transcript": confirmed}

    def complain(self, attempt: Body, receiver: Party, dealer: Party, script: Script) -> Body:
        group, secret = self.group, receiver.receiver_secret
        point = times_generator(group, dealer.ephemeral[receiver.index])
        key, shared = times_generator(group, secret), linear(group, (secret, point))
        k = self.rng.scalar()
        parts = (*self.context(attempt), dealer.index, receiver.index, key, point, shared)
        tees = times_generator(group, k), linear(group, (k, point))
        c = scalar("evoting/v1/ceremony-equality", *parts, *tees)
        item = {"dealer": dealer.index, "point": shared, "proof": encode_scalars([c, k + c * secret])}
        script.complaint(receiver.index, item)
        return item

    def base(self) -> bytes:
        return generator(self.group)


def sum_to(polynomials: dict[int, list[int]], at: int) -> None:
    """Make the sum of all polynomials zero at a point, by the last participant's constant term."""
    total = sum(a * at**k for coefficients in polynomials.values() for k, a in enumerate(coefficients))
    last = polynomials[max(polynomials)]
    last[0] = (last[0] - total) % ORDER
