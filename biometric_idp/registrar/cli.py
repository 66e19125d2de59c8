"""``evoting-registrar``: the registrar's service and its operator's commands."""

from __future__ import annotations

import argparse
import csv
import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from biometric_idp.errors import IdpError, StateError
from biometric_idp.population.pin import is_pin
from biometric_idp.registrar.app import SERVICE, make_app, open_registrar
from biometric_idp.registrar.config import RegistrarConfig
from biometric_idp.registrar.context import Registrar
from biometric_idp.registrar.purge import purge
from biometric_idp.registrar.roll import write_roll
from biometric_idp.registrar.rolls.repository import RollRepository
from biometric_idp.registrar.rolls.service import import_roll
from biometric_idp.role_key import write_role_key
from biometric_idp.shared.secret import write_secret
from crypto.errors import CryptoError
from services.config import read_config
from services.database import reading
from services.errors import ServiceError
from services.run import serve


def _open(arguments: argparse.Namespace) -> Registrar:
    return open_registrar(read_config(arguments.config, RegistrarConfig), arguments.config.parent)


def _serve(arguments: argparse.Namespace) -> None:
    registrar = _open(arguments)
    serve(SERVICE, lambda port: make_app(registrar, port), arguments.host, arguments.port)


def _init(arguments: argparse.Namespace) -> None:
    """Make key and secret where they are missing; existing ones stay."""
    config = read_config(arguments.config, RegistrarConfig)
    base = arguments.config.parent
    public = write_role_key(base / config.key, "registrar", os.urandom(32))
    write_secret(base / config.secret)
    _open(arguments)
    print(json.dumps({"key": public.hex()}))


def _import_roll(arguments: argparse.Namespace) -> None:
    registrar = _open(arguments)
    election = registrar.election_by_id(arguments.election)
    with arguments.list.open(newline="") as file:
        rows = list(csv.reader(file))
    voters: list[tuple[str, str]] = []
    styles: list[str] = list(arguments.style or [])
    for number, row in enumerate(rows, 1):
        if row == ["pin", "style"] and number == 1:
            continue
        if len(row) != 2 or not is_pin(row[0]):
            raise StateError(f"{arguments.list}: line {number} is not PIN,style")
        voters.append((row[1], row[0]))
        if not arguments.style and row[1] not in styles:
            styles.append(row[1])
    generator = secrets.SystemRandom()
    shuffle: Callable[[list[tuple[str, str]]], None] = generator.shuffle
    if arguments.keep_order:
        if not election.model:
            raise StateError("the order of a real roll is random; --keep-order is for MODEL elections")
        shuffle = _keep
    roll, commitment = registrar.committer.commit(
        "roll", lambda db: import_roll(db, election.id, styles, voters, os.urandom, shuffle)
    )
    if arguments.roll is not None:
        write_roll(arguments.roll, roll)
    sizes = [{"style": style, "size": size} for style, size in roll.sizes()]
    print(json.dumps({"commitment": commitment.hex(), "size": len(roll), "styles": sizes}))


def _keep(_: list[tuple[str, str]]) -> None:
    return


def _open_election(arguments: argparse.Namespace) -> None:
    registrar = _open(arguments)
    election = registrar.election_by_id(arguments.election)
    fingerprint = bytes.fromhex(arguments.fingerprint)
    if len(fingerprint) != 32:
        raise StateError("a fingerprint has 32 bytes")

    def store(db: object) -> None:
        repository = RollRepository(db)  # type: ignore[arg-type]
        head = repository.head(election.id)
        if head is None:
            raise StateError("import the roll first")
        if head.fingerprint not in (None, fingerprint):
            raise StateError("this election has another fingerprint already")
        repository.set_fingerprint(election.id, fingerprint)

    registrar.committer.commit("fingerprint", store)
    print(json.dumps({"election": election.id, "fingerprint": fingerprint.hex()}))


def _audit(arguments: argparse.Namespace) -> None:
    registrar = _open(arguments)
    known = None if arguments.size is None else (arguments.size, bytes.fromhex(arguments.hash))
    with reading(registrar.committer.engine) as db:
        size, head, waiting = registrar.audit.verify(db, known)
    print(json.dumps({"entries": size, "hash": head.hex(), "waiting": waiting}))


def _purge(arguments: argparse.Namespace) -> None:
    registrar = _open(arguments)
    print(json.dumps(purge(registrar)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="evoting-registrar", description="The registrar: the roll, and its half of every enrolment."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], about: str) -> argparse.ArgumentParser:
        child = commands.add_parser(name, help=about, description=about)
        child.add_argument("--config", type=Path, required=True, help="configuration file (TOML)")
        child.set_defaults(run=run)
        return child

    serving = command("serve", _serve, "Answer requests until SIGTERM.")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, default=0, help="0 takes a free one; it is printed")
    command("init", _init, "Make role key, secret and database; prints the public key.")
    rolls = command("roll", _import_roll, "Import the list of voters: draw positions, commit, write the issuers' roll.")
    rolls.add_argument("--election", required=True, help="id of the election in the configuration")
    rolls.add_argument("--list", type=Path, required=True, help="CSV: PIN,style")
    rolls.add_argument("--style", action="append", help="ballot styles in the manifest's order; repeat for each")
    rolls.add_argument("--roll", type=Path, help="where to write the roll for issuers")
    rolls.add_argument("--keep-order", action="store_true", help="MODEL elections only: positions as in the list")
    opening = command("open", _open_election, "Tell the election's fingerprint, once it is known.")
    opening.add_argument("--election", required=True)
    opening.add_argument("--fingerprint", required=True, help="64 hexadecimal digits")
    audit = command("audit", _audit, "Check the audit log; with --size and --hash also that it continues that head.")
    audit.add_argument("--size", type=int)
    audit.add_argument("--hash", default="")
    command("purge", _purge, "Delete what has outlived its purpose, and prove it in the audit log.")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Exit code 0, or 2 with one line on what is wrong."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except (IdpError, ServiceError, CryptoError, DBAPIError, OSError, ValueError) as error:
        print(f"evoting-registrar: error: {' '.join(str(error).split())[:500]}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
