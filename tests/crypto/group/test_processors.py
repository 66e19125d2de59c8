"""One shared object runs on processors with and without the vector instructions it prefers (ADR 0004)."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crypto.group import native_available

PROGRAM = """
from crypto.group import load_group, load_pairing_group, set_threads
set_threads(1)
group, pairing = load_group("native"), load_pairing_group("native")
scalars = group.powers(7, 300)
points = group.fixed_base(group.generator()).mul(scalars)
assert group.msm(scalars, points) == group.generator().mul_vartime(group.scalars([scalars.inner(scalars)]))
assert group.elements_decode(points.encode(), allow_identity=False) == points
hashed = pairing.hash_to_g1([b"message"], b"tag")
assert pairing.g1_decode(hashed.encode()) == hashed
print(points.sum().encode().hex(), hashed.encode().hex())
"""


@pytest.mark.full
@pytest.mark.parametrize("processor", ["Nehalem", "Haswell", "max"])
def test_other_processors_compute_the_same(processor: str) -> None:
    emulator = shutil.which("qemu-x86_64")
    if emulator is None or platform.machine() != "x86_64" or not native_available():
        pytest.skip("needs the native arithmetic on x86-64 and qemu-x86_64 (Debian: qemu-user)")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["." if part == "" else part for part in sys.path])}
    python = str(Path(sys.executable).resolve())
    results = [
        subprocess.run(
            [*prefix, python, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment, timeout=600
        ).stdout
        for prefix in ([], [emulator, "-cpu", processor])
    ]
    assert results[0] == results[1] != ""
