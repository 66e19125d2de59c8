"""Whether a challenge's opening holds (docs/spec/06-ballots.md section 6.6)."""

from __future__ import annotations

import numpy as np

from crypto import cbor
from crypto.elgamal import Ciphertexts, EncryptionKey, decode_ciphertexts
from crypto.errors import DecodeError
from crypto.group.interface import ElementVector
from crypto.proofs.disjunctive import ChoiceLayout
from evoting.ballots.ballot import MAX_ENTRY_BYTES, Ballot
from evoting.ballots.build import NO_CODE
from evoting.ballots.shape import StyleShape

_FIELDS = {"selections", "randomizers"}


def opening_holds(
    key: EncryptionKey, shape: StyleShape, ballot: Ballot, opening: bytes, code_books: dict[str, ElementVector]
) -> bool:
    """Encrypt again with the published selections and randomizers, and compare with a ballot's ciphertexts.

    The ballot is well-formed. Everything that may be wrong with the opening, its encoding included, gives False.
    Variable time; everything is public.
    """
    try:
        value = cbor.decode(opening, limit=MAX_ENTRY_BYTES)
    except DecodeError:
        return False
    contests = value["contests"] if isinstance(value, dict) and value.keys() == {"contests"} else None
    if not isinstance(contests, list) or len(contests) != len(shape.contests):
        return False
    for contest, part, opened in zip(shape.contests, ballot.contests, contests, strict=True):
        pairs = decode_ciphertexts(key.group, part.ciphertexts)
        messages = _decrypt(key, pairs, opened)
        if messages is None:
            return False
        chosen = opened["selections"]
        if isinstance(contest.layout, ChoiceLayout):
            if any(item not in (0, 1) for item in chosen):
                return False
            if messages != key.generator_table.mul_vartime(key.group.scalars(chosen)):
                return False
        elif not _are_codes(messages, chosen, code_books[contest.id]):
            return False
    return True


def _decrypt(key: EncryptionKey, pairs: Ciphertexts, opened: object) -> ElementVector | None:
    """The messages under the opened randomizers; None if these are malformed or not the ciphertexts'."""
    if not isinstance(opened, dict) or opened.keys() != _FIELDS:
        return None
    chosen, encoded = opened["selections"], opened["randomizers"]
    if not isinstance(chosen, list) or len(chosen) != len(pairs) or any(type(item) is not int for item in chosen):
        return None
    if not isinstance(encoded, bytes) or len(encoded) != 32 * len(pairs):
        return None
    try:
        randomizers = key.group.scalars_decode(encoded)
    except DecodeError:
        return None
    if key.generator_table.mul_vartime(randomizers) != pairs.pads:
        return None
    return pairs.data - key.key_table.mul_vartime(randomizers)


def _are_codes(messages: ElementVector, chosen: list[int], book: ElementVector) -> bool:
    """Whether each message is the code that its index names, or the index says that it is none."""
    for place, item in enumerate(chosen):
        if item == NO_CODE:
            continue
        if not 0 <= item < len(book):
            return False
        if messages[place : place + 1] != book.gather(np.array([item], dtype=np.uint32)):
            return False
    return True
