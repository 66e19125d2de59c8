"""The demonstration's voters: enrolment, credentials over HTTP or by files, and casting epoch by epoch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from crypto import cbor
from crypto.errors import DecodeError
from crypto.group import load_group, set_threads
from evoting.ballots.ballot import encode_challenged_ballot
from evoting.ballots.build import Wallets
from evoting.ballots.shape import style_shapes
from evoting.definition import BallotStyle
from evoting.demo import online
from evoting.demo.epochs import Polling, epoch_count, epoch_entries
from evoting.demo.errors import DemoError
from evoting.demo.parties import run_parties, run_party
from evoting.demo.places import Places, read_json
from evoting.demo.plan import ORIGIN, Plan
from evoting.demo.setup import officers, signing_key
from evoting.examples.kyrgyz2021 import DemoElection, demo_election
from evoting.office import steps
from evoting.office.issuance import write_policy
from evoting.record.election import ElectionRecord, is_challenge_entry, read_blobref

_WALLETS_LINE = b"evoting-wallets/v1\n"
_WALLET = np.dtype([("style", ">u4"), ("secret", "V32"), ("pseudonym", "V32"), ("credential", "V48")])
#: Voters who obtain a credential and never use it, in each ballot style.
ABSTAINERS = 2


def enrol(
    record: ElectionRecord, places: Places, plan: Plan, election: DemoElection, progress: Callable[[int], None]
) -> dict[str, Any]:
    """Roll, passkeys and enrolment log, and the two entries about them; gives what devices measured over HTTP."""
    out = places.secrets("voters")
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    styles: list[str] = []
    for style in election.manifest.styles:
        styles += ["--style", f"{style.id}:{style.roll}:{_devices(election, style)}"]
    if plan.issuance == "http":
        return online.enrol(record, places, election, styles, progress)
    run_party(
        "evoting-voters", "enrol", "--out", out, *styles, "--origin", ORIGIN, "--chunk-size", _chunk_size(election),
        "--identity-provider", places.secrets("identity-provider") / "key",
        "--registrar", places.secrets("registrar") / "key",
    )  # fmt: skip
    enrolment = read_json(out / "enrolment.json")
    if not record.entries("roll"):
        roll = enrolment["roll"]
        roll["commitment"] = bytes.fromhex(roll["commitment"])
        signers = {"registrar": signing_key(places, "registrar"), **steps.one_officer(officers(places))}
        record.post("roll", {**roll, "time": enrolment["time"]}, signers)
    if not record.entries("enrolment"):
        body = {"checkpoint": enrolment["checkpoint"], "time": enrolment["time"]}
        record.post("enrolment", body, {role: signing_key(places, role) for role in ("identity-provider", "registrar")})
    return {}


def _devices(election: DemoElection, style: BallotStyle) -> int:
    """Voters of a style who enrol."""
    return min(style.roll, election.ballots[style.id] + ABSTAINERS)


def device_count(election: DemoElection) -> int:
    """Voters who enrol, of all styles."""
    return sum(_devices(election, style) for style in election.manifest.styles)


def _chunk_size(election: DemoElection) -> int:
    return max(256, min(16_384, -(-sum(election.ballots.values()) // 4)))


def issue(
    record: ElectionRecord,
    places: Places,
    plan: Plan,
    jobs: int,
    progress: Callable[[int], None],
    *,
    kill: bool = True,
) -> dict[str, Any]:
    """Every voter's credential from k of m issuers, each a process with its own ledger.

    Args:
        kill: over HTTP, end one issuer halfway.

    Returns:
        What devices measured over HTTP.
    """
    is_online = plan.issuance == "http"
    manifest = record.manifest
    policy = places.stick / "issuance-policy.json"
    if not policy.exists():
        opened = int(str(record.only("opening").body["time"]))
        write_policy(policy, manifest, record.fingerprint, ORIGIN, record.only("enrolment"), opened)
    voters = places.secrets("voters")
    keys = places.record / read_blobref(record.only("opening").body["issuers"]["keys"]).path()  # type: ignore[index]
    issuers = [places.secrets(role.id) for role in manifest.roles_of("issuer")]
    roll = online.roll_file(places) if is_online else voters / "roll.bin"
    log = online.enrolment_log_file(places) if is_online else voters / "enrolment-log.bin"
    run_parties(
        [
            (
                "evoting-issuer", "open", *places.issuer(issuer.name), "--policy", policy,
                "--roll", roll,
                "--enrolment-log", log, "--issuance-keys", keys,
                "--record", places.record, "--trust-root", places.trust_root,
            )
            for issuer in issuers
            if not (issuer / "opened").exists()
        ],
        jobs,
    )  # fmt: skip
    for issuer in issuers:
        (issuer / "opened").touch()
    if is_online:
        return online.issue(record, places, policy, keys, jobs, progress, kill=kill)
    asked: list[object] = []
    for issuer in issuers[: manifest.issuer_threshold]:
        asked += ["--issuer", issuer]
    run_party(
        "evoting-voters", "issue", "--out", voters, "--policy", policy, "--issuance-keys", keys, *asked,
        "--identity-provider", places.secrets("identity-provider") / "key", "--workers", jobs,
    )  # fmt: skip
    return {}


def load_wallets(directory: Path, fingerprint: bytes) -> dict[str, Wallets]:
    """All wallets by ballot style, in the order of their files.

    Raises:
        DemoError: there are none, or a file is damaged or of another election.
    """
    paths = sorted(directory.glob("[0-9]*.bin"))
    if not paths:
        raise DemoError(f"{directory} holds no wallets")
    read = [_read_wallets(path, fingerprint) for path in paths]
    styles = read[0][0]
    if any(other != styles for other, _ in read):
        raise DemoError(f"{directory}: the files name different ballot styles")
    rows = np.concatenate([part for _, part in read])
    group = load_group()
    wallets: dict[str, Wallets] = {}
    for index, style in enumerate(styles):
        own = rows[rows["style"] == index]
        pseudonyms, credentials = own["pseudonym"].tobytes(), own["credential"].tobytes()
        wallets[style] = Wallets(
            group.scalars_decode(own["secret"].tobytes()),
            [pseudonyms[32 * i : 32 * i + 32] for i in range(len(own))],
            [credentials[48 * i : 48 * i + 48] for i in range(len(own))],
        )
    return wallets


def _read_wallets(path: Path, fingerprint: bytes) -> tuple[list[str], np.ndarray]:
    """Ballot styles and wallets of one file."""
    data = path.read_bytes()
    start = len(_WALLETS_LINE) + 4
    stop = start + int.from_bytes(data[start - 4 : start], "big")
    try:
        header = cbor.decode(data[start:stop]) if data.startswith(_WALLETS_LINE) else None
    except DecodeError:
        header = None
    styles = header.get("styles") if isinstance(header, dict) else None
    if not isinstance(header, dict) or not isinstance(styles, list) or (len(data) - stop) % _WALLET.itemsize:
        raise DemoError(f"{path} is damaged: it holds no wallets")
    if header.get("fingerprint") != fingerprint:
        raise DemoError(f"{path} holds wallets of another election")
    return styles, np.frombuffer(data, _WALLET, offset=stop)


def cast(
    record: ElectionRecord,
    places: Places,
    plan: Plan,
    election: DemoElection,
    jobs: int,
    progress: Callable[[int], None],
) -> None:
    """Append every epoch that is not on the board yet."""
    total = epoch_count(sum(election.ballots.values()))
    start = len(record.entries("epoch"))
    if start == total:
        return
    body = record.only("opening").body
    shared = {
        "root": str(places.root),
        "plan": (plan.scale, plan.contest, plan.opens, plan.issuance),
        "keys": {role.id: role.key for role in record.manifest.roles},
        "fingerprint": record.fingerprint,
        "key": body["trustees"]["key"],  # type: ignore[index]
        "books": {name: book.encode() for name, book in record.code_books(load_group()).items()},
        "epochs": total,
    }
    ballot_box = {"ballot-box": signing_key(places, "ballot-box")}
    for entries in _in_order(shared, range(start, total), jobs):
        steps.append_epoch(record, entries, ballot_box, int(time.time()))
        progress(len(entries))


def write_challenged_ballot(record: ElectionRecord, places: Places) -> None:
    """The first published challenge as the file that a second device reads."""
    key = record.only("opening").body["trustees"]["key"]  # type: ignore[index]
    challenge = next(entry for entry in record.voter_entries() if is_challenge_entry(entry))
    places.challenged_ballot.write_bytes(encode_challenged_ballot(record.manifest_bytes, key, challenge))


def _in_order(shared: dict[str, object], epochs: range, jobs: int) -> Iterator[list[bytes]]:
    """Epochs made by worker processes, in order, at most one more than there are workers at a time."""
    if jobs == 1 or len(epochs) <= 3:
        for epoch in epochs:
            yield _make_epoch(shared, epoch, 0)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting: list[Future[list[bytes]]] = []
        for epoch in epochs:
            waiting.append(pool.submit(_make_epoch, shared, epoch, 1))
            if len(waiting) > jobs:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


def _make_epoch(shared: dict[str, object], epoch: int, threads: int) -> list[bytes]:
    if threads:
        set_threads(threads)
    polling, wallets = _polling(json.dumps(shared, default=bytes.hex, sort_keys=True))
    return epoch_entries(polling, wallets, epoch)


@cache
def _polling(encoded: str) -> tuple[Polling, dict[str, Wallets]]:
    """What a worker needs for every epoch, loaded once."""
    shared = json.loads(encoded)
    plan = Plan(*shared["plan"])
    keys = {role: bytes.fromhex(key) for role, key in shared["keys"].items()}
    election = demo_election(plan.scale, plan.contest, keys, plan.options)
    fingerprint = bytes.fromhex(shared["fingerprint"])
    polling = Polling(
        load_group(),
        fingerprint,
        bytes.fromhex(shared["key"]),
        style_shapes(election.manifest),
        {name: bytes.fromhex(book) for name, book in shared["books"].items()},
        election,
        shared["epochs"],
    )
    return polling, load_wallets(Places(Path(shared["root"])).secrets("voters") / "wallets", fingerprint)
