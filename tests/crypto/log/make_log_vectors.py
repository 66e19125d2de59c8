"""Writes docs/spec/vectors/log.json: ``python -m tests.crypto.log.make_log_vectors``.

Deterministic, from published seeds; ``test_log_vectors.py`` checks that the file is what this writes.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from crypto.log.checkpoint import Checkpoint
from crypto.log.cosignature import cosign
from crypto.log.merkle import NodeReader, hash_leaves, prove_consistency, prove_inclusion, root_of_hashes
from crypto.log.note import COSIGNATURE_KEY, Note, NoteSignature, NoteSigningKey
from crypto.log.proof import InclusionReceipt
from crypto.log.tiles import TileFrontier, TileId, encode_bundle
from crypto.log.witness import CosignRequest
from tests.crypto.log.log_parties import LOG, NOW, POLICY_TEXT, WITNESSES, key, with_lines

PATH = Path(__file__).parents[3] / "docs" / "spec" / "vectors" / "log.json"
SIZE = 300
ENTRIES = [b"entry %d" % i for i in range(SIZE)]
SIZES = (0, 1, 2, 3, 7, 255, 256, 257, 299, 300)
_Case = dict[str, object]


def nodes(level: int, index: int) -> bytes:
    return root_of_hashes(hash_leaves(ENTRIES[index << level : (index + 1) << level]))


NODES: NodeReader = nodes


def head(size: int) -> Checkpoint:
    return Checkpoint(LOG.name, size, root_of_hashes(hash_leaves(ENTRIES[:size])))


def hexes(hashes: tuple[bytes, ...]) -> list[str]:
    return [value.hex() for value in hashes]


def files() -> dict[str, bytes]:
    """Every file of the finished record but the checkpoint."""
    frontier = TileFrontier()
    tiles = frontier.extend(hash_leaves(ENTRIES)) + frontier.partial_tiles()
    tiles.append((TileId(None, 0), encode_bundle(ENTRIES[:256])))
    tiles.append((TileId(None, 1, SIZE - 256), encode_bundle(ENTRIES[256:])))
    return {tile.path(): data for tile, data in sorted(tiles, key=lambda item: item[0].path())}


def text(data: Note | bytes) -> str:
    return (data.encode() if isinstance(data, Note) else data).decode()


def cosigned(*timestamps: int) -> Note:
    """The checkpoint with cosignatures of the first witnesses at these times."""
    note = head(SIZE).sign(LOG)
    lines = [cosign(note.text, witness, time) for witness, time in zip(WITNESSES, timestamps, strict=False)]
    return with_lines(note, lines)


def evaluations() -> list[_Case]:
    three = cosigned(NOW, NOW, NOW)
    stranger = NoteSigningKey("stranger.example", COSIGNATURE_KEY, bytes(32))
    namesake = NoteSigningKey(WITNESSES[2].name, COSIGNATURE_KEY, bytes(32))
    two = cosigned(NOW, NOW)
    forged = NoteSignature(WITNESSES[3].name, WITNESSES[3].verifier.key_id, NOW.to_bytes(8, "big") + bytes(64))
    unsigned = Note(three.text, three.signatures[1:])
    badly = Note(three.text, (NoteSignature(LOG.name, LOG.verifier.key_id, bytes(64)), *three.signatures[1:]))
    cases: list[tuple[str, Note, int, str | None]] = [
        ("three of four", three, NOW, None),
        ("a line of an unknown key is ignored", with_lines(three, [cosign(three.text, stranger, NOW)]), NOW, None),
        ("at the edge of the allowance", cosigned(NOW, NOW, NOW + 300), NOW, None),
        ("a fourth in the future does not spoil three", cosigned(NOW, NOW, NOW, NOW + 9999), NOW, None),
        ("two of four", two, NOW, "checkpoint.quorum"),
        ("two and a stranger", with_lines(two, [cosign(two.text, stranger, NOW)]), NOW, "checkpoint.quorum"),
        ("two and a namesake", with_lines(two, [cosign(two.text, namesake, NOW)]), NOW, "checkpoint.quorum"),
        ("three and a forged line of the fourth", with_lines(three, [forged]), NOW, "checkpoint.quorum"),
        ("one of three in the future", cosigned(NOW, NOW, NOW + 301), NOW, "checkpoint.times"),
        ("all in the future", three, NOW - 301, "checkpoint.times"),
        ("not signed by the log", unsigned, NOW, "checkpoint.signature"),
        ("log's signature does not verify", badly, NOW, "checkpoint.signature"),
    ]
    return [{"what": what, "checkpoint": text(note), "now": now, "fails": fails} for what, note, now, fails in cases]


def refused() -> list[_Case]:
    """Texts that have to be refused wherever something of this kind is read."""
    note = text(cosigned(NOW, NOW, NOW))
    lines = note.splitlines(keepends=True)
    vkey = LOG.verifier.encode()
    receipt = text(InclusionReceipt(5, prove_inclusion(5, 7, NODES), head(7).sign(LOG)).encode())
    other = key("other.example/log").verifier.encode()
    cases: list[tuple[str, str, str]] = [
        ("vkey", "wrong key id", vkey.replace(LOG.verifier.key_id.hex(), "00000000")),
        ("vkey", "upper-case key id", vkey.replace(LOG.verifier.key_id.hex(), LOG.verifier.key_id.hex().upper())),
        ("vkey", "truncated", vkey[:-4]),
        ("checkpoint", "truncated before the last newline", note[:-1]),
        ("checkpoint", "no signature", "".join(lines[:4])),
        ("checkpoint", "no empty line", note.replace("\n\n", "\n")),
        ("checkpoint", "carriage return", note.replace("\n", "\r\n")),
        ("checkpoint", "two lines of one key", note + lines[-1]),
        ("checkpoint", "base64 without padding", note.replace("=\n", "\n")),
        ("checkpoint", "extension line", note.replace("\n\n", "\nextension\n\n")),
        ("checkpoint", "size with a leading zero", note.replace("\n300\n", "\n0300\n")),
        ("checkpoint", "size beyond 2^48", note.replace("\n300\n", f"\n{2**48 + 1}\n")),
        ("checkpoint", "size that is negative", note.replace("\n300\n", "\n-1\n")),
        ("checkpoint", "root of 31 bytes", note.replace(lines[2], "A" * 40 + "AA==\n")),
        ("policy", "no quorum", POLICY_TEXT.replace("quorum witnesses\n", "")),
        ("policy", "second quorum", POLICY_TEXT + "quorum w1\n"),
        ("policy", "quorum that is not defined", POLICY_TEXT.replace("quorum witnesses", "quorum others")),
        ("policy", "threshold of zero", POLICY_TEXT.replace("witnesses 3", "witnesses 0")),
        ("policy", "threshold above the members", POLICY_TEXT.replace("witnesses 3", "witnesses 5")),
        ("policy", "member twice", POLICY_TEXT.replace("w3 w4", "w3 w3")),
        ("policy", "name twice", POLICY_TEXT.replace("witness w2", "witness w1")),
        ("policy", "key twice", POLICY_TEXT.replace("\ngroup", f"\nlog {vkey}\ngroup")),
        ("policy", "witness with a log's key type", POLICY_TEXT.replace("\ngroup", f"\nwitness w5 {other}\ngroup")),
        ("policy", "unknown keyword", POLICY_TEXT + "witnesses w1\n"),
        ("policy", "carriage return", POLICY_TEXT.replace("\n", "\r\n")),
        ("receipt", "other version", receipt.replace("@v1", "@v2", 1)),
        ("receipt", "index with a leading zero", receipt.replace("index 5", "index 05")),
        ("receipt", "empty extra line", receipt.replace("index 5", "extra \nindex 5")),
        ("receipt", "hash of 31 bytes", receipt.replace("index 5\n", "index 5\n" + "A" * 40 + "AA==\n")),
        ("path", "leading group of zeroes", "tile/0/x000/001"),
        ("path", "width of zero", "tile/0/000.p/0"),
        ("path", "width of a full tile", "tile/0/000.p/256"),
        ("path", "level with a leading zero", "tile/00/000"),
    ]
    bundles = {
        "length cut off": "0001610002",
        "entry cut off": "000161000262",
        "bytes after the end": "0001610001626300",
    }
    made: list[_Case] = [{"kind": kind, "reason": reason, "text": value} for kind, reason, value in cases]
    made += [{"kind": "bundle", "reason": reason, "width": 2, "hex": value} for reason, value in bundles.items()]
    return made


def vectors() -> _Case:
    whole = cosigned(NOW, NOW, NOW)
    receipt = InclusionReceipt(270, prove_inclusion(270, SIZE, NODES), whole, b"hint")
    request = CosignRequest(257, prove_consistency(257, SIZE, NODES), head(SIZE).sign(LOG))
    inclusion = [(0, 1), (0, 2), (2, 3), (5, 7), (0, 256), (255, 256), (256, 257), (0, 300), (299, 300)]
    consistency = [(1, 2), (2, 3), (3, 7), (4, 7), (255, 256), (256, 257), (256, 300), (257, 300), (299, 300)]
    return {
        "specification": "docs/spec/02-log.md",
        "entries": "300 entries; entry i is the ASCII text 'entry ' and i in decimal",
        "keys": [{"vkey": one.verifier.encode(), "seed": one.seed.hex()} for one in (LOG, *WITNESSES)],
        "files": [
            {"path": path, "length": len(data), "sha256": sha256(data).hexdigest()} for path, data in files().items()
        ],
        "contents": {"tile/1/000.p/1": files()["tile/1/000.p/1"].hex()},
        "checkpoints": [
            {"size": size, "root": head(size).root.hex(), "note": text(head(size).sign(LOG))} for size in SIZES
        ],
        "inclusion": [
            {"index": index, "size": size, "proof": hexes(prove_inclusion(index, size, NODES))}
            for index, size in inclusion
        ],
        "consistency": [
            {"old": old, "new": new, "proof": hexes(prove_consistency(old, new, NODES))} for old, new in consistency
        ],
        "policy": POLICY_TEXT,
        "evaluations": evaluations(),
        "receipt": {"text": text(receipt.encode()), "entry": ENTRIES[270].decode(), "index": 270, "now": NOW},
        "witness": {
            "request": text(request.encode()),
            "remembers": 257,
            "now": NOW,
            "answer": cosign(request.checkpoint.text, WITNESSES[0], NOW).encode(),
        },
        "paths": {
            "full tile of level 0, index 1234067": TileId(0, 1234067).path(),
            "partial tile of level 1, index 1, width 17": TileId(1, 1, 17).path(),
            "partial bundle of index 70123, width 9": TileId(None, 70123, 9).path(),
        },
        "refused": refused(),
    }


def render() -> str:
    return json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
