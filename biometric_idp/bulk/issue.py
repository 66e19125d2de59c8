"""Bulk issuance of one chunk: draw pseudonyms, ask k issuers (each a process), combine, write the wallets.

Resumable at every point: what was drawn is on disk before the first request exists, so that a chunk that is run again
sends the same requests and gets the same answers.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nacl.signing import SigningKey

from biometric_idp.bulk.voters import WALLET, Chunk, passkey_of, read_voters, read_wallets, write_wallets
from biometric_idp.client.issuance import Pseudonyms, combine_many, generate_pseudonyms
from biometric_idp.client.keys import IssuanceKeys
from biometric_idp.enrolment.passkey import make_assertion
from biometric_idp.errors import FormatError, StateError
from biometric_idp.files import frame_item, write_atomic
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.issuer.checks import DAY
from biometric_idp.issuer.office import REQUESTS_LINE, read_answers
from biometric_idp.policy import IssuancePolicy
from biometric_idp.request import Refusal, Request, request_hash
from crypto.group.interface import G1_BYTES, Group, PairingGroup

#: Request hashes under one signature of the identity provider.
TICKETS = 64
#: Bytes from which secret and randomizer of one voter are drawn again after an interruption.
_DRAWN_BYTES = 128


@dataclass(frozen=True)
class BulkElection:
    """What a run is made for.

    Attributes:
        issuers: directories of the k issuers that are asked, each with its own key and ledger.
        now: clock of the run, seconds since 1970.
    """

    policy: IssuancePolicy
    keys: IssuanceKeys
    identity_provider: SigningKey
    issuers: tuple[Path, ...]
    now: int


@dataclass(frozen=True, slots=True)
class _StyleRows:
    """The voters of one style in a chunk, and their pseudonyms."""

    rows: list[int]
    drawn: Pseudonyms


def issue_chunk(
    election: BulkElection,
    group: Group,
    pairing: PairingGroup,
    voters_path: Path,
    wallets_path: Path,
    work: Path,
    entropy: Callable[[int], bytes],
) -> int:
    """Obtain the credentials of one chunk of voters; a finished chunk is only read.

    Returns:
        Number of voters.

    Raises:
        StateError: an issuer failed or refused a request.
        InvalidProof: an issuer's answer does not verify.
    """
    fingerprint = election.policy.fingerprint
    voters = read_voters(voters_path)
    if wallets_path.exists():
        if len(read_wallets(wallets_path, fingerprint).rows) != len(voters.rows):
            raise FormatError(f"{wallets_path}: has not the voters of {voters_path}")
        return len(voters.rows)
    drawn_path = work / f"{voters_path.stem}.drawn"
    requests_path = work / f"{voters_path.stem}.requests"
    _draw(drawn_path, len(voters.rows), entropy)
    by_style = _pseudonyms(group, pairing, fingerprint, voters, drawn_path.read_bytes())
    hashes, requests = _requests(election, voters, by_style)
    write_atomic(requests_path, [REQUESTS_LINE, fingerprint, *map(frame_item, requests)], secret=True)
    partials = _ask_issuers(election, requests_path, hashes)
    rows = np.zeros(len(voters.rows), WALLET)
    rows["style"] = voters.rows["style"]
    for group_of_rows in by_style:
        chosen = {
            issuer: b"".join([answers[row] for row in group_of_rows.rows]) for issuer, answers in partials.items()
        }
        credentials = combine_many(pairing, election.keys, group_of_rows.drawn, chosen, entropy)
        rows["secret"][group_of_rows.rows] = np.frombuffer(group_of_rows.drawn.secrets, "V32")
        rows["pseudonym"][group_of_rows.rows] = np.frombuffer(group_of_rows.drawn.publics, "V32")
        rows["credential"][group_of_rows.rows] = np.frombuffer(credentials, "V48")
    write_wallets(wallets_path, fingerprint, Chunk(voters.styles, rows))
    for path in (requests_path, drawn_path, *[_answers_path(requests_path, issuer) for issuer in election.issuers]):
        path.unlink(missing_ok=True)
    return len(rows)


def _draw(path: Path, count: int, entropy: Callable[[int], bytes]) -> None:
    """Randomness of all voters of the chunk, durable before anything is derived from it."""
    if not path.exists():
        write_atomic(path, entropy(_DRAWN_BYTES * count), secret=True)
    if path.stat().st_size != _DRAWN_BYTES * count:
        raise FormatError(f"{path}: not the randomness of {count} voters")


def _pseudonyms(
    group: Group, pairing: PairingGroup, fingerprint: bytes, voters: Chunk, drawn: bytes
) -> list[_StyleRows]:
    style_of = voters.rows["style"]
    result: list[_StyleRows] = []
    for index in np.unique(style_of).tolist():
        rows = np.flatnonzero(style_of == index).tolist()
        pieces = [drawn[_DRAWN_BYTES * row : _DRAWN_BYTES * (row + 1)] for row in rows]
        source = _Replay(b"".join([piece[:64] for piece in pieces]), b"".join([piece[64:] for piece in pieces]))
        made = generate_pseudonyms(group, pairing, fingerprint, voters.styles[index], len(rows), source)
        result.append(_StyleRows(rows, made))
    return result


class _Replay:
    """Entropy that was drawn and stored before: first for the secrets, then for the randomizers."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts)

    def __call__(self, count: int) -> bytes:
        if not self._parts or len(self._parts[0]) != count:
            raise StateError("stored randomness was used up")
        return self._parts.pop(0)


def _requests(election: BulkElection, voters: Chunk, by_style: Sequence[_StyleRows]) -> tuple[list[bytes], list[bytes]]:
    """Request hashes and encoded requests, in the order of voters."""
    policy = election.policy
    positions = voters.rows["position"].tolist()
    passkeys = [passkey_of(bytes(seed)) for seed in voters.rows["seed"]]
    blinded: list[tuple[str, bytes]] = [("", b"")] * len(positions)
    for part in by_style:
        for place, row in enumerate(part.rows):
            point = part.drawn.blinded[G1_BYTES * place : G1_BYTES * (place + 1)]
            blinded[row] = (part.drawn.style, point)
    hashes = [
        request_hash(policy.fingerprint, style, position, passkey.public.credential, point)
        for position, passkey, (style, point) in zip(positions, passkeys, blinded, strict=True)
    ]
    requests: list[bytes] = []
    for start in range(0, len(hashes), TICKETS):
        part_hashes = hashes[start : start + TICKETS]
        tickets = sign_tickets(election.identity_provider, policy.fingerprint, part_hashes, election.now // DAY)
        for row, ticket in enumerate(tickets, start=start):
            assertion = make_assertion(passkeys[row], policy.party, hashes[row])
            style, point = blinded[row]
            credential = passkeys[row].public.credential
            requests.append(Request(style, positions[row], credential, point, (assertion,), ticket).encode())
    return hashes, requests


def _answers_path(requests_path: Path, issuer: Path) -> Path:
    return requests_path.with_name(f"{requests_path.name}.{issuer.name}.answers")


def _ask_issuers(election: BulkElection, requests_path: Path, hashes: Sequence[bytes]) -> dict[int, list[bytes]]:
    """Partial signatures of every issuer, in the order of requests."""
    partials: dict[int, list[bytes]] = {}
    for issuer in election.issuers:
        answers_path = _answers_path(requests_path, issuer)
        command = [sys.executable, "-m", "biometric_idp.issuer.cli", "--threads", "1", "issue", "--dir", str(issuer)]
        command += ["--requests", str(requests_path), "--answers", str(answers_path), "--now", str(election.now)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        if finished.returncode:
            raise StateError(f"{issuer}: {finished.stderr.strip().splitlines()[-1:] or finished.returncode}")
        index, answers = read_answers(answers_path, election.policy.fingerprint)
        if len(answers) != len(hashes) or index in partials:
            raise StateError(f"{answers_path}: not one answer of one issuer for each request")
        points: list[bytes] = []
        for row, (answer, hash_) in enumerate(zip(answers, hashes, strict=True)):
            if isinstance(answer, Refusal):
                raise StateError(f"{issuer}: request {row} was refused: {answer.code}")
            if answer.hash != hash_:
                raise StateError(f"{issuer}: answer {row} is for another request")
            points.append(answer.partial)
        partials[index] = points
    if len(partials) != election.policy.threshold:
        raise StateError(f"{len(partials)} issuers are asked, but it takes exactly {election.policy.threshold}")
    return partials
