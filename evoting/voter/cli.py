"""``evoting-voter``: encrypt a ballot, then cast it or challenge it, by files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from crypto.errors import CryptoError
from crypto.group import load_group
from evoting.errors import EvotingError
from evoting.files import write_new
from evoting.printing import printable
from evoting.voter.choices import describe_choices, parse_choices
from evoting.voter.election import VoterElection
from evoting.voter.errors import VoterError
from evoting.voter.prepared import Use, claim_prepared, forget_prepared, store_prepared
from evoting.voter.wallet import read_wallet

_PROGRAM = "evoting-voter"
_DESCRIPTION = """\
A voter's device without a browser, for auditors, load testers and whoever wants to see every step. It encrypts a
ballot and prints its tracking code; only then the voter decides. A ballot that is challenged is opened, shows what
the device encrypted, and never counts; a ballot that is cast is never opened.
"""
_EXAMPLES = """\
examples:
  evoting-voter choices record --trust-root trust-root.json --style abroad
      what can be chosen on this ballot
  evoting-voter encrypt record --trust-root trust-root.json --wallet wallet --wallet-key wallet.key \\
      --choose question=yes --choose list=red/1 --out ballot.secret
      encrypt; prints the tracking code and the whole tracking hash
  evoting-voter challenge ballot.secret --wallet wallet --wallet-key wallet.key --out challenge.entry \\
      --file challenged.cbor
      open it instead of casting it; `evoting-verify ballot challenged.cbor` on another device says what it encrypts
  evoting-voter cast ballot.secret --wallet wallet --wallet-key wallet.key --out ballot.entry
      sign it for the ballot box: `evoting-office epoch` takes it in

exit codes: 0 done; 2 refused, or unusable files or arguments
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{_PROGRAM}: error: {printable(message)} (try {_PROGRAM} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    action: Callable[[argparse.Namespace], None] = options.action
    try:
        action(options)
    except (EvotingError, CryptoError, ValueError) as error:
        return _complain(error)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _complain(f"{name}{error.strerror or error}")
    return 0


def _complain(message: object) -> int:
    print(f"{_PROGRAM}: error: {printable(message)}", file=sys.stderr)
    return 2


def _choices(options: argparse.Namespace) -> None:
    manifest = VoterElection(options.record, options.trust_root).manifest
    styles = [style.id for style in manifest.styles]
    if options.style not in styles:
        raise VoterError(f"there is no ballot style {options.style!a}; there are {', '.join(styles)}")
    language = options.language or manifest.languages[0]
    if language not in manifest.languages:
        raise VoterError(f"the election has no texts in {language!a}; it has {', '.join(manifest.languages)}")
    for line in describe_choices(manifest, options.style, language):
        print(line)


def _encrypt(options: argparse.Namespace) -> None:
    election = VoterElection(options.record, options.trust_root)
    wallet = read_wallet(options.wallet, options.wallet_key)
    prepared = election.encrypt(wallet, parse_choices(options.choose), options.sequence)
    store_prepared(options.out, prepared)
    print(prepared.tracking)


def _cast(options: argparse.Namespace) -> None:
    _use(options, "cast")


def _challenge(options: argparse.Namespace) -> None:
    _use(options, "challenge")


def _use(options: argparse.Namespace, use: Use) -> None:
    wallet = read_wallet(options.wallet, options.wallet_key)
    for path in (options.out, getattr(options, "file", None)):
        if path is not None and path.exists():
            raise VoterError(f"{path} exists already and is not overwritten")
    (pseudonym,) = wallet.of_one(load_group()).pseudonyms
    prepared = claim_prepared(options.prepared, use, pseudonym)
    entry = prepared.cast(wallet, os.urandom) if use == "cast" else prepared.challenge(wallet, os.urandom)
    write_new(options.out, entry)
    if use == "challenge" and options.file is not None:
        write_new(options.file, prepared.challenged(entry))
    forget_prepared(options.prepared, use)
    print(prepared.tracking)


def _sequence(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!a} is no sequence number")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROGRAM, description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def add(name: str, action: Callable[[argparse.Namespace], None], about: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about, description=f"{about[:1].upper()}{about[1:]}.")
        command.set_defaults(action=action)
        return command

    def reads_election(command: argparse.ArgumentParser) -> None:
        command.add_argument("record", type=Path, metavar="RECORD", help="directory of any copy of the record")
        command.add_argument("--trust-root", type=Path, required=True, help="what tells this election from others")

    def reads_wallet(command: argparse.ArgumentParser) -> None:
        command.add_argument("--wallet", type=Path, required=True, help="the sealed wallet with the credential")
        command.add_argument("--wallet-key", type=Path, required=True, help="32 bytes that open it, mode 600")

    command = add("choices", _choices, "tell what can be chosen on a ballot")
    reads_election(command)
    command.add_argument("--style", required=True, metavar="ID", help="ballot style")
    command.add_argument("--language", metavar="TAG", help="ky, ru or en, as the election has them")
    command = add("encrypt", _encrypt, "encrypt a ballot and print its tracking code")
    reads_election(command)
    reads_wallet(command)
    command.add_argument(
        "--choose", action="append", required=True, metavar="CONTEST=CHOICE", help="once for each contest"
    )
    command.add_argument(
        "--sequence", type=_sequence, metavar="N", help="of this ballot among the voter's; else the next on the board"
    )
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="the prepared ballot, secret")
    for name, action, about in (
        ("cast", _cast, "sign a prepared ballot for the ballot box"),
        ("challenge", _challenge, "open a prepared ballot instead of casting it"),
    ):
        command = add(name, action, about)
        command.add_argument("prepared", type=Path, metavar="FILE", help="as `encrypt` wrote it; gone afterwards")
        reads_wallet(command)
        command.add_argument("--out", type=Path, required=True, metavar="FILE", help="the entry for the board")
        if name == "challenge":
            command.add_argument("--file", type=Path, metavar="FILE", help="for evoting-verify ballot, elsewhere")
    return parser


if __name__ == "__main__":
    sys.exit(main())
