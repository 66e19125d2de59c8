"""What a trustee looks at before it decrypts a list (docs/spec/09-decryption.md section 9.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crypto.dkg.files import KeyShareFile
from crypto.dkg.parameters import ELECTION_KEY, TRUSTEES
from crypto.entry import Binding, EntryError, RoleEntry, election_fingerprint, require_signatures
from crypto.group.interface import ELEMENT_BYTES
from evoting.definition import HomomorphicContest, Manifest, decode_manifest, manifest_hash
from evoting.trustees.errors import DecryptionRefused

_PAIR_BYTES = 64


@dataclass(frozen=True)
class ClosedElection:
    """An election that this trustee has found to be the right one, closed, and ready to be decrypted.

    Attributes:
        entries: the role entries in log order.
        lists: contest and group of every list that is to be decrypted, in the order of the selection.
    """

    manifest: Manifest
    binding: Binding
    entries: tuple[RoleEntry, ...]
    lists: tuple[tuple[str, str], ...] = ()

    @property
    def fingerprint(self) -> bytes:
        return self.binding.fingerprint

    def of_type(self, entry_type: str) -> list[RoleEntry]:
        return [entry for entry in self.entries if entry.type == entry_type]


def require_closed(
    entries: Sequence[RoleEntry], manifest_bytes: bytes, fingerprint: bytes, share: KeyShareFile
) -> ClosedElection:
    """Check root, key and close.

    Args:
        entries: the role entries in log order, under a checkpoint that the trustee's policy accepts.
        manifest_bytes: the manifest blob.
        fingerprint: from the trustee's own trust root.

    Raises:
        DecryptionRefused: names the rule.
    """
    openings = [entry for entry in entries if entry.type == "opening"]
    if len(openings) != 1 or election_fingerprint(openings[0].raw) != fingerprint:
        raise DecryptionRefused("decrypt.root", "the log's opening entry is not that of the trust root")
    opening = openings[0].body
    digest = manifest_hash(manifest_bytes)
    if share.kind != TRUSTEES or share.manifest_hash != digest or _hash_of(opening.get("manifest")) != digest:
        raise DecryptionRefused("decrypt.root", "the key share, or the opening entry, belongs to another manifest")
    own = share.share(ELECTION_KEY)
    keys = opening.get("trustees")
    if not isinstance(keys, dict) or keys.get("key") != own.joint_key:
        raise DecryptionRefused("decrypt.key", "the election's key is not the one that this trustee has a share of")
    published = keys.get("verification-keys")
    place = slice(ELEMENT_BYTES * (share.index - 1), ELEMENT_BYTES * share.index)
    if not isinstance(published, bytes) or published[place] != own.verification_key:
        raise DecryptionRefused(
            "decrypt.key", f"the verification key of trustee {share.index} is not the published one"
        )

    manifest = decode_manifest(manifest_bytes)
    election = ClosedElection(manifest, Binding(digest, fingerprint), tuple(entries))
    types = [entry.type for entry in entries]
    for kind in ("close", "selection"):
        if types.count(kind) != 1:
            raise DecryptionRefused("decrypt.closed", f"the log has {types.count(kind)} {kind} entries, not one")
        _require_officers(election, election.of_type(kind)[0], 2, "decrypt.closed")
    if not types.index("opening") < types.index("close") < types.index("selection"):
        raise DecryptionRefused("decrypt.closed", "opening, close and selection are not in this order")
    return replace(election, lists=_tallied_lists(election.of_type("selection")[0]))


def _tallied_lists(selection: RoleEntry) -> tuple[tuple[str, str], ...]:
    lists = []
    for contest in _maps(selection.body.get("groups")):
        for group in _maps(contest.get("groups")):
            name = (contest.get("contest"), group.get("group"))
            if not isinstance(name[0], str) or not isinstance(name[1], str):
                raise DecryptionRefused("decrypt.closed", "the selection's groups are malformed")
            if group.get("status") == "tallied":
                lists.append((name[0], name[1]))
    return tuple(lists)


def _maps(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise DecryptionRefused("decrypt.closed", "the selection's groups are malformed")
    return value


def require_list(election: ClosedElection, contest_id: str, group_id: str, ciphertexts: bytes) -> None:
    """Check that a list is the one to be decrypted for a contest and group.

    Raises:
        DecryptionRefused: names the rule.
    """
    contest = election.manifest.contest_by_id.get(contest_id)
    if contest is None or (contest_id, group_id) not in election.lists:
        raise DecryptionRefused(
            "decrypt.closed", f"the selection has no group {group_id!r} to be tallied in contest {contest_id!r}"
        )
    if isinstance(contest, HomomorphicContest):
        _require_aggregate(election, contest_id, group_id, ciphertexts)
    else:
        _require_mixed(election, contest_id, group_id, ciphertexts)


def _require_aggregate(election: ClosedElection, contest: str, group: str, ciphertexts: bytes) -> None:
    entries = _about(election, "aggregate", contest, group)
    if len(entries) != 1 or entries[0].body.get("ciphertexts") != ciphertexts:
        raise DecryptionRefused("decrypt.aggregate", f"{contest}, {group}: not the aggregate that the log names")
    _require_officers(election, entries[0], 1, "decrypt.aggregate")


def _require_mixed(election: ClosedElection, contest: str, group: str, ciphertexts: bytes) -> None:
    mixers = election.manifest.roles_of("mixer")
    entries = _about(election, "mix", contest, group)
    stages = [entry.body.get("stage") for entry in entries]
    if not mixers or stages != list(range(1, len(mixers) + 1)):
        raise DecryptionRefused(
            "decrypt.mixed", f"{contest}, {group}: the log has {len(entries)} of {len(mixers)} mixes in order"
        )
    previous: object = None
    for mixer, entry in zip(mixers, entries, strict=True):
        if previous is not None and entry.body.get("input") != previous:
            raise DecryptionRefused(
                "decrypt.mixed", f"{contest}, {group}: stage {mixer.index} did not mix the output of the one before"
            )
        _require_signers(election, entry, [mixer.id], "decrypt.mixed")
        previous = _hash_of(entry.body.get("output"))
    if previous != hashlib.sha256(ciphertexts).digest():
        raise DecryptionRefused("decrypt.mixed", f"{contest}, {group}: the list is not the output of the last mix")
    if entries[0].body.get("input") == previous:
        raise DecryptionRefused("decrypt.mixed", f"{contest}, {group}: the list has not been mixed")


def _about(election: ClosedElection, kind: str, contest: str, group: str) -> list[RoleEntry]:
    return [
        entry
        for entry in election.of_type(kind)
        if (entry.body.get("contest"), entry.body.get("group")) == (contest, group)
    ]


def _hash_of(reference: object) -> object:
    return reference.get("hash") if isinstance(reference, dict) else None


def _require_officers(election: ClosedElection, entry: RoleEntry, count: int, rule: str) -> None:
    officers = {role.id for role in election.manifest.roles_of("officer")}
    signers = [role for role, _ in entry.signatures]
    if len(set(signers)) != count or not officers.issuperset(signers):
        raise DecryptionRefused(rule, f"the {entry.type} entry is not signed by {count} officers")
    _require_signers(election, entry, signers, rule)


def _require_signers(election: ClosedElection, entry: RoleEntry, signers: Sequence[str], rule: str) -> None:
    keys = {role.id: role.key for role in election.manifest.roles}
    try:
        require_signatures(entry, election.binding, keys, signers)
    except EntryError as error:
        raise DecryptionRefused(rule, str(error)) from None
