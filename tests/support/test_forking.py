"""A forked process behaves as a started one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.forking import run_module, start_module


@pytest.mark.parametrize(
    "words",
    [
        ("biometric_idp.issuer.cli", "nonsense"),
        ("biometric_idp.registrar.cli", "--help"),
        ("json.tool", "no/such/file"),
    ],
)
def test_it_says_and_ends_as_a_started_one(words: tuple[str, ...]) -> None:
    forked = run_module(*words)
    started = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)


def test_it_is_a_process_of_its_own_that_can_be_killed(tmp_path: Path) -> None:
    with (tmp_path / "errors").open("wb") as errors:
        process = start_module("http.server", "0", stderr=errors)
    assert process.pid != os.getpid()
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.kill()
    assert process.wait(10) == -signal.SIGKILL
    process.terminate()
    process.stdout.close()


def test_one_that_does_not_end_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_module("http.server", "0", timeout=0.3)
