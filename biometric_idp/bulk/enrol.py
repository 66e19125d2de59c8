"""Bulk enrolment: a roll, software passkeys for those who will vote, and the enrolment log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nacl.signing import SigningKey

from biometric_idp.bulk.voters import VOTER, Chunk, passkey_of, write_voters
from biometric_idp.enrolment.log import (
    MAX_ENROLMENTS,
    Enrolment,
    encode_enrolments,
    encode_entry,
    sign_enrolment_checkpoint,
    sign_enrolments,
)
from biometric_idp.errors import FormatError
from biometric_idp.files import FramedReader, frame_item, write_atomic, write_json
from biometric_idp.issuer.office import ENROLMENT_LINE
from biometric_idp.registrar.roll import Roll, commit_roll, write_roll

#: Voters whose passkeys one file holds, and the unit of work of issuance.
CHUNK = 16_384


@dataclass(frozen=True, slots=True)
class StylePlan:
    """A ballot style: voters on the roll, and how many of them enrol and will ask for a credential."""

    style: str
    roll: int
    voters: int

    def __post_init__(self) -> None:
        if not 0 <= self.voters <= self.roll:
            raise FormatError(f"ballot style {self.style!r}: {self.voters} voters of a roll of {self.roll}")


def enrol(
    out: Path,
    plans: Sequence[StylePlan],
    origin: str,
    identity_provider: SigningKey,
    registrar: SigningKey,
    time: int,
    entropy: Callable[[int], bytes],
    *,
    chunk: int = CHUNK,
) -> None:
    """Write roll, voters and enrolment log below ``out``; ``enrolment.json`` comes last and marks it as done.

    Both roles sign in this process, each with its own key, every entry of up to 256 enrolments.
    """
    if not 1 <= chunk <= 1_000_000:
        raise FormatError("a chunk has 1 to 1,000,000 voters")
    (out / "voters").mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(int.from_bytes(entropy(32), "big"))
    styles = tuple([plan.style for plan in plans])
    indices = np.repeat(np.arange(len(plans), dtype=np.uint16), [plan.roll for plan in plans])
    generator.shuffle(indices)
    roll = Roll(styles, indices)
    positions = [np.flatnonzero(indices == index)[: plan.voters] for index, plan in enumerate(plans)]
    chosen = np.sort(np.concatenate(positions)) if positions else np.zeros(0, np.int64)

    secret = entropy(32)
    persons = ((styles[index], f"{position:014d}") for position, index in enumerate(indices.tolist()))
    commitment = commit_roll(secret, persons)
    write_atomic(out / "roll-secret", secret, secret=True)
    write_roll(out / "roll.bin", roll)

    def produce() -> Iterator[bytes]:
        yield ENROLMENT_LINE
        for number, start in enumerate(range(0, len(chosen), chunk)):
            rows = np.zeros(len(chosen[start : start + chunk]), VOTER)
            rows["position"] = chosen[start : start + chunk]
            rows["style"] = indices[chosen[start : start + chunk]]
            rows["seed"] = np.frombuffer(entropy(32 * len(rows)), "V32")
            enrolled = Chunk(styles, rows)
            write_voters(out / "voters" / f"{number:05d}.bin", enrolled)
            for entry in _entries(enrolled, origin, identity_provider, registrar, time):
                yield frame_item(entry)

    log = out / "enrolment-log.bin"
    write_atomic(log, produce())
    with FramedReader(log, ENROLMENT_LINE, 0) as entries:
        checkpoint = sign_enrolment_checkpoint(identity_provider, origin, entries)
    write_json(
        out / "enrolment.json",
        {
            "format": "evoting-bulk-enrolment/v1",
            "roll": {
                "commitment": commitment.hex(),
                "size": len(roll),
                "styles": [{"style": style, "size": size} for style, size in roll.sizes()],
            },
            "checkpoint": checkpoint,
            "time": time,
            "chunks": -(-len(chosen) // chunk),
        },
    )


def _entries(
    chunk: Chunk, origin: str, identity_provider: SigningKey, registrar: SigningKey, time: int
) -> Iterator[bytes]:
    rows = list(
        zip(
            chunk.rows["position"].tolist(),
            chunk.rows["style"].tolist(),
            [bytes(seed) for seed in chunk.rows["seed"]],
            strict=True,
        )
    )
    for start in range(0, len(rows), MAX_ENROLMENTS):
        body = encode_enrolments(
            [
                Enrolment(position, chunk.styles[style], passkey_of(seed).public, "code", time)
                for position, style, seed in rows[start : start + MAX_ENROLMENTS]
            ]
        )
        yield encode_entry(
            body, sign_enrolments(identity_provider, origin, body), sign_enrolments(registrar, origin, body)
        )
