"""``evoting-trustee``: the key ceremony as files on a stick, decryption, and the destruction of a key share."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from nacl.signing import SigningKey

from crypto.dkg.driver import STEPS
from crypto.dkg.secrets import SEED_BYTES
from crypto.errors import CryptoError
from crypto.group import load_group
from crypto.log.note import NOTE_KEY
from evoting.board.errors import BoardError
from evoting.board.keys import generate_key, load_key
from evoting.definition import MAX_MANIFEST_BYTES
from evoting.errors import EvotingError
from evoting.record.trust_root import read_trust_root
from evoting.trustees.ceremony import StepResult, assemble_transcript, ceremony_parameters, run_step
from evoting.trustees.decrypt import decrypt_list
from evoting.trustees.destroy import destroy_share
from evoting.trustees.errors import DecryptionRefused, TrusteeError
from evoting.trustees.record import TrusteeRecord
from evoting.trustees.recount import require_counted
from evoting.trustees.shared import read_file, write_shared
from evoting.trustees.store import TrusteeStore, write_durably

_PROGRAM = "evoting-trustee"
EXIT_REFUSED = 1
EXIT_UNUSABLE = 2

_DESCRIPTION = """\
A trustee holds one share of an election's key. The key is made by all trustees together, in
rounds of files that travel in a shared directory or on a stick; every step may be repeated and
gives the same bytes. After the election, a trustee decrypts what the record offers for it.
"""
_EXAMPLES = """\
examples:
  evoting-trustee keygen trustee.key --name trustee-1
      make the role key that the manifest is to name; prints its public half in hex
  evoting-trustee ceremony commit --manifest manifest.cbor --key trustee.key \\
      --private ~/trustee --shared /media/stick/ceremony
      first round; then, each when everybody has done the one before: reveal, share, confirm, finish
  evoting-trustee assemble --manifest manifest.cbor --shared /media/stick/ceremony --output transcript
      the transcript of a finished ceremony, for the record; needs no secret
  evoting-trustee decrypt --record /srv/mirror/record --trust-root trust-root.json \\
      --key trustee.key --private ~/trustee --output /media/stick/decryption
      decrypt every list that is ready; writes <contest>.<group>.entry and .factors
  evoting-trustee destroy --key trustee.key --private ~/trustee --reason "result final" --protocol p.json
      erase the key share and write a signed protocol of it

exit codes: 0 done; 1 refused by a rule of decryption; 2 unusable files or arguments, or not yet
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_UNUSABLE, f"{_PROGRAM}: error: {message} (try {_PROGRAM} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    action: Callable[[argparse.Namespace], None] = options.action
    try:
        action(options)
    except DecryptionRefused as error:
        return _complain(error, EXIT_REFUSED)
    except (EvotingError, CryptoError, BoardError) as error:
        return _complain(error, EXIT_UNUSABLE)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _complain(f"{name}{error.strerror}", EXIT_UNUSABLE)
    return 0


def _keygen(options: argparse.Namespace) -> None:
    print(generate_key(options.file, options.name, NOTE_KEY).public_key.hex())


def _ceremony(options: argparse.Namespace) -> None:
    result = run_step(
        _manifest(options),
        load_key(options.key, NOTE_KEY),
        options.shared,
        TrusteeStore(options.private),
        options.step,
        os.urandom(SEED_BYTES),
        exclude_missing=options.exclude_missing,
    )
    for path in result.written:
        print(path)
    _report(options, result)


def _report(options: argparse.Namespace, result: StepResult) -> None:
    if result.failed is not None:
        roles = ceremony_parameters(_manifest(options)).roles
        for culprit in result.failed.culprits:
            _note(f"{roles[culprit.participant - 1].id} is excluded: {culprit.reason}")
        _note(f"attempt {result.failed.number} has failed; everybody else goes on with `ceremony commit`")
    if result.outcome is not None:
        _note(f"the ceremony has succeeded; the election's key is {result.outcome.keys[0].joint_key.hex()}")


def _assemble(options: argparse.Namespace) -> None:
    transcript, outcome = assemble_transcript(_manifest(options), options.shared)
    write_durably(options.output, transcript)
    print(outcome.keys[0].joint_key.hex())


def _decrypt(options: argparse.Namespace) -> None:
    group = load_group()
    store = TrusteeStore(options.private)
    now = int(time.time()) if options.now is None else options.now
    with store.locked():
        share = store.require_share()
        key = SigningKey(load_key(options.key, NOTE_KEY).seed)
        record = TrusteeRecord(options.record, read_trust_root(options.trust_root), share, now)
        lists = record.election.lists
        if options.list is not None:
            lists = tuple(name for name in lists if name in options.list)
            if len(lists) != len(set(options.list)):
                raise TrusteeError("the record has no such list to be tallied")
        if not options.verified:
            require_counted(group, record.reader, record.size, record.election, os.urandom)
        for contest, group_id in lists:
            part = decrypt_list(
                group,
                store,
                share,
                key,
                record.election,
                contest,
                group_id,
                record.list_bytes(contest, group_id),
                now,
                os.urandom(SEED_BYTES),
            )
            name = f"{contest}.{group_id}"
            written = write_shared(options.output, {f"{name}.factors": part.factors, f"{name}.entry": part.entry})
            for path in written:
                print(path)


def _destroy(options: argparse.Namespace) -> None:
    now = int(time.time()) if options.now is None else options.now
    key = load_key(options.key, NOTE_KEY)
    destroy_share(TrusteeStore(options.private), key, options.reason, now, options.protocol)
    print(options.protocol)


def _manifest(options: argparse.Namespace) -> bytes:
    return read_file(options.manifest, MAX_MANIFEST_BYTES)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROGRAM,
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    keygen = commands.add_parser("keygen", help="make a role key")
    keygen.add_argument("file", type=Path, help="the key file; must not exist")
    keygen.add_argument("--name", required=True, help="the role's id in the manifest, such as trustee-1")
    keygen.set_defaults(action=_keygen)

    ceremony = commands.add_parser("ceremony", help="do, or repeat, one step of the key ceremony")
    ceremony.add_argument("step", choices=STEPS)
    ceremony.add_argument("--manifest", type=Path, required=True, help="the manifest file")
    ceremony.add_argument("--shared", type=Path, required=True, help="the directory that all trustees share")
    ceremony.add_argument(
        "--exclude-missing",
        action="store_true",
        help="stop waiting: exclude whoever has not sent the message of the round before, and start again",
    )
    _own_files(ceremony)
    ceremony.set_defaults(action=_ceremony)

    assemble = commands.add_parser("assemble", help="make the transcript of a finished ceremony")
    assemble.add_argument("--manifest", type=Path, required=True, help="the manifest file")
    assemble.add_argument("--shared", type=Path, required=True, help="the directory that all trustees shared")
    assemble.add_argument("--output", type=Path, required=True, help="where to write the transcript")
    assemble.set_defaults(action=_assemble)

    decrypt = commands.add_parser("decrypt", help="decrypt the lists of a closed election")
    decrypt.add_argument("--record", type=Path, required=True, help="a local copy of the election record")
    decrypt.add_argument("--trust-root", type=Path, required=True, help="this trustee's own trust-root file")
    decrypt.add_argument("--output", type=Path, required=True, help="directory for entries and factors")
    decrypt.add_argument(
        "--verified",
        action="store_true",
        help="do not count again: this trustee's own verifier has verified the record up to here",
    )
    decrypt.add_argument(
        "--list", type=_list_name, action="append", metavar="CONTEST.GROUP", help="only this list; may be repeated"
    )
    _own_files(decrypt)
    _clock(decrypt)
    decrypt.set_defaults(action=_decrypt)

    destroy = commands.add_parser("destroy", help="erase the key share and write a protocol")
    destroy.add_argument("--reason", required=True, help="why, for the protocol")
    destroy.add_argument("--protocol", type=Path, required=True, help="where to write the signed protocol")
    _own_files(destroy)
    _clock(destroy)
    destroy.set_defaults(action=_destroy)
    return parser


def _own_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", type=Path, required=True, help="this trustee's role key file")
    parser.add_argument("--private", type=Path, required=True, help="this trustee's own directory, for its secrets")


def _clock(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--now", type=int, help="seconds since the epoch instead of the clock, for rehearsals")


def _list_name(text: str) -> tuple[str, str]:
    contest, dot, group = text.partition(".")
    if not dot or not contest or not group:
        raise argparse.ArgumentTypeError("a list is named CONTEST.GROUP")
    return contest, group


def _note(message: str) -> None:
    print(f"{_PROGRAM}: {message}", file=sys.stderr)


def _complain(message: object, code: int) -> int:
    text = " ".join(str(message).split())
    print(f"{_PROGRAM}: error: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
