"""Which entry may come next and who signs it (docs/spec/02-record.md section 2.3).

The writer holds itself to the order that every verifier checks: an entry out of its phase could never be taken back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from crypto.entry import Binding, EntryError, RoleEntry, require_signatures
from evoting.definition import Manifest
from evoting.errors import RecordError

SETUP = ("manifest", "roll", "enrolment", "trustee-ceremony", "issuer-ceremony", "opening")
OPEN = frozenset(
    {"epoch", "terminal-opening", "terminal-closing", "terminal-exclusion", "extension", "vote-page", "withdrawal"}
)
#: Entries that may stand anywhere after the opening, also after the result.
ANYWHERE = frozenset({"annulment", "complaint"})
_PHASES = ("close", "ledger", "selection", "aggregate", "mix", "decryption", "result")
_PHASE_OF = {
    **{name: number for number, name in enumerate(SETUP)},
    **dict.fromkeys(OPEN, len(SETUP)),
    **{name: len(SETUP) + 1 + number for number, name in enumerate(_PHASES)},
}
_ONCE = frozenset({*SETUP, "close", "selection", "result"})
#: What an entry is about, where there must be only one of its type about the same.
_SUBJECT = {
    "terminal-opening": ("terminal",),
    "terminal-closing": ("terminal",),
    "terminal-exclusion": ("terminal",),
    "ledger": ("issuer",),
    "aggregate": ("contest", "group"),
    "mix": ("contest", "group", "stage"),
    "decryption": ("contest", "group", "trustee"),
}
_TWO_OFFICERS = {"officer": 2}
_ONE_OFFICER = {"officer": 1}
_SIGNERS: Mapping[str, Mapping[str, int]] = {
    "manifest": _TWO_OFFICERS,
    "roll": {"registrar": 1, "officer": 1},
    "enrolment": {"identity-provider": 1, "registrar": 1},
    "trustee-ceremony": _ONE_OFFICER,
    "issuer-ceremony": _ONE_OFFICER,
    "opening": _TWO_OFFICERS,
    "epoch": {"ballot-box": 1},
    "terminal-opening": {"terminal": 1},
    "terminal-closing": {"terminal": 1},
    "terminal-exclusion": _TWO_OFFICERS,
    "extension": _TWO_OFFICERS,
    "vote-page": _TWO_OFFICERS,
    "withdrawal": _TWO_OFFICERS,
    "annulment": _TWO_OFFICERS,
    "complaint": _ONE_OFFICER,
    "close": _TWO_OFFICERS,
    "ledger": {"issuer": 1},
    "selection": _TWO_OFFICERS,
    "aggregate": _ONE_OFFICER,
    "mix": {"mixer": 1},
    "decryption": {"trustee": 1},
    "result": _TWO_OFFICERS,
}
#: The member of a body that names the one role, or its index, that must sign.
_SIGNER_MEMBER = {
    "terminal-opening": "terminal",
    "terminal-closing": "terminal",
    "ledger": "issuer",
    "mix": "stage",
    "decryption": "trustee",
}


def officers_needed(kind: str) -> int:
    """How many officers sign an entry of a type; none signs one that does not exist."""
    return _SIGNERS.get(kind, {}).get("officer", 0)


def phase_name(entries: Iterable[RoleEntry]) -> str:
    """Where an election is, in one word."""
    reached = _reached(entries)
    if reached < len(SETUP) - 1:
        return "setup"
    if reached <= len(SETUP):
        return "open"
    name = _PHASES[reached - len(SETUP) - 1]
    return {"close": "closed", "result": "ended"}.get(name, name)


def require_order(entries: Iterable[RoleEntry], entry: RoleEntry, *, model: bool) -> None:
    """Check that an entry may follow those that are there.

    Args:
        model: whether it is a model election, which may enrol voters while it is open.

    Raises:
        RecordError: its type is unknown, out of its phase, or it is there already.
    """
    entries = list(entries)
    kind = entry.type
    if kind not in _SIGNERS:
        raise RecordError(f"{kind!r} is no type of entry")
    reached = _reached(entries)
    late_enrolment = kind == "enrolment" and model and reached in (len(SETUP) - 1, len(SETUP))
    if kind in ANYWHERE or late_enrolment:
        if reached < len(SETUP) - 1:
            raise RecordError(f"a {kind} entry comes after the opening")
        return
    phase = _PHASE_OF[kind]
    if kind in _ONCE and any(other.type == kind for other in entries):
        raise RecordError(f"the record has its {kind} entry already")
    if phase < reached or (phase > reached + 1 and phase < len(SETUP)):
        raise RecordError(f"a {kind} entry is out of its phase: the record is at {phase_name(entries)}")
    if phase >= len(SETUP) and reached < len(SETUP) - 1:
        raise RecordError(f"a {kind} entry comes after the opening, which the record does not have yet")
    if phase > len(SETUP) + 1 and not any(other.type == "close" for other in entries):
        raise RecordError(f"a {kind} entry comes after the close")
    if phase > _PHASE_OF["selection"] and not any(other.type == "selection" for other in entries):
        raise RecordError(f"a {kind} entry comes after the selection")
    members = _SUBJECT.get(kind, ())
    if members:
        about = [entry.body.get(member) for member in members]
        if any(other.type == kind and [other.body.get(member) for member in members] == about for other in entries):
            named = ", ".join(f"{member} {value}" for member, value in zip(members, about, strict=True))
            raise RecordError(f"the record has a {kind} entry for {named} already")
    if kind == "mix":
        place = (entry.body.get("contest"), entry.body.get("group"))
        stages = sum(o.type == kind and (o.body.get("contest"), o.body.get("group")) == place for o in entries)
        if entry.body.get("stage") != stages + 1:
            raise RecordError(f"stage {entry.body.get('stage')} of a list where stage {stages + 1} is due")


def require_signers(entry: RoleEntry, binding: Binding, manifest: Manifest) -> None:
    """Check that exactly those signed who must, with the keys of the manifest.

    Raises:
        RecordError: another set of signers, or a signature that does not hold.
    """
    roles = [manifest.role_by_id.get(name) for name, _ in entry.signatures]
    kinds: Counter[str] = Counter(role.kind for role in roles if role is not None)
    wanted = _SIGNERS[entry.type]
    if kinds != Counter(wanted) or None in roles:
        described = " and ".join(f"{count} {kind}" for kind, count in wanted.items())
        raise RecordError(f"the {entry.type} entry must be signed by {described} of this election")
    member = _SIGNER_MEMBER.get(entry.type)
    if member is not None:
        named = entry.body.get(member)
        (role,) = roles
        if role is None or named not in (role.id if member == "terminal" else role.index,):
            raise RecordError(f"the {entry.type} entry of {member} {named} is signed by another role")
    try:
        keys = {role.id: role.key for role in manifest.roles}
        require_signatures(entry, binding, keys, [name for name, _ in entry.signatures])
    except EntryError as error:
        raise RecordError(str(error)) from None


def _reached(entries: Iterable[RoleEntry]) -> int:
    return max((_PHASE_OF[entry.type] for entry in entries if entry.type in _PHASE_OF), default=-1)
