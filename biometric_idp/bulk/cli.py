"""``python -m biometric_idp.bulk``: enrol a whole electorate, and obtain its credentials chunk by chunk."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from biometric_idp.bulk.enrol import CHUNK, StylePlan, enrol
from biometric_idp.bulk.issue import BulkElection, issue_chunk
from biometric_idp.client.keys import decode_issuance_keys
from biometric_idp.errors import FormatError, IdpError, StateError
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
