"""``evoting-verify ledger`` and ``evoting-verify position``: the auditor's and the citizen's commands."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from crypto.group import load_group
from verifier.ledger.audit import Audit, Inputs
from verifier.ledger.framed import open_ledger, open_log
from verifier.ledger.inputs import read_officers, read_roll
from verifier.ledger.position import check_position, read_position_proof
from verifier.ledger.run import run_audit
from verifier.progress import TerminalProgress
from verifier.record.errors import UnreadableError
from verifier.record.trust import load_trust_root
from verifier.report.audit import audit_json, audit_lines, audit_page, make_audit_report
from verifier.report.text import place, printable
from verifier.state import Settings, Silent, State

Print = Callable[[Iterable[str]], None]
Write = Callable[[Path, str], None]


def positive(text: str) -> int:
    """A number from 1 on, as an option's value."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def add_commands(commands: Any) -> None:
    """Add both to the command line."""
    ledger = commands.add_parser(
        "ledger",
        help="audit issuers' ledgers (accredited auditors)",
        description="Check the enrolment log and the entries of issuers' ledgers: every check of section 5.12 of\n"
        "docs/spec/05-credentials.md. Ledgers and enrolment log are confidential; so are positions in the report.",
        epilog="Example:\n"
        "  evoting-verify ledger --record var/demo/record --trust-root var/demo/trust-root.json \\\n"
        "    --enrolment-log enrolment-log.bin --roll roll.bin --officers policy.json \\\n"
        "    --ledger issuer-1.ledger --ledger issuer-2.ledger\n\n"
        "Give the ledgers of all issuers together: only then two requests of one voter are seen. Without\n"
        "--ledger the enrolment log alone is audited. The tree of a statement cannot be rebuilt without the\n"
        "issuer's secret; citizens check their own position with 'evoting-verify position'.\n\n"
        "Each roll position needs some 200 bytes of temporary space (TMPDIR) and 32 more for each ledger.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_record(ledger)
    ledger.add_argument(
        "--enrolment-log", type=Path, required=True, metavar="FILE", help="entries of the enrolment log"
    )
    ledger.add_argument(
        "--roll",
        type=Path,
        required=True,
        metavar="FILE",
        help="ballot style of every position, as issuers get it",
    )
    ledger.add_argument(
        "--ledger",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="an issuer's export of its ledger; give it once for each issuer",
    )
    ledger.add_argument(
        "--officers",
        type=Path,
        metavar="FILE",
        help="officers' passkeys for terminal voters, or the issuance policy, which has them and the issuance period "
        "(default: whatever was issued at terminals fails)",
    )
    ledger.add_argument(
        "--require-cosigned",
        action="store_true",
        help="a checkpoint that no log witness cosigned fails, instead of being noted (services were used)",
    )
    ledger.add_argument("--json", type=Path, metavar="FILE", help="also write the report as JSON")
    ledger.add_argument("--html", type=Path, metavar="FILE", help="also write the report as a page")
    ledger.add_argument("--jobs", type=positive, metavar="N", help="processes (default: all cores)")
    ledger.add_argument(
        "--chunk", type=positive, default=1024, metavar="N", help="entries in memory for each process (default: 1024)"
    )
    ledger.add_argument("--quiet", action="store_true", help="no progress on stderr")
    position = commands.add_parser(
        "position",
        help="check an issuer's proof about your own roll position (citizens)",
        description="Check what an issuer says about one roll position: that nothing was issued in that name, or which "
        "request. The proof is checked against the issuer's ledger statement in the record or, before the close, "
        "against the signed interim statement that it carries.",
        epilog="Keep the file: two statements of one issuer for one ledger size with different trees convict it.",
    )
    position.add_argument("file", type=Path, metavar="FILE", help="the proof (docs/spec/05-credentials.md, 5.7)")
    _add_record(position)
    position.add_argument("--jobs", type=positive, metavar="N", help="processes (default: all cores)")


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--record", type=Path, required=True, metavar="RECORD", help="directory that holds the public record"
    )
    parser.add_argument(
        "--trust-root",
        type=Path,
        required=True,
        metavar="FILE",
        help="trust root (JSON) that you got from the commission by another way than the record",
    )
    parser.add_argument("--arithmetic", choices=("native", "portable"), help="as for 'run'")


def _settings(options: argparse.Namespace, *, chunk: int, quiet: bool) -> Settings:
    try:
        arithmetic = load_group(options.arithmetic).name
    except ValueError as error:
        raise UnreadableError(str(error)) from None
    jobs = options.jobs or len(os.sched_getaffinity(0))
    progress = Silent() if quiet else TerminalProgress()
    return Settings(arithmetic=arithmetic, jobs=jobs, chunk=chunk, now=int(time.time()), progress=progress)


def audit_ledgers(options: argparse.Namespace, show: Print, write: Write) -> bool:
    """``evoting-verify ledger``; whether everything holds.

    Raises:
        UnreadableError: a file is missing, truncated, or of another format or election.
    """
    trust = load_trust_root(options.trust_root)
    settings = _settings(options, chunk=options.chunk, quiet=options.quiet)
    ledgers = tuple(open_ledger(path, trust.fingerprint) for path in options.ledger)
    if len({ledger.issuer for ledger in ledgers}) < len(ledgers):
        raise UnreadableError("two of the ledgers are of one issuer", "give each issuer's ledger once")
    officers = None if options.officers is None else read_officers(options.officers, trust.fingerprint)
    inputs = Inputs(
        read_roll(options.roll), open_log(options.enrolment_log), ledgers, officers, options.require_cosigned
    )
    for path in (options.json, options.html):
        if path is not None and not path.parent.is_dir():
            raise UnreadableError(f"{path}: its directory does not exist", "create it first")
    started = time.monotonic()
    state = State(options.record, trust, settings)
    try:
        audit = Audit(state, inputs)
        report = make_audit_report(audit, run_audit(audit), time.monotonic() - started)
    finally:
        settings.progress.close()
        state.close()
    show(audit_lines(report))
    if options.json is not None:
        write(options.json, json.dumps(audit_json(report), ensure_ascii=False, indent=1) + "\n")
    if options.html is not None:
        write(options.html, audit_page(report))
    return report.verified


def check_own_position(options: argparse.Namespace, show: Print) -> bool:
    """``evoting-verify position``; whether the proof holds.

    Raises:
        UnreadableError: a file is missing, or of another format or election.
    """
    trust = load_trust_root(options.trust_root)
    proof = read_position_proof(options.file, trust.fingerprint)
    settings = _settings(options, chunk=8192, quiet=True)
    state = State(options.record, trust, settings)
    try:
        finding = check_position(state, proof)
    finally:
        state.close()
    lines = [f"issuer {proof['issuer']}, roll position {proof['position']}"]
    for check, failure in finding.failures:
        where = place(failure)
        lines.append(f"{check:<20}FAIL     {where + ': ' if where else ''}{printable(failure.sentence)}")
    if finding.failures or finding.tree is None:
        show([*lines, "NOT VERIFIED"])
        return False
    said = "nothing was issued" if proof["issued"] is None else f"issued: the request {proof['issued'].hex()}"
    show([*lines, f"by {finding.tree.source}:", said, "VERIFIED"])
    return True
