"""A trustee's decryption of a list, once (docs/spec/09-decryption.md sections 9.2 and 9.3)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from nacl.signing import SigningKey

from crypto.decryption import generate_factors, prove_factors
from crypto.dkg.files import KeyShareFile
from crypto.dkg.parameters import ELECTION_KEY
from crypto.entry import decode_role_entry, sign_entry
from crypto.group.interface import Group
from evoting.trustees.errors import DecryptionRefused, TrusteeError
from evoting.trustees.refusal import ClosedElection, require_list
from evoting.trustees.store import TrusteeStore


@dataclass(frozen=True)
class DecryptedPart:
    """What a trustee publishes for a list: a signed ``decryption`` entry, and the blob that it names."""

    contest: str
    group: str
    entry: bytes
    factors: bytes


def decrypt_list(
    group: Group,
    store: TrusteeStore,
    share: KeyShareFile,
    key: SigningKey,
    election: ClosedElection,
    contest: str,
    group_id: str,
    ciphertexts: bytes,
    time: int,
    entropy: bytes,
) -> DecryptedPart:
    """Decryption factors for a list and the signed entry; asked again for the same list, the same bytes.

    The store must be locked by the caller. The entry is noted durably before this returns.

    Args:
        election: from ``require_closed``.
        key: the trustee's role key.
        time: of the entry, seconds since the epoch.
        entropy: 64 fresh random bytes.

    Raises:
        DecryptionRefused: names the rule of section 9.3.
        DecodeError: the list has another length or is not canonical.
    """
    require_list(election, contest, group_id, ciphertexts)
    role = election.manifest.roles_of("trustee")[share.index - 1]
    if role.key != bytes(key.verify_key):
        raise TrusteeError(f"the key is not that of {role.id}, whose key share this is")
    own = share.share(ELECTION_KEY)
    list_hash = hashlib.sha256(ciphertexts).digest()
    noted = store.load_decryption(contest, group_id)
    if noted is not None and noted[0] != list_hash:
        raise DecryptionRefused(
            "decrypt.once", f"{contest}, {group_id}: another list of this name has been decrypted before"
        )

    factors = generate_factors(group, ciphertexts, own.secret)
    reference = {"hash": hashlib.sha256(factors).digest(), "length": len(factors)}
    if noted is not None:
        entry = noted[1]
        if decode_role_entry(entry).body.get("factors") != reference:
            raise TrusteeError(f"{contest}, {group_id}: the noted entry does not name the factors of this key share")
        return DecryptedPart(contest, group_id, entry, factors)

    proof = prove_factors(
        group,
        election.fingerprint,
        contest,
        group_id,
        share.index,
        own.verification_key,
        ciphertexts,
        factors,
        own.secret,
        entropy,
    )
    body: dict[str, object] = {
        "contest": contest,
        "group": group_id,
        "trustee": share.index,
        "list": list_hash,
        "factors": reference,
        "proof": proof,
        "time": time,
    }
    entry = sign_entry("decryption", body, election.binding, {role.id: key})
    store.save_decryption(contest, group_id, list_hash, entry)
    return DecryptedPart(contest, group_id, entry, factors)
