"""Unit tests of the TypeScript (vitest): worked vectors byte for byte, hostile issuers, texts in three languages."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.web.conftest import ROOT

pytestmark = pytest.mark.slow


def test_the_typescript_passes_its_own_tests(dist: Path) -> None:
    done = subprocess.run(
        ["npm", "run", "--silent", "test"], cwd=ROOT / "web", capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
