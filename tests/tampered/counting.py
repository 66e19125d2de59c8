"""After the close: mixers, trustees, and an office that publishes what it likes."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from crypto import cbor
from crypto.decryption import generate_factors
from evoting.office import tally as office_tally
from evoting.office.opening import blobref
from evoting.office.tally import list_bytes
from evoting.record.election import read_blobref
from mix_net.commitment import CommitmentKey
from mix_net.context import mix_transcript
from mix_net.shuffle import ShuffleStatement, commitment_key_length, generate_shuffle, prove_shuffle
from tests.support.loose import decode
from tests.tampered.case import Case, case

Parts = tuple[bytes, bytes]


class CorruptMixer(Case):
    """Stage 1 of the list contest is corrupt; the second mixer goes on from what it was given."""

    def shuffle(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> Parts:
        if (contest, group, stage) == ("list", "east", 1):
            return self.cheat(contest, group, stage, inputs, width)
        return super().shuffle(contest, group, stage, inputs, width)

    def cheat(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> Parts:
        raise NotImplementedError

    def encryption(self, code: int) -> bytes:
        """A fresh encryption of a code of the list contest."""
        group = self.group
        book = group.elements_decode(self.code_book_bytes()["list"], allow_identity=False)
        r = group.scalars_wide(os.urandom(64))
        pad, mask = self.key.generator_table.mul(r), self.key.key_table.mul(r)
        return pad.encode() + (book[code : code + 1] + mask).encode()


@case("M1 a mixer replaces one output", "mix.proof")
class ReplacedOutput(CorruptMixer):
    def cheat(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> Parts:
        outputs, proof = Case.shuffle(self, contest, group, stage, inputs, width)
        return self.encryption(3) + outputs[64:], proof


@case("M2 a mixer drops one ciphertext and doubles another", "mix.proof")
class DoubledOutput(CorruptMixer):
    def cheat(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> Parts:
        changed = inputs[:64] + inputs[:64] + inputs[128:]
        return Case.shuffle(self, contest, group, stage, changed, width)


@case("M3 a shuffle whose challenges do not hash the inputs", "mix.proof")
class WeakShuffleTranscript(CorruptMixer):
    def cheat(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> Parts:
        key = self.joint_key()
        outputs, witness = generate_shuffle(self.group, key, inputs, width, os.urandom)
        transcript = mix_transcript(self.fingerprint, contest, group, stage, self.mixer_role(stage))
        honest = transcript.append
        transcript.append = lambda label, data: honest(label, b"" if "input" in label else data)
        commitments = CommitmentKey.derive(self.group, commitment_key_length(len(inputs) // (64 * width), width))
        statement = ShuffleStatement(key, inputs, outputs, width)
        return outputs, prove_shuffle(statement, witness, transcript, os.urandom, commitments)


@case("M5 the proof of another list", "mix.proof")
class ForeignProof(CorruptMixer):
    def cheat(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> Parts:
        outputs, _ = Case.shuffle(self, contest, group, stage, inputs, width)
        _, proof = Case.shuffle(self, contest, group, stage, inputs, width)
        return outputs, proof


@case("M5 the proof of another stage", "mix.proof")
class ForeignStage(CorruptMixer):
    def cheat(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> Parts:
        return Case.shuffle(self, contest, group, 2, inputs, width)


@case("M6 an output list that is one ciphertext short", "mix.chain")
class ShortOutput(CorruptMixer):
    def cheat(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> Parts:
        return Case.shuffle(self, contest, group, stage, inputs[:-64], width)

    def result(self) -> None:
        skip_decoding(self)


@case("M6 a proof of another length", "mix.proof")
class LongProof(CorruptMixer):
    def cheat(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> Parts:
        outputs, proof = Case.shuffle(self, contest, group, stage, inputs, width)
        return outputs, proof + bytes(32)


@case("S6 a shuffle proved with generators whose logarithms the mixer knows", "mix.proof")
class TrapdoorGenerators(CorruptMixer):
    def cheat(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> Parts:
        key = self.joint_key()
        outputs, witness = generate_shuffle(self.group, key, inputs, width, os.urandom)
        transcript = mix_transcript(self.fingerprint, contest, group, stage, self.mixer_role(stage))
        count = commitment_key_length(len(inputs) // (64 * width), width)
        known = self.group.fixed_base(self.group.generator()).mul(self.group.scalars_wide(os.urandom(64 * (count + 1))))
        commitments = CommitmentKey(self.group, known[:1], known[1:])
        statement = ShuffleStatement(key, inputs, outputs, width)
        return outputs, prove_shuffle(statement, witness, transcript, os.urandom, commitments)


@case("M4 one party runs every mix", "mix.mixers")
class OneMixer(Case):
    def mixer_role(self, stage: int) -> str:
        return "mixer-1"

    def post_mix(
        self, contest: str, group: str, stage: int, count: int, inputs: bytes, outputs: bytes, proof: bytes
    ) -> None:
        super().post_mix(contest, group, stage, count, inputs, outputs, proof)


@case("the first mix starts from another list than the counted set", "mix.input")
class OtherMixInput(Case):
    def mix(self) -> None:
        path = self.root / "lists" / "list.east.list"
        data = path.read_bytes()
        path.write_bytes(data[:-64] + CorruptMixer.encryption(self, 1))
        super().mix()


@case("the second mix starts from another list than the first one's output", "mix.chain")
class BrokenChain(Case):
    def post_mix(
        self, contest: str, group: str, stage: int, count: int, inputs: bytes, outputs: bytes, proof: bytes
    ) -> None:
        super().post_mix(contest, group, stage, count, inputs, outputs, proof)
        if (contest, group, stage) == ("list", "east", 1):
            self.swapped = inputs

    def shuffle(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> Parts:
        if (contest, group, stage) == ("list", "east", 2):
            self.used = self.swapped
            return super().shuffle(contest, group, stage, self.swapped, width)
        return super().shuffle(contest, group, stage, inputs, width)

    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "mix" and (body["contest"], body["group"], body["stage"]) == ("list", "east", 2):
            import hashlib

            body["input"] = hashlib.sha256(self.used).digest()
        return body


@case("one mix is missing", "mix.chain")
class MissingStage(Case):
    def mix(self) -> None:
        super().mix()

    def post(self, kind: str, body: dict[str, Any], *signers: str) -> None:
        if kind == "mix" and (body["contest"], body["group"], body["stage"]) == ("list", "east", 1):
            return
        super().post(kind, body, *signers)


class CorruptTrustee(Case):
    """Trustee 3 is corrupt for the list of the east, and the office looks away."""

    def factors(self, contest: str, group: str, trustee: int, data: bytes) -> Parts:
        if (contest, group, trustee) == ("list", "east", 3):
            return self.cheat(contest, group, trustee, data)
        return super().factors(contest, group, trustee, data)

    def cheat(self, contest: str, group: str, trustee: int, data: bytes) -> Parts:
        raise NotImplementedError

    def result(self) -> None:
        skip_proofs(self)


def skip_proofs(election: Case) -> None:
    """The office combines whatever was posted."""
    honest = office_tally.verify_factors
    office_tally.verify_factors = lambda *_: None
    try:
        Case.result(election)
    finally:
        office_tally.verify_factors = honest


def skip_decoding(election: Case) -> None:
    """The office invents what is missing in a list: blank votes."""
    honest = office_tally.count_codes

    def count(contest: object, one: object, indices: object) -> object:
        import numpy as np

        missing = one.ballots * contest.width - len(indices)
        blank = np.full(missing, len(contest.codes) - 1, dtype=np.uint32)
        return honest(contest, one, np.concatenate([indices, blank]))

    office_tally.count_codes = count
    try:
        Case.result(election)
    finally:
        office_tally.count_codes = honest


@case("D1 factors and proof out of the air", "decryption.proof")
class InventedFactors(CorruptTrustee):
    def cheat(self, contest: str, group: str, trustee: int, data: bytes) -> Parts:
        count = len(data) // 64
        factors = self.key.generator_table.mul(self.group.scalars_wide(os.urandom(64 * count))).encode()
        return factors, self.group.scalars_wide(os.urandom(128)).encode()


@case("D2 factors of a shifted list", "decryption.proof")
class ShiftedFactors(CorruptTrustee):
    def cheat(self, contest: str, group: str, trustee: int, data: bytes) -> Parts:
        factors, proof = Case.factors(self, contest, group, trustee, data)
        return factors[32:] + factors[:32], proof


@case("D2 factors under another key", "decryption.proof")
class ForeignShare(CorruptTrustee):
    def cheat(self, contest: str, group: str, trustee: int, data: bytes) -> Parts:
        _, proof = Case.factors(self, contest, group, trustee, data)
        return generate_factors(self.group, data, (5).to_bytes(32, "little")), proof


class EditedLists(Case):
    """The office edits the ``lists`` blob of the result."""

    def edit(self, lists: list[dict[str, Any]]) -> None:
        raise NotImplementedError

    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "result":
            lists = decode(take_blob(self, body["lists"]))
            self.edit(lists)
            body["lists"] = blobref(self.board.put_blob(cbor.encode(lists)))
        return body


def take_blob(election: Case, reference: object) -> bytes:
    """A blob's content, removed from the record: nothing will name it any more."""
    ref = read_blobref(reference)
    data = election.board.get_blob(ref)
    (election.record_path / ref.path()).unlink()
    return data


@case("D3 coefficients over another set than the posted one", "plaintexts.codes")
class OtherCoefficients(Case):
    trustees_present = (1, 2, 3)

    def result(self) -> None:
        """All three trustees posted and are named as used; the coefficients are those of other indices."""
        honest = office_tally.combine_list

        def combine(group: object, data: bytes, factors: dict[int, bytes]) -> bytes:
            if len(data) == 64 * self.ballots_per_style:
                shifted = {index + 1: blob for index, blob in factors.items()}
                return honest(group, data, shifted)
            return honest(group, data, factors)

        office_tally.combine_list = combine
        try:
            super().result()
        finally:
            office_tally.combine_list = honest


@case("D4 fewer trustees than the threshold", "decryption.trustees")
class TooFewTrustees(EditedLists):
    def edit(self, lists: list[dict[str, Any]]) -> None:
        lists[0]["used"] = [1]


@case("D4 one trustee's decryption twice", "order.counts")
class TrusteeTwice(Case):
    def decrypt(self) -> None:
        super().decrypt()
        body = dict(self.record.entries("decryption")[0].body)
        self.post("decryption", body, f"trustee-{body['trustee']}")

    def result(self) -> None:
        super().result()


@case("D4 one trustee posts under another's index", "decryption.trustees")
class BorrowedIndex(Case):
    def post(self, kind: str, body: dict[str, Any], *signers: str) -> None:
        super().post(kind, body, *(("trustee-1",) if kind == "decryption" else signers))


@case("a valid decryption is left out", "decryption.proof")
class LeftOutTrustee(Case):
    trustees_present = (1, 2, 3)

    def result(self) -> None:
        honest = office_tally.verify_factors

        def refuse_two(*arguments: object) -> object:
            if arguments[4] == 2:
                from crypto.errors import InvalidProof

                raise InvalidProof("decryption.proof", "left out on purpose")
            return honest(*arguments)

        office_tally.verify_factors = refuse_two
        try:
            super().result()
        finally:
            office_tally.verify_factors = honest


@case("D6 a list is decrypted before it was mixed", "decryption.input")
class UnmixedDecryption(Case):
    def decrypt(self) -> None:
        honest = list_bytes
        import tests.support.small_election as module

        unmixed = (self.root / "lists" / "list.east.list").read_bytes()

        def offer(record: object, contest: object, group: str) -> bytes:
            if (contest.id, group) == ("list", "east"):
                return unmixed
            return honest(record, contest, group)

        module.list_bytes = office_tally.list_bytes = offer
        try:
            super().decrypt()
            self.result_early()
        finally:
            module.list_bytes = office_tally.list_bytes = honest

    def result_early(self) -> None:
        Case.result(self)

    def result(self) -> None:
        """Done already, while the unmixed list was on offer."""


@case("D6 a decryption before the mixes", "order.phases")
class EarlyDecryption(Case):
    def mix(self) -> None:
        contest = self.manifest.contests[0]
        data = list_bytes(self.record, contest, "east")
        factors, proof = self.factors("question", "east", 2, data)
        import hashlib

        body = {
            "contest": "question",
            "group": "east",
            "trustee": 2,
            "list": hashlib.sha256(data).digest(),
            "factors": blobref(self.board.put_blob(factors)),
            "proof": proof,
            "time": self.now(),
        }
        self.post("decryption", body, "trustee-2")
        super().mix()


class EditedResult(Case):
    """The office edits the result blob."""

    def edit(self, result: dict[str, list[dict[str, Any]]]) -> None:
        raise NotImplementedError

    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "result":
            result = decode(take_blob(self, body["result"]))
            self.edit(result)
            body["result"] = blobref(self.board.put_blob(cbor.encode(result)))
        return body


@case("D7 a total is off by one", "tally.totals")
class OffByOne(EditedResult):
    def edit(self, result: dict[str, list[dict[str, Any]]]) -> None:
        groups = result["contests"][0]["groups"]
        groups[0]["counts"][0] -= 1
        groups[0]["counts"][1] += 1


@case("D7 totals do not add up", "tally.totals")
class WrongSum(EditedResult):
    def edit(self, result: dict[str, list[dict[str, Any]]]) -> None:
        result["contests"][0]["totals"]["counts"][0] += 1


@case("D7 a negative total", "record.encoding")
class NegativeTotal(EditedResult):
    def edit(self, result: dict[str, list[dict[str, Any]]]) -> None:
        result["contests"][0]["groups"][0]["counts"][0] = -1


@case("D7 a total close to 2^53", "tally.totals")
class HugeTotal(EditedResult):
    def edit(self, result: dict[str, list[dict[str, Any]]]) -> None:
        result["contests"][0]["groups"][0]["counts"][0] = 2**53 - 1


@case("another outcome than the totals give", "tally.outcome")
class OtherOutcome(EditedResult):
    def edit(self, result: dict[str, list[dict[str, Any]]]) -> None:
        outcome = result["contests"][0]["outcome"]
        outcome["adopted"] = "no" if outcome["adopted"] != "no" else "yes"


class EditedPlaintexts(EditedLists):
    """The office edits the plaintexts of the list of the east."""

    def change(self, data: bytes) -> bytes:
        raise NotImplementedError

    def edit(self, lists: list[dict[str, Any]]) -> None:
        for item in lists:
            if (item["contest"], item["group"]) == ("list", "east"):
                data = self.change(take_blob(self, item["plaintexts"]))
                item["plaintexts"] = blobref(self.board.put_blob(data))


@case("D1 another plaintext than the factors give", "plaintexts.codes")
class OtherPlaintext(EditedPlaintexts):
    def change(self, data: bytes) -> bytes:
        return ((int.from_bytes(data[:4], "big") + 1) % 6).to_bytes(4, "big") + data[4:]


@case("D8 a plaintext beyond the code book", "plaintexts.codes")
class BeyondCodeBook(EditedPlaintexts):
    def change(self, data: bytes) -> bytes:
        return (4711).to_bytes(4, "big") + data[4:]


@case("D8 a valid code listed as invalid", "plaintexts.codes")
class CodeListedInvalid(EditedPlaintexts):
    def change(self, data: bytes) -> bytes:
        book = self.code_book_bytes()["list"]
        index = int.from_bytes(data[:4], "big")
        return b"\xff" * 4 + data[4:] + book[32 * index : 32 * index + 32]


@case("decryption of an aggregate that is not the sum of the ballots", "decryption.input")
class OtherAggregate(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "aggregate" and body["group"] == "east":
            data = bytes(body["ciphertexts"])
            body["ciphertexts"] = data[64:128] + data[:64] + data[128:]
        return body


class SmallWest(Case):
    """Only two voters in the west, fewer than the minimum of three."""

    def choices_of(self, style: str) -> range:
        return range(2 if style == "west" else self.ballots_per_style)

    def epochs(self) -> list[list[bytes]]:
        return [[entry for style in self.wallets for entry in self.cast(style, list(self.choices_of(style)))]]


@case("none: a small ballot style is merged before anything is counted")
class MergedGroups(SmallWest):
    pass


@case("D10 a group smaller than the minimum is tallied", "accounting.groups")
class SmallGroupTallied(SmallWest):
    def select(self) -> None:
        self.manifest = replace(self.manifest)
        from evoting.definition import UnitMinimum

        honest = self.record.manifest
        self.record._manifest = replace(honest, unit_minimum=UnitMinimum(1, 1))
        super().select()
        self.record._manifest = honest


class Withheld(Case):
    """Two voters altogether: nothing may be tallied."""

    def epochs(self) -> list[list[bytes]]:
        return [self.cast("east", [0, 1])]


@case("none: too few ballots altogether are withheld")
class WithheldElection(Withheld):
    pass


@case("D10 a withheld group is aggregated all the same", "tally.groups")
class WithheldAggregated(Withheld):
    def aggregate(self) -> None:
        from crypto.elgamal import decode_ciphertexts

        parts = []
        for entry in self.record.voter_entries():
            value = decode(decode(entry)["body"])
            parts.append(value["contests"][0]["ciphertexts"])
        pairs = decode_ciphertexts(self.group, b"".join(parts))
        sums = [(pairs.pads[option::3].sum().encode() + pairs.data[option::3].sum().encode()) for option in range(3)]
        self.post(
            "aggregate",
            {"contest": "question", "group": "east", "ballots": 2, "ciphertexts": b"".join(sums)},
            "officer-1",
        )


@case("D7 false totals of a homomorphic contest, consistent in everything that is published", "tally.totals")
class FalseTotals(Case):
    """One vote moves from an option to another; sums, bounds and outcome follow. Only the equation knows better."""

    def result(self) -> None:
        honest = office_tally.decode_exponents

        def decode(*arguments: Any) -> list[int]:
            counts = honest(*arguments)
            return [counts[0] - 1, counts[1] + 1, *counts[2:]]

        office_tally.decode_exponents = decode
        try:
            super().result()
        finally:
            office_tally.decode_exponents = honest


@case("D7 false counts of a mixed contest, consistent in everything but the plaintexts", "tally.totals")
class FalseCounts(Case):
    def result(self) -> None:
        honest = office_tally.count_codes

        def count(contest: Any, one: Any, indices: Any) -> Any:
            tally = honest(contest, one, indices)
            if contest.id != "list":
                return tally
            source = next(code for code, number in enumerate(tally.counts) if number)
            counts = list(tally.counts)
            counts[source] -= 1
            counts[source - 1] += 1
            return replace(tally, counts=tuple(counts))

        office_tally.count_codes = count
        try:
            super().result()
        finally:
            office_tally.count_codes = honest


@case("D6 a decryption of something else is posted, and left out of the result", "decryption.input")
class OtherListLeftOut(Case):
    """With enough of them a record would hold the decryption of a single ballot, and be accepted."""

    trustees_present = (1, 2, 3)

    def post(self, kind: str, body: dict[str, Any], *signers: str) -> None:
        if kind == "decryption" and body["trustee"] == 3:
            body = {**body, "list": bytes(32), "proof": bytes(64)}
        super().post(kind, body, *signers)

    def result(self) -> None:
        honest = office_tally.require_own_list
        office_tally.require_own_list = lambda *_: None
        try:
            super().result()
        finally:
            office_tally.require_own_list = honest
