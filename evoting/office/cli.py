"""``evoting-office``: what the election office does with a record, one step at a time."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from crypto.errors import CryptoError
from evoting.errors import EvotingError
from evoting.office import commands, setup_commands
from evoting.office.ceremonies import KINDS
from evoting.printing import printable

_PROGRAM = "evoting-office"
EXIT_UNUSABLE = 2
EXIT_INTERRUPTED = 130

_DESCRIPTION = """\
The election office keeps the record: it starts it from the manifest, opens the election when roll,
enrolment and key ceremonies are there, announces what happens while people vote, closes, selects the
ballots that count, adds up, and publishes the result. Whatever it appends stays for ever, so every
command checks first whether the entry makes sense here and now.
"""
_EXAMPLES = """\
examples:
  evoting-office import definition/ --output manifest.cbor
      make the manifest from election.json and its tables; prints its hash
  evoting-office start /srv/record --manifest manifest.cbor --state /secure/log --log-key log.key \\
      --key officer-1.key --key officer-2.key
      start the record with it; prints the log's public key
  evoting-office post /srv/record roll.entry --key officer-1.key --state /secure/log --log-key log.key
      append the registrar's roll, countersigned by an officer
  evoting-office ceremony /srv/record trustee --shared /media/stick/ceremony --key officer-1.key \\
      --state /secure/log --log-key log.key
      append the transcript of the trustees' key ceremony
  evoting-office status /srv/record
      where the election stands; any copy of the record will do
  evoting-office lookup /srv/record --pseudonym 6a49...e1
      every ballot and challenge under a pseudonym, and what became of it
  evoting-office extension /srv/record --closes 2026-11-29T22:00:00+06:00 --reason "flood" \\
      --state /secure/log --log-key log.key --key officer-1.key --key officer-2.key
      voting ends later; two officers sign

Commands that append print the index of the new entry and sign a checkpoint over it. `publish` adds the
cosignatures of the log witnesses. What the record says is checked by evoting-verify, not here.

exit codes: 0 done; 2 refused, or unusable files or arguments: nothing was changed; 130 interrupted
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_UNUSABLE, f"{_PROGRAM}: error: {printable(message)} (try {_PROGRAM} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    action: Callable[[argparse.Namespace], None] = options.action
    try:
        action(options)
    except (EvotingError, CryptoError) as error:
        return _complain(error, EXIT_UNUSABLE)
    except UnicodeDecodeError:
        return _complain("a file that should be text is not UTF-8", EXIT_UNUSABLE)
    except ValueError as error:
        return _complain(error, EXIT_UNUSABLE)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _complain(f"{name}{error.strerror or error}", EXIT_UNUSABLE)
    except KeyboardInterrupt:
        return _complain("interrupted; run the same command again", EXIT_INTERRUPTED)
    return 0


def _complain(message: object, code: int) -> int:
    print(f"{_PROGRAM}: error: {printable(message)}", file=sys.stderr)
    return code


def _moment(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 12:
        return int(text)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!a} is no time: write 2026-11-29T22:00:00+06:00, or seconds since 1970")
    return int(parsed.timestamp())


def _pseudonym(text: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != 32:
        raise argparse.ArgumentTypeError(f"{text!a} is no pseudonym: 64 hex digits are expected")
    return data


def _octets(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!a} is not hexadecimal") from None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!a} is no number")
    return int(text)


def _witness(text: str) -> tuple[str, str]:
    role, equals, name = text.partition("=")
    if not equals or not role or not name:
        raise argparse.ArgumentTypeError(f"{text!a} is not ROLE=KEYNAME")
    return role, name


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROGRAM, description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def add(
        name: str, action: Callable[[argparse.Namespace], None], about: str, more: str = ""
    ) -> argparse.ArgumentParser:
        aliases = ["post-withdrawal"] if name == "withdrawal" else []
        description = f"{about[:1].upper()}{about[1:]}. {more}"
        command = subparsers.add_parser(name, aliases=aliases, help=about, description=description)
        command.set_defaults(action=action)
        return command

    def add_reading(name: str, action: Callable[[argparse.Namespace], None], about: str) -> argparse.ArgumentParser:
        command = add(name, action, about, "Reads any copy of the record, unverified.")
        command.add_argument("record", type=Path, metavar="RECORD", help="directory of the record, or of a copy of it")
        return command

    def add_posting(
        name: str, action: Callable[[argparse.Namespace], None], about: str, signers: int
    ) -> argparse.ArgumentParser:
        signs = {0: "", 1: "One officer signs.", 2: "Two officers sign."}[signers]
        command = add(name, action, about, signs)
        command.add_argument("record", type=Path, metavar="RECORD", help="directory of the record")
        command.add_argument("--state", type=Path, required=True, help="the log's own directory, never from a backup")
        command.add_argument("--log-key", type=Path, required=True, help="the log's key file")
        if signers:
            times = "once" if signers == 1 else "twice, one for each"
            command.add_argument(
                "--key", type=Path, action="append", required=True, metavar="FILE", help=f"officer's key file; {times}"
            )
        else:
            command.set_defaults(key=[])
        command.add_argument("--now", type=_moment, metavar="TIME", help="instead of the clock; MODEL elections only")
        return command

    reason = {"required": True, "metavar": "TEXT", "help": "why, for the public; at most 500 characters"}

    command = add("import", commands.import_definition, "make a manifest from a folder of JSON and CSV files")
    command.add_argument("folder", type=Path, metavar="FOLDER", help="holds election.json and the tables it names")
    command.add_argument("--output", type=Path, required=True, metavar="FILE", help="where the manifest goes")

    command = add_posting("start", commands.start, "start a record with its manifest", 2)
    command.add_argument("--manifest", type=Path, required=True, metavar="FILE", help="as `import` wrote it")

    command = add("keygen", setup_commands.keygen, "make a role key: an officer's, the log's, the ballot box's")
    command.add_argument("file", type=Path, metavar="FILE", help="the key file; must not exist")
    command.add_argument("--name", required=True, help="of an officer its role's id; of the log its origin line")

    command = add_reading(
        "ceremony-parameters", setup_commands.ceremony_parameters, "write what the issuers' key ceremony is about"
    )
    command.add_argument("--output", type=Path, required=True, metavar="FILE", help="for evoting-issuer ceremony")
    command = add_posting("ceremony", setup_commands.ceremony, "append the transcript of a finished key ceremony", 1)
    command.add_argument("kind", choices=KINDS, help="whose")
    command.add_argument("--shared", type=Path, required=True, metavar="DIR", help="the directory that they shared")
    command = add_posting("open", setup_commands.open_election, "append the opening entry, which pins all before it", 2)
    command.add_argument("--page", type=Path, metavar="DIR", help="the vote page's files, if there is one")

    command = add_reading(
        "sign-passkey", setup_commands.sign_officer_passkey, "sign an officer's passkey for voters at terminals"
    )
    command.add_argument("--key", type=Path, required=True, metavar="FILE", help="the officer's key file")
    command.add_argument("--credential", type=_octets, required=True, metavar="HEX", help="id of the passkey")
    command.add_argument("--algorithm", type=int, required=True, metavar="N", help="-7 (ES256) or -8 (EdDSA)")
    command.add_argument("--public", type=_octets, required=True, metavar="HEX", help="its COSE key")
    command.add_argument("--output", type=Path, required=True, metavar="FILE", help="where the signed passkey goes")
    command = add_reading("issuance-policy", setup_commands.issuance_policy, "write the issuers' policy")
    command.add_argument("--output", type=Path, required=True, metavar="FILE", help="for evoting-issuer open")
    command.add_argument(
        "--officer", type=Path, action="append", default=[], metavar="FILE", help="as sign-passkey wrote it; repeatable"
    )
    command = add_reading("issuance-keys", setup_commands.issuance_keys, "write the issuers' public keys")
    command.add_argument("--output", type=Path, required=True, metavar="FILE", help="for evoting-issuer open")

    command = add_reading("make-trust-root", commands.make_trust_root, "write the trust root of an opened election")
    command.add_argument("--output", type=Path, required=True, metavar="FILE", help="where the trust root goes")
    command.add_argument("--policy", type=Path, metavar="FILE", help="a C2SP tlog-policy with groups of witnesses")
    command.add_argument("--log", metavar="VKEY", help="or: the log's public key, with the manifest's quorum")
    command.add_argument(
        "--witness", type=_witness, action="append", default=[], metavar="ROLE=KEYNAME",
        help="and for each log witness the name under which it cosigns",
    )  # fmt: skip

    command = add_reading("status", commands.status, "tell where the election stands")
    command.add_argument("--json", action="store_true", help="for programs")
    command = add_reading("lookup", commands.lookup, "show every ballot and challenge under a pseudonym")
    command.add_argument("--pseudonym", type=_pseudonym, required=True, metavar="HEX", help="64 hex digits")
    command.add_argument("--json", action="store_true", help="for programs, with whole tracking hashes")

    command = add_posting("epoch", commands.epoch, "append the ballots and challenges that were handed in", 0)
    command.add_argument("folder", type=Path, metavar="FOLDER", help="holds them as *.entry; files stay where they are")
    command.add_argument("--box-key", type=Path, required=True, metavar="FILE", help="the ballot box's key file")
    command = add_posting(
        "withdrawal", commands.withdrawal, "a candidate, party or option withdraws, before the close", 2
    )
    command.add_argument("--contest", required=True, metavar="ID", help="the contest")
    command.add_argument("--subject", required=True, metavar="ID", help="option, party, candidate or PARTY/CANDIDATE")
    command.add_argument("--reason", **reason)  # type: ignore[arg-type]
    command = add_posting("extension", commands.extension, "voting ends later than announced", 2)
    command.add_argument(
        "--closes", type=_moment, required=True, metavar="TIME", help="at most 7 days after the present end"
    )
    command.add_argument("--reason", **reason)  # type: ignore[arg-type]
    command = add_posting("vote-page", commands.vote_page, "the vote page has changed", 2)
    command.add_argument("--page", type=Path, required=True, metavar="DIR", help="its files, all of them")
    command.add_argument("--reason", **reason)  # type: ignore[arg-type]
    command = add_posting("complaint", commands.complaint, "register a complaint", 1)
    command.add_argument("--number", required=True, metavar="TEXT", help="its number in the office's register")
    command.add_argument("--subject", required=True, metavar="TEXT", help="what it is about")
    command.add_argument("--document", type=Path, metavar="FILE", help="to be published with it, if anything is")
    command = add_posting("annulment", commands.annulment, "a decision annuls results in some scope", 2)
    command.add_argument("--scope", required=True, metavar="TEXT", help="a reporting unit, a contest, or everything")
    command.add_argument("--reason", **reason)  # type: ignore[arg-type]
    command = add_posting("terminal-exclusion", commands.terminal_exclusion, "go on without a terminal's ballots", 2)
    command.add_argument("--terminal", required=True, metavar="ID", help="its role")
    command.add_argument("--count", type=_count, required=True, metavar="N", help="ballots that it is known to hold")
    command.add_argument("--reason", **reason)  # type: ignore[arg-type]

    command = add_posting("close", commands.close, "close the election: no ballot is accepted afterwards", 2)
    command.add_argument("--early", action="store_true", help="although voting has not ended; MODEL elections only")
    add_posting("select", commands.select, "judge every ballot and publish which ones count", 2)
    command = add_posting("aggregate", commands.aggregate, "publish the sums and write the inputs of the mixes", 1)
    command.add_argument("--lists", type=Path, required=True, metavar="DIR", help="where the mixes' inputs go")
    command = add_posting("post", commands.post, "append an entry that another role signed elsewhere", 0)
    command.add_argument("entry", type=Path, metavar="ENTRY", help="the entry's file")
    command.add_argument(
        "--key", type=Path, action="append", default=[], metavar="FILE", help="an officer's, where one signs as well"
    )
    command.add_argument(
        "--blob", type=Path, action="append", default=[], metavar="FILE", help="a blob that the entry names; repeatable"
    )
    command.add_argument("--lists", type=Path, metavar="DIR", help="as `aggregate` wrote it; for mixes of stage 1")
    command.add_argument(
        "--wrong", action="store_true", help="append a decryption that does not hold; the result names it as left out"
    )
    add_posting("result", commands.result, "combine the decryptions, count, and publish the result", 2)

    command = add_posting("publish", commands.publish, "sign a checkpoint, take in cosignatures, tidy the record", 0)
    command.add_argument("--trust-root", type=Path, metavar="FILE", help="names the log witnesses")
    command.add_argument(
        "--cosignatures", type=Path, action="append", default=[], metavar="FILE", help="from a log witness; repeatable"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
