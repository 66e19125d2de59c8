"""All mutants: find them, choose tests for each, judge, remember."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import pytest

from crypto.group import set_threads
from tests.mutation.corpus import make_corpus, read_instead_of_write
from tests.mutation.install import Functions
from tests.mutation.judge import Forks, Seen, Verdict, judge, observe
from tests.mutation.mutants import ROOT, Mutant, find_mutants, source_files
from tests.mutation.redundant import REDUNDANT
from tests.mutation.sources import ALL, hash_sources
from tests.support.small_election import SmallElection

#: The mutant that changes nothing: every test must pass with it.
NOTHING = "nothing"
#: Tests that say nothing about a mutant: they start processes, which are not mutated, change the verifier themselves,
#: or damage at random (what only they would notice has no test of its own).
UNSUITABLE = re.compile(
    r"test_processes_and_chunks_change_nothing|test_random_damage|test_M9_|test_D9_|test_.*replaced_by_pass|"
    r"test_cost_|test_B13_|test_strange_values_anywhere|_flipped_bit|_of_any_bytes|_cut_short|_both_arithmetics_give_the_same_verdict"
)
CORPUS_TEST = "tests/verifier/test_tampered.py::test_the_planted_defect_is_rejected_by_its_check"


@dataclass
class Settings:
    """What to run.

    Attributes:
        directory: records, observations and results are kept here.
        jobs: processes.
        only: ids of mutants (None: all), compared from the start.
        tests: ids of tests or files; then nothing is observed, and each of them is run for each mutant.
        keep_records: use tampered records although the sources that make them changed since.
        show: told of progress.
    """

    directory: Path
    jobs: int
    only: Sequence[str] | None = None
    tests: Sequence[str] | None = None
    keep_records: bool = False
    show: Callable[[str], None] = lambda text: None


@dataclass(frozen=True)
class Result:
    """One line of the results."""

    id: str
    kind: str
    status: str  # killed, survived, redundant
    killed_by: str | None
    message: str
    tests: int
    seconds: float


class Run:
    """One run; a plugin of the pytest session that collects the tests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.source_hash = hash_sources(ALL)
        self.sources = {path: path.read_text() for path in source_files()}
        self.mutants = [mutant for path, source in self.sources.items() for mutant in find_mutants(path, source)]
        if settings.only is not None:
            self.mutants = [m for m in self.mutants if any(m.id.startswith(prefix) for prefix in settings.only)]
        self.results: dict[str, Result] = {}
        self.broken: list[str] = []
        self.error: BaseException | None = None
        self._known: dict[str, str] = {}
        self._others: dict[str, Result] = {}

    # -- remembering ---------------------------------------------------------------------------------------------------

    @property
    def _results_path(self) -> Path:
        return self.settings.directory / "results.json"

    def _load(self) -> None:
        """Results of the same sources are kept; of others, only which test is likely to fail."""
        try:
            stored = json.loads(self._results_path.read_text())
        except (FileNotFoundError, ValueError):
            return
        self._known = {item["id"]: item["killed_by"] for item in stored["results"] if item["killed_by"]}
        if stored["sources"] == self.source_hash:
            wanted = {mutant.id for mutant in self.mutants}
            for item in stored["results"]:
                (self.results if item["id"] in wanted else self._others)[item["id"]] = Result(**item)

    def _store(self) -> None:
        everything = {**self._others, **self.results}
        content = {"sources": self.source_hash, "results": [asdict(result) for result in everything.values()]}
        temporary = self._results_path.with_suffix(".tmp")
        temporary.write_text(json.dumps(content, indent=1) + "\n")
        temporary.replace(self._results_path)

    # -- the session ---------------------------------------------------------------------------------------------------

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of running the collected tests once."""
        try:
            self._loop(session)
        except BaseException as error:
            self.error = error
            raise
        return True

    def _loop(self, session: pytest.Session) -> None:
        settings = self.settings
        items = {item.nodeid: item for item in session.items if not UNSUITABLE.search(item.nodeid)}
        for item in items.values():
            if item.nodeid.startswith(CORPUS_TEST):
                item.module.write_case = read_instead_of_write(settings.directory / "records")  # type: ignore[attr-defined]
        functions = Functions()
        with _scratch() as scratch:
            _share_election(session, scratch / "election")
            forks = Forks(session, settings.jobs, scratch)
            seen = {} if settings.tests is not None else self._observations(forks, list(items.values()))
            self.broken = [name for name, observed in seen.items() if observed.failure]
            good = {name: item for name, item in items.items() if name not in self.broken}
            try:
                self._judge_all(forks, functions, good, seen)
            finally:
                self._store()

    def _observations(self, forks: Forks, items: Sequence[pytest.Item]) -> dict[str, Seen]:
        """What each test executes, remembered for the same sources."""
        path = self.settings.directory / "observed.pickle"
        with_hash: tuple[str, dict[str, Seen]] | None = None
        if path.exists():
            with_hash = pickle.loads(path.read_bytes())
        if with_hash is not None and with_hash[0] == self.source_hash:
            return with_hash[1]
        size = 60
        parts = [items[at : at + size] for at in range(0, len(items), size)]
        seen: dict[str, Seen] = {}
        for part, found in forks.run([(part, partial(observe, part)) for part in parts]):
            if found is None:
                raise RuntimeError(f"tests died while they were observed: {part[0].nodeid} and after")
            seen.update(found)
            self.settings.show(f"observing tests: {len(seen)} of {len(items)}")
        path.write_bytes(pickle.dumps((self.source_hash, seen)))
        return seen

    def _judge_all(
        self, forks: Forks, functions: Functions, items: Mapping[str, pytest.Item], seen: Mapping[str, Seen]
    ) -> None:
        self._load()
        todo: list[tuple[Mutant | None, list[pytest.Item]]] = []
        if self.settings.only is not None and NOTHING in self.settings.only:
            todo.append((None, list(items.values())))
        missing = [mutant for mutant in self.mutants if mutant.id not in self.results]
        todo += [(mutant, self._chosen(mutant, items, seen)) for mutant in missing]
        tasks = [
            ((mutant, chosen), partial(judge, mutant, self.sources[mutant.path] if mutant else "", functions, chosen))
            for mutant, chosen in todo
        ]
        for done, ((mutant, chosen), verdict) in enumerate(forks.run(tasks), 1):
            # What died (or took too long) on a busy machine has told nothing: it counts as a survivor.
            result = _result(mutant, verdict or Verdict(None, "the process died", len(chosen), 0.0))
            self.results[result.id] = result
            self.settings.show(f"judging mutants: {done} of {len(todo)}, {self.count('survived')} survived")
            if done % 20 == 0:
                self._store()

    def _chosen(self, mutant: Mutant, items: Mapping[str, pytest.Item], seen: Mapping[str, Seen]) -> list[pytest.Item]:
        """The tests that execute the mutant, those first that are likely to notice it."""
        if self.settings.tests is not None:
            return list(items.values())
        path = str(mutant.path)
        lines = {(path, line) for line in mutant.lines}
        telling = {(path, line) for line in mutant.telling}
        function = (path, mutant.chain[-1][1])
        known = self._known.get(mutant.id)
        words = set(re.findall(r"[a-z]{4,}", mutant.subject.lower()))
        named = _cases_of(mutant.subject) if mutant.kind == "check" else frozenset()

        def rank(name: str) -> tuple[bool, ...]:
            observed = seen[name]
            return (
                name != known,
                not any(f"[{case}]" in name or f"-{case}]" in name for case in named),
                not (telling & observed.lines or function in observed.refusing),
                not any(word in name.lower() for word in words),
            )

        executing = [name for name in items if lines & seen[name].lines]
        executing.sort(key=lambda name: (*rank(name), seen[name].seconds))
        return [items[name] for name in executing]

    def count(self, status: str) -> int:
        """Results of a status."""
        return sum(result.status == status for result in self.results.values())


@contextmanager
def _scratch() -> Iterator[Path]:
    """A directory for temporary files; in memory where that is possible, because records are written with care."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="mutation-", dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def _share_election(session: pytest.Session, directory: Path) -> None:
    """Make the small election of the verifier's tests once for all forks; no test changes it."""
    for plugin in session.config.pluginmanager.get_plugins():
        if getattr(plugin, "__file__", None) == str(ROOT / "tests/verifier/conftest.py"):
            set_threads(1)  # a pool of threads would not survive a fork
            shared = SimpleNamespace(run=partial(_same, SmallElection(directory).run()))
            plugin.SmallElection = partial(_same, shared)


def _same(value: object, *_: object) -> object:
    return value


def _cases_of(check: str) -> frozenset[str]:
    """Names of the tampered records that a check must reject."""
    from tests.tampered.cases import CASES

    return frozenset(case.__name__ for case in CASES if check in case.checks)


def _result(mutant: Mutant | None, verdict: Verdict) -> Result:
    name, kind = (NOTHING, NOTHING) if mutant is None else (mutant.id, mutant.kind)
    status = "killed" if verdict.killed_by else "redundant" if name in REDUNDANT else "survived"
    return Result(name, kind, status, verdict.killed_by, verdict.message, verdict.tests, round(verdict.seconds, 3))


def test_files() -> list[str]:
    """The verifier's tests, and tests elsewhere that compare it with what it was not written from."""
    found = ["tests/verifier"]
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        place = path.relative_to(ROOT).as_posix()
        if place.startswith(("tests/verifier/", "tests/docs/", "tests/mutation/")):
            continue
        if re.search(r"^from verifier\b", path.read_text(), re.MULTILINE):
            found.append(place)
    return found


def execute(settings: Settings) -> Run:
    """Do it all.

    Raises:
        RuntimeError: the tests could not be collected or run.
    """
    settings.directory.mkdir(parents=True, exist_ok=True)
    lock = (settings.directory / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RuntimeError(f"another run is under way in {settings.directory}") from None
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    hypothesis.settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutation")
    if settings.tests is None:
        settings.show("writing tampered records")
        make_corpus(settings.directory / "records", settings.jobs, keep=settings.keep_records)
    run = Run(settings)
    arguments = ["-s", "-p", "no:cacheprovider", "-p", "no:terminal", "--rootdir", str(ROOT)]
    # Children of this process have a limit of their own.
    arguments += ["-p", "pytest_timeout", "-o", "timeout=0", *_selected(settings)]
    code = pytest.main(arguments, plugins=[run])
    lock.close()
    if run.error is not None:
        raise RuntimeError(str(run.error)) from run.error
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) or not run.results:
        raise RuntimeError(f"the tests could not be collected (pytest: {code!r})")
    return run


def _selected(settings: Settings) -> list[str]:
    return list(settings.tests) if settings.tests is not None else test_files()


def unknown_redundant(run: Run) -> Iterator[str]:
    """Entries of the list of redundant mutants that are no mutants, or are killed after all."""
    if run.settings.only is not None:
        return
    for name in REDUNDANT:
        if name not in run.results or run.results[name].status == "killed":
            yield name


__all__ = ["NOTHING", "Result", "Run", "Settings", "execute", "unknown_redundant"]
