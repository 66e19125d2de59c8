"""What can be taken out of the verifier: every check, equation and single refusal, found in its source.

A mutant is one edit of one function's syntax tree. The edits only ever make the verifier accept more:

``check``      a registered check finds nothing
``equation``   a function that decides something (by its return type) finds nothing wrong, or adds no term
``entry``      a named equation is dropped from a list of ``(name, function)``
``refusal``    one statement that refuses (raise, yield, append, return) is skipped
``condition``  one of several reasons to refuse is not looked at
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "verifier"
#: What only shows a verdict, or moves work between processes, decides nothing.
EXCLUDED = ("report/", "progress.py", "cli.py", "cli_audit.py", "__main__.py", "stream/pool.py")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Edit = Callable[[], None]
#: Names and first lines of a function and of those around it, outermost first.
Chain = tuple[tuple[str, int], ...]

#: Return type -> what a function of that type returns where nothing is wrong.
PASSING = {
    "bool": "True",
    "list[Failure]": "[]",
    "list[RowFailure]": "[]",
    "list[str]": "[]",
    "list[int]": "[]",
    "Iterator[Failure]": "()",
    "Iterator[str]": "()",
    "Iterator[tuple[int, int, str]]": "()",
    "Iterator[Suspects]": "()",
    "NDArray[np.bool_]": "np.ones(len(rows), dtype=np.bool_)",
    "RowFailure | None": "None",
    "dict[int, str]": "{}",
    "dict[int, RowFailure]": "{}",
    "dict[int, Repeat]": "{}",
}
#: Functions whose type does not tell: name -> what they return where nothing is wrong.
PASSING_BY_NAME = {
    "is_split": "False",
    "statement_defect": "None",
    "scalar_encodings": "None",
    "element_encodings": "None",
    "blob_status": "None",
    "_defect": "None",
    "_failing_equation": "None",
    "_repeated": "[]",
    "_titles": "()",
}
#: Functions that refuse by giving None.
REFUSING_BY_NONE = {"read_cosignature", "decode_body", "split_voter_entry", "_octets_at", "style_of"}
#: What functions are called that take note of what is wrong and return nothing.
_JUDGING = ("check_", "_judge_", "_compare", "fail", "merge")
#: Functions of such a type that decide nothing.
NO_VERDICT = {
    "lagrange_at_zero", "codes_of", "styles_of", "hash_levels", "decode_scalars", "tiles_of", "_choices", "_codes",
    "_fraction", "_is", "_reach_areas", "names", "pick", "pick_in_order", "_take",
}  # fmt: skip
_ERRORS = {"FormatError", "DecodeError", "NotRun", "UnreadableError"}
_FAILURES = {"Failure", "RowFailure", "_failure", "failure", "MalformedRow"}
_LISTS = {"failures", "failed", "unreadable", "wrong_tiles", "unsorted", "malformed"}
#: What refuses by decoding, where nothing is done with what it gives.
_DECODERS = {"elements_decode", "scalars_decode", "g1_decode", "g2_decode"}
#: Names of intermediate results that are true where all is well.
_GOOD = {"fits", "length_fits", "in_bounds", "reached", "rises"}


@dataclass(frozen=True)
class Mutant:
    """One edit.

    Attributes:
        id: module, function, kind and text; independent of line numbers.
        kind: one of those above.
        path: the source file.
        chain: names and first lines of the function and of those around it, outermost first.
        lines: lines that a test must execute to notice the edit.
        telling: lines that only run where something is refused; tests that execute them come first.
        subject: name of the check or equation, for choosing tests.
        position: its place among the mutants of its file.
    """

    id: str
    kind: str
    path: Path
    chain: Chain
    lines: frozenset[int]
    telling: frozenset[int]
    subject: str
    position: int


@dataclass(frozen=True)
class _Site:
    """A place to edit."""

    kind: str
    text: str
    lines: frozenset[int]
    telling: frozenset[int]
    subject: str
    apply: Edit


def source_files() -> list[Path]:
    """Sources of the verifier that decide something."""
    return [
        path for path in sorted(PACKAGE.rglob("*.py")) if not path.relative_to(PACKAGE).as_posix().startswith(EXCLUDED)
    ]


def find_mutants(path: Path, source: str) -> Iterator[Mutant]:
    """All mutants of one file, in order."""
    module = path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
    seen: Counter[str] = Counter()
    for position, (chain, site) in enumerate(_all_sites(ast.parse(source))):
        name = f"{module}.{chain[-1][0].replace('.<locals>', '')}:{site.kind}:{site.text}"
        seen[name] += 1
        unique = name if seen[name] == 1 else f"{name}#{seen[name]}"
        yield Mutant(unique, site.kind, path, chain, site.lines, site.telling, site.subject, position)


def edited_module(mutant: Mutant, source: str) -> ast.Module:
    """The syntax tree of the mutant's module, edited."""
    tree = ast.parse(source)
    _, site = next(islice(_all_sites(tree), mutant.position, None))
    site.apply()
    return ast.fix_missing_locations(tree)


def _all_sites(tree: ast.Module) -> Iterator[tuple[Chain, _Site]]:
    for function, chain in _functions(tree, (), ""):
        for site in _sites(function):
            yield chain, site


def _functions(node: ast.AST, chain: Chain, prefix: str) -> Iterator[tuple[Function, Chain]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{prefix}{child.name}"
            first = min([child.lineno, *[decorator.lineno for decorator in child.decorator_list]])
            inner = (*chain, (name, first))
            yield child, inner
            yield from _functions(child, inner, f"{name}.<locals>.")
        elif isinstance(child, ast.ClassDef):
            if not any(isinstance(base, ast.Name) and base.id == "Protocol" for base in child.bases):
                yield from _functions(child, chain, f"{prefix}{child.name}.")
        else:
            yield from _functions(child, chain, prefix)


def _decorators(function: Function) -> list[str]:
    return [ast.unparse(decorator) for decorator in function.decorator_list]


def _lines(*nodes: ast.AST) -> frozenset[int]:
    found: set[int] = set()
    for node in nodes:
        found.update(range(node.lineno, node.end_lineno + 1))  # type: ignore[attr-defined]
    return frozenset(found)


def _body(function: Function) -> list[ast.stmt]:
    """The statements without the docstring."""
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return function.body[1:] if is_docstring else function.body


def _own(function: Function) -> Iterator[ast.AST]:
    """Nodes of a function in order, without those of functions inside it."""
    pending: list[ast.AST] = list(reversed(function.body))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            pending.extend(reversed(list(ast.iter_child_nodes(node))))


def _sites(function: Function) -> Iterator[_Site]:
    if "abstractmethod" in _decorators(function) or not _body(function):
        return
    yield from _whole(function)
    yield from _entries(function)
    yield from _refusals(function)
    yield from _conditions(function)
    yield from _identities(function)


# Whole functions


def _check_name(function: Function) -> str | None:
    for decorator in function.decorator_list:
        is_check = isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "check"
        if is_check and isinstance(decorator.args[0], ast.Constant):  # type: ignore[attr-defined]
            return str(decorator.args[0].value)  # type: ignore[attr-defined]
    return None


def _passing(function: Function) -> str | None:
    """What the function returns where nothing is wrong; None where it decides nothing."""
    if function.name in PASSING_BY_NAME:
        return PASSING_BY_NAME[function.name]
    if function.name in NO_VERDICT or "property" in _decorators(function) or function.returns is None:
        return None
    returns = ast.unparse(function.returns)
    if returns == "None":
        arguments = {ast.unparse(a.annotation) for a in function.args.args if a.annotation is not None}
        adds_terms = bool(arguments & {"Combination", "Total", "Count"})
        return "None" if adds_terms or function.name.startswith(_JUDGING) else None
    return PASSING.get(returns)


def _whole(function: Function) -> Iterator[_Site]:
    check = _check_name(function)
    value = "()" if check else _passing(function)
    if value is None:
        return
    body = _body(function)
    returned = ast.parse(value, mode="eval").body
    # The old statements stay behind the return: names of enclosing functions remain bound, and a generator one.
    kept = [] if value == "()" else [ast.copy_location(ast.If(ast.Constant(0), list(body), []), body[0])]
    new = [ast.copy_location(ast.Return(returned), body[0]), *kept]

    def apply() -> None:
        function.body = new

    telling = frozenset(line for node in _own(function) if _is_refusal(node, function) for line in _lines(node))
    kind = "check" if check else "equation"
    yield _Site(kind, check or value, _lines(*body), telling, check or function.name, apply)


# Named equations in lists


def _name_of(node: ast.expr) -> str | None:
    """The name in ``(name, equation)``, or the sentence in ``(rows that are wrong, sentence)``."""
    if not isinstance(node, ast.Tuple) or len(node.elts) != 2:
        return None
    first, second = node.elts
    if isinstance(first, ast.BinOp):
        first, second = second, first
    elif not isinstance(second, ast.Name | ast.Attribute | ast.Lambda):
        return None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _entries(function: Function) -> Iterator[_Site]:
    for node in _own(function):
        if not isinstance(node, ast.List | ast.Tuple):
            continue
        names = [_name_of(element) for element in node.elts]
        for position, (element, name) in enumerate(zip(node.elts, names, strict=True)):
            if name is None or None in names:
                break
            assert isinstance(element, ast.Tuple)
            if isinstance(element.elts[1], ast.Name) and element.elts[1].id in {a.arg for a in function.args.args}:
                continue

            def apply(node: ast.List | ast.Tuple = node, position: int = position) -> None:
                del node.elts[position]

            yield _Site("entry", name, _lines(element), frozenset(), name, apply)


# Single refusals


def _calls(node: ast.AST) -> set[str]:
    """Names of everything that is called somewhere inside."""
    names = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            names.add(inner.func.attr if isinstance(inner.func, ast.Attribute) else ast.unparse(inner.func))
    return names


def _refuses_by_none(function: Function) -> bool:
    return function.name in REFUSING_BY_NONE


def _returns(function: Function) -> str:
    return "" if function.returns is None else ast.unparse(function.returns)


def _is_refusal(node: ast.AST, function: Function) -> bool:
    """Whether a statement says that something is wrong."""
    if isinstance(node, ast.Raise):
        return node.exc is not None and bool(_calls(node.exc) & _ERRORS)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
        return node.value.func.id.startswith(_JUDGING)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
        return function.name not in NO_VERDICT and _returns(function) in (
            "Iterator[Failure]",
            "Iterator[str]",
            "Iterator[tuple[int, int, str]]",
        )
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        method, owner = node.value.func.attr, ast.unparse(node.value.func.value).split(".")[-1]
        if method.startswith("check_") or method in _DECODERS:
            return True
        return method == "fail" or (method in ("append", "add", "merge", "extend") and owner in _LISTS)
    if isinstance(node, ast.AugAssign):
        return ast.unparse(node.target).split(".")[-1] in _LISTS
    if isinstance(node, ast.Return) and node.value is not None:
        if isinstance(node.value, ast.Constant) and node.value.value is False:
            return _returns(function) == "bool"
        if _refuses_by_none(function):
            none = node.value.orelse if isinstance(node.value, ast.IfExp) else node.value
            return ast.unparse(none) == "None"
        if function.name in PASSING_BY_NAME:
            says = isinstance(node.value, ast.JoinedStr | ast.Constant | ast.Call | ast.IfExp)
            return says and ast.unparse(node.value) not in ("None", "False")
        return bool(_calls(node.value) & _FAILURES)
    return False


def _blocks(function: Function) -> Iterator[tuple[list[ast.stmt], bool]]:
    """Every list of statements of the function, and whether it is that of an exception handler."""
    yield function.body, False
    for node in _own(function):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block, isinstance(node, ast.ExceptHandler)


def _skip(statement: ast.stmt, function: Function, in_handler: bool) -> ast.stmt:
    """The statement that stands in for a refusal: it is skipped, or returns what means "fine" where nothing follows."""
    is_last = statement is function.body[-1]
    if isinstance(statement, ast.Return) and isinstance(statement.value, ast.IfExp) and _refuses_by_none(function):
        return ast.copy_location(ast.Return(statement.value.body), statement)
    if isinstance(statement, ast.Return) and (is_last or in_handler):
        value = _passing(function)
        if value is not None:
            return ast.copy_location(ast.Return(ast.parse(value, mode="eval").body), statement)
    return ast.copy_location(ast.If(ast.Constant(0), [statement], []), statement)


def _refusals(function: Function) -> Iterator[_Site]:
    for block, in_handler in _blocks(function):
        for position, statement in enumerate(block):
            if not _is_refusal(statement, function) or (in_handler and _refuses_by_none(function)):
                continue  # behind such a handler is nothing that could accept
            replacement = _skip(statement, function, in_handler)

            def apply(block: list[ast.stmt] = block, at: int = position, new: ast.stmt = replacement) -> None:
                block[at] = new

            lines = _lines(statement)
            yield _Site("refusal", _text(statement), lines, lines, function.name, apply)


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:90]


# Single reasons


def _conditions(function: Function) -> Iterator[_Site]:
    for node in _own(function):
        if isinstance(node, ast.If) and any(_is_refusal(statement, function) for statement in node.body):
            telling = _lines(*[s for s in node.body if _is_refusal(s, function)])
            yield from _reasons(node, "test", node.test, function, telling, accepts=False)
        elif isinstance(node, ast.Return) and node.value is not None and _returns(function) == "bool":
            accepts = PASSING_BY_NAME.get(function.name, "True") == "True"
            yield from _reasons(node, "value", node.value, function, frozenset(), accepts=accepts)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.IfExp) and _refuses_by_none(function):
            yield from _reasons(node.value, "test", node.value.test, function, frozenset(), accepts=True)
        elif isinstance(node, ast.Assign | ast.Return) and node.value is not None and _is_good(node, function):
            yield from _reasons(node, "value", node.value, function, frozenset(), accepts=True)


def _identities(function: Function) -> Iterator[_Site]:
    """Decodings that refuse the identity, and now do not."""
    for node in _own(function):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            if keyword.arg == "allow_identity" and ast.unparse(keyword.value) == "False":

                def apply(keyword: ast.keyword = keyword) -> None:
                    keyword.value = ast.copy_location(ast.Constant(True), keyword.value)

                name = _text(node)
                yield _Site("condition", name, _lines(node), frozenset(), function.name, apply)


def _is_good(node: ast.Assign | ast.Return, function: Function) -> bool:
    """Whether the value is true where all is well: an intermediate result, or a column for all rows of a table."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) in _GOOD
    return _returns(function) == "NDArray[np.bool_]"


def _reasons(
    owner: ast.AST, field: str, expression: ast.expr, function: Function, telling: frozenset[int], *, accepts: bool
) -> Iterator[_Site]:
    """Every operand whose loss makes the expression accept more.

    ``accepts`` says whether a true expression means that all is well.
    """
    lines = _lines(expression)

    def site(holder: list[ast.expr], at: int) -> _Site:
        old = holder[at]
        # The operand is still evaluated, so that only its answer is lost.
        operator, answer = (ast.Or(), True) if accepts else (ast.And(), False)
        new = ast.copy_location(ast.BoolOp(operator, [old, ast.Constant(answer)]), old)

        def apply() -> None:
            holder[at] = new

        return _Site("condition", _text(old), lines, telling, function.name, apply)

    dropped = ast.And if accepts else ast.Or
    if isinstance(expression, ast.BoolOp):
        for position, operand in enumerate(expression.values):
            if isinstance(expression.op, dropped):
                yield site(expression.values, position)
            yield from _reasons(expression, "", operand, function, telling, accepts=accepts)
    elif isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.BitAnd) and accepts:
        for side in ("left", "right"):
            yield _every_row(expression, side, function, telling)
            yield from _reasons(expression, side, getattr(expression, side), function, telling, accepts=accepts)
    elif isinstance(expression, ast.UnaryOp) and isinstance(expression.op, ast.Not):
        yield from _reasons(expression, "operand", expression.operand, function, telling, accepts=not accepts)
    elif isinstance(expression, ast.Compare) and accepts and len(expression.ops) > 1:
        yield from _links(owner, field, expression, function, telling)
    elif isinstance(expression, ast.Call) and len(expression.args) == 1:
        name, argument = ast.unparse(expression.func), expression.args[0]
        if name in ("bool", "np.asarray"):
            yield from _reasons(expression, "", argument, function, telling, accepts=accepts)
        elif isinstance(argument, ast.GeneratorExp) and name == ("all" if accepts else "any"):
            yield from _reasons(argument, "elt", argument.elt, function, telling, accepts=accepts)


def _every_row(holder: ast.BinOp, side: str, function: Function, telling: frozenset[int]) -> _Site:
    """One side of ``a & b`` over columns, as if it held in every row."""
    old: ast.expr = getattr(holder, side)
    new = ast.copy_location(ast.BinOp(old, ast.BitOr(), ast.Constant(True)), old)

    def apply() -> None:
        setattr(holder, side, new)

    return _Site("condition", _text(old), _lines(holder), telling, function.name, apply)


def _links(
    owner: ast.AST, field: str, chain: ast.Compare, function: Function, telling: frozenset[int]
) -> Iterator[_Site]:
    """The links of ``a <= b <= c``, each replaced by one that is always true."""
    if not field:
        return
    operands = [chain.left, *chain.comparators]
    for position, operator in enumerate(chain.ops):
        kept = [
            ast.Compare(operands[at], [chain.ops[at]], [operands[at + 1]])
            for at in range(len(chain.ops))
            if at != position
        ]
        new = ast.copy_location(ast.BoolOp(ast.And(), [*kept, ast.Constant(True)]), chain)
        text = _text(ast.Compare(operands[position], [operator], [operands[position + 1]]))

        def apply(new: ast.expr = new) -> None:
            setattr(owner, field, new)

        yield _Site("condition", text, _lines(chain), telling, function.name, apply)
