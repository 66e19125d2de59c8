"""What the framework's own checks keep from the equations is refused by the equations all the same."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from crypto.errors import DecodeError
from crypto.group import Group, PairingGroup, ScalarVector
from tests.verifier.equations.ballot_cases import found
from tests.verifier.equations.ceremony_cases import audit
from tests.verifier.equations.ceremony_prover import Ceremony, Script
from tests.verifier.equations.provers import Ballot, Randomness, Setting, times_generator
from tests.verifier.equations.shuffle_prover import make_case
from tests.verifier.equations.test_decryption import Tally
from tests.verifier.equations.test_tally import QUESTION, RANKED
from tests.verifier.equations.test_tally import group as tally_group
from verifier.equations import ceremonies, decryption, shuffle, statements
from verifier.equations.ceremony_groups import BlsCeremony, CeremonyGroup, RistrettoCeremony
from verifier.equations.decryption import verify_plaintexts, verify_totals
from verifier.equations.interface import BallotBatch, ContestShape
from verifier.equations.parameters import code_elements
from verifier.equations.shuffle import verify_shuffle
from verifier.equations.tally import check_group, form_fits
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


def test_factors_that_are_no_elements_give_no_plaintexts(group: Group) -> None:
    book = code_elements(group, bytes(32), "list", ["a", "blank"])
    tally = Tally(group, [book[:32]])
    first, second = tally.post(1), tally.post(2)
    for used, expected in (([first, second], []), ([first, replace(second, factors=b"\xff" * 32)], ["plaintexts"])):
        failures = verify_plaintexts(
            ciphertexts=tally.ciphertexts,
            used=used,
            plaintexts=bytes(4),
            code_book=book,
            group=group,
            randomness=Randomness("weights"),
        )
        assert [failure.equation for failure in failures] == [f"decryption.{name}" for name in expected]


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


@pytest.mark.parametrize("encoding", [b"\xc0" + bytes(95), bytes(96), b"\xff" * 96, b""])
def test_elements_of_the_issuers_group_are_decoded_strictly(pairing: PairingGroup, encoding: bytes) -> None:
    generator = pairing.g2_generator().encode()
    BlsCeremony(pairing).check_elements(generator)
    with pytest.raises(DecodeError):
        BlsCeremony(pairing).check_elements(generator + (encoding or generator[:95]))


def test_a_challenge_of_zero_proves_no_factors(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash of zero never happens; if it did, z = 0 would prove anything."""
    tally = Tally(group, [times_generator(group, 3)])
    forged = replace(tally.post(1, secret=tally.shares[1]), proof=bytes(64))
    monkeypatch.setattr(decryption, "scalar", lambda *_: 0)
    assert tally.check(forged) == {"decryption.proof"}


def test_used_trustees_have_a_factor_for_every_ciphertext(group: Group) -> None:
    book = code_elements(group, bytes(32), "list", ["a", "blank"])
    tally = Tally(group, [book[:32], book[32:]])
    first, second = tally.post(1), tally.post(2)
    blob = (0).to_bytes(4, "big") + (1).to_bytes(4, "big")
    for used in ([], [first, first], [first, replace(second, factors=bytes(second.factors)[:32])]):
        common = {"ciphertexts": tally.ciphertexts, "used": used, "group": group, "randomness": Randomness("weights")}
        plaintexts = verify_plaintexts(plaintexts=blob, code_book=book, **common)  # type: ignore[arg-type]
        totals = verify_totals(totals=[0, 0], ballots=9, **common)  # type: ignore[arg-type]
        assert [failure.equation for failure in (*plaintexts, *totals)] == ["decryption.used", "decryption.used"]
    too_many = verify_totals(
        ciphertexts=tally.ciphertexts,
        used=[first, second],
        totals=[0, 0, 0],
        ballots=9,
        group=group,
        randomness=Randomness("weights"),
    )
    assert [failure.equation for failure in too_many] == ["decryption.used"]


@pytest.mark.parametrize("width", [1, 2])
def test_lists_are_whole_rows(group: Group, width: int) -> None:
    case = make_case(group, 5, width)
    for extra in (1, 32, 64 * width - 1):
        longer = case.with_(inputs=case.inputs + bytes(extra), outputs=case.outputs + bytes(extra))
        (failure,) = verify_shuffle(**asdict(longer), group=group, randomness=Randomness("weights"))
        assert failure.equation == "shuffle.statement"


@pytest.mark.parametrize("kind", ["homomorphic", "mixed"])
def test_a_ballots_challenge_of_zero_is_refused_by_name(
    setting: Setting, honest: list[Ballot], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No voter can produce one, so the challenge itself is planted."""
    honestly = statements.contest_challenges

    def zero(batch: BallotBatch, shape: ContestShape, *rest: object) -> ScalarVector:
        challenges = honestly(batch, shape, *rest)  # type: ignore[arg-type]
        return setting.group.scalars([0] * len(batch)) if shape.kind == kind else challenges

    monkeypatch.setattr(statements, "contest_challenges", zero)
    assert found(setting, honest[:1]) == [(0, "proof", "ballot.challenge")]


def test_D7_more_votes_for_an_option_than_ballots() -> None:
    """With two selections for each ballot, only the option's own bound is broken."""
    contest = QUESTION | {"max": 2}
    assert check_group(contest, tally_group(counted=10, counts=[10, 10]), indices=None) == []
    (failure,) = check_group(contest, tally_group(counted=10, counts=[11, 0]), indices=None)
    assert failure.equation == "tally.bounds"


def test_a_ranked_group_has_rankings_and_no_counts() -> None:
    ranked = tally_group(counted=1, rankings=[[[0, 1, 4], 1]])
    assert form_fits(RANKED, ranked)
    for defect in ({"counts": [1, 0, 0, 0, 0]}, {"rankings": None}, {"invalid": None}):
        assert not form_fits(RANKED, ranked | defect)
