"""Group 2: the trust root, and signatures bound to the election."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from verifier.checks.registry import NotRun, check
from verifier.failure import Failure
from verifier.hashing import frame
from verifier.record import ed25519
from verifier.record.entries import MANIFEST_BOUND, SIGNERS, RoleEntry

if TYPE_CHECKING:
    from verifier.record.manifest import Manifest, Role
    from verifier.state import State


@check("trust.fingerprint", 2, "2.5", "the opening entry has the trust root's fingerprint")
def trust_fingerprint(state: State) -> Iterator[Failure]:
    """The record is that of the election that the trust root names."""
    if state.fingerprint != state.trust.fingerprint:
        sentence = f"fingerprint {state.fingerprint.hex()}, not {state.trust.fingerprint.hex()}"
        yield Failure(sentence, entry=state.opening.index)


@check("trust.signatures", 2, "2.2, 2.3", "every role entry is signed by exactly the signers of its type")
def trust_signatures(state: State) -> Iterator[Failure]:
    """Signers and signatures of every role entry."""
    manifest = state.manifest
    for entry in state.entries:
        yield from _signers(entry, manifest)
        yield from _signatures(entry, manifest, _binding(state, entry))


def _binding(state: State, entry: RoleEntry) -> bytes | None:
    if entry.type == "manifest":
        return bytes(32)
    if entry.type in MANIFEST_BOUND:
        return state.manifest.hash
    try:
        return state.fingerprint
    except NotRun:
        return None  # without an opening no later entry is bound to anything


def _named_role(entry: RoleEntry, manifest: Manifest) -> Role | None:
    """The role that the body names as its signer, for types that name one."""
    if entry.type in ("terminal-opening", "terminal-closing"):
        return manifest.roles.get(entry.fields["terminal"])
    place = {"ledger": ("issuer", "issuer"), "mix": ("mixer", "stage"), "decryption": ("trustee", "trustee")}
    if entry.type not in place:
        return None
    kind, member = place[entry.type]
    return next((role for role in manifest.roles_of(kind) if role.index == entry.fields[member]), None)


def _signers(entry: RoleEntry, manifest: Manifest) -> Iterator[Failure]:
    names = [name for name, _ in entry.signatures]
    if names != sorted(set(names)):
        yield Failure("signatures are not ordered by role without repetition", entry=entry.index)
    kinds = Counter(manifest.roles[name].kind if name in manifest.roles else "unknown role" for name in names)
    if kinds != Counter(SIGNERS[entry.type]):
        sentence = f"a {entry.type} entry is signed by {', '.join(SIGNERS[entry.type])}, this one by {', '.join(names)}"
        yield Failure(sentence, entry=entry.index, role=names[0])
        return
    # Who mixed a stage is ``mix.mixers``, who decrypted is ``decryption.trustees``.
    if entry.type in ("terminal-opening", "terminal-closing", "ledger"):
        named = _named_role(entry, manifest)
        if named is None or [named.id] != names:
            yield Failure(f"not signed by the {SIGNERS[entry.type][0]} that it names", entry=entry.index, role=names[0])


def _signatures(entry: RoleEntry, manifest: Manifest, binding: bytes | None) -> Iterator[Failure]:
    if binding is None:
        yield Failure("there is no opening entry to bind it to", entry=entry.index)
        return
    message = frame("evoting/v1/entry") + frame(binding) + frame(entry.type) + frame(entry.body)
    for name, signature in entry.signatures:
        role = manifest.roles.get(name)
        if role is not None and not ed25519.verify(role.key, message, signature):
            yield Failure("the signature does not hold", entry=entry.index, role=name)
