"""Does the issuance policy say what the election record says? (docs/spec/05-credentials.md section 5.5)

The office hands out the policy, so an issuer that trusted it would let the office name an identity provider and a
registrar of its own. Here every value is compared with the record whose fingerprint the issuer got out of band.
Of the roll only the sizes of its styles can be: its commitment needs the persons' numbers, which no issuer has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from biometric_idp.errors import FormatError
from biometric_idp.files import read_json
from biometric_idp.policy import IssuancePolicy, officer_signature_holds
from biometric_idp.schema import require_bytes, require_hex, require_map
from crypto import cbor
from crypto.entry import RoleEntry, decode_role_entry, election_fingerprint, entry_hash
from crypto.errors import DecodeError
from crypto.log.tiles import TILE_WIDTH, TileId, decode_bundle

TRUST_ROOT_FORMAT = "evoting-trust-root/v1"
_MAX_MANIFEST_BYTES = 33_554_432
_MAX_KEYS_BYTES = 64 * 2**20


def read_trusted_fingerprint(path: Path) -> bytes:
    """The election fingerprint in a trust root (docs/spec/02-record.md section 2.1)."""
    return require_hex(read_json(path, TRUST_ROOT_FORMAT), "fingerprint", 32, str(path))


def read_first_entries(record: Path) -> list[bytes]:
    """Entries of the record's first bundle; all of the setup phase is in it.

    Raises:
        FormatError: there is none, or it is malformed.
    """
    for width in range(TILE_WIDTH, 0, -1):
        path = record / TileId(None, 0, width).path()
        if path.is_file():
            try:
                return decode_bundle(path.read_bytes(), width)
            except DecodeError as error:
                raise FormatError(f"{path}: {error}") from None
    raise FormatError(f"{record}: no election record, or an empty one")


def read_blob(record: Path, reference: object, limit: int) -> bytes:
    """A blob by its reference.

    Raises:
        FormatError: missing, longer than allowed, or not the one that is named.
    """
    members = require_map(reference, frozenset({"hash", "length"}), f"{record}: reference to a blob")
    digest = require_bytes(members["hash"], f"{record}: hash of a blob", 32).hex()
    path = record / "blob" / "sha256" / digest[:2] / digest
    if not path.is_file() or path.stat().st_size > limit:
        raise FormatError(f"{path}: missing or too long")
    data = path.read_bytes()
    if len(data) != members["length"] or sha256(data).hexdigest() != digest:
        raise FormatError(f"{path}: not the blob that its name says")
    return data


def require_policy_of_record(policy: IssuancePolicy, keys_blob: bytes, record: Path, fingerprint: bytes) -> None:
    """Compare policy and issuance keys with the record.

    Args:
        fingerprint: from the trust root, which reached the issuer by another way than policy and record.

    Raises:
        FormatError: names what differs.
    """
    if policy.fingerprint != fingerprint:
        raise FormatError("the policy is for another election than the trust root")
    entries = read_first_entries(record)
    try:
        opening, enrolment = _opening_and_enrolment(entries, fingerprint)
        manifest = cbor.decode(read_blob(record, opening["manifest"], _MAX_MANIFEST_BYTES), limit=_MAX_MANIFEST_BYTES)
        keys = read_blob(record, opening["issuers"]["keys"], _MAX_KEYS_BYTES)  # type: ignore[index]
        if type(manifest) is not dict:
            raise FormatError("the manifest is no map")
        stated = _stated(policy)
        recorded = _recorded(opening, enrolment, manifest)
        for name, value in recorded.items():
            if stated[name] != value:
                raise FormatError(f"the policy's {name} differs from the record's")
        _require_period(policy, _uint(manifest["opens"]), _uint(manifest["closes"]))
        if keys != keys_blob:
            raise FormatError("the issuance keys are not the ones that the opening entry names")
        age = _uint(opening["time"]) - _uint(enrolment.body["time"])
        if manifest["model"] is not True and age < _uint(manifest["enrolment-age"]):
            raise FormatError(f"the enrolment checkpoint was only {age} seconds old at the opening")
        _require_officers(policy, manifest)
    except (DecodeError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{record}: an entry of the setup is malformed: {error}") from None


def _require_period(policy: IssuancePolicy, opens: int, closes: int) -> None:
    """Issuance may begin before voting does, not after it; both end together."""
    if policy.closes != closes:
        raise FormatError("the policy's closing of issuance is not the manifest's closing")
    if policy.opens > opens:
        raise FormatError("the policy opens issuance after the manifest opens voting")


def _opening_and_enrolment(entries: Sequence[bytes], fingerprint: bytes) -> tuple[Mapping[str, object], RoleEntry]:
    opening = next((entry for entry in entries if election_fingerprint(entry) == fingerprint), None)
    if opening is None:
        raise FormatError("the record has no opening entry with the trust root's fingerprint")
    body = decode_role_entry(opening).body
    enrolment = next((entry for entry in entries if entry_hash(entry) == body["enrolment"]), None)
    if enrolment is None:
        raise FormatError("the record has no enrolment entry that the opening names")
    return body, decode_role_entry(enrolment)


def _stated(policy: IssuancePolicy) -> dict[str, object]:
    return {
        "log origin": policy.origin,
        "voting origin": policy.party.origin,
        "RP ID": policy.party.rp_id,
        "issuers": list(policy.issuers),
        "threshold": policy.threshold,
        "ballot styles": list(policy.styles),
        "key of the identity provider": [policy.enrolment.identity_provider],
        "key of the registrar": [policy.enrolment.registrar],
        "enrolment checkpoint": policy.enrolment.checkpoint,
        "time of the enrolment checkpoint": policy.enrolment.time,
    }


def _recorded(opening: Mapping[str, object], enrolment: RoleEntry, manifest: Mapping[str, object]) -> dict[str, object]:
    origin = manifest["origins"]["voting"]  # type: ignore[index]
    roles = _roles(manifest)
    return {
        "log origin": opening["origin"],
        "voting origin": origin,
        "RP ID": urlsplit(origin).hostname,
        "issuers": roles["issuer"],
        "threshold": manifest["issuers"]["k"],  # type: ignore[index]
        "ballot styles": [(style["id"], style["roll"]) for style in manifest["styles"]],  # type: ignore[attr-defined]
        "key of the identity provider": [key for _, key in roles["identity-provider"]],
        "key of the registrar": [key for _, key in roles["registrar"]],
        "enrolment checkpoint": enrolment.body["checkpoint"],
        "time of the enrolment checkpoint": enrolment.body["time"],
    }


def _roles(manifest: Mapping[str, object]) -> dict[str, list[tuple[str, bytes]]]:
    """Role id and key by kind, in order of index."""
    found: dict[str, list[tuple[str, bytes]]] = {
        "issuer": [],
        "identity-provider": [],
        "registrar": [],
        "officer": [],
    }
    for role in sorted(manifest["roles"], key=lambda item: item["index"]):  # type: ignore[call-overload]
        if role["kind"] in found:
            found[role["kind"]].append((role["id"], role["key"]))
    return found


def _require_officers(policy: IssuancePolicy, manifest: Mapping[str, object]) -> None:
    keys = dict(_roles(manifest)["officer"])
    for officer in policy.officers:
        key = keys.get(officer.role)
        if key is None or not officer_signature_holds(officer, key, policy.fingerprint):
            raise FormatError(f"the passkey of {officer.role!r} is not signed by this officer's role key")


def _uint(value: object) -> int:
    if type(value) is not int:
        raise FormatError("a time in the record is no integer")
    return value
