"""What all commands of the office share: the desk that they open, the clock, and what they print."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from evoting.errors import RecordError
from evoting.office.desk import Desk, open_desk
from evoting.printing import printable
from evoting.record.election import ElectionView, PublishedCopy


def note(message: str) -> None:
    """Something that a person should know, beside the data."""
    print(f"evoting-office: note: {printable(message)}", file=sys.stderr)


def now(options: Namespace) -> int:
    return int(time.time()) if options.now is None else int(options.now)


@contextmanager
def opened_desk(options: Namespace) -> Iterator[Desk]:
    with open_desk(options.record, options.state, options.log_key, options.key) as desk:
        if options.now is not None and not desk.record.manifest.model:
            raise RecordError(
                "--now is for MODEL elections: an entry of another time than its own cannot be taken back"
            )
        yield desk


def posted(desk: Desk, index: int) -> None:
    """Sign a checkpoint over the new entry, and say which one it is."""
    desk.record.board.publish()
    print(index)


def view_of(options: Namespace) -> ElectionView:
    return ElectionView(PublishedCopy(options.record))


def progress(what: str, total: int | None = None) -> Callable[[int], None]:
    """A line on the terminal that counts; nothing where standard error is a file."""
    done = 0

    def report(amount: int) -> None:
        nonlocal done
        done += amount
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            print(f"\r{what}: {done}" + ("" if total is None else f" of {total}"), end=end, file=sys.stderr, flush=True)

    return report
