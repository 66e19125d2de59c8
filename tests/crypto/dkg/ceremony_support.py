"""A ceremony of actors that do exactly as they are told, honest or not, and sign everything properly.

Unlike ``crypto.dkg.participant`` an actor checks nothing: a corrupt participant, its accomplices and a corrupt office
can go on to a complete, signed, confirmed transcript, so that what an audit refuses is the planted defect alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from nacl.signing import SigningKey

from crypto import cbor
from crypto.dkg.bodies import SealedShares
from crypto.dkg.boxes import BoxContext, complain, seal_shares
from crypto.dkg.messages import COMMIT, COMPLAINT, CONFIRM, REVEAL, SHARES, Envelope, seal
from crypto.dkg.parameters import CeremonyParameters, Role, issuer_ceremony, trustee_ceremony
from crypto.dkg.secrets import AttemptSecrets
from crypto.dkg.shamir import evaluate_polynomial
from crypto.dkg.transcript import Attempt, encode_transcript, transcript_hash
from crypto.dkg.verdict import Culprit, possession_context, reveal_commitment
from crypto.group import load_group, load_pairing_group
from crypto.hashing import u64
from crypto.proofs.schnorr import prove_possession

MANIFEST_HASH = hashlib.sha256(b"a manifest").digest()
STYLES = ("city", "village")

Body = dict[str, object]
#: Changes a body before it is signed; None stands for a message that is never sent.
Alter = Callable[[Body], Body | None]


def role_key(index: int, kind: str = "trustees") -> SigningKey:
    """The Ed25519 key of a participant, the same in every test."""
    return SigningKey(hashlib.sha256(f"{kind} {index}".encode()).digest())


def seed(index: int, attempt: int = 1) -> bytes:
    """The entropy of a participant in an attempt."""
    return hashlib.sha512(f"seed {index} {attempt}".encode()).digest()


def trustees(
    count: int = 3, threshold: int = 2, manifest_hash: bytes = MANIFEST_HASH, arithmetic: str | None = None
) -> CeremonyParameters:
    """A trustees' ceremony."""
    return trustee_ceremony(load_group(arithmetic), manifest_hash, _roles("trustees", count), threshold)


def issuers(
    count: int = 4, threshold: int = 3, styles: Sequence[str] = STYLES, arithmetic: str | None = None
) -> CeremonyParameters:
    """An issuers' ceremony."""
    group, pairing = load_group(arithmetic), load_pairing_group(arithmetic)
    return issuer_ceremony(group, pairing, MANIFEST_HASH, _roles("issuers", count), threshold, styles)


def _roles(kind: str, count: int) -> list[Role]:
    return [Role(f"{kind[:-1]}-{i}", bytes(role_key(i, kind).verify_key)) for i in range(1, count + 1)]


def signer(kind: str, index: int) -> Callable[[bytes], bytes]:
    """Ed25519 with a participant's key."""
    key = role_key(index, kind)
    return lambda data: key.sign(data).signature


@dataclass
class Actor:
    """One participant of one attempt.

    Attributes:
        coefficients: the polynomials by label; a test may set others.
        commitments: what is published instead of commitments to them, by label.
        possession: proofs that are published instead of true ones, by label.
        deal: changes the shares for a receiver before they are encrypted.
    """

    parameters: CeremonyParameters
    index: int
    attempt: int = 1
    commitments: dict[str, bytes] = field(default_factory=dict)
    possession: dict[str, bytes] = field(default_factory=dict)
    deal: Callable[[int, list[int]], list[int]] = lambda _, shares: shares

    @cached_property
    def secrets(self) -> AttemptSecrets:
        return AttemptSecrets(self.parameters, self.attempt, self.index, seed(self.index, self.attempt))

    @cached_property
    def coefficients(self) -> dict[str, list[int]]:
        return {label: self.secrets.coefficients(label) for label in self.parameters.labels}

    @cached_property
    def receiver_key(self) -> bytes:
        return self.parameters.transport.generate([self.secrets.receiver_secret()]).encode()

    def reveal(self) -> Body:
        return {"instances": [self._instance(label) for label in self.parameters.labels]}

    def _instance(self, label: str) -> Body:
        group = self.parameters.group
        commitments = self.commitments.get(label) or group.generate(self.coefficients[label]).encode()
        proof = self.possession.get(label) or prove_possession(
            group,
            "evoting/v1/ceremony-possession",
            possession_context(self.parameters, self.attempt, label, self.index),
            commitments,
            self.coefficients[label][0],
            self.secrets.possession_nonce(label, commitments),
        )
        return {"label": label, "commitments": commitments, "possession": proof}

    def commit(self, reveal: Envelope | None) -> Body:
        proof = prove_possession(
            self.parameters.transport,
            "evoting/v1/ceremony-receiver-key",
            (*self.parameters.context(self.attempt), u64(self.index)),
            self.receiver_key,
            self.secrets.receiver_secret(),
            self.secrets.receiver_nonce(self.receiver_key),
        )
        commitment = bytes(32) if reveal is None else reveal_commitment(self.parameters, reveal.body)
        return {"commitment": commitment, "receiver-key": self.receiver_key, "possession": proof}

    def box(self, dealer: int, receiver: Actor) -> BoxContext:
        return BoxContext(self.parameters, self.attempt, dealer, receiver.index, receiver.receiver_key)

    def shares(self, actors: Sequence[Actor]) -> Body:
        order = self.parameters.group.order
        items = []
        for other in actors:
            if other.index == self.index:
                continue
            values = [
                evaluate_polynomial(self.coefficients[label], other.index, order) for label in self.parameters.labels
            ]
            ephemeral = self.secrets.ephemeral(other.index, other.receiver_key)
            sealed = seal_shares(self.box(self.index, other), self.deal(other.index, values), ephemeral)
            items.append({"receiver": other.index, "point": sealed.point, "box": sealed.box})
        return {"shares": items}

    def complaint(self, dealer: int, shares: Envelope) -> Body:
        """What this actor discloses when it complains about a dealer, with reason or without."""
        sealed = sealed_for(shares, self.index)
        nonce = self.secrets.complaint_nonce(dealer, sealed.point)
        complaint = complain(self.box(dealer, self), sealed, self.secrets.receiver_secret(), nonce)
        return {"dealer": dealer, "point": complaint.point, "proof": complaint.proof}

    def sign(self, message_type: str, body: Body) -> Envelope:
        header: Body = {"kind": self.parameters.kind, "attempt": self.attempt, "sender": self.index}
        sign = signer(self.parameters.kind, self.index)
        return seal(self.parameters, self.index, message_type, {**header, **body}, sign)


def sealed_for(shares: Envelope, receiver: int) -> SealedShares:
    """What a ``shares`` message holds for one receiver."""
    body = cbor.decode(shares.body)
    assert isinstance(body, dict)
    item = next(item for item in body["shares"] if item["receiver"] == receiver)
    return SealedShares(item["point"], item["box"])


def play(
    actors: Sequence[Actor],
    history: Sequence[Attempt] = (),
    *,
    alter: Mapping[tuple[int, int], Alter] | None = None,
    complaints: Mapping[int, Sequence[int]] | None = None,
    rounds: int = 4,
    culprits: Sequence[Culprit] = (),
) -> Attempt:
    """Play an attempt to the end, whatever happens in it.

    Args:
        alter: by (round, sender): changes a body before it is signed. A reveal is altered before it is committed to.
        complaints: in round 4, the dealers that a participant complains about.
        rounds: how many rounds to play.
        culprits: what the attempt states.
    """
    changes = alter or {}
    unchanged: Alter = lambda body: body  # noqa: E731
    parameters = actors[0].parameters

    def send(actor: Actor, number: int, message_type: str, body: Body) -> Envelope | None:
        altered = changes.get((number, actor.index), unchanged)(body)
        return None if altered is None else actor.sign(message_type, altered)

    reveals = [send(actor, 2, REVEAL, actor.reveal()) for actor in actors]
    played = [
        [send(actor, 1, COMMIT, actor.commit(reveal)) for actor, reveal in zip(actors, reveals, strict=True)],
        reveals,
        [send(actor, 3, SHARES, actor.shares(actors)) for actor in actors],
    ]
    indices = tuple(actor.index for actor in actors)
    attempt = Attempt(actors[0].attempt, indices, tuple(_present(messages) for messages in played))
    agreed = transcript_hash(parameters, history, attempt)
    dealt = {actor.index: message for actor, message in zip(actors, played[2], strict=True)}
    last: list[Envelope | None] = []
    for actor in actors:
        dealers = (complaints or {}).get(actor.index)
        if dealers is None:
            last.append(send(actor, 4, CONFIRM, {"transcript": agreed}))
        else:
            items = [actor.complaint(dealer, message) for dealer in dealers if (message := dealt[dealer]) is not None]
            last.append(send(actor, 4, COMPLAINT, {"complaints": items}))
    every = (*attempt.rounds, _present(last))
    return replace(attempt, rounds=every[:rounds], culprits=tuple(culprits))


def _present(messages: Sequence[Envelope | None]) -> tuple[Envelope, ...]:
    return tuple(message for message in messages if message is not None)


def actors_of(parameters: CeremonyParameters, attempt: int = 1, without: Sequence[int] = ()) -> list[Actor]:
    """All participants, except those excluded."""
    return [Actor(parameters, index, attempt) for index in parameters.indices if index not in without]


def transcript_of(parameters: CeremonyParameters, *attempts: Attempt) -> bytes:
    return encode_transcript(parameters, attempts)
