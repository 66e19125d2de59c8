"""A small election with real issuance: enrolment log, four issuers' ledgers and statements, made by the product's code.

Positions 0 to 19 are of style east, 20 to 39 of west. Some have a passkey, two are issued at a terminal by two
officers. Whatever a test plants is signed again by whoever is corrupt there; the record is hashed, signed and cosigned
as ever.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from biometric_idp.client.issuance import new_wallet
from biometric_idp.enrolment.log import (
    Enrolment,
    EnrolmentSource,
    encode_enrolments,
    encode_entry,
    sign_enrolment_checkpoint,
    sign_enrolments,
)
from biometric_idp.enrolment.passkey import Ed25519Passkey, Es256Passkey, Passkey, make_assertion
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.issuer.ledger import prove_position, sign_ledger_checkpoint, tree_leaf_hashes
from biometric_idp.issuer.service import Issuer, IssuerKeys
from biometric_idp.issuer.store import IssuerStore, create_store
from biometric_idp.policy import IssuancePolicy, sign_officer_passkey
from biometric_idp.registrar.roll import make_roll, write_roll
from biometric_idp.request import Answer, Assertion, Request, request_hash
from biometric_idp.webauthn import RelyingParty
from crypto.log.cosignature import cosign
from crypto.log.merkle import root_of_hashes
from tests.support.small_election import ORIGIN, SmallElection
from tests.support.small_manifest import OPENS
from tests.verifier.edited import Edited
from verifier.cli import main
from verifier.record.cbor import decode, encode

DAY = 86_400
PARTY = RelyingParty("vote.localhost", "http://vote.localhost:8443")
#: Positions with a passkey, whose voters ask for a credential; position 8 has a passkey and never asks.
VOTERS = (0, 1, 2, 3, 20, 21, 22)
ABSTAINER = 8
#: Positions without one, issued at a terminal.
AT_TERMINALS = (6, 26)
SECRET = b"s" * 32


def passkey(label: str, number: int = 0) -> Passkey:
    kind = (Ed25519Passkey, Es256Passkey)[number % 2]
    return kind(sha256(f"passkey {label}".encode()).digest(), sha256(f"id {label}".encode()).digest()[:20])


class AuditElection(SmallElection):
    """The election up to its ledgers; nothing is cast."""

    def run(self) -> AuditElection:
        for step in ("setup", "open", "issue", "vote", "close", "ledgers", "publish", "write_trust_root"):
            getattr(self, step)()
        self.board.close()
        return self

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.passkeys = {position: passkey(f"voter {position}", position) for position in (*VOTERS, ABSTAINER)}
        self.officer_passkeys = [passkey("officer 1"), passkey("officer 2", 1)]
        self.log_entries = self.enrol()
        self.entries: dict[int, list[bytes]] = {}
        self.hashes: dict[int, dict[int, bytes]] = {}

    # Enrolment

    def enrolment(self, position: int, own: Passkey, method: str = "code", time: int = OPENS - 5000) -> Enrolment:
        return Enrolment(position, self.style_of(position), own.public, method, time)

    def log_entry(
        self, enrolments: Sequence[Enrolment], idp: SigningKey | None = None, registrar: SigningKey | None = None
    ) -> bytes:
        body = encode_enrolments(enrolments)
        return encode_entry(
            body,
            sign_enrolments(idp or self.keys["identity-provider"], ORIGIN, body),
            sign_enrolments(registrar or self.keys["registrar"], ORIGIN, body),
        )

    def enrol(self) -> list[bytes]:
        """An import of some, then one by one; an effectless repetition by code, and a change in person."""
        rows = [self.enrolment(position, own) for position, own in self.passkeys.items()]
        lost = self.enrolment(22, passkey("lost"))
        found = replace(rows[VOTERS.index(22)], method="in-person")
        rows[VOTERS.index(22)] = lost
        late = self.enrolment(1, passkey("by code again"))
        return [self.log_entry(rows[:4]), *[self.log_entry([row]) for row in (*rows[4:], found, late)]]

    def style_of(self, position: int) -> str:
        return "east" if position < 20 else "west"

    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "enrolment":
            body = {**body, "checkpoint": self.enrolment_checkpoint(self.log_entries)}
        return body

    def enrolment_checkpoint(self, entries: Sequence[bytes]) -> str:
        return sign_enrolment_checkpoint(self.keys["identity-provider"], ORIGIN, entries)

    # Issuance

    @property
    def enrolment_time(self) -> int:
        time = self.record.only("enrolment").body["time"]
        assert isinstance(time, int)
        return time

    @property
    def issuance_policy(self) -> IssuancePolicy:
        source = EnrolmentSource(
            ORIGIN,
            bytes(self.keys["identity-provider"].verify_key),
            bytes(self.keys["registrar"].verify_key),
            str(self.record.only("enrolment").body["checkpoint"]),
            self.enrolment_time,
        )
        roles = self.manifest.roles_of("issuer")
        return IssuancePolicy(
            self.fingerprint,
            ORIGIN,
            PARTY,
            OPENS - 10,
            OPENS + DAY,
            tuple((role.id, role.key) for role in roles),
            self.manifest.issuer_threshold,
            tuple((style.id, style.roll) for style in self.manifest.styles),
            tuple(
                sign_officer_passkey(self.keys[f"officer-{i}"], self.fingerprint, f"officer-{i}", own.public)
                for i, own in enumerate(self.officer_passkeys, start=1)
            ),
            source,
        )

    def request(self, position: int, *signers: Passkey, credential: bytes | None = None, **changes: Any) -> Request:
        """A request with a fresh blinded point; honest if nothing is given."""
        own = self.passkeys.get(position)
        id_ = (own.public.credential if own else b"") if credential is None else credential
        style = changes.get("style", self.style_of(position))
        wallet = new_wallet(self.group, self.pairing, self.fingerprint, style, position, os.urandom)
        blinded = changes.get("blinded", wallet.blinded)
        hash_ = request_hash(self.fingerprint, style, position, id_, blinded)
        chosen = signers or ([own] if own and id_ else self.officer_passkeys)
        assertions = tuple(make_assertion(one, PARTY, hash_) for one in chosen)
        return Request(style, position, id_, blinded, assertions, self.ticket(hash_))

    def ticket(self, hash_: bytes, date: int = OPENS // DAY, key: str = "identity-provider") -> Any:
        others = [sha256(b"other %d" % number).digest() for number in range(4)]
        return sign_tickets(self.keys[key], self.fingerprint, [*others, hash_], date)[4]

    def issue(self) -> None:
        """Issuers 1 to 3 serve everybody, issuer 4 the first two voters only."""
        roll = make_roll(("east", "west"), [0] * 20 + [1] * 20)
        self.roll_path = self.root / "roll.bin"
        write_roll(self.roll_path, roll)
        requests = [self.request(position).encode() for position in (*VOTERS, *AT_TERMINALS)]
        for index in range(1, 5):
            path = self.root / f"issuer-{index}.sqlite"
            create_store(path, self.fingerprint, index, roll, self.issuance_policy.enrolment, self.log_entries)
            shares = self.issuer_completion[index - 1].key_shares
            keys = IssuerKeys(
                index, self.keys[f"issuer-{index}"], {one.label: int.from_bytes(one.secret, "big") for one in shares}
            )
            with IssuerStore(path, self.fingerprint, index) as store:
                answers = Issuer(self.issuance_policy, roll, keys, store, self.pairing).answer(
                    requests if index < 4 else requests[:2], self.clock
                )
                assert all(isinstance(answer, Answer) for answer in answers)
                with store.snapshot() as ledger:
                    self.entries[index], self.hashes[index] = list(ledger.entries()), ledger.hashes()

    def epochs(self) -> list[list[bytes]]:
        return []

    def tree_root(self, issuer: int) -> bytes:
        hashes = self.hashes[issuer]
        return root_of_hashes(tree_leaf_hashes(SECRET, self.fingerprint, len(hashes), len(self.roll), hashes))

    def ledgers(self) -> None:
        for index, entries in self.entries.items():
            body = {
                "issuer": index,
                "checkpoint": sign_ledger_checkpoint(self.keys[f"issuer-{index}"], ORIGIN, index, entries),
                "issued": counted(entries),
                "tree": {"root": self.tree_root(index), "size": len(self.roll)},
                "time": self.now(),
            }
            self.post("ledger", body, f"issuer-{index}")

    def officers_file(self) -> dict[str, Any]:
        return {
            "format": "evoting-officer-passkeys/v1",
            "fingerprint": self.fingerprint.hex(),
            "officers": [
                {
                    "role": officer.role,
                    "credential": officer.passkey.credential.hex(),
                    "algorithm": officer.passkey.algorithm,
                    "key": officer.passkey.key.hex(),
                    "signature": officer.signature.hex(),
                }
                for officer in self.issuance_policy.officers
            ],
        }

    def position_proof(self, issuer: int, position: int) -> dict[str, Any]:
        hashes = self.hashes[issuer]
        proof = prove_position(SECRET, self.fingerprint, len(hashes), len(self.roll), hashes, position)
        return {
            "format": "evoting-position-proof/v1",
            "fingerprint": self.fingerprint.hex(),
            "issuer": issuer,
            "position": position,
            "issued": None if proof.value is None else proof.value.hex(),
            "salt": proof.salt.hex(),
            "path": [node.hex() for node in proof.path],
        }


def counted(entries: Sequence[bytes]) -> list[dict[str, Any]]:
    """What an issuer with these entries states; of those that cannot be read nothing."""
    counts: Counter[tuple[str, bool]] = Counter()
    for raw in entries:
        with contextlib.suppress(Exception):
            entry: Any = decode(raw)
            request: Any = decode(entry["request"])
            counts[request["style"], entry["class"] == "terminal"] += 1
    return [
        {"style": style, "count": counts[style, False] + counts[style, True], "terminal": counts[style, True]}
        for style in ("east", "west")
    ]


def ledger_entry(world: AuditElection, request: Request, date: int = OPENS // DAY) -> bytes:
    """What an issuer puts on its ledger."""
    hash_ = request_hash(world.fingerprint, request.style, request.position, request.credential, request.blinded)
    kind = "passkey" if request.credential else "terminal"
    return encode({"class": kind, "date": date, "hash": hash_, "request": request.encode()})


def assertion_with(own: Passkey, client_data: bytes, data: bytes) -> Assertion:
    """An assertion by a passkey whose authenticator or page signs what it likes."""
    signature = own.sign(data + sha256(client_data).digest())
    return Assertion(own.public.credential, client_data, data, signature)


class Record(Edited):
    """The record, edited and cosigned again."""

    def checkpoint(self, size: int, root: bytes, key: SigningKey | None = None, origin: str | None = None) -> bytes:
        note = super().checkpoint(size, root, key, origin)
        if origin is not None:
            return note
        text = note.split(b"\n\n")[0] + b"\n"
        return note + b"".join(cosignature_lines(self.election, text))


def cosignature_lines(election: SmallElection, text: bytes, count: int = 4) -> list[bytes]:
    """Lines by log witnesses under a checkpoint's text."""
    keys = list(election.witness_keys.values())[:count]
    return [cosign(text.decode(), key, election.clock).encode().encode() for key in keys]


class Case:
    """An honest audit's input, to be changed; ``run`` signs and writes everything anew."""

    def __init__(self, world: AuditElection, root: Path) -> None:
        self.world = world
        self.root = root
        self.record = Record(world, root / "record")
        self.entries = {issuer: list(entries) for issuer, entries in world.entries.items()}
        self.log = list(world.log_entries)
        self.officers: Any = world.officers_file()
        self.roll = world.roll_path.read_bytes()
        self.given = [1, 2, 3, 4]
        self.keys = {issuer: world.keys[f"issuer-{issuer}"] for issuer in range(1, 5)}
        self.note: dict[int, Callable[[bytes], bytes]] = {}  # what becomes of a ledger file's checkpoint
        self.restated = True
        self.after: list[Callable[[], object]] = []

    # Editing

    def change(self, issuer: int, index: int, **members: Any) -> None:
        """Change members of a ledger entry."""
        entry: Any = decode(self.entries[issuer][index])
        self.entries[issuer][index] = encode({**entry, **members})

    def replace(self, issuer: int, index: int, request: Request, date: int = OPENS // DAY) -> None:
        """Another request in place of an entry's."""
        self.entries[issuer][index] = ledger_entry(self.world, request, date)

    def add(self, issuer: int, request: Request, date: int = OPENS // DAY) -> None:
        self.entries[issuer].append(ledger_entry(self.world, request, date))

    def extend_log(self, *entries: bytes, time: int | None = None) -> None:
        """A later enrolment entry of the record, as MODEL elections may have, over more entries of the log."""
        self.log += entries
        text = self.world.enrolment_checkpoint(self.log)
        body: Any = {"checkpoint": text, "time": OPENS if time is None else time}
        at = self.record.at("terminal-opening")
        self.record.entries.insert(at, self.record.sign("enrolment", body, "identity-provider", "registrar"))

    # Running

    def write(self) -> list[str]:
        """Sign and write everything; the command's arguments."""
        arguments = []
        for issuer, entries in self.entries.items():
            text = sign_ledger_checkpoint(self.keys[issuer], ORIGIN, issuer, entries)
            note = text.encode()
            if issuer in self.note:
                note = self.note[issuer](note)
            if self.restated:
                self.record.set("ledger", "checkpoint", value=text, number=issuer - 1)
                self.record.set("ledger", "issued", value=counted(entries), number=issuer - 1)
            path = self.root / f"ledger-{issuer}"
            framed = b"".join(len(item).to_bytes(4, "big") + item for item in (note, *entries))
            path.write_bytes(b"evoting-ledger/v1\n" + self.world.fingerprint + issuer.to_bytes(4, "big") + framed)
            if issuer in self.given:
                arguments += ["--ledger", str(path)]
        for change in self.after:
            change()
        self.record.state().close()
        (self.root / "log").write_bytes(
            b"evoting-enrolment-log/v1\n" + b"".join(len(item).to_bytes(4, "big") + item for item in self.log)
        )
        (self.root / "roll").write_bytes(self.roll)
        arguments += ["--enrolment-log", str(self.root / "log"), "--roll", str(self.root / "roll")]
        if self.officers is not None:
            (self.root / "officers").write_text(json.dumps(self.officers))
            arguments += ["--officers", str(self.root / "officers")]
        trust = ["--trust-root", str(self.world.trust_root_path)]
        return ["ledger", "--record", str(self.record.root), *trust, *arguments, "--jobs", "1"]

    def run(self, *options: str) -> tuple[int, dict[str, Any], str]:
        """Exit code, JSON report and stdout."""
        path, out = self.root / "report.json", io.StringIO()
        with contextlib.redirect_stdout(out):
            code = main([*self.write(), "--json", str(path), *options])
        return code, json.loads(path.read_text()), out.getvalue()


def failing(report: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Checks that did not pass, with their culprits."""
    return {check["name"]: check["failures"] for check in report["checks"] if check["status"] != "pass"}
