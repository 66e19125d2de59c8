"""Writes docs/spec/vectors/manifest.json: ``python -m tests.evoting.definition.make_vectors``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from evoting.definition import HomomorphicContest, Manifest, decode_manifest, encode_manifest
from tests.evoting.definition.builders import council_bytes, council_tree
from tests.evoting.definition.defects import CASES, ranked_instead_of_lists

FILE = Path(__file__).parents[3] / "docs" / "spec" / "vectors" / "manifest.json"


def changes(before: object, after: object, at: tuple[str | int, ...] = ()) -> Iterator[dict[str, object]]:
    """What to set, and where, to get from one tree to another of the same keys."""
    if isinstance(before, dict) and isinstance(after, dict) and set(before) == set(after):
        for key in before:
            yield from changes(before[key], after[key], (*at, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (left, right) in enumerate(zip(before, after, strict=True)):
            yield from changes(left, right, (*at, index))
    elif before != after or type(before) is not type(after):
        yield {"at": list(at), "value": plain(after)}


def plain(value: object) -> object:
    """A tree for JSON: byte strings become ``{"bytes": hex}``."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def valid(name: str, manifest: Manifest) -> dict[str, object]:
    data = encode_manifest(manifest)
    mixed = [contest for contest in manifest.contests if not isinstance(contest, HomomorphicContest)]
    return {
        "name": name,
        "cbor": data.hex(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "codes": {contest.id: list(contest.codes) for contest in mixed},
    }


def document() -> str:
    """The file: one case on each line."""
    invalid = []
    for name, edit, path, _ in CASES:
        tree = council_tree()
        edit(tree)
        invalid.append({"name": name, "path": path, "changes": list(changes(council_tree(), tree))})
    manifests = [
        valid("council", decode_manifest(council_bytes())),
        valid("council with a ranked contest", ranked_instead_of_lists()),
    ]
    head = {"format": "evoting-vectors/v1", "section": "3.8", "what": "manifests, their hashes and code books"}
    parts = (
        ",\n".join(json.dumps(item, ensure_ascii=True, sort_keys=True) for item in items)
        for items in (manifests, invalid)
    )
    return json.dumps(head)[:-1] + ', "valid": [\n' + '\n], "invalid": [\n'.join(parts) + "\n]}\n"


if __name__ == "__main__":
    FILE.write_text(document())
