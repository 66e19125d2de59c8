"""Destruction of a key share, with a signed protocol."""

from __future__ import annotations

import json
from pathlib import Path

from crypto.hashing import frames
from crypto.log.note import NoteSigningKey
from evoting.trustees.shared import write_shared
from evoting.trustees.store import TrusteeStore

FORMAT = "evoting-destruction/v1"
_DOMAIN = "evoting/v1/destruction"


def destroy_share(store: TrusteeStore, key: NoteSigningKey, reason: str, time: int, protocol: Path) -> None:
    """Erase the key share and write a protocol of it; done again, it writes the same protocol.

    The protocol says which share it was, by its public verification key, and is signed with the role's key. What an
    operating system or a disk keeps of deleted files is beyond this tool: whoever needs more destroys the disk.

    Raises:
        TrusteeError: there is no share, or a file cannot be written.
    """
    with store.locked():
        text = store.load_destruction()
        if text is None:
            share = store.require_share()
            statement = json.dumps(
                {
                    "kind": share.kind,
                    "manifest": share.manifest_hash.hex(),
                    "transcript": share.transcript_hash.hex(),
                    "index": share.index,
                    "keys": [
                        {"label": one.label, "verification-key": one.verification_key.hex()} for one in share.shares
                    ],
                    "reason": reason,
                    "time": time,
                },
                ensure_ascii=False,
            )
            signature = key.sign_message(frames(_DOMAIN, (statement.encode(),)))
            document = {
                "format": FORMAT,
                "statement": statement,
                "key": key.verifier.public_key.hex(),
                "signature": signature.hex(),
            }
            text = (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
        # Again where a crash came between protocol and erasure.
        store.erase_secrets(text)
        write_shared(protocol.parent, {protocol.name: text})
