"""Configuration of an issuer's service. Paths are relative to the file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from biometric_idp.logs.witnesses import Witness
from biometric_idp.shared.addresses import is_private
from crypto.log.note import COSIGNATURE_KEY, decode_vkey
from services.config import Config


class WitnessConfig(Config):
    """A log witness that cosigns the ledger's checkpoints."""

    vkey: str
    url: Annotated[str, Field(pattern=r"^https?://[!-~]+$")]

    @model_validator(mode="after")
    def _tls(self) -> WitnessConfig:
        # This file does not know whether the election is a MODEL one; a witness on this machine is for those.
        if not is_private(self.url):
            raise ValueError("the address of a log witness must begin with https:// unless it is on this machine")
        return self


class AuditorConfig(Config):
    """Who may read the ledger; of the bearer token only its SHA-256 is here."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class IssuerConfig(Config):
    """One issuer.

    Attributes:
        directory: the issuer's own, with key, key share, policy and roll.
        database: address of a PostgreSQL database; the file in the directory where there is none.
        host_names: names in Host headers. One without a port is also meant with the bound one.
        head_file: where the last signed checkpoint is remembered; best on another disk than the database's.
        checkpoint_seconds: between checkpoints of the ledger.
        tree_seconds: between interim statements of the tree of positions.
        batch: most requests in one transaction. waiting: most that wait for their turn.
        threads: of the arithmetic; 0 takes all cores.
        witnesses, quorum: who cosigns, and how many must.
    """

    directory: Path
    database: str | None = None
    host_names: Annotated[list[str], Field(min_length=1)]
    head_file: Path | None = None
    checkpoint_seconds: Annotated[float, Field(ge=0.05, le=86_400)] = 60.0
    tree_seconds: Annotated[float, Field(ge=0.05, le=86_400)] = 3600.0
    batch: Annotated[int, Field(ge=1, le=4096)] = 256
    waiting: Annotated[int, Field(ge=1, le=65_536)] = 4096
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    quorum: Annotated[int, Field(ge=0, le=64)] = 0
    witnesses: list[WitnessConfig] = Field(default=[])
    auditors: list[AuditorConfig] = Field(default=[])

    def witness_list(self) -> list[Witness]:
        """The witnesses with their keys decoded."""
        return [Witness(decode_vkey(item.vkey), item.url) for item in self.witnesses]

    @model_validator(mode="after")
    def _quorum(self) -> IssuerConfig:
        if not min(1, len(self.witnesses)) <= self.quorum <= len(self.witnesses):
            raise ValueError(f"a quorum of {self.quorum} among {len(self.witnesses)} witnesses is impossible")
        if len({item.vkey for item in self.witnesses}) != len(self.witnesses):
            raise ValueError("a witness occurs twice")
        if any(witness.key.key_type != COSIGNATURE_KEY for witness in self.witness_list()):
            raise ValueError("the key of a witness is of type 0x04")
        return self
