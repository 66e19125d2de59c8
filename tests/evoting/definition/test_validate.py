"""Each rule of docs/spec/03-manifest.md section 3.7 refuses a manifest that breaks only this rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crypto import cbor
from evoting.definition import DefinitionError, decode_manifest
from tests.evoting.definition.builders import Edit, council_bytes, council_tree
from tests.evoting.definition.defects import CASES, ranked_instead_of_lists
from tests.evoting.definition.make_vectors import FILE, document


def test_a_ranked_contest_is_accepted() -> None:
    assert ranked_instead_of_lists().contests[2].codes == ("a", "b", "c", "none")  # type: ignore[union-attr]


@pytest.mark.parametrize(("edit", "path", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_refused(edit: Edit, path: str, reason: str) -> None:
    tree = council_tree()
    edit(tree)
    with pytest.raises(DefinitionError) as caught:
        decode_manifest(cbor.encode(tree))
    assert caught.value.path == path, caught.value
    assert reason in caught.value.reason
    assert "\n" not in str(caught.value)


def test_a_real_election_with_the_full_enrolment_age_is_accepted() -> None:
    tree = council_tree()
    tree |= {"model": False, "enrolment-age": 172_800}
    tree["origins"] = {"voting": "https://vote.example", "identity": "https://id.example:8443"}
    assert not decode_manifest(cbor.encode(tree)).model


def test_the_vectors_are_what_the_implementation_gives() -> None:
    assert FILE.read_text() == document()


def test_the_changes_of_the_vectors_give_invalid_manifests() -> None:
    vectors: dict[str, Any] = json.loads(FILE.read_text())
    assert bytes.fromhex(vectors["valid"][0]["cbor"]) == council_bytes()
    for case in vectors["invalid"]:
        tree: Any = council_tree()
        assert case["changes"]
        for change in case["changes"]:
            *parents, last = change["at"]
            node = tree
            for key in parents:
                node = node[key]
            node[last] = restored(change["value"])
        with pytest.raises(DefinitionError) as caught:
            decode_manifest(cbor.encode(tree))
        assert caught.value.path == case["path"]


def restored(value: Any) -> Any:
    if isinstance(value, dict):
        return bytes.fromhex(value["bytes"]) if set(value) == {"bytes"} else {k: restored(v) for k, v in value.items()}
    return [restored(item) for item in value] if isinstance(value, list) else value
