"""Templates at rest: each under a key of its own, which the master key wraps; revoked by destroying that key.

The associated data bind deployment, voter, modality, algorithm, version and generation, so a row that was moved,
renamed, rolled back or copied into another deployment does not open.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from biometric_idp.biometrics.errors import VaultError
from biometric_idp.biometrics.face_dlib import DIMENSIONS, decode_embedding, encode_embedding
from biometric_idp.biometrics.interface import MAX_TEMPLATE_BYTES, Modality, Score, Template
from biometric_idp.biometrics.isometry import Isometry
from biometric_idp.biometrics.master_key import KEY_BYTES, MasterKey, seal, unseal
from crypto import cbor

State = Literal["active", "revoked"]
#: Templates are padded to a multiple of it, so that a length tells nothing about a finger.
_PAD = 256
#: Compares two templates: ``MatcherPool.compare`` or ``compare_faces``.
Compare = Callable[[Template, Template], Score]


@dataclass(frozen=True, slots=True, repr=False)
class TemplateRow:
    """What a store keeps. To it ``wrapped`` and ``sealed`` are opaque.

    Attributes:
        voter: the service's own name of the voter, at most 64 characters.
        generation: 1, and one more with each enrolment; a revoked row keeps it, so that it never repeats.
        master: id of the master key that wrapped the voter's key.
        wrapped, sealed: the voter's key and the template, encrypted; None once revoked.
    """

    voter: str
    modality: Modality
    generation: int
    algorithm: str
    version: int
    state: State
    master: str | None
    wrapped: bytes | None
    sealed: bytes | None


class TemplateStore(Protocol):
    """Durable rows by voter and modality. Every method is one transaction."""

    def get(self, voter: str, modality: Modality) -> TemplateRow | None: ...

    def put(self, row: TemplateRow, previous: TemplateRow | None) -> bool:
        """Write a row where the stored one is still ``previous`` (by generation, state and master); tells whether."""
        ...

    def delete(self, voter: str) -> int:
        """Remove all rows of a voter; returns how many there were."""
        ...

    def not_under(self, master: str, limit: int) -> Sequence[TemplateRow]:
        """Some rows with a key that another master key wrapped."""
        ...


class Vault:
    """Keeps templates of one deployment.

    Args:
        deployment: a name that no other deployment has, part of every binding.
        master: wraps from now on.
        retired: earlier master keys that may still have to unwrap.
    """

    def __init__(
        self, store: TemplateStore, deployment: str, master: MasterKey, retired: Sequence[MasterKey] = ()
    ) -> None:
        self._store = store
        self._deployment = deployment
        self._master = master
        self._masters = {key.id: key for key in (*retired, master)}

    def enrol(self, voter: str, template: Template) -> int:
        """Keep a voter's template under a new key, in place of an earlier one; returns its generation.

        Raises:
            VaultError: template-conflict, if another enrolment of this voter came between.
        """
        previous = self._store.get(voter, template.modality)
        key = secrets.token_bytes(KEY_BYTES)
        row = TemplateRow(
            voter=voter,
            modality=template.modality,
            generation=previous.generation + 1 if previous else 1,
            algorithm=template.algorithm,
            version=template.version,
            state="active",
            master=self._master.id,
            wrapped=None,
            sealed=None,
        )
        context = self._context(row)
        data = _pad(self._transform(key, template).data)
        row = replace(row, wrapped=self._master.wrap(key, context), sealed=seal(key, data, context))
        if not self._store.put(row, previous):
            raise VaultError("template-conflict", "another enrolment came between")
        return row.generation

    def compare(self, probe: Template, voter: str, compare: Compare) -> Score:
        """Compare a fresh template with the one kept of a voter. A stored face is never turned back into its original.

        Raises:
            VaultError: template-missing, template-revoked, template-damaged, master-key-unusable.
            TemplateMismatch: kept by another algorithm or version; the voter has to enrol again.
        """
        key, stored = self._open(voter, probe.modality)
        stored.require_same_kind(probe)
        return compare(stored, self._transform(key, probe))

    def state(self, voter: str, modality: Modality) -> State | None:
        """Whether a template is kept, was revoked, or never was."""
        row = self._store.get(voter, modality)
        return row.state if row else None

    def revoke(self, voter: str, modality: Modality) -> None:
        """Destroy the voter's key and template; only the fact remains, until the voter enrols anew.

        Raises:
            VaultError: template-missing, template-conflict.
        """
        previous = self._store.get(voter, modality)
        if previous is None:
            raise VaultError("template-missing")
        row = replace(previous, state="revoked", master=None, wrapped=None, sealed=None)
        if not self._store.put(row, previous):
            raise VaultError("template-conflict", "another change came between")

    def forget(self, voter: str) -> int:
        """Delete everything about a voter, also that there was something; returns the number of rows."""
        return self._store.delete(voter)

    @property
    def master_key(self) -> str:
        """Id of the master key that new templates are wrapped under."""
        return self._master.id

    def rotate(self, batch: int = 500) -> int:
        """Wrap all keys under the current master key; returns how many. May be interrupted and run again.

        The templates themselves stay as they are. Destroy the old master key afterwards: that voids old back-ups too.

        Raises:
            VaultError: a key whose master key was not given, or a damaged row; those before it are done.
        """
        done = 0
        while rows := self._store.not_under(self._master.id, batch):
            for row in rows:
                context = self._context(row)
                key = self._unwrap(row, context)
                done += self._store.put(
                    replace(row, master=self._master.id, wrapped=self._master.wrap(key, context)), row
                )
        return done

    def _open(self, voter: str, modality: Modality) -> tuple[bytes, Template]:
        row = self._store.get(voter, modality)
        if row is None:
            raise VaultError("template-missing")
        if row.state == "revoked" or row.sealed is None:
            raise VaultError("template-revoked")
        context = self._context(row)
        key = self._unwrap(row, context)
        return key, Template(row.modality, row.algorithm, row.version, _unpad(unseal(key, row.sealed, context)))

    def _unwrap(self, row: TemplateRow, context: bytes) -> bytes:
        master = self._masters.get(row.master or "")
        if master is None or row.wrapped is None:
            raise VaultError("master-key-unusable", f"a key is wrapped under {row.master}, which was not given")
        return master.unwrap(row.wrapped, context)

    def _context(self, row: TemplateRow) -> bytes:
        return cbor.encode(
            [
                "evoting/v1/biometric-template",
                self._deployment,
                row.voter,
                row.modality,
                row.algorithm,
                row.version,
                row.generation,
            ]
        )

    def _transform(self, key: bytes, template: Template) -> Template:
        """A face in the voter's own space; a fingerprint as it is, since minutiae allow no such map."""
        if template.modality != "face":
            return template
        mapped = Isometry(key, DIMENSIONS).apply(decode_embedding(template.data))
        return replace(template, data=encode_embedding(mapped))


def _pad(data: bytes) -> bytes:
    if len(data) > MAX_TEMPLATE_BYTES:
        raise ValueError("the template is too long")
    framed = len(data).to_bytes(4, "big") + data
    return framed + bytes(-len(framed) % _PAD)


def _unpad(data: bytes) -> bytes:
    return data[4 : 4 + int.from_bytes(data[:4], "big")]
