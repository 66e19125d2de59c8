"""``evoting-issuer``: one credential issuer, from its key to its ledger statement; issuance by files or over HTTP."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from biometric_idp.errors import IdpError, StateError
from biometric_idp.files import write_atomic
from biometric_idp.issuer.ceremony import issuance_keys_blob, read_ceremony_parameters, take_step
from biometric_idp.issuer.keys import IssuerDirectory, issuer_index
from biometric_idp.issuer.office import (
    NOBODY,
    Witnessing,
    answer_file,
    close_ledger,
    export_ledger,
    open_election,
    prove_citizen_position,
)
from biometric_idp.issuer.position_tree import proof_to_json
from biometric_idp.issuer.record_check import read_trusted_fingerprint
from crypto.dkg.driver import STEPS
from crypto.errors import CryptoError
from crypto.group import load_group, load_pairing_group, set_threads
from services.errors import ServiceError


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an issuer is: its directory with its database, and what its configuration says about witnesses."""

    directory: IssuerDirectory
    witnessing: Witnessing


def _place(arguments: argparse.Namespace) -> _Place:
    """From the service's configuration, or from ``--dir`` and ``--database`` where none is given.

    Raises:
        StateError: neither is given, or the two contradict each other.
    """
    if arguments.config is None:
        if arguments.dir is None:
            raise StateError("--config or --dir is needed: where this issuer is")
        return _Place(IssuerDirectory(arguments.dir, arguments.database), NOBODY)
    # What reads configurations is loaded only here: an issuer by files does without.
    from biometric_idp.issuer.http.config import IssuerConfig
    from services.config import read_config

    config = read_config(arguments.config, IssuerConfig)
    path = arguments.config.parent / config.directory
    if arguments.dir is not None and arguments.dir.resolve() != path.resolve():
        raise StateError(f"--dir {arguments.dir} is not the directory that {arguments.config} names")
    if arguments.database is not None and arguments.database != config.database:
        raise StateError(f"--database is not the database that {arguments.config} names")
    head_file = None if config.head_file is None else arguments.config.parent / config.head_file
    witnessing = Witnessing(config.witness_list(), config.quorum, head_file)
    return _Place(IssuerDirectory(path, config.database), witnessing)


def _keygen(arguments: argparse.Namespace) -> None:
    secrets = _place(arguments).directory.generate_key(os.urandom(32), os.urandom(32))
    print(json.dumps({"key": bytes(secrets.signing.verify_key).hex()}))


def _ceremony(arguments: argparse.Namespace) -> None:
    group, pairing = load_group(), load_pairing_group()
    parameters = read_ceremony_parameters(arguments.parameters, group, pairing)
    progress = take_step(
        _place(arguments).directory,
        parameters,
        arguments.shared,
        arguments.step,
        os.urandom,
        exclude_missing=arguments.exclude_missing,
    )
    if progress.outcome is not None:
        write_atomic(arguments.shared / "issuance-keys.cbor", issuance_keys_blob(progress.outcome), shared=True)
    failed = None
    if progress.failed is not None:
        failed = [{"issuer": culprit.participant, "reason": culprit.reason} for culprit in progress.failed.culprits]
    print(json.dumps({"step": arguments.step, "wrote": sorted(progress.outgoing), "excluded": failed}))


def _open(arguments: argparse.Namespace) -> None:
    if (arguments.record is None) != (arguments.trust_root is None):
        raise StateError("--record and --trust-root belong together")
    trusted = None
    if arguments.record is not None:
        trusted = (arguments.record, read_trusted_fingerprint(arguments.trust_root))
    objections = open_election(
        _place(arguments).directory,
        arguments.policy,
        arguments.roll,
        arguments.enrolment_log,
        arguments.issuance_keys,
        load_pairing_group(),
        trusted,
    )
    print(json.dumps({"compared-with-record": trusted is not None, "without-effect": objections}, ensure_ascii=False))


def _issue(arguments: argparse.Namespace) -> None:
    place = _place(arguments)
    answered, refused = answer_file(
        place.directory,
        arguments.requests,
        arguments.answers,
        load_pairing_group(),
        lambda: arguments.now if arguments.now is not None else int(time.time()),
        _progress("requests") if arguments.progress else lambda _: None,
        place.witnessing,
    )
    print(json.dumps({"answered": answered, "refused": refused}))


def _close(arguments: argparse.Namespace) -> None:
    now = arguments.now if arguments.now is not None else int(time.time())
    place = _place(arguments)
    statement, entry = close_ledger(place.directory, now, place.witnessing)
    write_atomic(arguments.entry, entry)
    issued = {item.style: item.count for item in statement.issued}
    print(json.dumps({"issuer": statement.issuer, "issued": issued, "tree": statement.tree_root.hex()}))


def _prove(arguments: argparse.Namespace) -> None:
    place = _place(arguments)
    proof, policy = prove_citizen_position(place.directory, arguments.position, place.witnessing)
    index = issuer_index(policy, place.directory.read_key().signing)
    print(json.dumps(proof_to_json(proof, None, policy.fingerprint, index)))


def _export_ledger(arguments: argparse.Namespace) -> None:
    place = _place(arguments)
    size = export_ledger(place.directory, arguments.out, place.witnessing)
    print(json.dumps({"entries": size}))


def _serve(arguments: argparse.Namespace) -> None:
    # What a service takes is loaded only here: the other steps run where there is no web framework.
    from biometric_idp.issuer.http.app import create_issuer_app
    from biometric_idp.issuer.http.config import IssuerConfig
    from biometric_idp.issuer.http.desk import Desk
    from services.config import read_config
    from services.run import serve

    config = read_config(arguments.config, IssuerConfig)
    desk = Desk(config, arguments.config.parent)
    name = f"issuer-{desk.keys.index}"
    serve(name, lambda port: create_issuer_app(desk, config, port), arguments.host, arguments.port)


def _progress(what: str) -> Callable[[int], None]:
    def report(done: int) -> None:
        print(f"evoting-issuer: {done} {what}", file=sys.stderr)

    return report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="evoting-issuer", description="One issuer of anonymous voting credentials.")
    parser.add_argument("--threads", type=int, default=0, help="threads of the arithmetic; 0 uses all cores")
    steps = parser.add_subparsers(required=True, metavar="STEP")

    def step(name: str, run: Callable[[argparse.Namespace], None], about: str) -> argparse.ArgumentParser:
        child = steps.add_parser(name, help=about, description=about)
        child.add_argument("--config", type=Path, help="the service's TOML file: directory, database and witnesses")
        child.add_argument("--dir", type=Path, help="without --config: the issuer's own directory, kept secret")
        child.add_argument("--database", metavar="URL", help="where the ledger is, if not in DIR: postgresql://...")
        child.set_defaults(run=run)
        return child

    step("keygen", _keygen, "Make the role key; prints the public key for the manifest.")
    ceremony = step("ceremony", _ceremony, "Take one step of the key ceremony.")
    ceremony.add_argument("step", choices=STEPS)
    ceremony.add_argument("--parameters", type=Path, required=True)
    ceremony.add_argument("--shared", type=Path, required=True, help="directory that all issuers share or carry around")
    ceremony.add_argument("--exclude-missing", action="store_true", help="name who has not sent its message, go on")
    opening = step("open", _open, "Open an election: take in policy, roll, enrolment log and issuance keys.")
    for name in ("--policy", "--roll", "--enrolment-log", "--issuance-keys"):
        opening.add_argument(name, type=Path, required=True)
    opening.add_argument("--record", type=Path, help="election record to compare policy and keys with")
    opening.add_argument("--trust-root", type=Path, help="trust root that reached this issuer by another way")
    issue = step("issue", _issue, "Answer a file of requests; running it again gives the same answers.")
    issue.add_argument("--requests", type=Path, required=True)
    issue.add_argument("--answers", type=Path, required=True)
    issue.add_argument("--now", type=int, help="seconds since 1970, for demonstrations with a clock of their own")
    issue.add_argument("--progress", action="store_true")
    close = step("close", _close, "Write the signed ledger entry for the election record.")
    close.add_argument("--entry", type=Path, required=True)
    close.add_argument("--now", type=int)
    prove = step("prove", _prove, "Prove to a citizen what was, or was not, issued in their name.")
    prove.add_argument("--position", type=int, required=True)
    export = step("export-ledger", _export_ledger, "Write the confidential ledger for an accredited auditor.")
    export.add_argument("--out", type=Path, required=True, help="file, readable by its owner only")
    about = "Answer requests over HTTP; see docs/operations.md for the configuration."
    service = steps.add_parser("serve", help=about, description=about)
    service.add_argument("--config", type=Path, required=True, help="TOML file; paths in it are relative to it")
    service.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    service.add_argument("--port", type=int, default=0, help="0 takes a free one; it is printed")
    service.set_defaults(run=_serve)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step. Exit code 0, or 2 with one line on what is wrong."""
    parsed = _parser().parse_args(arguments)
    try:
        set_threads(parsed.threads)
        parsed.run(parsed)
    except (IdpError, CryptoError, ServiceError, SQLAlchemyError, OSError, ValueError) as error:
        print(f"evoting-issuer: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("evoting-issuer: interrupted; run the same step again to go on", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
