"""Putting a mutant into the running process: only there, and never into a file."""

from __future__ import annotations

import gc
from types import CodeType, FunctionType

from tests.mutation.mutants import Mutant, edited_module


class Functions:
    """Every live function of the verifier, by file, qualified name and first line.

    Closures are among them (a schema is a nest of closures made when its module is imported), and so are functions that
    decorators wrapped: whoever holds a function sees its new code.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int], list[FunctionType]] = {}
        for item in gc.get_objects():
            if type(item) is FunctionType:
                code = item.__code__
                key = (code.co_filename, code.co_qualname, code.co_firstlineno)
                self._found.setdefault(key, []).append(item)

    def of(self, path: str, name: str, line: int) -> list[FunctionType]:
        """The functions made from one definition."""
        return self._found.get((path, name, line), [])


def install(mutant: Mutant, source: str, functions: Functions) -> int:
    """Give the functions of the mutant their edited code; how many there were.

    Functions around it are given theirs too, since they make inner functions from their own constants.
    """
    path = str(mutant.path)
    module = compile(edited_module(mutant, source), path, "exec", dont_inherit=True)
    changed = 0
    for name, line in mutant.chain:
        code = _find(module, name, line)
        if code is None:
            raise LookupError(f"{mutant.id}: {name} is not in the edited module")
        for function in functions.of(path, name, line):
            function.__code__ = code
            changed += 1
    return changed


def _find(code: CodeType, name: str, line: int) -> CodeType | None:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if (constant.co_qualname, constant.co_firstlineno) == (name, line):
                return constant
            found = _find(constant, name, line)
            if found is not None:
                return found
    return None
