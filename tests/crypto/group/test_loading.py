"""Choosing an implementation, and that both are whole."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from types import ModuleType

import pytest

import crypto.group as api
from crypto.group import Group, PairingGroup, interface, load_group, load_pairing_group, native_available, set_threads


def methods(protocol: type) -> dict[str, inspect.Signature]:
    wanted = {"__len__", "__getitem__", "__eq__", "__add__", "__sub__", "__mul__", "__neg__"}
    return {
        name: inspect.signature(member)
        for name, member in vars(protocol).items()
        if inspect.isfunction(member) and (name in wanted or not name.startswith("_"))
    }


def implementations(name: str) -> list[tuple[type, type]]:
    group, pairing = load_group(name), load_pairing_group(name)
    samples: list[tuple[type, object]] = [
        (interface.Group, group),
        (interface.ScalarVector, group.scalars([1])),
        (interface.ElementVector, group.generator()),
        (interface.FixedBase, group.fixed_base(group.generator())),
        (interface.PairingGroup, pairing),
        (interface.G1Vector, pairing.g1_generator()),
        (interface.G2Vector, pairing.g2_generator()),
    ]
    return [(protocol, type(sample)) for protocol, sample in samples]


@pytest.mark.parametrize("name", ["native", "portable"])
def test_implementation_has_every_operation(name: str) -> None:
    if name == "native" and not native_available():
        pytest.skip("the native arithmetic is not built here")
    for protocol, implementation in implementations(name):
        for method, expected in methods(protocol).items():
            found = getattr(implementation, method, None)
            assert found is not None, f"{implementation.__name__}.{method}"
            if method.startswith("_"):
                continue
            shape = [(p.name, p.kind, p.default) for p in inspect.signature(found).parameters.values()]
            wanted = [(p.name, p.kind, p.default) for p in expected.parameters.values()]
            if shape[:1] and shape[0][0] == "self":
                shape = shape[1:]
            assert [item[0] for item in shape] == [item[0] for item in wanted if item[0] != "self"], method


def test_default_is_native_where_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(api.ARITHMETIC_VARIABLE, raising=False)
    assert load_group().name == ("native" if native_available() else "portable")
    assert load_group() is load_group()


def test_environment_overrides_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(api.ARITHMETIC_VARIABLE, "portable")
    assert load_group().name == load_pairing_group().name == "portable"
    if native_available():
        assert load_group("native").name == "native"


def test_unknown_name_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="^unknown arithmetic 'gmp'"):
        load_group("gmp")
    monkeypatch.setenv(api.ARITHMETIC_VARIABLE, "Native")
    with pytest.raises(ValueError, match="^unknown arithmetic 'Native'"):
        load_pairing_group()


def run(program: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment, timeout=60
    )
    return done.stdout.strip()


def test_without_native_module_portable_is_the_default() -> None:
    program = (
        "import sys; sys.modules['crypto.group._native'] = None\n"
        "from crypto.group import load_group, set_threads, native_available\n"
        "set_threads(1)\n"
        "print(load_group().name, native_available())\n"
        "try: load_group('native')\n"
        "except ValueError as error: print(error)\n"
    )
    lines = run(program).splitlines()
    assert lines[0] == "portable False"
    assert lines[1].startswith("the native arithmetic is not built here")


def test_portable_shares_no_code_with_native() -> None:
    """Loading and using the portable arithmetic must not even import the compiled module."""
    program = (
        "import sys\n"
        "from crypto.group import load_group, load_pairing_group\n"
        "g = load_group('portable'); g.msm(g.scalars([3]), g.generator()); load_pairing_group('portable')\n"
        "print([name for name in sys.modules if 'native' in name])\n"
    )
    assert run(program) == "[]"


@pytest.mark.parametrize("threads", [0, 1, 2, 5])
def test_results_do_not_depend_on_threads(threads: int) -> None:
    if not native_available():
        pytest.skip("the native arithmetic is not built here")
    group = load_group("native")
    scalars = group.powers(99, 5000)
    expected = group.generator().mul(group.scalars([scalars.inner(scalars)]))
    try:
        set_threads(threads)
        points = group.fixed_base(group.generator()).mul_vartime(scalars)
        assert group.msm(scalars, points) == expected
        data = points.encode()
        assert group.msm_decode(scalars, data, allow_identity=False) == expected
        assert group.elements_decode(data, allow_identity=False) == points
    finally:
        set_threads(0)


def test_forked_process_can_compute() -> None:
    """Worker threads do not survive a fork; the child must get its own."""
    if not native_available():
        pytest.skip("the native arithmetic is not built here")
    program = (
        "import os\n"
        "from crypto.group import load_group, set_threads\n"
        "set_threads(2)\n"
        "g = load_group('native'); s = g.powers(3, 4000); p = g.fixed_base(g.generator()).mul(s); expected = p.sum()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if g.msm(g.powers(1, 4000), p) == expected else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert run(program) == "0"


def test_negative_threads_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        set_threads(-1)


def test_public_names_exist() -> None:
    assert isinstance(api, ModuleType)
    assert all(hasattr(api, name) for name in api.__all__)
    assert Group is interface.Group
    assert PairingGroup is interface.PairingGroup
