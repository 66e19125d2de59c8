"""``evoting-witness``: make a log witness, and cosign checkpoints from files."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from crypto.log.errors import LogError, WitnessRefusal
from crypto.log.note import NOTE_KEY, VerifierKey, decode_vkey
from crypto.log.witness import decode_request
from evoting.board.errors import BoardError
from evoting.board.witness import LogWitness
from services.errors import ServiceError

_PROGRAM = "evoting-witness"
EXIT_REFUSED = 1
EXIT_UNUSABLE = 2
_MAX_REQUEST_BYTES = 1 << 19

_DESCRIPTION = """\
A log witness watches that a transparency log only ever grows. It remembers the largest
checkpoint it has cosigned and cosigns another one only with a proof that nothing before
it was changed.
"""
_EXAMPLES = """\
examples:
  evoting-witness init /srv/witness --name court.example/witness --log "$LOG_VKEY"
      make a witness that follows one log; prints its vkey for the trust policy
  evoting-witness cosign /srv/witness --record /srv/mirror/record > cosignature
      cosign the checkpoint of a local copy of the record; prints the signature line
  evoting-witness cosign /srv/witness --request request.txt
      cosign a request as C2SP tlog-witness defines it: old size, proof, checkpoint
  evoting-witness add-log /srv/witness --log "$LEDGER_VKEY"
      follow an issuer's ledger as well
  evoting-witness vkey --origin vote.example/parliament-2030/ledger/1 --key "$ISSUER_KEY"
      print the vkey of a log out of its origin and its role's public key (hexadecimal)
  evoting-witness serve /srv/witness --port 8471 --host-name witness.court.example
      answer logs that ask over HTTP
  evoting-witness show /srv/witness
      print the vkey and what was cosigned last

exit codes: 0 done; 1 refused by a rule of the witness; 2 unusable files or arguments
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_UNUSABLE, f"{_PROGRAM}: error: {message} (try {_PROGRAM} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        _COMMANDS[options.command](options)
    except WitnessRefusal as error:
        return _complain(error, EXIT_REFUSED)
    except (BoardError, LogError, ServiceError, ValueError) as error:
        return _complain(error, EXIT_UNUSABLE)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _complain(f"{name}{error.strerror}", EXIT_UNUSABLE)
    return 0


def _init(options: argparse.Namespace) -> None:
    logs = [_log_key(vkey) for vkey in options.log]
    print(LogWitness.create(options.directory, options.name, logs).verifier.encode())


def _add_log(options: argparse.Namespace) -> None:
    witness = LogWitness(options.directory)
    for vkey in options.log:
        witness.add_log(_log_key(vkey))
    for key in witness.logs:
        print(f"log {key.encode()}")


def _serve(options: argparse.Namespace) -> None:
    # What a service takes is loaded only here: files are cosigned where there is no web framework.
    from evoting.board.witness_http import create_witness_app
    from services.run import serve

    witness = LogWitness(options.directory)
    names = options.host_name or [options.host, "localhost"]
    serve("witness", lambda port: create_witness_app(witness, names, port), options.host, options.port)


def _cosign(options: argparse.Namespace) -> None:
    witness = LogWitness(options.directory)
    now = int(time.time()) if options.now is None else options.now
    if options.record is not None:
        line = witness.cosign_record(options.record, now)
    else:
        line = witness.cosign(decode_request(_read_request(options.request)), now)
    sys.stdout.buffer.write(line.encode().encode())
    sys.stdout.flush()


def _show(options: argparse.Namespace) -> None:
    witness = LogWitness(options.directory)
    print(f"witness {witness.verifier.encode()}")
    print(f"key {witness.verifier.public_key.hex()}")
    for origin in dict.fromkeys(key.name for key in witness.logs):
        head = witness.head(origin)
        state = f"size {head.checkpoint.size} at {head.timestamp}" if head else "nothing cosigned yet"
        print(f"log {origin}: {state}")


def _vkey(options: argparse.Namespace) -> None:
    print(VerifierKey(options.origin, NOTE_KEY, options.key).encode())


_COMMANDS = {"init": _init, "vkey": _vkey, "add-log": _add_log, "serve": _serve, "cosign": _cosign, "show": _show}


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROGRAM,
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    init = commands.add_parser("init", help="make a witness in an empty directory and print its vkey")
    init.add_argument("directory", type=Path, metavar="DIR", help="where the witness keeps its key and its memory")
    init.add_argument("--name", required=True, help="key name, a host name and path: court.example/witness")
    init.add_argument("--log", required=True, action="append", metavar="VKEY", help="log to follow; repeatable")
    add_log = commands.add_parser("add-log", help="follow one more log; a running witness notices")
    add_log.add_argument("directory", type=Path, metavar="DIR", help="directory of the witness")
    add_log.add_argument("--log", required=True, action="append", metavar="VKEY", help="log to follow; repeatable")
    vkey = commands.add_parser("vkey", help="print the vkey of a log by its origin and its role's public key")
    vkey.add_argument(
        "--origin", required=True, help="enrolment log: ORIGIN/enrolment; ledger of issuer i: ORIGIN/ledger/i"
    )
    vkey.add_argument("--key", required=True, type=_public_key, help="64 hexadecimal digits, as init and keygen print")
    serve = commands.add_parser("serve", help="answer POST /add-checkpoint (C2SP tlog-witness) over HTTP")
    serve.add_argument("directory", type=Path, metavar="DIR", help="directory of the witness")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    serve.add_argument("--port", type=int, default=0, help="0 takes a free one; it is printed")
    serve.add_argument(
        "--host-name", action="append", metavar="NAME", help="name in Host headers that is answered; repeatable"
    )
    cosign = commands.add_parser("cosign", help="check a checkpoint and print the cosignature line")
    cosign.add_argument("directory", type=Path, metavar="DIR", help="directory of the witness")
    source = cosign.add_mutually_exclusive_group(required=True)
    source.add_argument("--record", type=Path, metavar="RECORD", help="directory of a record, or of a copy of it")
    source.add_argument("--request", metavar="FILE", help="request file of C2SP tlog-witness, - for standard input")
    cosign.add_argument(
        "--now", type=_seconds, metavar="SECONDS", help="timestamp instead of the clock, since 1970 (for rehearsals)"
    )
    show = commands.add_parser("show", help="print vkey, key (for the manifest), and the last checkpoint of each log")
    show.add_argument("directory", type=Path, metavar="DIR", help="directory of the witness")
    return parser


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return int(text)


def _public_key(text: str) -> bytes:
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"{text!r} is no key of 64 hexadecimal digits")
    return bytes.fromhex(text)


def _log_key(text: str) -> VerifierKey:
    key = decode_vkey(text)
    if key.key_type != NOTE_KEY:
        raise ValueError(f"{key.name!r} is no log key (type 0x01)")
    return key


def _read_request(name: str) -> bytes:
    if name == "-":
        data = sys.stdin.buffer.read(_MAX_REQUEST_BYTES + 1)
    else:
        with Path(name).open("rb") as file:
            data = file.read(_MAX_REQUEST_BYTES + 1)
    if len(data) > _MAX_REQUEST_BYTES:
        raise ValueError(f"the request has more than {_MAX_REQUEST_BYTES} bytes")
    return data


def _complain(message: object, code: int) -> int:
    text = "".join(c if c.isprintable() else "?" for c in " ".join(str(message).split()))
    print(f"{_PROGRAM}: error: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
