"""Voter lists that a register's keeper would sign."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from biometric_idp.population.lists.rules import ListRules
from biometric_idp.population.lists.service import ImportReport, import_list
from biometric_idp.population.lists.signature import ListTrust, key_id, signed_bytes

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"keeper of the register").digest())
P256 = ec.derive_private_key(12345, ec.SECP256R1())
TRUST = ListTrust({key_id(key): key for key in (KEY.public_key(), P256.public_key())}, {})
RULES = ListRules("model-2030", date(2030, 5, 20), 18, {"abroad": "abroad", "osh-1": "osh", "osh-2": "osh"})
ListKeyPair = Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def person(index: int, **changes: Any) -> dict[str, Any]:
    """An entry that holds; the PIN rises with the index."""
    sex = "FM"[index % 2]
    born = date(1950 + index % 50, 1 + index % 12, 1 + index % 28)
    entry = {
        "pin": f"{1 + index % 2}{born:%d%m%Y}{index:05}",
        "surname": f"Асанов{index}",
        "given_names": "Бек",
        "birth_date": born.isoformat(),
        "sex": sex,
        "documents": [{"kind": "id-card", "number": f"ID{index:07}", "expires": "2031-01-31"}],
        "unit": ("abroad", "osh-1", "osh-2")[index % 3],
        "status": "active",
    }
    return {name: value for name, value in {**entry, **changes}.items() if value is not ...}


def pin(index: int) -> str:
    return str(person(index)["pin"])


def merged(index: int, into: int) -> dict[str, Any]:
    return {"pin": pin(index), "status": "merged", "merged_into": pin(into)}


class Lists:
    """Writes lists into a directory and imports them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, entries: Sequence[Any], /, **changes: Any) -> Path:
        """A list file; entries that are bytes are written as they are."""
        lines = [item if isinstance(item, bytes) else json.dumps(item, ensure_ascii=False).encode() for item in entries]
        number = changes.get("number", 1)
        header = {
            "format": "evoting-voter-list/v1",
            "election": "model-2030",
            "number": number,
            "kind": "preliminary",
            "issued": "2026-11-25T10:00:00Z",
            "message_id": f"message-{number}",
            "entries": len(lines),
            **changes,
        }
        head = json.dumps({name: value for name, value in header.items() if value is not ...}).encode()
        path = self.root / f"list-{number}.jsonl"
        path.write_bytes(b"".join(line + b"\n" for line in [head, *lines]))
        return path

    def final(self, entries: Sequence[Any], follows: Path, **changes: Any) -> Path:
        before = json.loads(follows.read_bytes().split(b"\n")[0])["number"]
        named = {"number": before, "sha256": hashlib.sha256(follows.read_bytes()).hexdigest()}
        return self.write(entries, **{"number": before + 1, "kind": "final", "follows": named, **changes})

    def sign(self, path: Path, by: ListKeyPair = KEY, /, **changes: str) -> Path:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        message = signed_bytes(digest)
        if isinstance(by, Ed25519PrivateKey):
            algorithm, raw = "ed25519", by.sign(message)
        else:
            algorithm, raw = "ecdsa-p256-sha256", by.sign(message, ec.ECDSA(SHA256()))
        spki = by.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        value = {
            "format": "evoting-list-signature/v1",
            "algorithm": algorithm,
            "key": hashlib.sha256(spki).hexdigest(),
            "signature": base64.b64encode(raw).decode(),
            **changes,
        }
        signature = path.with_suffix(".sig")
        signature.write_text(json.dumps(value))
        return signature

    def take(self, engine: Any, path: Path, **options: Any) -> ImportReport:
        """Sign and import."""
        return import_list(engine, path, self.sign(path), RULES, TRUST, NOW, **options)
