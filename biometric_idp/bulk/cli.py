"""``python -m biometric_idp.bulk``: enrol a whole electorate, and obtain its credentials chunk by chunk."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from biometric_idp.bulk.enrol import CHUNK, StylePlan, enrol
from biometric_idp.bulk.issue import BulkElection, issue_chunk
from biometric_idp.bulk.online import (
    OnlineElection,
    Phases,
    enrol_online,
    issue_online,
    people_file,
    read_settings,
)
from biometric_idp.bulk.people import make_people, write_register
from biometric_idp.client.keys import decode_issuance_keys
from biometric_idp.errors import FormatError, IdpError, StateError
from biometric_idp.files import write_atomic, write_json
from biometric_idp.issuer.record_check import read_trusted_fingerprint, require_policy_of_record
from biometric_idp.policy import read_policy
from biometric_idp.role_key import read_role_key
from crypto.errors import CryptoError
from crypto.group import load_group, load_pairing_group, set_threads
from services.errors import ServiceError


def _enrol(arguments: argparse.Namespace) -> None:
    if (arguments.out / "enrolment.json").exists():
        print(json.dumps({"enrolled": "before"}))
        return
    enrol(
        arguments.out,
        [_plan(text) for text in arguments.style],
        arguments.origin,
        read_role_key(arguments.identity_provider),
        read_role_key(arguments.registrar),
        arguments.now if arguments.now is not None else int(time.time()),
        os.urandom,
        chunk=arguments.chunk_size,
    )
    print(json.dumps({"enrolled": sum(_plan(text).voters for text in arguments.style)}))


def _plan(text: str) -> StylePlan:
    parts = text.split(":")
    if len(parts) != 3 or not parts[1].isdecimal() or not parts[2].isdecimal():
        raise FormatError(f"--style {text!r} is not STYLE:ROLL:VOTERS")
    return StylePlan(parts[0], int(parts[1]), int(parts[2]))


def _issue(arguments: argparse.Namespace) -> None:
    chunks = sorted((arguments.out / "voters").glob("[0-9]*.bin"))
    if not (arguments.out / "enrolment.json").exists() or not chunks:
        raise FormatError(f"{arguments.out}: nobody is enrolled here")
    for name in ("wallets", "work"):
        (arguments.out / name).mkdir(mode=0o700, exist_ok=True)
    selected = chunks if arguments.chunk is None else chunks[arguments.chunk : arguments.chunk + 1]
    if not selected:
        raise FormatError(f"there is no chunk {arguments.chunk} of {len(chunks)}")
    done = 0
    if arguments.workers == 1 or len(selected) == 1:
        for path in selected:
            done += _one_chunk(arguments, path)
            _say(arguments, done)
    else:
        with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
            for future in as_completed([pool.submit(_one_chunk, arguments, path) for path in selected]):
                done += future.result()
                _say(arguments, done)
    print(json.dumps({"credentials": done}))


def _one_chunk(arguments: argparse.Namespace, voters: Path) -> int:
    try:
        return _run_chunk(arguments, voters)
    except (IdpError, CryptoError, ServiceError, SQLAlchemyError) as error:
        # Some errors carry more than a text and would not survive the way back from a worker process.
        raise StateError(f"{voters.stem}: {error}") from None


def _run_chunk(arguments: argparse.Namespace, voters: Path) -> int:
    set_threads(arguments.threads)
    policy = read_policy(arguments.policy)
    election = BulkElection(
        policy,
        decode_issuance_keys(arguments.issuance_keys.read_bytes(), len(policy.issuers)),
        read_role_key(arguments.identity_provider),
        tuple(arguments.issuer),
        arguments.now if arguments.now is not None else int(time.time()),
    )
    wallets = arguments.out / "wallets" / voters.name
    return issue_chunk(
        election, load_group(), load_pairing_group(), voters, wallets, arguments.out / "work", os.urandom
    )


def _say(arguments: argparse.Namespace, done: int) -> None:
    if arguments.progress:
        print(f"bulk: {done} credentials", file=sys.stderr, flush=True)


def _people(arguments: argparse.Namespace) -> None:
    """Registers come last: where they are, devices and list are whole."""
    plans = [_plan(text) for text in arguments.style]
    if all(path.exists() for path in arguments.register):
        print(json.dumps({"people": "before"}))
        return
    people = list(make_people(plans, int.from_bytes(os.urandom(8), "big")))
    devices: list[dict[str, object]] = []
    rows = ["pin,style"]
    start = 0
    for plan in plans:
        own = people[start : start + plan.roll]
        rows += [f"{person.pin},{plan.style}" for person in own]
        devices += [
            {"pin": person.pin, "mrz": person.mrz, "phone": person.record["phone"], "seed": os.urandom(32).hex()}
            for person in own[: plan.voters]
        ]
        start += plan.roll
    arguments.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(arguments.out / "people.json", people_file(devices), secret=True)
    write_atomic(arguments.list, ("\n".join(rows) + "\n").encode(), secret=True)
    for path in arguments.register:
        write_register(path, people)
    print(json.dumps({"people": len(people), "devices": len(devices)}))


def _enrol_online(arguments: argparse.Namespace) -> None:
    phases = Phases(arguments.devices, _progress(arguments, "voters enrolled"))
    done = enrol_online(
        arguments.out,
        read_settings(arguments.settings),
        [_plan(text).style for text in arguments.style],
        phases,
    )
    print(json.dumps({"enrolled": done, "figures": phases.figures}))


def _issue_online(arguments: argparse.Namespace) -> None:
    policy = read_policy(arguments.policy)
    keys = arguments.issuance_keys.read_bytes()
    require_policy_of_record(policy, keys, arguments.record, read_trusted_fingerprint(arguments.trust_root))
    set_threads(arguments.threads)
    election = OnlineElection(
        policy, decode_issuance_keys(keys, len(policy.issuers)), load_group(), load_pairing_group()
    )
    phases = Phases(arguments.devices, _progress(arguments, "credentials"))
    done = issue_online(arguments.out, read_settings(arguments.settings), election, phases)
    print(json.dumps({"credentials": done, "figures": phases.figures}))


def _progress(arguments: argparse.Namespace, what: str) -> Callable[[int], None]:
    def report(done: int) -> None:
        if arguments.progress:
            print(f"bulk: {done} {what}", file=sys.stderr, flush=True)

    return report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m biometric_idp.bulk", description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="threads of the arithmetic in each worker")
    steps = parser.add_subparsers(required=True, metavar="STEP")
    enrolment = steps.add_parser("enrol", help="make roll, voters and enrolment log")
    enrolment.add_argument("--style", action="append", required=True, metavar="STYLE:ROLL:VOTERS")
    enrolment.add_argument("--origin", required=True, help="origin line of the election's log")
    enrolment.add_argument("--registrar", type=Path, required=True, help="key file of the registrar")
    enrolment.add_argument("--chunk-size", type=int, default=CHUNK)
    enrolment.set_defaults(run=_enrol)
    issue = steps.add_parser("issue", help="obtain credentials; finished chunks are skipped")
    issue.add_argument("--policy", type=Path, required=True)
    issue.add_argument("--issuance-keys", type=Path, required=True)
    issue.add_argument("--issuer", type=Path, action="append", required=True, help="directory of an issuer, k times")
    issue.add_argument("--chunk", type=int, help="only this one, counted from 0")
    issue.add_argument("--workers", type=int, default=1)
    issue.add_argument("--progress", action="store_true")
    issue.set_defaults(run=_issue)
    for step in (enrolment, issue):
        step.add_argument("--out", type=Path, required=True, help="directory of the run")
        step.add_argument("--identity-provider", type=Path, required=True, help="key file of the identity provider")
        step.add_argument("--now", type=int, help="seconds since 1970, for demonstrations with a clock of their own")
    people = steps.add_parser("people", help="make synthetic persons: registers, list of voters, devices")
    people.add_argument("--style", action="append", required=True, metavar="STYLE:ROLL:VOTERS")
    people.add_argument("--register", type=Path, action="append", required=True, help="register to write; repeatable")
    people.add_argument("--list", type=Path, required=True, help="list of voters (CSV) to write")
    people.set_defaults(run=_people)
    enrol_devices = steps.add_parser("enrol-online", help="enrol every device at identity provider and registrar")
    enrol_devices.add_argument("--style", action="append", required=True, metavar="STYLE:ROLL:VOTERS")
    enrol_devices.set_defaults(run=_enrol_online)
    issue_devices = steps.add_parser("issue-online", help="obtain every device's credential from the issuers' services")
    issue_devices.add_argument("--policy", type=Path, required=True)
    issue_devices.add_argument("--issuance-keys", type=Path, required=True)
    issue_devices.add_argument("--record", type=Path, required=True, help="election record, which names the keys")
    issue_devices.add_argument("--trust-root", type=Path, required=True, help="holds the election's fingerprint")
    issue_devices.set_defaults(run=_issue_online)
    for step in (people, enrol_devices, issue_devices):
        step.add_argument("--out", type=Path, required=True, help="directory of the run")
    for step in (enrol_devices, issue_devices):
        step.add_argument("--settings", type=Path, required=True, help="where the parties answer (JSON)")
        step.add_argument("--devices", type=int, default=16, help="devices at work at a time")
        step.add_argument("--progress", action="store_true")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step. Exit code 0, or 2 with one line on what is wrong."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except (IdpError, CryptoError, OSError, ServiceError, SQLAlchemyError, ValueError, BrokenProcessPool) as error:
        print(f"bulk: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bulk: interrupted; run the same step again to go on", file=sys.stderr)
        return 2
    return 0
