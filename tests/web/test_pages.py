"""The pages as files: reproducible, small, without third parties, readable for everybody; no service behind them."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.running import start_service
from tests.web.accessibility import sticks_out, violations
from tests.web.browser import Person
from tests.web.conftest import ROOT

pytestmark = pytest.mark.slow

#: Bytes of the vote page with everything that it loads, compressed.
BUDGET = 100_000


@pytest.fixture(scope="module")
def hosts(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of the identity and the voting host."""
    election = tmp_path_factory.mktemp("site") / "election"
    election.mkdir()
    site = {
        "format": "evoting-vote-page/v1",
        "origin": "test.example/log",
        "title": {"ky": "Сыноо шайлоосу", "ru": "Пробные выборы", "en": "Trial election"},
        "model": True,
        "identity": "http://id.localhost:1",
        "registrar": "http://registrar.localhost:1",
        "opening": None,
    }
    (election / "election.json").write_text(json.dumps(site))
    with (
        start_service("services.pages", dist / "identity", "--host-name", "id.localhost", "--camera") as identity,
        start_service("services.pages", dist / "voting", election.parent, "--host-name", "vote.localhost") as voting,
    ):
        yield {
            "identity": f"http://id.localhost:{identity.port}",
            "voting": f"http://vote.localhost:{voting.port}/voting-passkey/",
        }


@pytest.fixture
def person(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Person]:
    person = Person(browser, viewport={"width": 320, "height": 640})
    yield person
    person.close()
    assert person.violations == []


def test_the_same_sources_give_the_same_bytes(dist: Path) -> None:
    before = (dist / "SHA256SUMS").read_text()
    subprocess.run(["npm", "run", "--silent", "build"], cwd=ROOT / "web", check=True, capture_output=True, timeout=300)
    assert (dist / "SHA256SUMS").read_text() == before
    for line in before.splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest


def test_the_vote_page_keeps_its_budget(dist: Path) -> None:
    files = [path for path in (dist / "voting").rglob("*") if path.is_file()]
    assert len(files) == 3
    assert sum(len(gzip.compress(path.read_bytes(), mtime=0)) for path in files) < BUDGET


def test_pages_name_no_other_host_and_run_nothing_inline(dist: Path) -> None:
    for path in dist.rglob("*.html"):
        text = path.read_text()
        assert re.findall(r"https?://", text) == []
        assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|style=", text) == []
        assert len(re.findall(r'integrity="sha384-', text)) == 2
    for path in dist.rglob("*.js"):
        assert re.findall(r"\beval\(|new Function\(|sourceMappingURL", path.read_text()) == []
    lock = (ROOT / "web/package-lock.json").read_text()
    assert "resolved" not in lock


def test_a_script_with_one_byte_changed_does_not_run(browser: Browser, dist: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    subprocess.run(["cp", "-r", dist / "identity", site], check=True)
    script = site / "assets/identity.js"
    script.write_bytes(script.read_bytes() + b"\n")
    person = Person(browser)
    with start_service("services.pages", site, "--host-name", "id.localhost") as host:
        person.page.goto(f"http://id.localhost:{host.port}/")
        person.page.wait_for_timeout(500)
        assert person.page.locator("h1").count() == 0
        assert any("integrity" in text for text in person.violations)
    person.close()


@pytest.mark.parametrize("language", ["ky", "ru", "en"])
@pytest.mark.parametrize("host", ["identity", "voting"])
def test_a_page_speaks_the_language_keeps_it_and_fits_320_pixels(
    person: Person, hosts: dict[str, str], host: str, language: str
) -> None:
    page = person.page
    page.goto(hosts[host])
    expect(page.locator("html")).to_have_attribute("lang", "ky")
    page.locator(f"nav button[lang={language}]").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", language)
    page.wait_for_selector("h1")
    assert page.locator("text=/[{][a-z-]+[}]/").count() == 0
    assert sticks_out(page) == []
    assert violations(page) == []


def test_dark_high_contrast_and_double_size_stay_readable(browser: Browser, hosts: dict[str, str]) -> None:
    for options in ({"color_scheme": "dark"}, {"forced_colors": "active"}, {"viewport": {"width": 640, "height": 800}}):
        person = Person(browser, **options)
        person.page.goto(hosts["identity"])
        person.page.wait_for_selector("h1")
        if "viewport" in options:
            person.page.evaluate("document.documentElement.style.zoom = '2'")
        person.page.locator("button.main").click()
        assert violations(person.page) == []
        assert sticks_out(person.page) == []
        person.close()
        assert person.violations == []


def test_enrolment_can_be_begun_with_the_keyboard_alone(person: Person, hosts: dict[str, str]) -> None:
    page = person.page
    page.goto(hosts["identity"])
    expect(page.locator("h1")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#pin")).to_be_focused()
    page.keyboard.type("123")
    page.keyboard.press("Enter")
    expect(page.locator("#pin")).to_be_focused()
    expect(page.locator("#pin")).to_have_attribute("aria-invalid", "true")
    assert "pin-error" in (page.locator("#pin").get_attribute("aria-describedby") or "")
    page.keyboard.type("45678901234")
    page.keyboard.press("Enter")
    expect(page.locator("#mrz")).to_be_focused()
    assert violations(page) == []


def test_a_model_election_is_marked_and_a_code_does_not_stay_in_the_address(
    person: Person, hosts: dict[str, str]
) -> None:
    page = person.page
    page.goto(hosts["voting"] + "#purpose=ticket&code=secret")
    expect(page.locator(".model")).to_be_visible()
    assert person.problem() == "not-open"
    assert "secret" not in page.url
    page.goto("about:blank")
    page.go_back()
    page.wait_for_selector("h1")
    assert "secret" not in page.url
    page.goto(hosts["voting"] + "?again#purpose=voting-passkey&code=secret")
    assert person.problem() == "network"
    assert violations(page) == []
    # This host was started without the identity host among those that its pages may call: the policy holds.
    assert any("connect-src" in text for text in person.violations)
    person.violations.clear()
