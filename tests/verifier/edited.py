"""A copy of an honest record with edited entries, signed again by the roles that are corrupt, and hashed again."""

from __future__ import annotations

import base64
import copy
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from tests.support.small_election import SmallElection
from verifier.hashing import frame, sha
from verifier.record.cbor import Value, decode, encode
from verifier.record.entries import MANIFEST_BOUND
from verifier.record.files import TILE_WIDTH, blob_path, hash_levels, tile_path
from verifier.record.merkle import leaf_hash, root_of
from verifier.record.trust import load_trust_root
from verifier.state import Settings, State


class Edited:
    """The entries of a record, to be changed and written as another record."""

    def __init__(self, election: SmallElection, root: Path) -> None:
        self.election = election
        self.root = root
        self.entries = list(election.board.read_entries(0, election.board.size))
        self.fingerprint = election.fingerprint
        self.limits: dict[str, int] = {}
        shutil.copytree(election.record_path / "blob", root / "blob")

    def at(self, kind: str, number: int = 0) -> int:
        """Index of the n-th entry of a type (from behind where negative)."""
        found = [index for index, raw in enumerate(self.entries) if self._outer(raw)["type"] == kind]
        return found[number]

    @staticmethod
    def _outer(raw: bytes) -> dict[str, Any]:
        outer: Any = decode(raw)
        return outer  # type: ignore[no-any-return]

    def body(self, kind: str, number: int = 0) -> Any:
        """The decoded body of an entry."""
        return decode(self._outer(self.entries[self.at(kind, number)])["body"])

    def sign(self, kind: str, body: Value, *signers: str) -> bytes:
        """An entry signed by these roles."""
        binding = self.fingerprint
        if kind == "manifest":
            binding = bytes(32)
        elif kind in MANIFEST_BOUND:
            binding = self.election.manifest_hash
        encoded = encode(body)
        message = frame("evoting/v1/entry") + frame(binding) + frame(kind) + frame(encoded)
        signatures: list[Value] = [
            {"role": name, "signature": self.election.keys[name].sign(message).signature} for name in sorted(signers)
        ]
        return encode({"type": kind, "body": encoded, "signatures": signatures})

    def edit(self, kind: str, change: Callable[[Any], object], number: int = 0, *signers: str) -> int:
        """Change a body in place and have it signed by its signers, or by others."""
        index = self.at(kind, number)
        outer = self._outer(self.entries[index])
        body: Any = decode(outer["body"])
        change(body)
        names = signers or tuple(item["role"] for item in outer["signatures"])
        self.entries[index] = self.sign(kind, body, *names)
        if kind == "opening":
            self.fingerprint = sha("evoting/v1/fingerprint", self.entries[index])
        return index

    def set(self, kind: str, *path: Any, value: Any, number: int = 0) -> int:
        """Set one member of a body, given by its path."""

        def change(body: Any) -> None:
            for step in path[:-1]:
                body = body[step]
            body[path[-1]] = value

        return self.edit(kind, change, number)

    def blob(self, data: bytes) -> dict[str, Any]:
        """Store a blob and name it."""
        digest = hashlib.sha256(data).digest()
        path = self.root / blob_path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return {"hash": digest, "length": len(data)}

    def edit_blob(self, kind: str, name: str, change: Callable[[Any], object]) -> None:
        """Change a CBOR blob that an entry names, and the name."""
        ref = self.body(kind)[name]
        content: Any = copy.deepcopy(decode((self.root / blob_path(ref["hash"])).read_bytes()))
        change(content)
        self.set(kind, name, value=self.blob(encode(content)))

    def state(self) -> State:
        """Write the record and open it."""
        leaves = [leaf_hash(raw) for raw in self.entries]
        size, hashes = len(self.entries), leaves
        bundles = [self.entries[first : first + TILE_WIDTH] for first in range(0, size, TILE_WIDTH)]
        for number, bundle in enumerate(bundles):
            data = b"".join(len(raw).to_bytes(2, "big") + raw for raw in bundle)
            self._write(tile_path("entries", number, len(bundle)), data)
        for level, count in enumerate(hash_levels(size)):
            for first in range(0, count, TILE_WIDTH):
                part = hashes[first : first + TILE_WIDTH]
                self._write(tile_path(str(level), first // TILE_WIDTH, len(part)), b"".join(part))
            whole = range(0, count - TILE_WIDTH + 1, TILE_WIDTH)
            hashes = [root_of(hashes[first : first + TILE_WIDTH]) for first in whole]
        self._write("checkpoint", self.checkpoint(size, root_of(leaves)))
        settings = Settings(self.election.group.name, jobs=1, chunk=8192, now=self.election.clock + 100)
        return State(self.root, load_trust_root(self.election.trust_root_path), settings)

    def checkpoint(self, size: int, root: bytes, key: SigningKey | None = None, origin: str | None = None) -> bytes:
        """A checkpoint of this log, signed by its key or another."""
        name = origin or self.election.board.origin
        text = f"{name}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
        signer = key or SigningKey(self.election.log_key.seed)
        head = hashlib.sha256(name.encode() + b"\n\x01" + bytes(signer.verify_key)).digest()[:4]
        line = base64.b64encode(head + signer.sign(text).signature).decode()
        return text + f"\n\u2014 {name} {line}\n".encode()

    def _write(self, path: str, data: bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(data)
