"""``evoting-verify``: verify an election record, look into a challenged ballot, audit ledgers, check a position.

stdout is the report; progress and errors go to stderr. Exit codes: 0 verified, 1 a check failed or did not run, 2
nothing could be checked.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from crypto.group import load_group, load_pairing_group
from verifier.challenge_file import LANGUAGES, describe_challenge
from verifier.checks.registry import NotRun
from verifier.cli_audit import add_commands, audit_ledgers, check_own_position, positive
from verifier.progress import TerminalProgress
from verifier.record.errors import FormatError, UnreadableError
from verifier.record.files import read_file
from verifier.record.note import MAX_NOTE_BYTES
from verifier.record.trust import load_trust_root
from verifier.report.page import render
from verifier.report.report import make_report, to_json
from verifier.report.text import printable, report_lines
from verifier.run import run_checks
from verifier.state import Settings, Silent, State

_VERIFIED, _FAILED, _NOTHING_CHECKED = 0, 1, 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line in the tool's own form, and where to find help."""
        print(f"evoting-verify: error: {message}", file=sys.stderr)
        print(f"hint: see '{self.prog} --help'", file=sys.stderr)
        raise SystemExit(_NOTHING_CHECKED)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="evoting-verify",
        description="Verify an election from its public record alone, look into a challenged ballot, or audit the "
        "ledgers of the credential issuers.",
        epilog="Exit codes: 0 verified; 1 a check failed or did not run; 2 nothing could be checked.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    run = commands.add_parser(
        "run",
        help="verify a record",
        description="Run every check of docs/spec/11-checks.md on a record and print one line for each.",
        epilog="Example:\n"
        "  evoting-verify run var/demo/record --trust-root var/demo/trust-root.json --html report.html\n\n"
        "Each ballot needs some hundred bytes of temporary space (TMPDIR).",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("record", type=Path, metavar="RECORD", help="directory that holds the record")
    run.add_argument(
        "--trust-root",
        type=Path,
        required=True,
        metavar="FILE",
        help="trust root (JSON) that you got from the commission by another way than the record",
    )
    run.add_argument(
        "--arithmetic",
        choices=("native", "portable"),
        help="curve arithmetic: native is fast, portable is a second opinion that shares no line with it (default: "
        "native where it is built)",
    )
    run.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an older checkpoint of this log that you kept; may be given several times",
    )
    run.add_argument("--json", type=Path, metavar="FILE", help="also write the report as JSON")
    run.add_argument("--html", type=Path, metavar="FILE", help="also write the report as a page")
    run.add_argument("--jobs", type=positive, metavar="N", help="processes (default: all cores)")
    run.add_argument(
        "--chunk", type=positive, default=8192, metavar="N", help="ballots in memory for each process (default: 8192)"
    )
    run.add_argument("--quiet", action="store_true", help="no progress on stderr")
    ballot = commands.add_parser(
        "ballot",
        help="look into a challenged ballot",
        description="Open the file of a challenged ballot, check it, and say in words what it encrypts.",
        epilog="Compare the tracking code with the one on the voting device. A challenged ballot never counts.",
    )
    ballot.add_argument("file", type=Path, metavar="FILE", help="challenged ballot (docs/spec/06-ballots.md, 6.6)")
    ballot.add_argument("--language", choices=LANGUAGES, default="en", help="language of the answer (default: en)")
    ballot.add_argument("--arithmetic", choices=("native", "portable"), help="as for 'run'")
    add_commands(commands)
    return parser


def _run(options: argparse.Namespace) -> int:
    trust = load_trust_root(options.trust_root)
    try:
        group = load_group(options.arithmetic)
        arithmetic = group.name
        group.generator().encode()
        load_pairing_group(arithmetic).g2_generator().encode()
    except ValueError as error:
        raise UnreadableError(str(error)) from None
    except ModuleNotFoundError as error:
        raise UnreadableError(f"this arithmetic needs the package {error.name}", "pip install '.[verify]'") from None
    settings = Settings(
        arithmetic=arithmetic,
        jobs=options.jobs or len(os.sched_getaffinity(0)),
        chunk=options.chunk,
        now=int(time.time()),
        older=[(str(path), _checkpoint(path)) for path in options.checkpoint],
        progress=Silent() if options.quiet else TerminalProgress(),
    )
    for path in (options.json, options.html):
        if path is not None and not path.parent.is_dir():
            raise UnreadableError(f"{path}: its directory does not exist", "create it first")
        if path is not None and (path.is_dir() or not os.access(path.parent, os.W_OK)):
            raise UnreadableError(f"{path} cannot be written", "give another place for the report")
    started = time.monotonic()
    state = State(options.record, trust, settings)
    try:
        checks = run_checks(state)
        report = make_report(state, checks, time.monotonic() - started)
        _print(report_lines(report))
        # The verdict stands, and is printed, whether or not somebody took the reports' place away meanwhile.
        if options.json is not None:
            _save(options.json, json.dumps(to_json(report), ensure_ascii=False, indent=1) + "\n")
        if options.html is not None:
            try:
                contests = state.manifest.contests
            except NotRun:
                contests = {}
            _save(options.html, render(report, contests))
    finally:
        settings.progress.close()
        state.close()
    return _VERIFIED if report.verified else _FAILED


def _print(lines: Iterable[str]) -> None:
    """Write to stdout; where nobody reads it any more (a closed pipe), the exit code still tells the verdict."""
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _checkpoint(path: Path) -> bytes:
    try:
        return read_file(path, MAX_NOTE_BYTES)
    except FormatError as error:
        raise UnreadableError(f"checkpoint {path}: {error}", "give the file of an older checkpoint") from None


def _save(path: Path, text: str) -> None:
    try:
        _write(path, text)
    except UnreadableError as error:
        print(f"evoting-verify: error: {error}", file=sys.stderr)


def _write(path: Path, text: str) -> None:
    """Replace a report file as a whole, so that no half of it is ever seen."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UnreadableError(
            f"{path}: {error.strerror}", "the verdict above stands; only the file is missing"
        ) from None


def _ballot(options: argparse.Namespace) -> int:
    try:
        data = read_file(options.file, 64 << 20)
        group, pairing = load_group(options.arithmetic), load_pairing_group(options.arithmetic)
        description = describe_challenge(data, options.language, group, pairing, os.urandom)
    except (FormatError, ValueError) as error:
        hint = "FILE is what the voting device hands over after a challenge"
        raise UnreadableError(f"{options.file}: {error}", hint) from None
    _print(description.lines)
    return _VERIFIED if description.holds else _FAILED


def _ledger(options: argparse.Namespace) -> int:
    return _VERIFIED if audit_ledgers(options, _print, _write) else _FAILED


def _position(options: argparse.Namespace) -> int:
    return _VERIFIED if check_own_position(options, _print) else _FAILED


_COMMANDS = {"run": _run, "ballot": _ballot, "ledger": _ledger, "position": _position}


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the command."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        return _COMMANDS[options.command](options)
    except UnreadableError as error:
        print(f"evoting-verify: error: {printable(str(error))}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return _NOTHING_CHECKED
    except KeyboardInterrupt:
        print("evoting-verify: interrupted, no verdict", file=sys.stderr)
        return 130
    except Exception as error:
        if os.environ.get("EVOTING_TRACEBACK"):
            raise
        print(f"evoting-verify: error: {type(error).__name__}: {printable(str(error))[:300]}", file=sys.stderr)
        print("hint: the verification could not be finished; EVOTING_TRACEBACK=1 shows where", file=sys.stderr)
        _print(["NOT VERIFIED"])
        return _FAILED


if __name__ == "__main__":
    raise SystemExit(main())
