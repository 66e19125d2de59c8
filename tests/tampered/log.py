"""The log and its files: whoever runs the board, its host, or some of its witnesses."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from crypto.entry import sign_entry
from crypto.log.checkpoint import Checkpoint
from crypto.log.cosignature import cosign
from crypto.log.merkle import hash_leaf, root_of_hashes
from crypto.log.note import COSIGNATURE_KEY, NoteSigningKey
from evoting.office.selection import Selection, summarise
from tests.tampered.case import Case, case


@case("none: a valid record with every kind of contest")
class Valid(Case):
    """Authors of verifiers need a record that passes as well."""


@case("D5 a valid record: one trustee's factors are bad, it is named and left out")
class BadFactorNamed(Case):
    trustees_present = (1, 2, 3)

    def factors(self, contest: str, group: str, trustee: int, data: bytes) -> tuple[bytes, bytes]:
        factors, proof = super().factors(contest, group, trustee, data)
        if trustee == 2:
            factors = self.group.generator().encode() + factors[32:]
        return factors, proof


@case("L5 one bit flipped in an entry bundle", "log.root")
class FlippedBit(Case):
    def tamper(self) -> None:
        (path,) = (self.record_path / "tile" / "entries").rglob("*.p/*")
        data = bytearray(path.read_bytes())
        # Inside the first ballot's proof: the entry still decodes.
        data[-2000] ^= 1
        path.write_bytes(bytes(data))


@case("L5 one bit flipped in a hash tile", "log.root")
class FlippedTile(Case):
    def tamper(self) -> None:
        (path,) = (self.record_path / "tile" / "0").rglob("*.p/*")
        data = bytearray(path.read_bytes())
        data[40] ^= 1
        path.write_bytes(bytes(data))


@case("L6 history edited, rebuilt and signed again: an older checkpoint does not fit", "log.consistency")
class RewrittenHistory(Case):
    def older_checkpoints(self) -> list[Path]:
        return [self.root / "older-checkpoint"]

    def tamper(self) -> None:
        """The older checkpoint is of the history before the edit: its entry 10 was another one."""
        entries = list(self.board.read_entries(0, 20))
        entries[10] = b"what entry 10 was when the checkpoint was signed"
        hashes = b"".join(hash_leaf(entry) for entry in entries)
        note = Checkpoint(self.board.origin, 20, root_of_hashes(hashes)).sign(self.log_key)
        lines = [cosign(note.text, key, self.now()) for key in self.witness_keys.values()]
        (self.root / "older-checkpoint").write_bytes(type(note)(note.text, (*note.signatures, *lines)).encode())


@case("L7 cosignatures by unknown witnesses", "checkpoint.quorum")
class UnknownWitnesses(Case):
    def publish(self) -> None:
        strangers = [NoteSigningKey(f"stranger.example/{i}", COSIGNATURE_KEY, os.urandom(32)) for i in range(3)]
        note = self.board.publish()
        self.board.add_cosignatures(
            [cosign(note.text, key, self.now()) for key in strangers], [key.verifier for key in strangers], self.clock
        )
        self.board.prune()


@case("L7 too few cosignatures", "checkpoint.quorum")
class TooFewCosignatures(Case):
    def cosigners(self) -> list[NoteSigningKey]:
        return super().cosigners()[:2]


@case("L7 cosignatures dated in the future", "checkpoint.times")
class FutureCosignatures(Case):
    def publish(self) -> None:
        self.clock = 4_000_000_000
        super().publish()


@case("L7 cosignatures older than the last entry", "checkpoint.times")
class OldCosignatures(Case):
    def publish(self) -> None:
        now, self.clock = self.clock, self.clock - 100_000
        super().publish()
        self.clock = now


@case("L2 a checkpoint signed by another log", "checkpoint.signature")
class ForeignLogKey(Case):
    def policy(self) -> bytes:
        own, self.log_key = self.log_key, NoteSigningKey(self.log_key.name, self.log_key.key_type, os.urandom(32))
        try:
            return super().policy()
        finally:
            self.log_key = own


@case("L8 a ballot after the close", "bounds.closing")
class LateBallot(Case):
    def close(self) -> None:
        super().close()
        self.board.append(self.cast("east", [6]))

    def dispose(self, selection: Selection) -> Selection:
        return summarise(selection.dispositions, selection.styles, list(selection.accounts))


@case("L8 an epoch after the closing time", "bounds.closing")
class LateEpoch(Case):
    def vote(self) -> None:
        self.clock = self.manifest.closes + 10
        super().vote()


@case("L8 an extension ends voting earlier than announced", "bounds.closing")
class ShortenedVoting(Case):
    def vote(self) -> None:
        super().vote()
        body = {"closes": self.manifest.closes - 1, "reason": "enough", "time": self.now()}
        self.post("extension", body, "officer-1", "officer-2")


@case("L8 an extension after voting has ended", "bounds.closing")
class ReopenedVoting(Case):
    def vote(self) -> None:
        super().vote()
        self.clock = self.manifest.closes + 10
        self.post(
            "extension", {"closes": self.clock + 1000, "reason": "x", "time": self.now()}, "officer-1", "officer-2"
        )


@case("an entry of two officers is appended once more, to undo what came after it", "order.counts")
class ReplayedEntry(Case):
    def vote(self) -> None:
        super().vote()
        pages = [{"files": [{"path": "index.html", "hash": bytes([n]) * 32}], "reason": "x", "time": n} for n in (1, 2)]
        for page in (*pages, pages[0]):
            self.post("vote-page", page, "officer-1", "officer-2")


@case("an epoch before the opening time", "bounds.opening")
class EarlyEpoch(Case):
    def vote(self) -> None:
        self.clock = self.manifest.opens - 5000
        super().vote()


@case("an epoch's ballots are not sorted: their order could tell who came when", "bounds.opening")
class UnsortedEpoch(Case):
    def sort_epoch(self, entries: list[bytes]) -> list[bytes]:
        return list(reversed(super().sort_epoch(entries)))


@case("an epoch entry counts fewer ballots than were appended", "bounds.opening")
class EpochCount(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "epoch" and body["number"] == 1:
            body["entries"] = int(body["entries"]) - 1
        return body


@case("the close counts fewer ballots than the log has", "bounds.closing")
class CloseCount(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "close":
            body["ballots"] = int(body["ballots"]) - 1
        return body


@case("a terminal was opened and never settled", "bounds.terminals")
class UnsettledTerminal(Case):
    def post(self, kind: str, body: dict[str, Any], *signers: str) -> None:
        if kind != "terminal-closing":
            super().post(kind, body, *signers)


@case("L9 evidence of a superseded ballot is left out of the dispositions", "accounting.dispositions")
class MissingDisposition(Case):
    def dispose(self, selection: Selection) -> Selection:
        gone = selection.dispositions.index(1)
        dispositions = selection.dispositions[:gone] + selection.dispositions[gone + 1 :]
        styles = selection.styles[:gone] + selection.styles[gone + 1 :]
        return summarise(dispositions, styles, list(selection.accounts))

    def aggregate(self) -> None:
        """The office itself counts as if it had published all of them."""
        honest = self.record.board.get_blob
        gone: list[bytes] = []

        def complete(ref: object) -> bytes:
            data = honest(ref)
            if len(data) == self.record.voter_count - 1 and not gone:
                gone.append(data)
                from evoting.office import steps

                return steps.judge_all(self.record).dispositions
            return data

        self.record.board.get_blob = complete
        super().aggregate()
        self.record.board.get_blob = honest


@case("L9 the accounting leaves out a superseded ballot", "accounting.styles")
class WrongAccounting(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "selection":
            first = body["accounting"][0]
            first["appended"] -= 1
            first["superseded"] -= 1
        return body


@case("L10 a root that hashes leaves and nodes alike", "log.root")
class ConfusedRoot(Case):
    def publish(self) -> None:
        level = [hashlib.sha256(entry).digest() for entry in self.board.read_entries(0, self.board.size)]
        while len(level) > 1:
            level = [
                hashlib.sha256(level[at] + level[at + 1]).digest() if at + 1 < len(level) else level[at]
                for at in range(0, len(level), 2)
            ]
        super().publish()
        note = Checkpoint(self.board.origin, self.board.size, level[0]).sign(self.log_key)
        lines = [cosign(note.text, key, self.now()) for key in self.cosigners()]
        (self.record_path / "checkpoint").write_bytes(type(note)(note.text, (*note.signatures, *lines)).encode())


@case("a blob with another content than its name", "record.blobs")
class WrongBlob(Case):
    def tamper(self) -> None:
        path = max((self.record_path / "blob").rglob("*"), key=lambda item: item.stat().st_size * item.is_file())
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(bytes(data))


@case("a blob that an entry names is missing", "record.files")
class MissingBlob(Case):
    def tamper(self) -> None:
        ref = self.record.only("selection").body["dispositions"]
        digest = ref["hash"].hex()
        (self.record_path / "blob" / "sha256" / digest[:2] / digest).unlink()


@case("an entry whose body has an unknown key", "record.encoding")
class UnknownKey(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "extra": 1} if kind == "close" else body


@case("B12 an entry with a byte after its end", "record.encoding")
class TrailingEntryBytes(Case):
    def result(self) -> None:
        super().result()
        body = {"number": "1", "subject": "a complaint", "document": None, "time": self.now()}
        raw = sign_entry("complaint", body, self.record.binding, {"officer-1": self.keys["officer-1"]})
        self.board.append([raw + b"\0"])
        self.record.scan = lambda: None


@case("the result comes before the last decryption", "order.phases")
class ResultBeforeDecryption(Case):
    def result(self) -> None:
        super().result()
        body = dict(self.record.entries("decryption")[0].body)
        self.post("decryption", {**body, "trustee": 2}, "trustee-2")


@case("two selections", "order.counts")
class TwoSelections(Case):
    def select(self) -> None:
        super().select()
        body = self.record.entries("selection")[0].body
        self.post("selection", dict(body), "officer-1", "officer-2")


@case("C2 issuers state fewer credentials than were used", "ledger.bounds")
class MintedCredentials(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "ledger":
            from biometric_idp.issuer.ledger import sign_ledger_checkpoint

            index = int(body["issuer"])
            body["issued"] = [
                {"style": item["style"], "count": 4 if item["style"] == "east" else item["count"], "terminal": 0}
                for item in body["issued"]
            ]
            entries = [b"entry"] * sum(item["count"] for item in body["issued"])
            body["checkpoint"] = sign_ledger_checkpoint(self.keys[f"issuer-{index}"], self.board.origin, index, entries)
        return body


@case("C2 an issuer issued more credentials than the roll has voters", "ledger.bounds")
class MoreThanRoll(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "ledger" and body["issuer"] == 2:
            from biometric_idp.issuer.ledger import sign_ledger_checkpoint

            body["issued"] = [{"style": style, "count": 21, "terminal": 0} for style in ("east", "west")]
            body["checkpoint"] = sign_ledger_checkpoint(self.keys["issuer-2"], self.board.origin, 2, [b"entry"] * 42)
        return body


@case("too few issuers report", "ledger.statements")
class MissingStatements(Case):
    def post(self, kind: str, body: dict[str, Any], *signers: str) -> None:
        if kind != "ledger" or int(body["issuer"]) <= 2:
            super().post(kind, body, *signers)


@case("an issuer's ledger checkpoint is signed by another issuer", "ledger.statements")
class ForeignLedgerCheckpoint(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "ledger" and body["issuer"] == 3:
            from biometric_idp.issuer.ledger import sign_ledger_checkpoint

            body["checkpoint"] = sign_ledger_checkpoint(self.keys["issuer-4"], self.board.origin, 3, [b"entry"] * 16)
        return body
