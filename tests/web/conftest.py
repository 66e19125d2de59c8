"""Built pages and a browser for the tests of this folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.web.browser import CHROMIUM, Camera, chromium

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "web/dist"


@pytest.fixture(scope="session")
def dist() -> Path:
    """The pages, built from the sources as they are."""
    subprocess.run([ROOT / "tools/web.sh"], check=True, timeout=600, capture_output=True)
    if not (DIST / "SHA256SUMS").exists():
        pytest.skip("the pages are not built: no Node.js, or no package registry")
    return DIST


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Camera:
    return Camera(tmp_path_factory.mktemp("camera") / "live.mjpeg")


@pytest.fixture(scope="session")
def browser(camera: Camera) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    with sync_playwright() as playwright, chromium(playwright, camera.path) as browser:
        yield browser
