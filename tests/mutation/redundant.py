"""Mutants that no test can notice, because something else refuses the same; argued in README.md."""

from __future__ import annotations

#: Id of the mutant -> what refuses instead.
REDUNDANT: dict[str, str] = {}
