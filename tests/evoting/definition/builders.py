"""A small valid election to plant defects in."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from crypto import cbor
from evoting.definition import Manifest, decode_manifest, import_folder

COUNCIL = Path(str(files("evoting.examples"))) / "council"

Tree = dict[str, Any]
Edit = Callable[[Tree], None]


@lru_cache(maxsize=1)
def council_bytes() -> bytes:
    """The manifest of the council example: three contests of both kinds, two ballot styles."""
    return import_folder(COUNCIL).data


def council_tree() -> Tree:
    """Its tree, fresh for every caller."""
    tree = cbor.decode(council_bytes())
    assert isinstance(tree, dict)
    return copy.deepcopy(tree)


def council() -> Manifest:
    return decode_manifest(council_bytes())


def council_files() -> dict[str, bytes]:
    """The files it is imported from."""
    return {path.name: path.read_bytes() for path in COUNCIL.iterdir()}


def places(tree: object) -> Iterator[tuple[Any, Any, str]]:
    """Every (container, key, path) of a tree."""
    stack: list[tuple[object, str]] = [(tree, "")]
    while stack:
        node, path = stack.pop()
        keyed = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in list(keyed):
            where = f"{path}[{key}]" if isinstance(node, list) else f"{path}.{key}" if path else str(key)
            yield node, key, where
            stack.append((value, where))
