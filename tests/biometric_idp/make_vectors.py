"""Write docs/spec/vectors/credential-*.json: ``python -m tests.biometric_idp.make_vectors``.

Every secret is a hash of a label, so that the files never change by themselves; the tests compute them again with the
portable arithmetic.
"""

from __future__ import annotations

import json
from hashlib import sha256, shake_256
from pathlib import Path

from nacl.signing import SigningKey

from biometric_idp.enrolment.log import (
    Enrolment,
    encode_enrolments,
    encode_entry,
    sign_enrolment_checkpoint,
    sign_enrolments,
)
from biometric_idp.enrolment.passkey import Ed25519Passkey, make_assertion
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.issuer.ledger import tree_leaf, tree_leaf_hashes, tree_salt
from biometric_idp.registrar.roll import commit_roll, roll_leaf, roll_salt
from biometric_idp.request import Answer, Request, request_hash, sign_refusal
from biometric_idp.webauthn import RelyingParty
from crypto.blind_bls import (
    DST,
    blind,
    combine_partials,
    encode_message,
    generate_randomizers,
    hash_credential_message,
    sign_partial,
    unblind,
)
from crypto.group import BLS_ORDER, Group, PairingGroup, load_group, load_pairing_group
from crypto.log.merkle import root_of_hashes

DIRECTORY = Path(__file__).parents[2] / "docs" / "spec" / "vectors"
Vector = dict[str, object]


def digest(label: str) -> bytes:
    return sha256(label.encode()).digest()


FINGERPRINT = digest("fingerprint")
STYLE = "abroad"
POSITION = 17
DATE = 21_000
ORIGIN = "elections.example/2030/log"
PARTY = RelyingParty("vote.example", "https://vote.example")
SECRET = digest("ledger secret")
REQUEST_HASHES = {1: digest("request of position 1"), 4: digest("request of position 4")}


def issuance(group: Group, pairing: PairingGroup) -> Vector:
    """From shares, pseudonym and entropy to the credential."""
    coefficients = [int.from_bytes(digest(f"coefficient {i}"), "big") % BLS_ORDER for i in range(3)]
    shares = {i: sum(c * i**e for e, c in enumerate(coefficients)) % BLS_ORDER for i in range(1, 5)}
    generator = pairing.g2_generator()
    entropy = shake_256(b"randomizer").digest(64)
    scalar = group.scalars_wide(shake_256(b"pseudonym").digest(64))
    pseudonym = group.generator().mul(scalar).encode()
    message = encode_message(FINGERPRINT, STYLE, pseudonym)
    hashed = hash_credential_message(pairing, [message])
    randomizer = generate_randomizers(1, lambda _: entropy)
    blinded = blind(hashed, randomizer)
    partials = {i: sign_partial(blinded, share) for i, share in shares.items()}
    credential = unblind(*combine_partials({i: partials[i] for i in (1, 2, 4)}), randomizer).encode()
    return {
        "what": "threshold blind BLS, k = 3 of m = 4 (section 5.1)",
        "fingerprint": FINGERPRINT.hex(),
        "style": STYLE,
        "dst": DST.decode(),
        "pseudonym_secret": scalar.encode().hex(),
        "pseudonym": pseudonym.hex(),
        "message": message.hex(),
        "hashed": hashed.encode().hex(),
        "entropy": entropy.hex(),
        "randomizer": randomizer[0].to_bytes(32, "big").hex(),
        "blinded": blinded.encode().hex(),
        "shares": {str(i): share.to_bytes(32, "big").hex() for i, share in shares.items()},
        "share_keys": {str(i): generator.mul([share]).encode().hex() for i, share in shares.items()},
        "issuance_key": generator.mul([coefficients[0]]).encode().hex(),
        "partials": {str(i): point.encode().hex() for i, point in partials.items()},
        "combined_issuers": [1, 2, 4],
        "credential": credential.hex(),
    }


def request(pairing: PairingGroup) -> Vector:
    """Enrolment entry, request, ticket, answer and refusal, with fixed keys."""
    keys = {name: SigningKey(digest(name)) for name in ("identity-provider", "registrar", "issuer-2")}
    own = Ed25519Passkey(digest("passkey"), digest("credential id")[:16])
    blinded = hash_credential_message(pairing, [b"stands for a blinded message"]).encode()
    hash_ = request_hash(FINGERPRINT, STYLE, POSITION, own.public.credential, blinded)
    others = [digest("another request"), hash_, digest("a third request")]
    ticket = sign_tickets(keys["identity-provider"], FINGERPRINT, others, DATE)[1]
    assertion = make_assertion(own, PARTY, hash_, counter=3)
    full = Request(STYLE, POSITION, own.public.credential, blinded, (assertion,), ticket)
    body = encode_enrolments([Enrolment(POSITION, STYLE, own.public, "in-person", 1_814_000_000)])
    entry = encode_entry(
        body,
        sign_enrolments(keys["identity-provider"], ORIGIN, body),
        sign_enrolments(keys["registrar"], ORIGIN, body),
    )
    return {
        "what": "an enrolment log of one entry, a request by its passkey, the ticket (leaf 1 of 3), answer, refusal",
        "fingerprint": FINGERPRINT.hex(),
        "origin": ORIGIN,
        "rp_id": PARTY.rp_id,
        "voting_origin": PARTY.origin,
        "public_keys": {name: bytes(key.verify_key).hex() for name, key in keys.items()},
        "cose_key": own.public.key.hex(),
        "enrolment_entry": entry.hex(),
        "enrolment_checkpoint": sign_enrolment_checkpoint(keys["identity-provider"], ORIGIN, [entry]),
        "style": STYLE,
        "position": POSITION,
        "credential_id": own.public.credential.hex(),
        "blinded": blinded.hex(),
        "request_hash": hash_.hex(),
        "ticket_hashes": [value.hex() for value in others],
        "client_data": assertion.client_data.decode(),
        "authenticator_data": assertion.authenticator_data.hex(),
        "assertion_signature": assertion.signature.hex(),
        "request": full.encode().hex(),
        "answer": Answer(2, hash_, blinded).encode().hex(),
        "refusal": sign_refusal(keys["issuer-2"], FINGERPRINT, 2, hash_, "already-issued", DATE).encode().hex(),
    }


def ledger() -> Vector:
    """Roll commitment and ledger tree."""
    voters = [(STYLE, "10101199000001"), ("bishkek", "20202198000002"), (STYLE, "10303197000003")]
    voters += [("bishkek", "20404196000004"), (STYLE, "10505195000005")]
    roll_secret = digest("roll secret")
    salts = [roll_salt(roll_secret, position) for position in range(len(voters))]
    leaf_hashes = tree_leaf_hashes(SECRET, FINGERPRINT, 2, len(voters), REQUEST_HASHES)
    tree_salts = [tree_salt(SECRET, FINGERPRINT, 2, position) for position in range(len(voters))]
    return {
        "what": "a roll of five voters (section 5.2), and a ledger tree in which positions 1 and 4 were issued (5.7)",
        "fingerprint": FINGERPRINT.hex(),
        "roll_secret": roll_secret.hex(),
        "voters": [{"style": style, "person": person} for style, person in voters],
        "roll_salts": [salt.hex() for salt in salts],
        "roll_leaves": [
            roll_leaf(salt, position, style, person).hex()
            for position, (salt, (style, person)) in enumerate(zip(salts, voters, strict=True))
        ],
        "roll_commitment": commit_roll(roll_secret, voters).hex(),
        "ledger_secret": SECRET.hex(),
        "ledger_size": 2,
        "request_hashes": {str(position): value.hex() for position, value in REQUEST_HASHES.items()},
        "tree_salts": [salt.hex() for salt in tree_salts],
        "tree_leaves": [
            tree_leaf(FINGERPRINT, position, salt, REQUEST_HASHES.get(position)).hex()
            for position, salt in enumerate(tree_salts)
        ],
        "tree_root": root_of_hashes(leaf_hashes).hex(),
    }


def vectors(group: Group, pairing: PairingGroup) -> dict[str, Vector]:
    return {
        "credential-issuance": issuance(group, pairing),
        "credential-request": request(pairing),
        "credential-ledger": ledger(),
    }


def main() -> None:
    for name, vector in vectors(load_group(), load_pairing_group()).items():
        (DIRECTORY / f"{name}.json").write_text(json.dumps(vector, indent=1) + "\n")


if __name__ == "__main__":
    main()
