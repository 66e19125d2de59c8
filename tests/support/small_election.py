"""A complete small election in one process, every party's secrets at hand.

Every step is a method, so that a test plants one defect by overriding one method: the role that is corrupt there signs
what it likes, everything after it is built on top, and the log is hashed, signed and cosigned as ever. Randomness is
fresh, as in real life; nothing here is a mock.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from nacl.signing import SigningKey

from biometric_idp.issuer.ledger import sign_ledger_checkpoint
from biometric_idp.registrar.roll import commit_roll
from biometric_idp.signatures import sign_checkpoint
from crypto.blind_bls import combine_partials, encode_message, hash_credential_message, sign_partial
from crypto.decryption import generate_factors, prove_factors
from crypto.dkg.messages import Message, open_message
from crypto.dkg.parameters import CeremonyParameters, issuer_ceremony, trustee_ceremony
from crypto.dkg.parameters import Role as CeremonyRole
from crypto.dkg.participant import Completed, begin_attempt
from crypto.elgamal import EncryptionKey
from crypto.entry import sign_entry
from crypto.group import load_group, load_pairing_group
from crypto.hashing import sha
from crypto.log.cosignature import cosign
from crypto.log.note import COSIGNATURE_KEY, NOTE_KEY, NoteSigningKey
from crypto.log.policy import Group as WitnessGroup
from crypto.log.policy import Policy, encode_policy
from evoting.ballots.build import BuiltBallots, Wallets, build_ballots, cast_ballots, challenge_ballots
from evoting.ballots.code_books import code_books
from evoting.ballots.shape import style_shapes
from evoting.board.layout import BlobRef
from evoting.board.store import Board
from evoting.definition import HomomorphicContest, Manifest, encode_manifest, manifest_hash
from evoting.office import steps
from evoting.office.opening import blobref
from evoting.office.selection import Selection, summarise
from evoting.office.tally import list_bytes, post_result
from evoting.record.election import ElectionRecord
from mix_net.context import mix_transcript
from mix_net.shuffle import (
    ShuffleStatement,
    commitment_key_length,
    generate_shuffle,
    prove_shuffle,
)
from tests.support.small_manifest import OPENS, ROLES, small_manifest

ORIGIN = "log.example/small"


class SmallElection:
    """Override a method to plant a defect, then ``run``."""

    ballots_per_style = 6
    terminals: tuple[str, ...] = ("terminal-1",)

    def __init__(self, root: Path, arithmetic: str | None = None) -> None:
        self.root = root
        self.record_path = root / "record"
        self.trust_root_path = root / "trust-root.json"
        self.group = load_group(arithmetic)
        self.pairing = load_pairing_group(arithmetic)
        self.keys = {name: SigningKey.generate() for name, _, _ in ROLES}
        self.log_key = NoteSigningKey(ORIGIN, NOTE_KEY, os.urandom(32))
        self.witness_keys = {
            name: NoteSigningKey(f"witness.example/{name}", COSIGNATURE_KEY, bytes(self.keys[name]))
            for name, kind, _ in ROLES
            if kind == "witness"
        }
        self.clock = OPENS - 1000
        self.board = Board.create(self.record_path, root / "state", self.log_key)
        self.record = ElectionRecord(self.board)
        self.wallets: dict[str, Wallets] = {}

    # Helpers

    def now(self) -> int:
        """A clock that ticks at every look."""
        self.clock += 1
        return self.clock

    def post(self, kind: str, body: dict[str, Any], *signers: str) -> None:
        """Append an entry signed by roles."""
        raw = sign_entry(kind, self.alter(kind, body), self.record.binding, {name: self.keys[name] for name in signers})
        self.board.append([raw])

    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """What a corrupt signer makes of a body before signing it."""
        return body

    @property
    def officers(self) -> dict[str, SigningKey]:
        return {name: self.keys[name] for name in ("officer-1", "officer-2")}

    # Setup

    @cached_property
    def manifest(self) -> Manifest:
        return small_manifest({name: bytes(key.verify_key) for name, key in self.keys.items()})

    @cached_property
    def manifest_bytes(self) -> bytes:
        return encode_manifest(self.manifest)

    @cached_property
    def manifest_hash(self) -> bytes:
        return manifest_hash(self.manifest_bytes)

    @cached_property
    def roll(self) -> list[tuple[str, str]]:
        """(style, person) by position."""
        return [(style.id, f"2{position:013d}") for style in self.manifest.styles for position in range(style.roll)]

    def setup(self) -> None:
        steps.post_manifest(self.record, self.manifest_bytes, self.officers)
        self.post(
            "roll",
            {
                "commitment": commit_roll(b"r" * 32, self.roll),
                "size": len(self.roll),
                "styles": [{"style": style.id, "size": style.roll} for style in self.manifest.styles],
                "time": self.now(),
            },
            "registrar",
            "officer-1",
        )
        self.post(
            "enrolment",
            {
                "checkpoint": sign_checkpoint(
                    self.keys["identity-provider"], f"{ORIGIN}/enrolment", 1, hashlib.sha256(b"\0entry").digest()
                ),
                "time": self.now(),
            },
            "identity-provider",
            "registrar",
        )
        for kind, transcript in (
            ("trustee-ceremony", self.trustee_completion[0].transcript),
            ("issuer-ceremony", self.issuer_completion[0].transcript),
        ):
            self.post(kind, {"transcript": blobref(self.board.put_blob(transcript)), "time": self.now()}, "officer-1")

    def ceremony_roles(self, kind: str) -> list[CeremonyRole]:
        return [CeremonyRole(role.id, role.key) for role in self.manifest.roles_of(kind)]

    @cached_property
    def trustee_parameters(self) -> CeremonyParameters:
        return trustee_ceremony(
            self.group, self.manifest_hash, self.ceremony_roles("trustee"), self.manifest.trustee_threshold
        )

    @cached_property
    def issuer_parameters(self) -> CeremonyParameters:
        return issuer_ceremony(
            self.group,
            self.pairing,
            self.manifest_hash,
            self.ceremony_roles("issuer"),
            self.manifest.issuer_threshold,
            [style.id for style in self.manifest.styles],
        )

    @cached_property
    def trustee_completion(self) -> list[Completed]:
        completed, self.trustee_polynomials = run_ceremony(self.trustee_parameters, self.keys)
        return completed

    @cached_property
    def issuer_completion(self) -> list[Completed]:
        return run_ceremony(self.issuer_parameters, self.keys)[0]

    def joint_key(self) -> bytes:
        return self.trustee_completion[0].outcome.keys[0].joint_key

    def verification_keys(self) -> bytes:
        return b"".join(self.trustee_completion[0].outcome.keys[0].verification_keys)

    def issuance_keys(self) -> list[tuple[str, bytes, bytes]]:
        return [
            (key.label, key.joint_key, b"".join(key.verification_keys))
            for key in self.issuer_completion[0].outcome.keys
        ]

    def code_book_bytes(self) -> dict[str, bytes]:
        books = code_books(self.group, self.manifest_hash, self.manifest)
        return {contest: book.encode() for contest, book in books.items()}

    def open(self) -> None:
        from evoting.office.opening import encode_issuance_keys, opening_body

        roll = self.record.only("roll").body
        body = opening_body(
            self.manifest,
            group=self.group,
            manifest_blob=BlobRef(self.manifest_hash, len(self.manifest_bytes)),
            roll={name: roll[name] for name in ("commitment", "size", "styles")},
            enrolment=sha("evoting/v1/entry-hash", self.record.only("enrolment").raw),
            trustee_transcript=steps.read_blobref(self.record.only("trustee-ceremony").body["transcript"]),
            key=self.joint_key(),
            verification_keys=self.verification_keys(),
            issuer_transcript=steps.read_blobref(self.record.only("issuer-ceremony").body["transcript"]),
            issuance_keys=self.board.put_blob(encode_issuance_keys(self.issuance_keys())),
            books={contest: self.board.put_blob(data) for contest, data in self.code_book_bytes().items()},
            vote_page=[],
            origin=self.board.origin,
            time=self.now(),
        )
        self.post("opening", body, "officer-1", "officer-2")
        self.clock = OPENS

    # Voting

    @property
    def fingerprint(self) -> bytes:
        return self.record.fingerprint

    @cached_property
    def key(self) -> EncryptionKey:
        return EncryptionKey.decode(self.group, self.joint_key())

    def issue(self) -> None:
        """Credentials for every voter, signed by issuers 1 to k with their shares, without the blinding."""
        order_bytes = "big"
        for style in self.manifest.styles:
            count = self.ballots_per_style + 2
            secrets = self.group.scalars_wide(os.urandom(64 * count))
            encoded = self.key.generator_table.mul(secrets).encode()
            pseudonyms = [encoded[32 * i : 32 * i + 32] for i in range(count)]
            self.wallets[style.id] = Wallets(secrets, pseudonyms, self.credentials(style.id, pseudonyms, order_bytes))

    def credentials(self, style: str, pseudonyms: Sequence[bytes], order: str = "big") -> list[bytes]:
        """Valid credentials for any pseudonyms, as only k issuers together can make them."""
        messages = [encode_message(self.fingerprint, style, pseudonym) for pseudonym in pseudonyms]
        points = hash_credential_message(self.pairing, messages)
        partials = {}
        for completed in self.issuer_completion[: self.manifest.issuer_threshold]:
            share = next(share for share in completed.key_shares if share.label == style)
            partials[share.index] = sign_partial(points, int.from_bytes(share.secret, order))
        combined, denominator = combine_partials(partials)
        from crypto.group import BLS_ORDER

        data = combined.mul([pow(denominator, -1, BLS_ORDER)] * len(pseudonyms)).encode()
        return [data[48 * i : 48 * i + 48] for i in range(len(pseudonyms))]

    def choices(self, style: str, count: int) -> list[np.ndarray]:
        """What the style's voters choose, contest by contest: yes, no, blank in turn; codes in turn."""
        question = np.zeros((count, 3), dtype=np.uint8)
        for row in range(count):
            if row % 4 != 3:
                question[row, row % 4 % 3] = 1
        codes = {contest.id: len(contest.codes) for contest in self.manifest.contests if contest.kind == "mixed"}
        chosen = (np.arange(count, dtype=np.uint32) * 3 % codes["list"]).reshape(-1, 1)
        ranking = np.array([[row % 3, 3 if row % 2 else (row + 1) % 3] for row in range(count)], dtype=np.uint32)
        return [question, chosen, ranking]

    def build(
        self, style: str, rows: Sequence[int], sequence: int, choices: list[np.ndarray] | None = None
    ) -> tuple[Wallets, BuiltBallots]:
        """Ballots of some voters of a style, encrypted and proved but not signed."""
        wallets = self.wallets[style]
        indices = np.array(rows, dtype=np.uint32)
        part = Wallets(
            wallets.secrets.gather(indices),
            [wallets.pseudonyms[row] for row in rows],
            [wallets.credentials[row] for row in rows],
        )
        if choices is None:
            choices = [column[indices] for column in self.choices(style, len(wallets))]
        books = code_books(self.group, self.manifest_hash, self.manifest)
        built = build_ballots(
            self.key, self.fingerprint, style_shapes(self.manifest)[style], part, [sequence] * len(rows),
            choices, books, os.urandom,
        )  # fmt: skip
        return part, built

    def cast(self, style: str, rows: Sequence[int], sequence: int = 1) -> list[bytes]:
        part, built = self.build(style, rows, sequence)
        return cast_ballots(self.key, part, built, os.urandom)

    def challenge(self, style: str, rows: Sequence[int]) -> list[bytes]:
        part, built = self.build(style, rows, 0)
        return challenge_ballots(self.key, part, built, os.urandom)

    def epochs(self) -> list[list[bytes]]:
        """Entries of every epoch, not yet sorted: a first vote and a challenge, then everybody's ballot."""
        first = [*self.cast("east", [0], 0), *self.challenge("west", [0])]
        everybody = range(self.ballots_per_style)
        return [first, [entry for style in self.wallets for entry in self.cast(style, everybody)]]

    def sort_epoch(self, entries: list[bytes]) -> list[bytes]:
        return sorted(entries, key=lambda entry: sha("evoting/v1/ballot-order", entry))

    def vote(self) -> None:
        for terminal in self.terminals:
            self.post("terminal-opening", {"terminal": terminal, "unit": "west-1", "time": self.now()}, terminal)
        for number, entries in enumerate(self.epochs()):
            self.board.append(self.sort_epoch(entries))
            self.post("epoch", {"number": number, "time": self.now(), "entries": len(entries)}, "ballot-box")
        for terminal in self.terminals:
            body = {"terminal": terminal, "head": bytes(32), "count": 0, "time": self.now()}
            self.post("terminal-closing", body, terminal)

    def close(self) -> None:
        from evoting.record.election import is_challenge_entry

        challenges = sum(is_challenge_entry(entry) for entry in self.record.voter_entries())
        body = {
            "ballots": self.record.voter_count - challenges,
            "challenges": challenges,
            "epochs": len(self.record.entries("epoch")),
            "time": self.now(),
        }
        self.post("close", body, "officer-1", "officer-2")

    # Counting

    def ledgers(self) -> None:
        count = self.ballots_per_style + 2
        for index in range(1, self.manifest.issuers + 1):
            entries = [f"entry {number}".encode() for number in range(count * len(self.manifest.styles))]
            body = {
                "issuer": index,
                "checkpoint": sign_ledger_checkpoint(self.keys[f"issuer-{index}"], ORIGIN, index, entries),
                "issued": [{"style": style.id, "count": count, "terminal": 0} for style in self.manifest.styles],
                "tree": {"root": hashlib.sha256(b"tree").digest(), "size": len(self.roll)},
                "time": self.now(),
            }
            self.post("ledger", body, f"issuer-{index}")

    def select(self) -> None:
        selection = self.dispose(steps.judge_all(self.record))
        steps.post_selection(_Recorder(self), self.officers, selection, self.now())

    def forced(self, selection: Selection) -> dict[int, int]:
        """Dispositions that a corrupt office sets, by ordinal among ballots and challenges."""
        return {}

    def dispose(self, selection: Selection) -> Selection:
        """The selection that the office publishes: the honest one, but for what is forced."""
        dispositions = bytearray(selection.dispositions)
        for ordinal, byte in self.forced(selection).items():
            dispositions[ordinal] = byte
        return summarise(bytes(dispositions), selection.styles, list(selection.accounts))

    def aggregate(self) -> None:
        steps.post_aggregates(_Recorder(self), self.officers, self.root / "lists")

    def mixer_role(self, stage: int) -> str:
        return f"mixer-{stage}"

    def shuffle(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> tuple[bytes, bytes]:
        """Outputs and proof of one honest stage."""
        from mix_net.commitment import CommitmentKey

        key = self.joint_key()
        outputs, witness = generate_shuffle(self.group, key, inputs, width, os.urandom)
        transcript = mix_transcript(self.fingerprint, contest, group, stage, self.mixer_role(stage))
        count = len(inputs) // (64 * width)
        commitments = CommitmentKey.derive(self.group, commitment_key_length(count, width))
        statement = ShuffleStatement(key, inputs, outputs, width)
        return outputs, prove_shuffle(statement, witness, transcript, os.urandom, commitments)

    def mix(self) -> None:
        for contest in self.manifest.contests:
            if isinstance(contest, HomomorphicContest):
                continue
            for group in steps.published_groups(self.record)[contest.id]:
                if group.status != "tallied":
                    continue
                inputs = steps.mix_input(self.root / "lists", contest.id, group.id).read_bytes()
                for stage in range(1, self.manifest.mixers + 1):
                    outputs, proof = self.shuffle(contest.id, group.id, stage, inputs, contest.width)
                    self.post_mix(contest.id, group.id, stage, group.ballots, inputs, outputs, proof)
                    inputs = outputs

    def post_mix(
        self, contest: str, group: str, stage: int, count: int, inputs: bytes, outputs: bytes, proof: bytes
    ) -> None:
        body = {
            "contest": contest,
            "group": group,
            "stage": stage,
            "count": count,
            "input": hashlib.sha256(inputs).digest(),
            "output": blobref(self.board.put_blob(outputs)),
            "proof": blobref(self.board.put_blob(proof)),
            "time": self.now(),
        }
        self.post("mix", body, self.mixer_role(stage))

    trustees_present: tuple[int, ...] = (1, 3)

    def share(self, trustee: int) -> bytes:
        return self.trustee_completion[trustee - 1].key_shares[0].secret

    def factors(self, contest: str, group: str, trustee: int, data: bytes) -> tuple[bytes, bytes]:
        """Factors and proof of an honest trustee."""
        share = self.share(trustee)
        factors = generate_factors(self.group, data, share)
        key = self.verification_keys()[32 * (trustee - 1) : 32 * trustee]
        proof = prove_factors(
            self.group, self.fingerprint, contest, group, trustee, key, data, factors, share, os.urandom(64)
        )
        return factors, proof

    def decrypt(self) -> None:
        for contest in self.manifest.contests:
            for group in steps.published_groups(self.record)[contest.id]:
                if group.status != "tallied":
                    continue
                data = list_bytes(self.record, contest, group.id)
                for trustee in self.trustees_present:
                    factors, proof = self.factors(contest.id, group.id, trustee, data)
                    body = {
                        "contest": contest.id,
                        "group": group.id,
                        "trustee": trustee,
                        "list": hashlib.sha256(data).digest(),
                        "factors": blobref(self.board.put_blob(factors)),
                        "proof": proof,
                        "time": self.now(),
                    }
                    self.post("decryption", body, f"trustee-{trustee}")

    def result(self) -> None:
        post_result(_Recorder(self), self.officers, self.now())

    # Publishing

    def publish(self) -> None:
        note = self.board.publish()
        lines = [cosign(note.text, key, self.now()) for key in self.cosigners()]
        self.board.add_cosignatures(lines, [key.verifier for key in self.witness_keys.values()], self.clock + 10)
        self.board.prune()

    def cosigners(self) -> list[NoteSigningKey]:
        return list(self.witness_keys.values())

    def policy(self) -> bytes:
        names = tuple(self.witness_keys)
        return encode_policy(
            Policy(
                (self.log_key.verifier,),
                {name: key.verifier for name, key in self.witness_keys.items()},
                {"witnesses": WitnessGroup(self.manifest.witness_quorum, names)},
                "witnesses",
            )
        )

    def write_trust_root(self) -> None:
        self.trust_root_path.write_text(
            json.dumps(
                {
                    "format": "evoting-trust-root/v1",
                    "fingerprint": self.fingerprint.hex(),
                    "policy": self.policy().decode(),
                }
            )
        )

    STEPS = (
        "setup", "open", "issue", "vote", "close", "ledgers", "select", "aggregate", "mix", "decrypt", "result",
        "publish", "write_trust_root",
    )  # fmt: skip

    def run(self) -> SmallElection:
        """The whole election."""
        for step in self.STEPS:
            getattr(self, step)()
        self.board.close()
        return self


class _Recorder:
    """The record as office steps see it, with the test's ``alter`` between them and the signature."""

    def __init__(self, election: SmallElection) -> None:
        self._election = election

    def __getattr__(self, name: str) -> object:
        return getattr(self._election.record, name)

    def post(self, kind: str, body: dict[str, Any], signers: dict[str, SigningKey]) -> None:
        self._election.post(kind, body, *signers)


def run_ceremony(
    parameters: CeremonyParameters, keys: dict[str, SigningKey]
) -> tuple[list[Completed], list[list[int]]]:
    """All participants of a ceremony, in one process and without trouble.

    Returns:
        What each ends with, and each one's secret polynomial of the first instance.
    """
    seats: list[object] = [
        begin_attempt(parameters, (), index, os.urandom(64), lambda data, name=role.id: keys[name].sign(data).signature)
        for index, role in enumerate(parameters.roles, start=1)
    ]
    polynomials = [list(seat.seat.secrets.coefficients(parameters.labels[0])) for seat in seats]
    for number in range(1, 5):
        messages: list[Message] = [
            open_message(parameters, seat.message, attempt=1, round_number=number) for seat in seats
        ]
        seats = [seat.receive(messages) for seat in seats]
    assert all(isinstance(seat, Completed) for seat in seats)
    return seats, polynomials
