"""The verifier's reader, written from docs/spec/03-manifest.md alone, accepts and refuses the same manifests."""

from __future__ import annotations

import random
from typing import Any

from crypto import cbor
from evoting.definition import DefinitionError, decode_manifest
from evoting.definition.codec import encode_manifest
from tests.evoting.definition.builders import council_bytes, council_tree, places
from tests.evoting.definition.defects import CASES, ranked_instead_of_lists
from tests.evoting.definition.test_codec import STRANGE
from verifier.record.errors import FormatError
from verifier.record.manifest import codes_of
from verifier.record.manifest import decode_manifest as verifier_decode
from verifier.record.manifest_rules import violations


def accepted_by_verifier(data: bytes) -> bool:
    try:
        return not violations(verifier_decode(data))
    except FormatError:
        return False


def accepted_by_us(data: bytes) -> bool:
    try:
        decode_manifest(data)
    except DefinitionError:
        return False
    return True


def test_valid_manifests_and_their_code_books() -> None:
    for data in (council_bytes(), encode_manifest(ranked_instead_of_lists())):
        assert accepted_by_verifier(data)
        read = verifier_decode(data)
        for contest in decode_manifest(data).contests:
            if contest.kind == "mixed":
                assert tuple(codes_of(read.contests[contest.id])) == contest.codes  # type: ignore[union-attr]


def test_every_defect_of_the_vectors() -> None:
    for name, edit, _, _ in CASES:
        tree = council_tree()
        edit(tree)
        assert not accepted_by_verifier(cbor.encode(tree)), name


def test_strange_values_anywhere() -> None:
    tree: Any = council_tree()
    everywhere = list(places(tree))
    verdicts = set()
    for node, key, path in random.Random(1).sample(everywhere, 120):
        original = node[key]
        for value in STRANGE:
            node[key] = value
            data = cbor.encode(tree)
            verdict = accepted_by_us(data)
            assert accepted_by_verifier(data) == verdict, (path, value)
            verdicts.add(verdict)
        node[key] = original
    assert verdicts == {True, False}
