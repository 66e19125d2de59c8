"""What the framework's own checks keep from the equations is refused by the equations all the same."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from crypto.errors import DecodeError
from crypto.group import Group, PairingGroup
from tests.verifier.equations.ceremony_cases import audit
from tests.verifier.equations.ceremony_prover import Ceremony, Script
from tests.verifier.equations.provers import Randomness, times_generator
from tests.verifier.equations.shuffle_prover import make_case
from tests.verifier.equations.test_decryption import Tally
from verifier.equations import ceremonies, shuffle
from verifier.equations.ceremony_groups import BlsCeremony, CeremonyGroup, RistrettoCeremony
from verifier.equations.decryption import verify_plaintexts, verify_totals
from verifier.equations.parameters import code_elements
from verifier.equations.shuffle import verify_shuffle
from verifier.record import cbor


def test_lists_beyond_the_largest_number_are_refused(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(group, 7, 1)
    monkeypatch.setattr(shuffle, "MAX_COUNT", 7)
    assert verify_shuffle(**asdict(case), group=group, randomness=Randomness("weights")) == []
    monkeypatch.setattr(shuffle, "MAX_COUNT", 6)
    (failure,) = verify_shuffle(**asdict(case), group=group, randomness=Randomness("weights"))
    assert (failure.equation, failure.sentence) == ("shuffle.statement", "the lists are too long")


def test_a_transcript_beyond_its_size_is_refused_unread(
    ceremony: Ceremony, pairing: PairingGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = cbor.encode(ceremony.transcript(Script()))
    monkeypatch.setattr(ceremonies, "MAX_TRANSCRIPT_BYTES", len(transcript))
    assert audit(ceremony, pairing, transcript).failures == ()
    monkeypatch.setattr(ceremonies, "MAX_TRANSCRIPT_BYTES", len(transcript) - 1)
    (failure,) = audit(ceremony, pairing, transcript).failures
    assert failure.equation == "ceremony.format"
    assert "too many" in failure.sentence


@pytest.mark.parametrize("length", [1, 31, 33, 63])
def test_scalars_of_ceremonies_have_32_bytes_each(group: Group, pairing: PairingGroup, length: int) -> None:
    groups: list[CeremonyGroup] = [RistrettoCeremony(group), BlsCeremony(pairing)]
    for ceremony_group in groups:
        assert ceremony_group.decode_scalars(bytes(64)) == [0, 0]
        with pytest.raises(DecodeError, match="32 bytes each"):
            ceremony_group.decode_scalars(bytes(length))


def test_factors_that_are_no_elements_give_no_totals(group: Group) -> None:
    tally = Tally(group, [times_generator(group, 3), times_generator(group, 4)])
    used = [tally.post(1), tally.post(2)]

    def names(posted: list[object]) -> list[str | None]:
        failures = verify_totals(
            ciphertexts=tally.ciphertexts,
            used=posted,  # type: ignore[arg-type]
            totals=[3, 4],
            ballots=9,
            group=group,
            randomness=Randomness("weights"),
        )
        return [failure.equation for failure in failures]

    assert names([*used]) == []
    assert names([replace(used[0], factors=b"\xff" * 64), used[1]]) == ["decryption.totals"]


def test_the_equation_of_plaintexts_wants_a_blob_of_the_right_length(group: Group) -> None:
    book = code_elements(group, bytes(32), "list", ["a", "blank"])
    tally = Tally(group, [book[:32]])
    for blob in (b"", bytes(5), bytes(36)):
        (failure,) = verify_plaintexts(
            ciphertexts=tally.ciphertexts,
            used=[tally.post(1), tally.post(2)],
            plaintexts=blob,
            code_book=book,
            group=group,
            randomness=Randomness("weights"),
        )
        assert failure.equation == "decryption.plaintext-length"
