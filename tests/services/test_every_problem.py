"""Every error that a person can meet, in every service: a code, a sentence in ky, ru and en, and a next step.

Whatever is raised is in the catalogue of the service that answers with it, and no entry of a catalogue is left over.
Codes are read off the sources, because an entry that is missing shows only when somebody runs into it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from biometric_idp.biometrics.errors import BiometricError, Busy
from biometric_idp.biometrics.liveness_rules import FAILURES
from biometric_idp.documents.errors import DocumentRefused
from biometric_idp.errors import Refused
from biometric_idp.idp import app as idp
from biometric_idp.idp.voting.registrar_client import _PASSED_ON
from biometric_idp.issuer.http.app import issuer_catalogue
from biometric_idp.population.register import RegisterError
from biometric_idp.registrar import app as registrar
from evoting.board import witness_http
from services.problems import LANGUAGES, Catalogue, Problem, read_catalogue

ROOT = Path(__file__).parents[2]
PACKAGES = ("services", "biometric_idp", "evoting", "mix_net")
_COMMON = frozenset(read_catalogue().entries)


def classes_of(*roots: type[Exception]) -> set[str]:
    """Names of these classes and all their descendants."""
    names: set[str] = set()
    waiting = list(roots)
    while waiting:
        item = waiting.pop()
        names.add(item.__name__)
        waiting += item.__subclasses__()
    return names


@cache
def calls(root: str) -> tuple[tuple[str, str, ast.expr], ...]:
    """(file, name of what is called, first argument) of every call with arguments below a package or in a file."""
    paths = [ROOT / root] if root.endswith(".py") else sorted((ROOT / root).rglob("*.py"))
    found: list[tuple[str, str, ast.expr]] = []
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                function = node.func
                name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
                found.append((str(path.relative_to(ROOT)), name, node.args[0]))
    return tuple(found)


def texts(expression: ast.expr) -> Iterator[str]:
    """Texts that an expression may be: a literal, or either side of a condition."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield expression.value
    elif isinstance(expression, ast.IfExp):
        yield from texts(expression.body)
        yield from texts(expression.orelse)


def raised(root: str, names: set[str]) -> set[str]:
    """Codes that stand as the first argument; some exceptions know their code and take a sentence there."""
    return {code for _, name, first in calls(root) if name in names for code in texts(first) if " " not in code}


@cache
def constants(root: str) -> frozenset[str]:
    """Every text that stands for itself below a package or in a file; a documentation string is no code."""
    paths = [ROOT / root] if root.endswith(".py") else sorted((ROOT / root).rglob("*.py"))
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text()))]
    return frozenset(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


@dataclass(frozen=True)
class Service:
    """What a service answers with, and where that is raised.

    Attributes:
        sources: packages or files, with the exceptions whose code becomes an answer.
        otherwise: codes that reach an answer in another way, with the reason.
    """

    catalogue: Catalogue
    sources: Mapping[str, set[str]]
    otherwise: Mapping[str, str] = field(default_factory=dict)


PROBLEM = classes_of(Problem)
SERVICES = {
    "identity provider": Service(
        idp.catalogue(),
        {
            "biometric_idp/idp": PROBLEM,
            "biometric_idp/shared": PROBLEM,
            "biometric_idp/documents": classes_of(DocumentRefused),
            "biometric_idp/biometrics": classes_of(BiometricError) - classes_of(Busy),
            "biometric_idp/population": classes_of(RegisterError),
        },
        dict.fromkeys(_PASSED_ON, "the registrar's refusal, passed on")
        | {code: "a verdict of liveness" for item in FAILURES for code in (item, f"liveness-{item}")},
    ),
    "registrar": Service(
        registrar.catalogue(),
        {
            "biometric_idp/registrar": PROBLEM,
            "biometric_idp/shared": PROBLEM,
            "biometric_idp/population": classes_of(RegisterError),
        },
    ),
    "issuer": Service(
        issuer_catalogue(),
        {
            "biometric_idp/issuer": PROBLEM | classes_of(Refused),
            "biometric_idp/request.py": classes_of(Refused),
            "biometric_idp/webauthn.py": classes_of(Refused),
        },
        {
            **dict.fromkeys(("malformed", "blinded"), "set on an item of a batch"),
            **dict.fromkeys(("counter", "already-issued"), "what the store says"),
        },
    ),
    "log witness": Service(
        read_catalogue(witness_http._PROBLEMS), {"evoting/board/witness_http.py": PROBLEM, "evoting/board": PROBLEM}
    ),
    "population register": Service(
        read_catalogue(ROOT / "biometric_idp/population/problems.toml"),
        {"biometric_idp/population": classes_of(RegisterError)},
    ),
}
#: Calls whose code is no literal, each with where its codes come from; a new one needs a thought.
COMPUTED = {
    "services/hosts.py": "literals of the same file",
    "services/limits.py": "literals of the same file",
    "services/problems.py": "a table of the same file",
    "biometric_idp/idp/enrolment/biometric.py": "DocumentRefused",
    "biometric_idp/idp/faces/service.py": "BiometricError and verdicts of liveness",
    "biometric_idp/shared/registers.py": "RegisterError",
    "biometric_idp/idp/voting/registrar_client.py": "what the registrar refuses by name",
}


@pytest.mark.parametrize("name", SERVICES)
def test_everything_that_is_raised_is_in_the_services_catalogue(name: str) -> None:
    service = SERVICES[name]
    codes = {code for source, names in service.sources.items() for code in raised(source, names)}
    assert codes
    assert codes | service.otherwise.keys() <= service.catalogue.entries.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_no_entry_is_left_over(name: str) -> None:
    service = SERVICES[name]
    # Texts that several services share may be raised by any of them.
    sources = {*service.sources, "biometric_idp/idp", "biometric_idp/registrar"}
    written = frozenset[str]().union(*[constants(source) for source in sources])
    assert service.catalogue.entries.keys() - _COMMON - service.otherwise.keys() <= written


def test_every_common_error_is_raised_somewhere() -> None:
    written = "".join(path.read_text() for path in (ROOT / "services").glob("*.py"))
    everywhere = {code for package in PACKAGES for code in raised(package, PROBLEM)}
    assert {code for code in _COMMON if f'"{code}"' not in written} <= everywhere


def test_no_problem_is_raised_outside_of_a_service() -> None:
    known = tuple(source for service in SERVICES.values() for source in service.sources)
    outside = {
        path
        for package in PACKAGES
        for path, name, _ in calls(package)
        if name in PROBLEM and not path.startswith((*known, "services/"))
    }
    assert outside == set()


def test_codes_that_are_computed_come_from_where_we_know() -> None:
    computed = {
        path
        for package in PACKAGES
        for path, name, first in calls(package)
        if name in PROBLEM and not list(texts(first))
    }
    assert computed == COMPUTED.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_sentences_are_in_the_language_that_they_say(name: str) -> None:
    """The reader makes sure that none is missing; here: ky and ru in Cyrillic letters, en in Latin, none twice."""
    for code, entry in SERVICES[name].catalogue.entries.items():
        for said in (entry.message, entry.next):
            assert said.keys() == set(LANGUAGES)
            assert len(set(said.values())) == len(LANGUAGES), code
            for language in ("ky", "ru"):
                assert re.search("[а-яёөүң]{3}", said[language].lower()), (code, language)
            assert not re.search("[а-яёөүң]", said["en"].lower()), code
