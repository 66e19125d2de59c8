"""``evoting-mixer``: the mixer's command, which can also take its list from a record."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from evoting.mixers.source import RecordSource
from mix_net.cli import main as mix_net_main


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return mix_net_main(arguments, RecordSource())


if __name__ == "__main__":
    sys.exit(main())
