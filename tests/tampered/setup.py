"""Before the opening: trustees, issuers, officers and whoever writes the manifest."""

from __future__ import annotations

import os
from typing import Any

from crypto import cbor
from crypto.dkg.participant import begin_attempt
from crypto.group import ORDER
from crypto.hashing import generators, sha
from tests.support.loose import decode
from tests.support.small_election import SmallElection
from tests.tampered.case import Case, case
from tests.tampered.transcripts import Body, Edits, edit_transcript


class EditedTrustees(Case):
    """The trustees' transcript is edited; keys stay what the edited transcript gives."""

    recommit = True

    def edits(self) -> Edits:
        raise NotImplementedError

    def setup(self) -> None:
        honest = self.trustee_completion
        blob = edit_transcript(
            self.trustee_parameters, self.keys, honest[0].transcript, self.edits(), recommit=self.recommit
        )
        object.__setattr__(honest[0], "transcript", blob)
        super().setup()


def instance(body: Body) -> dict[str, bytes]:
    """The one instance of a trustee's reveal."""
    return body["instances"][0]


@case("S1 a rogue key: the last trustee's commitments cancel the others'", "ceremony.trustees")
class RogueKey(EditedTrustees):
    """Trustee 3 knows the whole polynomial F, so it can play every trustee later; only its proof cannot be made."""

    def edits(self) -> Edits:
        group = self.group
        self.polynomial = [int.from_bytes(os.urandom(32), "little") % ORDER for _ in range(2)]
        wanted = group.generator().mul(group.scalars(self.polynomial))
        reveals = [group.elements_decode(self.commitments(index), allow_identity=False) for index in (1, 2)]
        rogue = (wanted - reveals[0] - reveals[1]).encode()

        def cancel(body: Body) -> None:
            instance(body)["commitments"] = rogue

        return {(2, 3): cancel}

    def commitments(self, sender: int) -> bytes:
        transcript = decode(self.trustee_completion[0].transcript)
        envelope = transcript["attempts"][0]["rounds"][1][sender - 1]
        return instance(decode(envelope["body"]))["commitments"]

    def value(self, index: int) -> bytes:
        return ((self.polynomial[0] + index * self.polynomial[1]) % ORDER).to_bytes(32, "little")

    def joint_key(self) -> bytes:
        return self.group.generator().mul(self.group.scalars_decode(self.value(0))).encode()

    def verification_keys(self) -> bytes:
        return b"".join(
            self.group.generator().mul(self.group.scalars_decode(self.value(index))).encode() for index in (1, 2, 3)
        )

    def share(self, trustee: int) -> bytes:
        return self.value(trustee)


@case("S2 the last trustee reveals something else than it committed to", "ceremony.trustees")
class AdaptiveReveal(EditedTrustees):
    def edits(self) -> Edits:
        def forget(body: Body) -> None:
            body["commitment"] = os.urandom(32)

        return {(1, 3): forget}


@case("S3 a proof of possession from another election", "ceremony.trustees")
class ForeignPossession(EditedTrustees):
    def edits(self) -> Edits:
        from crypto.hashing import u64
        from crypto.proofs.schnorr import prove_possession

        parameters = self.trustee_parameters
        # The trustee's own secret, proved for the same commitments but another manifest.
        seed = os.urandom(64)
        seat = begin_attempt(parameters, (), 3, seed, lambda data: self.keys["trustee-3"].sign(data).signature)
        secret = seat.seat.secrets.coefficients("election-key")
        group = parameters.group
        commitments = group.generate(secret).encode()
        other = (bytes(32), parameters.kind.encode(), u64(1), b"election-key", u64(3), commitments)
        proof = prove_possession(group, "evoting/v1/ceremony-possession", other, commitments[:32], secret[0], secret[1])
        old = self.trustee_completion[0].outcome.keys[0]
        self.adopt(commitments, old)

        def replay(body: Body) -> None:
            instance(body)["commitments"] = commitments
            instance(body)["possession"] = proof

        self.secret = secret
        return {(2, 3): replay}

    def adopt(self, commitments: bytes, old: object) -> None:
        """Trustee 3's polynomial is replaced, so all keys and shares move by the difference."""
        del old
        transcript = decode(self.trustee_completion[0].transcript)
        envelope = transcript["attempts"][0]["rounds"][1][2]
        before = instance(decode(envelope["body"]))["commitments"]
        group = self.group
        self.difference = group.elements_decode(commitments, allow_identity=False) - group.elements_decode(
            before, allow_identity=False
        )

    def shifted(self, key: bytes, index: int) -> bytes:
        group = self.group
        moved = group.elements_decode(key, allow_identity=False) + group.msm(group.scalars([1, index]), self.difference)
        return moved.encode()

    def joint_key(self) -> bytes:
        return self.shifted(super().joint_key(), 0)

    def verification_keys(self) -> bytes:
        keys = super().verification_keys()
        return b"".join(self.shifted(keys[32 * i : 32 * i + 32], i + 1) for i in range(3))

    def share(self, trustee: int) -> bytes:
        parameters = self.trustee_parameters
        del parameters
        old = self.own_polynomial()
        value = int.from_bytes(super().share(trustee), "little")
        move = sum((new - was) * trustee**power for power, (new, was) in enumerate(zip(self.secret, old, strict=True)))
        return ((value + move) % ORDER).to_bytes(32, "little")

    def own_polynomial(self) -> list[int]:
        """Trustee 3's former polynomial, from the shares that it dealt: f(1), f(2) give the line."""
        return self.former

    def setup(self) -> None:
        self.former = former_polynomial(self, 3)
        super().setup()


def former_polynomial(election: SmallElection, trustee: int) -> list[int]:
    """A trustee's secret polynomial in the honest ceremony, which this process ran."""
    completed = election.trustee_completion[trustee - 1]
    del completed
    return election.trustee_polynomials[trustee - 1]


@case("S4 a polynomial of higher degree", "ceremony.trustees")
class HigherDegree(EditedTrustees):
    def edits(self) -> Edits:
        extra = self.group.generator().mul(self.group.scalars([5])).encode()

        def lengthen(body: Body) -> None:
            instance(body)["commitments"] += extra

        return {(2, 3): lengthen}


@case("S4 a message under another participant's index", "ceremony.trustees")
class DuplicateIndex(EditedTrustees):
    def edits(self) -> Edits:
        def impersonate(body: Body) -> None:
            body["sender"] = 0

        return {(3, 3): impersonate}


@case("S5 a trustee who confirmed another transcript is not named", "ceremony.trustees")
class ForeignConfirmation(Case):
    def setup(self) -> None:
        honest = self.trustee_completion
        blob = edit_transcript(self.trustee_parameters, self.keys, honest[0].transcript, {})
        value = decode(blob)
        round_4 = value["attempts"][0]["rounds"][3]
        body = decode(round_4[0]["body"])
        body["transcript"] = os.urandom(32)
        from crypto.dkg.messages import signing_input

        round_4[0]["body"] = cbor.encode(body)
        message = signing_input(self.trustee_parameters, "confirm", round_4[0]["body"])
        round_4[0]["signature"] = self.keys["trustee-1"].sign(message).signature
        object.__setattr__(honest[0], "transcript", cbor.encode(value))
        super().setup()


@case("S3 an issuer's proof of possession is not its own", "ceremony.issuers")
class ForeignIssuerPossession(Case):
    def setup(self) -> None:
        honest = self.issuer_completion
        first = decode(honest[0].transcript)
        envelope = first["attempts"][0]["rounds"][1][0]
        own = decode(envelope["body"])["instances"][0]["possession"]

        def steal(body: Body) -> None:
            instance(body)["possession"] = own

        blob = edit_transcript(self.issuer_parameters, self.keys, honest[0].transcript, {(2, 2): steal})
        object.__setattr__(honest[0], "transcript", blob)
        super().setup()


@case("S6 generators with a known logarithm, the opening says so", "group.parameters")
class KnownGenerators(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "opening":
            blinding, message = generators(self.group, 64)
            del blinding
            trapdoor = self.group.generator().mul(self.group.scalars([42])).encode()
            encoded = message.encode()
            items = [encoded[32 * i : 32 * i + 32] for i in range(64)]
            base = self.group.generator().encode()
            body["parameters"] = sha("evoting/v1/parameters", b"ristretto255", base, trapdoor, *items)
        return body


@case("S7 another group", "group.parameters")
class OtherGroup(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "opening":
            body["parameters"] = sha("evoting/v1/parameters", b"edwards25519")
        return body


@case("S8 the joint key is replaced by one whose secret an officer knows", "opening.keys")
class ReplacedKey(Case):
    secret = 987654321

    def joint_key(self) -> bytes:
        return self.group.generator().mul(self.group.scalars([self.secret])).encode()

    def share(self, trustee: int) -> bytes:
        return self.secret.to_bytes(32, "little")

    def verification_keys(self) -> bytes:
        return 3 * self.joint_key()


@case("S8 an issuance key is replaced", "opening.keys")
class ReplacedIssuanceKey(Case):
    secret = 1234567

    def issuance_keys(self) -> list[tuple[str, bytes, bytes]]:
        key = self.pairing.g2_generator().mul([self.secret]).encode()
        (_, _, shares), other = super().issuance_keys()
        return [("east", key, shares), other]

    def credentials(self, style: str, pseudonyms: list[bytes], order: str = "big") -> list[bytes]:
        if style != "east":
            return super().credentials(style, pseudonyms, order)
        from crypto.blind_bls import encode_message, hash_credential_message, sign_partial

        messages = [encode_message(self.fingerprint, style, pseudonym) for pseudonym in pseudonyms]
        data = sign_partial(hash_credential_message(self.pairing, messages), self.secret).encode()
        return [data[48 * i : 48 * i + 48] for i in range(len(pseudonyms))]


@case("S8 the opening is signed by one officer", "trust.signatures")
class OneOfficer(Case):
    def post(self, kind: str, body: dict[str, Any], *signers: str) -> None:
        super().post(kind, body, *(signers[:1] if kind == "opening" else signers))


@case("S8 a signature that does not hold", "trust.signatures")
class BadSignature(Case):
    def post(self, kind: str, body: dict[str, Any], *signers: str) -> None:
        if kind != "close":
            super().post(kind, body, *signers)
            return
        from crypto.entry import sign_entry

        raw = decode(sign_entry(kind, body, self.record.binding, {name: self.keys[name] for name in signers}))
        raw["signatures"][0]["signature"] = bytes(64)
        self.board.append([cbor.encode(raw)])


@case("S3 a signature bound to another election", "trust.signatures")
class ForeignBinding(Case):
    def post(self, kind: str, body: dict[str, Any], *signers: str) -> None:
        if kind != "selection":
            super().post(kind, body, *signers)
            return
        from crypto.entry import Binding, sign_entry

        binding = Binding(self.record.binding.manifest_hash, bytes(32))
        self.board.append([sign_entry(kind, body, binding, {name: self.keys[name] for name in signers})])


@case("S9 two candidates swapped in the code book", "opening.code-books")
class SwappedCodes(Case):
    def code_book_bytes(self) -> dict[str, bytes]:
        books = super().code_book_bytes()
        book = books["list"]
        books["list"] = book[32:64] + book[:32] + book[64:]
        return books


@case("S9 an option id occurs twice in the manifest", "opening.manifest")
class DuplicateOption(Case):
    def setup(self) -> None:
        value = decode(self.manifest_bytes)
        for contest in value["contests"]:
            if contest["id"] == "question":
                contest["options"][1]["id"] = "yes"
        self.manifest_bytes = cbor.encode(value)
        self.record._manifest = self.manifest
        self.record._manifest_bytes = self.manifest_bytes
        super().setup()


@case("S10 a record of another election than the trust root's", "trust.fingerprint")
class OtherElection(Case):
    def tamper(self) -> None:
        text = self.trust_root_path.read_text()
        self.trust_root_path.write_text(text.replace(self.fingerprint.hex(), os.urandom(32).hex()))


@case("S10 a record that brings its own trust root", "record.files")
class OwnTrustRoot(Case):
    def tamper(self) -> None:
        (self.record_path / "trust-root.json").write_bytes(self.trust_root_path.read_bytes())


@case("the opening names another roll than the registrar's", "opening.roll")
class OtherRoll(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "opening":
            body["roll"] = {**body["roll"], "commitment": os.urandom(32)}
        return body


@case("a unit is moved to another ballot style in the partition", "opening.partition")
class OtherPartition(Case):
    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "opening":
            body["partition"] = [
                {"style": "east", "units": ["east-1"]},
                {"style": "west", "units": ["east-2", "west-1"]},
            ]
        return body
