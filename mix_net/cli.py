"""``evoting-mixer``: one party's re-encryption shuffle, from its role key to the published stage."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from crypto.errors import CryptoError, InvalidProof
from crypto.group import load_group, set_threads
from crypto.group.interface import Group
from mix_net.errors import InputError, MixError
from mix_net.files import locked_directory, read_file
from mix_net.keys import generate_key, load_key
from mix_net.pairs import prepare_pairs
from mix_net.shuffle import ciphertext_count, decode_public_key
from mix_net.stage import ENTRY, OUTPUT, PROOF, MixJob, mix_stage, publish, read_context, verify_stage

_PROGRAM = "evoting-mixer"
EXIT_INVALID = 1
EXIT_UNUSABLE = 2
EXIT_INTERRUPTED = 130

_DESCRIPTION = """\
A mixer permutes and re-encrypts the encrypted votes of one contest and group, and proves that it
changed nothing. Several mixers work one after the other, each run by another party; the link from
a ballot to its vote is broken if one of them is honest.
"""
_EXAMPLES = f"""\
examples:
  evoting-mixer keygen mixer.key --name mixer-1
      make the role key that the manifest is to name; prints its public half in hex
  evoting-mixer prepare pairs --public-key 6a49...e1 --count 200000
      before the close: make re-encryption pairs; each is used once
  evoting-mixer mix --record /srv/mirror/record --trust-root trust-root.json --contest list --group east \\
      --key mixer.key --private ~/mixer --out /media/stick/stage-1 --pairs pairs
      check the record, take the list that is due from it, and write {OUTPUT}, {PROOF} and {ENTRY};
      repeating it writes the same bytes again
  evoting-mixer mix --list input.list --public-key 6a49...e1 --context context.json \\
      --private ~/mixer --out /media/stick/stage-1 --key mixer.key --pairs pairs
      the same for a list that somebody gave, without a record
  evoting-mixer verify --list input.list --public-key 6a49...e1 --context context.json \\
      --out /media/stick/stage-1
      check somebody's stage

The context is a JSON file: {{"fingerprint": "<64 hex digits>", "contest": "...", "group": "...",
"stage": 1, "mixer": "mixer-1", "width": 1}}. A list is the plain concatenation of its ciphertexts.

exit codes: 0 done; 1 the proof does not hold; 2 unusable files or arguments; 130 interrupted
"""


class JobSource(Protocol):
    """Where a stage and its input come from besides files that are given one by one, such as a record."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Options of ``mix`` and ``verify``, none of them required."""
        ...

    def job(self, options: argparse.Namespace) -> MixJob | None:
        """The job that the options ask for; None where they ask for none.

        Raises:
            MixError: it cannot be made.
        """
        ...


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_UNUSABLE, f"{_PROGRAM}: error: {message} (try {_PROGRAM} --help)\n")


def main(arguments: Sequence[str] | None = None, source: JobSource | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser(source).parse_args(arguments)
    action: Callable[[argparse.Namespace], None] = options.action
    try:
        action(options)
    except InvalidProof as error:
        return _complain(f"not valid ({error.check}): {error}", EXIT_INVALID)
    except MixError as error:
        return _complain(f"{error}. Hint: {error.hint}" if error.hint else error, EXIT_UNUSABLE)
    except (CryptoError, ValueError) as error:
        return _complain(error, EXIT_UNUSABLE)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _complain(f"{name}{error.strerror}", EXIT_UNUSABLE)
    except MemoryError:
        return _complain("not enough memory for this list; nothing was published", EXIT_UNUSABLE)
    except KeyboardInterrupt:
        return _complain("interrupted; run it again to finish or start afresh", EXIT_INTERRUPTED)
    return 0


def _keygen(options: argparse.Namespace) -> None:
    print(generate_key(options.file, options.name, secrets.token_bytes(32)).hex())


def _prepare(options: argparse.Namespace) -> None:
    group = _group(options)
    public_key = _public_key(group, options)
    progress = _progress(options)
    prepare_pairs(
        group,
        options.file,
        public_key,
        options.count,
        secrets.token_bytes,
        lambda done: progress(f"{done} of {options.count} pairs"),
    )


def _mix(options: argparse.Namespace) -> None:
    group = _group(options)
    job = _job(group, options)
    key = load_key(options.key) if options.key else None
    now = int(time.time()) if options.now is None else options.now
    with locked_directory(options.private):
        mixed = mix_stage(
            group,
            job,
            options.private,
            secrets.token_bytes,
            pairs=options.pairs,
            key=key,
            time=now,
            progress=_progress(options),
        )
        publish(mixed, options.out)
    for name in mixed.files:
        print(options.out / name)


def _verify(options: argparse.Namespace) -> None:
    group = _group(options)
    job = _job(group, options)
    outputs, proof = read_file(options.out / OUTPUT), read_file(options.out / PROOF)
    _progress(options)(f"verifying a list of {len(job.inputs) // (64 * job.context.width)} ciphertexts")
    verify_stage(group, job, outputs, proof, secrets.token_bytes)
    print("valid")


def _job(group: Group, options: argparse.Namespace) -> MixJob:
    """The job as its source has it, or as given by files."""
    source: JobSource | None = options.source
    job = None if source is None else source.job(options)
    if job is not None:
        return job
    if None in (options.list, options.context, options.public_key):
        instead = "" if source is None else ", or --record, --trust-root, --contest and --group"
        raise InputError(f"give --list, --context and --public-key{instead}")
    context = read_context(options.context)
    public_key = _public_key(group, options)
    inputs = read_file(options.list)
    try:
        ciphertext_count(inputs, context.width)
    except InvalidProof as error:
        raise InputError(f"{options.list}: {error}") from None
    return MixJob(context, public_key, inputs)


def _public_key(group: Group, options: argparse.Namespace) -> bytes:
    try:
        public_key = bytes.fromhex(options.public_key)
        decode_public_key(group, public_key)
    except (ValueError, InvalidProof):
        raise InputError(
            f"--public-key {options.public_key!r} is no public key", hint="give the trustees' joint key, 64 hex digits"
        ) from None
    return public_key


def _group(options: argparse.Namespace) -> Group:
    if options.threads is not None:
        set_threads(options.threads)
    return load_group(options.arithmetic)


def _progress(options: argparse.Namespace) -> Callable[[str], None]:
    """Reports with elapsed seconds, on stderr."""
    started = time.monotonic()

    def report(what: str) -> None:
        if not options.quiet:
            print(f"{_PROGRAM}: {time.monotonic() - started:6.1f} s  {what}", file=sys.stderr, flush=True)

    return report


def _parser(source: JobSource | None) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROGRAM,
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    keygen = commands.add_parser("keygen", help="make this mixer's role key")
    keygen.add_argument("file", type=Path, help="the new key file; must not exist")
    keygen.add_argument("--name", required=True, help="the role's id, such as mixer-1")
    keygen.set_defaults(action=_keygen)

    prepare = commands.add_parser("prepare", help="make re-encryption pairs before the close")
    prepare.add_argument("file", type=Path, help="the new file of pairs; must not exist, must never be copied")
    prepare.add_argument("--count", type=int, required=True, help="how many: ciphertexts times width")
    prepare.add_argument("--public-key", required=True, metavar="HEX", help="the trustees' joint key")
    _common(prepare)
    prepare.set_defaults(action=_prepare)

    mix = commands.add_parser("mix", help="shuffle a list and prove it")
    _job_options(mix, source)
    mix.add_argument("--out", type=Path, required=True, help="directory for the mixed list and its proof")
    mix.add_argument("--private", type=Path, required=True, help="this mixer's own directory: keeps what was mixed")
    mix.add_argument("--key", type=Path, help=f"this mixer's role key file; with it, {ENTRY} is written")
    mix.add_argument("--pairs", type=Path, help="file of prepared pairs to use up")
    mix.add_argument("--now", type=int, help="seconds since the epoch instead of the clock, for rehearsals")
    mix.set_defaults(action=_mix)

    verify = commands.add_parser("verify", help="check a mixed list and its proof")
    _job_options(verify, source)
    verify.add_argument("--out", type=Path, required=True, help="directory of the mixed list and its proof")
    verify.set_defaults(action=_verify)
    return parser


def _job_options(parser: argparse.ArgumentParser, source: JobSource | None) -> None:
    parser.add_argument("--list", type=Path, help="file of the input ciphertexts")
    parser.add_argument("--context", type=Path, help="JSON file that says which stage this is")
    parser.add_argument("--public-key", metavar="HEX", help="the trustees' joint key")
    parser.set_defaults(source=source)
    if source is not None:
        source.add_options(parser)
    _common(parser)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--arithmetic", choices=("native", "portable"), help="default: native where it is built")
    parser.add_argument("--threads", type=int, help="threads of the arithmetic; 0, the default, uses all cores")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _complain(message: object, code: int) -> int:
    print(f"{_PROGRAM}: error: {' '.join(str(message).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
