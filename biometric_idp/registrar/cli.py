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

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from biometric_idp.enrolment.log import EnrolmentSource
from biometric_idp.errors import IdpError, StateError
from biometric_idp.files import write_atomic
from biometric_idp.issuer.office import read_enrolment_entries
from biometric_idp.population.lists.report import report_json, report_lines
from biometric_idp.population.lists.service import Outcome
from biometric_idp.population.lists.texts import LANGUAGES
from biometric_idp.population.pin import is_pin
from biometric_idp.registrar.app import SERVICE, make_app, open_registrar
from biometric_idp.registrar.config import RegistrarConfig
from biometric_idp.registrar.confirmations.log import missing_enrolments
from biometric_idp.registrar.confirmations.repository import EnrolmentRepository
from biometric_idp.registrar.context import Registrar
from biometric_idp.registrar.purge import purge
from biometric_idp.registrar.roll import Roll, write_roll
from biometric_idp.registrar.rolls.lists import draw_from_lists, take_list
from biometric_idp.registrar.rolls.repository import RollRepository
from biometric_idp.registrar.rolls.service import export_roll, import_roll
from biometric_idp.role_key import write_role_key
from biometric_idp.shared.audit.service import Fact
from biometric_idp.shared.record_entries import countersigned, manifest_binding, read_enrolment_entry, roll_entry
from biometric_idp.shared.secret import write_secret
from crypto.errors import CryptoError
from services.config import read_config
from services.database import reading
from services.errors import ServiceError
from services.run import serve

#: Nothing was stored, because lines of the list do not hold: the report says which.
EXIT_REJECTED = 1


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


def _import_list(arguments: argparse.Namespace) -> int:
    registrar = _open(arguments)
    report = take_list(
        registrar,
        registrar.election_by_id(arguments.election),
        arguments.config.parent,
        arguments.list,
        arguments.signature,
        leave_out_rejected=arguments.leave_out_rejected,
    )
    if arguments.json:
        print(json.dumps(report_json(report, show_pins=arguments.show_pins), ensure_ascii=False))
    else:
        for line in report_lines(report, arguments.language, show_pins=arguments.show_pins):
            print(line)
    return EXIT_REJECTED if report.outcome is Outcome.REJECTED else 0


def _import_roll(arguments: argparse.Namespace) -> None:
    registrar = _open(arguments)
    election = registrar.election_by_id(arguments.election)
    generator = secrets.SystemRandom()
    shuffle: Callable[[list[tuple[str, str]]], None] = generator.shuffle
    source = None
    if arguments.from_lists:
        if arguments.keep_order:
            raise StateError("--keep-order goes with --list")
        source, styles, voters = draw_from_lists(registrar, election, arguments.config.parent, arguments.style or [])
        shuffle = _keep
    else:
        if not election.model:
            raise StateError("a real roll comes from signed lists: import-list, then roll --from-lists")
        styles, voters = _read_csv(arguments.list, arguments.style or [])
        shuffle = _keep if arguments.keep_order else shuffle

    def draw(db: Connection) -> tuple[Roll, bytes]:
        roll, commitment = import_roll(db, election.id, styles, voters, os.urandom, shuffle)
        facts: dict[str, Fact] = {} if source is None else {"list": source.number, "sha256": source.sha256}
        registrar.audit.record_operation(
            db,
            "roll",
            registrar.clock(),
            election=election.id,
            size=len(roll),
            commitment=commitment.hex(),
            **facts,
        )
        return roll, commitment

    roll, commitment = registrar.committer.commit("roll", draw)
    _hand_over(roll, commitment, arguments.roll)


def _export_roll(arguments: argparse.Namespace) -> None:
    registrar = _open(arguments)
    election = registrar.election_by_id(arguments.election)
    with reading(registrar.committer.engine) as db:
        roll, commitment = export_roll(db, election.id, arguments.style or [])
    _hand_over(roll, commitment, arguments.roll)


def _hand_over(roll: Roll, commitment: bytes, path: Path | None) -> None:
    """The file for issuers, and on stdout what the record's ``roll`` entry says."""
    if path is not None:
        write_roll(path, roll)
    sizes = [{"style": style, "size": size} for style, size in roll.sizes()]
    print(json.dumps({"commitment": commitment.hex(), "size": len(roll), "styles": sizes}))


def _read_csv(path: Path, given: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Styles in their order, and (style, PIN) of every line."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    voters: list[tuple[str, str]] = []
    styles = list(given)
    for number, row in enumerate(rows, 1):
        if row == ["pin", "style"] and number == 1:
            continue
        if len(row) != 2 or not is_pin(row[0]):
            raise StateError(f"{path}: line {number} is not PIN,style")
        voters.append((row[1], row[0]))
        if not given and row[1] not in styles:
            styles.append(row[1])
    return styles, voters


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


def _sign_roll(arguments: argparse.Namespace) -> None:
    registrar = _open(arguments)
    election = registrar.election_by_id(arguments.election)
    binding = manifest_binding(arguments.manifest)
    with reading(registrar.committer.engine) as db:
        roll, commitment = export_roll(db, election.id, arguments.style or [])
    entry = roll_entry(registrar.key, binding, commitment, roll.sizes(), len(roll), registrar.clock())
    write_atomic(arguments.out, entry)
    print(json.dumps({"commitment": commitment.hex(), "size": len(roll)}))


def _sign_enrolment(arguments: argparse.Namespace) -> None:
    registrar = _open(arguments)
    election = registrar.election_by_id(arguments.election)
    binding = manifest_binding(arguments.manifest)
    provider = bytes.fromhex(election.identity_provider)
    entry, checkpoint, time = read_enrolment_entry(arguments.entry, binding, provider)
    source = EnrolmentSource(election.origin, provider, bytes(registrar.key.verify_key), checkpoint, time)
    with reading(registrar.committer.engine) as db:
        confirmed = EnrolmentRepository(db).confirmed_credentials(election.id)
    missing = missing_enrolments(source, read_enrolment_entries(arguments.enrolment_log), confirmed)
    if missing != arguments.missing:
        raise StateError(
            f"the log lacks {missing} of the enrolments that this registrar confirmed, where {arguments.missing} were "
            f"expected: ask the identity provider why; --missing {missing} signs all the same"
        )
    write_atomic(arguments.out, countersigned(entry, registrar.key, binding))
    print(json.dumps({"enrolments": len(confirmed) - missing, "missing": missing}))


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

    def command(name: str, run: Callable[[argparse.Namespace], int | None], about: str) -> argparse.ArgumentParser:
        child = commands.add_parser(name, help=about, description=about)
        child.add_argument("--config", type=Path, required=True, help="configuration file (TOML)")
        child.set_defaults(run=run)
        return child

    serving = command("serve", _serve, "Answer requests until SIGTERM.")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, default=0, help="0 takes a free one; it is printed")
    command("init", _init, "Make role key, secret and database; prints the public key.")
    taking = command(
        "import-list",
        _import_list,
        "Import a signed voter list. Exit code 1: lines do not hold, nothing was stored; the report says which.",
    )
    taking.add_argument("--election", required=True, help="id of the election in the configuration")
    taking.add_argument("list", type=Path, help="the list, evoting-voter-list/v1")
    taking.add_argument("--signature", type=Path, required=True, help="its detached signature (JSON or CMS)")
    taking.add_argument(
        "--leave-out-rejected", action="store_true", help="store the list without the lines that do not hold"
    )
    taking.add_argument("--json", action="store_true", help="print JSON for programs")
    taking.add_argument("--language", choices=LANGUAGES, default="ky", help="of the report")
    taking.add_argument("--show-pins", action="store_true", help="print personal numbers in full")
    rolls = command("roll", _import_roll, "Take in the voters, once: draw positions and commit.")
    rolls.add_argument("--election", required=True, help="id of the election in the configuration")
    voters = rolls.add_mutually_exclusive_group(required=True)
    voters.add_argument("--from-lists", action="store_true", help="from the final list that import-list took in")
    voters.add_argument("--list", type=Path, help="MODEL elections only: unsigned CSV: PIN,style")
    rolls.add_argument("--style", action="append", help="ballot styles in the manifest's order; repeat for each")
    rolls.add_argument("--roll", type=Path, help="where to write the roll for issuers; export-roll writes it too")
    rolls.add_argument("--keep-order", action="store_true", help="MODEL elections only: positions as in the list")
    export = command("export-roll", _export_roll, "Write the issuers' roll, the same bytes at any time.")
    export.add_argument("--election", required=True, help="id of the election in the configuration")
    export.add_argument("--roll", type=Path, required=True, help="file to write")
    export.add_argument("--style", action="append", help="only for a roll that an earlier version drew")
    signing = command("sign-roll", _sign_roll, "Sign the record's roll entry; an officer signs it as well.")
    signing.add_argument("--election", required=True, help="id of the election in the configuration")
    signing.add_argument("--manifest", required=True, metavar="HASH", help="as evoting-office import printed it")
    signing.add_argument("--style", action="append", help="only for a roll that an earlier version drew")
    signing.add_argument("--out", type=Path, required=True, help="file to write, for evoting-office post")
    joining = command(
        "sign-enrolment",
        _sign_enrolment,
        "Sign the record's enrolment entry, which the identity provider has signed, after a look at the whole log.",
    )
    joining.add_argument("--election", required=True, help="id of the election in the configuration")
    joining.add_argument("--manifest", required=True, metavar="HASH", help="as evoting-office import printed it")
    joining.add_argument("--entry", type=Path, required=True, help="as evoting-idp sign-enrolment wrote it")
    joining.add_argument("--enrolment-log", type=Path, required=True, help="as evoting-idp export-enrolments wrote it")
    joining.add_argument(
        "--missing", type=int, default=0, metavar="N", help="so many confirmed ones are not in the log, and may be"
    )
    joining.add_argument("--out", type=Path, required=True, help="file to write, for evoting-office post")
    opening = command("open", _open_election, "Tell the election's fingerprint, once it is known.")
    opening.add_argument("--election", required=True)
    opening.add_argument("--fingerprint", required=True, help="64 hexadecimal digits")
    audit = command("audit", _audit, "Check the audit log; with --size and --hash also that it continues that head.")
    audit.add_argument("--size", type=int)
    audit.add_argument("--hash", default="")
    command("purge", _purge, "Delete what has outlived its purpose, and prove it in the audit log.")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Exit code 0, 1 for a list with lines that do not hold, or 2 with one line on what is wrong."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed) or 0)
    except (IdpError, ServiceError, CryptoError, DBAPIError, OSError, ValueError) as error:
        print(f"evoting-registrar: error: {' '.join(str(error).split())[:500]}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 2


if __name__ == "__main__":
    sys.exit(main())
