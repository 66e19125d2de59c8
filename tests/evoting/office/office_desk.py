"""A small election whose office works with ``evoting-office`` after the last ballot; all others hand in files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crypto.entry import sign_entry
from crypto.log.note import NOTE_KEY
from evoting.board.keys import generate_key
from evoting.board.layout import BlobRef
from evoting.board.reader import RecordReader
from evoting.office import cli
from evoting.record.election import ElectionView, PublishedCopy
from tests.support.small_election import SmallElection
from tests.support.small_manifest import CLOSES


class LiveCopy:
    """The published record, looked at anew each time; blobs that are handed in go into a folder first."""

    def __init__(self, root: Path, outbox: Path) -> None:
        self.root, self.outbox = root, outbox
        outbox.mkdir()

    @property
    def size(self) -> int:
        return PublishedCopy(self.root).size

    def read_entries(self, start: int, stop: int) -> Iterator[bytes]:
        return PublishedCopy(self.root).read_entries(start, stop)

    def get_blob(self, ref: BlobRef) -> bytes:
        return RecordReader(self.root).blob(ref)

    def put_blob(self, data: bytes) -> BlobRef:
        digest = hashlib.sha256(data).digest()
        (self.outbox / digest.hex()).write_bytes(data)
        return BlobRef(digest, len(data))


class OfficeElection(SmallElection):
    """``vote_on_the_board``, then everything by the command; ``office`` runs it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.log_key_file = root / "log.key"
        generate_key(self.log_key_file, self.log_key.name, NOTE_KEY, seed=self.log_key.seed)
        self.key_files = {}
        for role in ("officer-1", "officer-2", "mixer-1"):
            self.key_files[role] = root / f"{role}.key"
            generate_key(self.key_files[role], f"keys.example/{role}", NOTE_KEY, seed=bytes(self.keys[role]))

    def vote_on_the_board(self) -> None:
        """Up to the last ballot, by the other parties; then the board is the office's."""
        for step in ("setup", "open", "issue", "vote"):
            getattr(self, step)()
        self.hand_over()

    def hand_over(self) -> None:
        """From here on nobody but the command writes the record."""
        self.board.publish()
        self.board.close()
        copy: Any = LiveCopy(self.record_path, self.root / "outbox")
        view: Any = ElectionView(copy)
        view.board = copy
        self.board, self.record = copy, view

    def writing(self) -> list[str]:
        """Options of every command that appends."""
        state = str(self.root / "state")
        return [
            str(self.record_path), "--state", state, "--log-key", str(self.log_key_file), "--now", str(self.now()),
        ]  # fmt: skip

    def signing(self, *roles: str) -> list[str]:
        return [part for role in roles for part in ("--key", str(self.key_files[role]))]

    def office(self, command: str, *options: str, signers: tuple[str, ...] = ("officer-1", "officer-2")) -> int:
        """Run a command that appends; gives the exit code."""
        return cli.main([command, *self.writing(), *self.signing(*signers), *options])

    def post(self, kind: str, body: dict[str, object], *signers: str) -> None:
        """Other parties sign their entries and hand them in with the blobs that they name."""
        if isinstance(self.board, LiveCopy):
            keys = {name: self.keys[name] for name in signers}
            entry = self.root / f"{kind}.entry"
            entry.write_bytes(sign_entry(kind, body, self.record.binding, keys))
            blobs = [part for path in sorted(self.board.outbox.iterdir()) for part in ("--blob", str(path))]
            lists = ("--lists", str(self.root / "lists")) if kind == "mix" else ()
            assert self.office("post", str(entry), *blobs, *lists, signers=()) == 0
            for path in self.board.outbox.iterdir():
                path.unlink()
        else:
            super().post(kind, body, *signers)

    def close(self) -> None:
        self.clock = max(self.clock, CLOSES) + 1
        assert self.office("close") == 0

    def select(self) -> None:
        assert self.office("select") == 0

    def aggregate(self) -> None:
        assert self.office("aggregate", "--lists", str(self.root / "lists"), signers=("officer-1",)) == 0

    def result(self) -> None:
        assert self.office("result") == 0

    def write_trust_root(self) -> None:
        witnesses = [part for role, key in self.witness_keys.items() for part in ("--witness", f"{role}={key.name}")]
        code = cli.main(
            [
                "make-trust-root", str(self.record_path), "--output", str(self.trust_root_path),
                "--log", self.log_key.verifier.encode(), *witnesses,
            ]
        )  # fmt: skip
        assert code == 0

    def publish(self) -> None:
        """Every witness cosigns what is published, and the office takes that in."""
        from crypto.log.cosignature import cosign

        assert self.office("publish", signers=()) == 0
        note = RecordReader(self.record_path).checkpoint()
        lines = "".join(cosign(note.text, key, self.now()).encode() for key in self.witness_keys.values())
        file = self.root / "cosignatures"
        file.write_text(lines)
        options = ("--trust-root", str(self.trust_root_path), "--cosignatures", str(file))
        assert self.office("publish", *options, signers=()) == 0

    def count(self) -> None:
        """From the close to the published, cosigned result."""
        for step in ("close", "ledgers", "select", "aggregate", "mix", "decrypt", "result"):
            getattr(self, step)()
        self.write_trust_root()
        self.publish()


def tree(root: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
