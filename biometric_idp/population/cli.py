"""``python -m biometric_idp.population``: import voter lists, show what was imported, check a register."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from biometric_idp.errors import IdpError
from biometric_idp.population.file_register import FileRegister
from biometric_idp.population.lists import repository
from biometric_idp.population.lists.report import list_json, report_json, report_lines
from biometric_idp.population.lists.rules import read_rules
from biometric_idp.population.lists.service import Outcome, import_list, prepare_database
from biometric_idp.population.lists.signature import read_trust
from biometric_idp.population.lists.texts import LANGUAGES
from biometric_idp.population.open import open_register
from biometric_idp.population.pin import parse_pin
from biometric_idp.population.text import escape
from crypto.errors import CryptoError
from services.database import open_engine, reading
from services.errors import ServiceError

PROGRAM = "python -m biometric_idp.population"
#: Nothing was stored, because lines of the list do not hold: the report says which.
EXIT_REJECTED = 1


def _import_list(arguments: argparse.Namespace) -> int:
    rules, trust = read_rules(arguments.rules), read_trust(arguments.trust)
    engine = _database(arguments)
    try:
        report = import_list(
            engine,
            arguments.list,
            arguments.signature,
            rules,
            trust,
            datetime.now(UTC),
            leave_out_rejected=arguments.leave_out_rejected,
        )
    finally:
        engine.dispose()
    if arguments.json:
        print(json.dumps(report_json(report, show_pins=arguments.show_pins), ensure_ascii=False))
    else:
        for line in report_lines(report, arguments.language, show_pins=arguments.show_pins):
            print(line)
    return EXIT_REJECTED if report.outcome is Outcome.REJECTED else 0


def _show(arguments: argparse.Namespace) -> int:
    engine = _database(arguments)
    try:
        with reading(engine) as connection:
            names = [arguments.election] if arguments.election else repository.all_elections(connection)
            found = [item for name in names for item in repository.stored_lists(connection, name)]
    finally:
        engine.dispose()
    if arguments.json:
        print(json.dumps({"lists": [list_json(item) for item in found]}, ensure_ascii=False))
        return 0
    for item in found:
        print(
            f"{item.election} {item.number} {item.kind}: {item.voters} voters, {item.merged} merged, "
            f"{item.rejected} rejected; message {item.message_id}; {item.signer}; SHA-256 {item.sha256}"
        )
    if not found:
        print("no list was imported")
    return 0


def _check_register(arguments: argparse.Namespace) -> int:
    register = open_register(arguments.register)
    try:
        result: dict[str, object] = {"register": "file" if isinstance(register, FileRegister) else "x-road"}
        if isinstance(register, FileRegister):
            portraits = prints = 0
            for pin in register.pins():
                portraits += register.portrait(pin) is not None
                prints += bool(register.fingerprints(pin))
            result.update(persons=len(register), portraits=portraits, fingerprints=prints)
        if arguments.pin is not None:
            person = register.person(parse_pin(arguments.pin).text)
            # Only whether, never what: this output ends up in terminals and tickets.
            result["known"] = person is not None
            if person is not None:
                result["portrait"] = register.portrait(person.pin) is not None
                result["fingerprints-of-person"] = len(register.fingerprints(person.pin))
                result["documents"] = len(person.documents)
    finally:
        register.close()
    if arguments.json:
        print(json.dumps(result))
    else:
        print(", ".join(f"{name}: {str(value).lower()}" for name, value in result.items()))
    return 0


def _database(arguments: argparse.Namespace) -> Engine:
    engine = open_engine(arguments.database)
    prepare_database(engine)
    return engine


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Voter lists and the population register.")
    steps = parser.add_subparsers(required=True, metavar="STEP")

    def step(name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        child = steps.add_parser(name, help=about, description=about)
        child.add_argument("--json", action="store_true", help="print JSON for programs")
        child.set_defaults(run=run)
        return child

    database = {"required": True, "metavar": "URL", "help": "SQLite file, or postgresql://... address"}
    taking = step(
        "import-list",
        _import_list,
        "Import a signed voter list. Exit code 1: lines do not hold, nothing was stored; the report says which.",
    )
    taking.add_argument("list", type=Path, help="the list, evoting-voter-list/v1")
    taking.add_argument("--signature", type=Path, required=True, help="its detached signature (JSON or CMS)")
    taking.add_argument("--rules", type=Path, required=True, help="evoting-list-rules/v1: election, day, age, units")
    taking.add_argument("--trust", type=Path, required=True, action="append", help="PEM of who may sign; repeatable")
    taking.add_argument("--database", **database)  # type: ignore[arg-type]
    taking.add_argument(
        "--leave-out-rejected", action="store_true", help="store the list without the lines that do not hold"
    )
    taking.add_argument("--language", choices=LANGUAGES, default="ky", help="of the report")
    taking.add_argument("--show-pins", action="store_true", help="print personal numbers in full")
    show = step("show", _show, "Show the imported lists: who signed them, message ids, counts.")
    show.add_argument("--database", **database)  # type: ignore[arg-type]
    show.add_argument("--election", help="of this election only")
    check = step("check-register", _check_register, "Open a register, and ask it for a person.")
    check.add_argument("register", type=Path, help="file register (.json, .csv) or X-Road configuration")
    check.add_argument("--pin", help="ask for this person; says whether there is one, not who")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step. Exit code 0, 1 for a list with lines that do not hold, or 2 with one line on what is wrong."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except SQLAlchemyError as error:
        print(f"{PROGRAM}: error: the database failed: {type(error).__name__}", file=sys.stderr)
    except (IdpError, CryptoError, ServiceError, OSError, ValueError) as error:
        print(f"{PROGRAM}: error: {escape(' '.join(str(error).split()), 1000)}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted; nothing was stored in part", file=sys.stderr)
    return 2
