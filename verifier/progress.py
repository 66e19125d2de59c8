"""A progress bar on stderr, only where somebody looks at it."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class TerminalProgress:
    """One bar for the work under way; nothing is written where stderr is not a terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def start(self, what: str, total: int) -> None:
        """A piece of work of ``total`` steps begins."""
        if self._task is None:
            self._progress.start()
        else:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(what, total=total)

    def advance(self, steps: int) -> None:
        """Some steps of the current piece are done."""
        if self._task is not None:
            self._progress.advance(self._task, steps)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()
