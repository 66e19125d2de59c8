"""Steps of an issuer between files: open an election, answer a file of requests, close, prove a position."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nacl.signing import SigningKey

from biometric_idp.client.keys import decode_issuance_keys, load_key
from biometric_idp.errors import FormatError, StateError
from biometric_idp.files import FramedReader, frame_item, read_item, write_atomic
from biometric_idp.issuer.keys import IssuerDirectory, issuer_index
from biometric_idp.issuer.ledger import (
    LedgerStatement,
    PositionProof,
    StyleCount,
    prove_position,
    tree_leaf_hashes,
)
from biometric_idp.issuer.record_check import require_policy_of_record
from biometric_idp.issuer.remembered import Remembered
from biometric_idp.issuer.service import Issuer
from biometric_idp.issuer.store import IssuerStore, create_store, database_name, store_exists
from biometric_idp.logs.online import OnlineLog, SignedHead
from biometric_idp.logs.witnesses import Witness
from biometric_idp.policy import IssuancePolicy, read_policy
from biometric_idp.registrar.roll import read_roll
from biometric_idp.request import Answer, Refusal, decode_answer
from biometric_idp.signatures import sign_role_entry
from crypto import cbor
from crypto.errors import DecodeError
from crypto.group.interface import PairingGroup
from crypto.log.merkle import hash_leaf, root_of_hashes
from crypto.log.tiles import TileFrontier

REQUESTS_LINE = b"evoting-requests/v1\n"
ANSWERS_LINE = b"evoting-answers/v1\n"
ENROLMENT_LINE = b"evoting-enrolment-log/v1\n"
LEDGER_LINE = b"evoting-ledger/v1\n"
#: Requests answered in one transaction and one call of the arithmetic.
CHUNK = 4096

Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Witnessing:
    """Who cosigns the ledger's checkpoints, and where the last head is remembered, where it is not in the directory."""

    witnesses: Sequence[Witness] = ()
    quorum: int = 0
    head_file: Path | None = None

    def remembered(self, directory: IssuerDirectory) -> Remembered:
        """What this issuer remembers outside its database."""
        return Remembered(self.head_file or directory.head)


#: No witnesses, and the head in the directory, as in a model election that goes by files.
NOBODY = Witnessing()


def read_enrolment_entries(path: Path) -> Iterator[bytes]:
    """Entries of an enrolment log file, in log order."""
    with FramedReader(path, ENROLMENT_LINE, 0) as reader:
        yield from reader


def open_election(
    directory: IssuerDirectory,
    policy_path: Path,
    roll_path: Path,
    log_path: Path,
    keys_path: Path,
    group: PairingGroup,
    trusted: tuple[Path, bytes] | None = None,
) -> list[str]:
    """Take in policy, roll and enrolment log, and make the store; all or nothing.

    Opening again with the same policy does nothing.

    Args:
        trusted: the election record and the fingerprint from the trust root, to compare policy and keys with.

    Returns:
        One line for each enrolment that has no effect.

    Raises:
        FormatError: one of the files is wrong; nothing was written.
        StateError: an election is already open here, or this issuer and its shares do not belong to it.
    """
    policy = read_policy(policy_path)
    if trusted is not None:
        require_policy_of_record(policy, keys_path.read_bytes(), *trusted)
    if store_exists(directory.database):
        if directory.policy.is_file() and directory.policy.read_bytes() == policy_path.read_bytes():
            return []
        raise StateError(f"{database_name(directory.database)}: another election is already open here")
    roll = read_roll(roll_path)
    if roll.sizes() != list(policy.styles):
        raise FormatError(f"{roll_path}: ballot styles and sizes are not those of the policy")
    keys = directory.issuer_keys(policy)
    issuance = decode_issuance_keys(keys_path.read_bytes(), len(policy.issuers))
    for style, share in keys.shares.items():
        share_key = issuance.of_style(style).share_key(keys.index)
        if share_key is None or load_key(group, share_key) != group.g2_generator().mul([share]):
            raise StateError(f"{keys_path}: the share key for {style!r} is not the one of this issuer's share")
    with FramedReader(log_path, ENROLMENT_LINE, 0) as entries:
        # Copies first: a store is the sign that the election is open, so it comes last.
        write_atomic(directory.policy, policy_path.read_bytes())
        write_atomic(directory.roll, roll.encode())
        try:
            return create_store(directory.database, policy.fingerprint, keys.index, roll, policy.enrolment, entries)
        except BaseException:
            directory.policy.unlink()
            directory.roll.unlink()
            raise


def answer_file(
    directory: IssuerDirectory,
    requests_path: Path,
    answers_path: Path,
    group: PairingGroup,
    clock: Callable[[], int],
    report: Report,
    witnessing: Witnessing = NOBODY,
) -> tuple[int, int]:
    """Answer every request of a file, in order. Witnesses are not asked.

    Interrupted, it is run again: what is on the ledger gets the same answer, and the answers' file appears whole.

    Returns:
        How many were answered, and how many refused.

    Raises:
        StateError: no election was opened, or the database is an old copy.
    """
    policy, roll = directory.read_election()
    keys = directory.issuer_keys(policy)
    counts = [0, 0]
    with (
        IssuerStore(directory.database, policy.fingerprint, keys.index) as store,
        FramedReader(requests_path, REQUESTS_LINE, 32) as reader,
    ):
        if reader.header != policy.fingerprint:
            raise FormatError(f"{requests_path}: requests of another election")
        _require_whole(requests_path)
        remembered = witnessing.remembered(directory)
        remembered.require_current(store)
        issuer = Issuer(policy, roll, keys, store, group, remember=remembered.answered.raise_to)

        def produce() -> Iterator[bytes]:
            yield ANSWERS_LINE + policy.fingerprint + keys.index.to_bytes(4, "big")
            for chunk in reader.chunks(CHUNK):
                answers = issuer.answer(chunk, clock())
                refused = sum(isinstance(answer, Refusal) for answer in answers)
                counts[0] += len(answers) - refused
                counts[1] += refused
                report(counts[0] + counts[1])
                yield b"".join([frame_item(answer.encode()) for answer in answers])

        write_atomic(answers_path, produce())
    return counts[0], counts[1]


def _require_whole(path: Path) -> None:
    """Read the file once before anything is issued, so that a truncated one leaves no trace."""
    with FramedReader(path, REQUESTS_LINE, 32) as reader:
        for _ in reader:
            pass


def read_answers(path: Path, fingerprint: bytes) -> tuple[int, list[Answer | Refusal]]:
    """Issuer index and answers of a file.

    Raises:
        FormatError: truncated, of another election, or an answer of another issuer in it.
    """
    data = path.read_bytes()
    start = len(ANSWERS_LINE) + 36
    if not data.startswith(ANSWERS_LINE + fingerprint) or len(data) < start:
        raise FormatError(f"{path}: not answers for this election")
    issuer = int.from_bytes(data[start - 4 : start], "big")
    answers: list[Answer | Refusal] = []
    at = start
    while at < len(data):
        try:
            item, at = read_item(data, at)
            answer = decode_answer(item)
        except (DecodeError, FormatError) as error:
            raise FormatError(f"{path}: answer {len(answers)}: {error}") from None
        if answer.issuer != issuer:
            raise FormatError(f"{path}: answer {len(answers)} is of issuer {answer.issuer}, not {issuer}")
        answers.append(answer)
    return issuer, answers


def _signed(
    directory: IssuerDirectory, store: IssuerStore, key: SigningKey, witnessing: Witnessing
) -> tuple[OnlineLog, SignedHead, str]:
    """The log, its head as it is now, and the head's note: with cosignatures where there are some for this size."""
    remembered = witnessing.remembered(directory)
    remembered.require_current(store)
    log = OnlineLog(
        store.engine,
        store.log.origin,
        key,
        witnessing.witnesses,
        witnessing.quorum,
        head_file=remembered.head,
    )
    if witnessing.witnesses:
        # The witnesses' clock, not the election's, which rehearsals set otherwise.
        log.publish(int(time.time()))
    head = log.sign()
    note = log.checkpoint() if log.published() == head.checkpoint else None
    log.close()
    return log, head, note or head.note.encode().decode()


def close_ledger(
    directory: IssuerDirectory, now: int, witnessing: Witnessing = NOBODY
) -> tuple[LedgerStatement, bytes]:
    """The ledger statement, and the signed ``ledger`` entry for the record.

    Its checkpoint bears cosignatures: of the witnesses given, or those that the service collected, if nothing was
    issued since.

    Raises:
        StateError: the database is an old copy, or damaged; or too few witnesses cosigned.
    """
    policy, roll = directory.read_election()
    secrets = directory.read_key()
    index = issuer_index(policy, secrets.signing)
    with IssuerStore(directory.database, policy.fingerprint, index) as store:
        _, head, note = _signed(directory, store, secrets.signing, witnessing)
        size = head.checkpoint.size
        with store.snapshot() as ledger:
            frontier = TileFrontier()
            for entry in ledger.until(size).entries():
                frontier.extend(hash_leaf(entry))
            counts = ledger.until(size).counts()
            hashes = ledger.until(size).hashes()
    if frontier.root() != head.checkpoint.root:
        raise StateError("the ledger's tiles are not those of its entries")
    leaves = tree_leaf_hashes(secrets.ledger_secret, policy.fingerprint, size, len(roll), hashes)
    statement = LedgerStatement(
        index,
        note,
        tuple([StyleCount(style, *counts.get(style, (0, 0))) for style, _ in policy.styles]),
        root_of_hashes(leaves),
        len(roll),
        now,
    )
    body = statement.encode()
    role = policy.issuers[index - 1][0]
    signature = sign_role_entry(secrets.signing, policy.fingerprint, "ledger", body)
    entry = cbor.encode({"type": "ledger", "body": body, "signatures": [{"role": role, "signature": signature}]})
    return statement, entry


def ledger_file_head(fingerprint: bytes, issuer: int, checkpoint: str) -> bytes:
    """What stands before the entries in a ledger's file for auditors."""
    return LEDGER_LINE + fingerprint + issuer.to_bytes(4, "big") + frame_item(checkpoint.encode())


def export_ledger(directory: IssuerDirectory, path: Path, witnessing: Witnessing = NOBODY) -> int:
    """Write the whole ledger with a checkpoint of its size, for an accredited auditor; returns the size.

    Raises:
        StateError: no election was opened, or the database is an old copy; or too few witnesses cosigned.
    """
    policy, _ = directory.read_election()
    secrets = directory.read_key()
    index = issuer_index(policy, secrets.signing)
    with IssuerStore(directory.database, policy.fingerprint, index) as store:
        log, head, note = _signed(directory, store, secrets.signing, witnessing)
        size = head.checkpoint.size

        def produce() -> Iterator[bytes]:
            yield ledger_file_head(policy.fingerprint, index, note)
            for entry in log.entries(0, size):
                yield frame_item(entry)

        write_atomic(path, produce(), secret=True)
    return size


def prove_citizen_position(
    directory: IssuerDirectory, position: int, witnessing: Witnessing = NOBODY
) -> tuple[PositionProof, IssuancePolicy]:
    """What the ledger's tree says about one position, with its proof.

    Raises:
        StateError: the roll has no such position, or the database is an old copy.
    """
    policy, roll = directory.read_election()
    secrets = directory.read_key()
    if not 0 <= position < len(roll):
        raise StateError(f"the roll has no position {position}")
    with IssuerStore(directory.database, policy.fingerprint, issuer_index(policy, secrets.signing)) as store:
        witnessing.remembered(directory).require_current(store)
        with store.snapshot() as ledger:
            size, hashes = ledger.size, ledger.hashes()
    proof = prove_position(secrets.ledger_secret, policy.fingerprint, size, len(roll), hashes, position)
    return proof, policy
