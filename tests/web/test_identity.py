"""A voter's whole way in a real browser against the real processes: face, passkeys, code, credential; and refusals.

The order of liveness actions is fixed by a setting that a deployment refuses unless it is MODEL, because a recording
cannot follow a random one. Recordings are warped portraits: that they pass is no accident, and documentation says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import wraps
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.web.accessibility import sticks_out, violations
from tests.web.browser import Camera, Person
from tests.web.recordings import ORDER, Recording, recording
from tests.web.stage import Stage

pytestmark = pytest.mark.slow

#: Who is in the register under which portrait; each test has voters of its own.
PORTRAITS = ("obama",) * 7
VOTER, OTHER_FACE, STILL, REPLAY, WRONG_ORDER, LATE, UNVERIFIED = range(7)
PERSON = "obama"
#: What a person is told whose computer, or this one, was too busy for the camera. They try again, and so do tests; with
#: a recording of its own each time, because the one before is known.
STALLED = {"liveness-too-few-frames", "liveness-too-late"}
ATTEMPTS = 4
#: A claim over 320 pixels is checked at every step of the whole way.
SMALL: dict[str, Any] = {"viewport": {"width": 320, "height": 640}}


@pytest.fixture(scope="module")
def stage(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ExitStack() as stack:
        stage = Stage(tmp_path_factory.mktemp("stage"), dist, PORTRAITS, stack)
        stage.begin()
        yield stage


@pytest.fixture
def person(browser: Browser) -> Iterator[Person]:
    person = Person(browser, **SMALL)
    yield person
    person.close()
    assert person.violations == []


def main_button(page: Page) -> None:
    page.locator("main button.main:visible").first.click()


def begin_enrolment(stage: Stage, person: Person, voter: int) -> None:
    """From the first page to the camera step."""
    page = person.page
    page.goto(stage.id_origin)
    main_button(page)
    page.fill("#pin", stage.people[voter].pin)
    page.fill("#mrz", "\n".join(stage.people[voter].mrz))
    main_button(page)
    page.wait_for_selector(".camera", state="attached")


def show_face(stage: Stage, person: Person, voter: int, camera: Camera, frames: list[bytes]) -> str:
    """From the first page through the camera step; the code of the refusal, empty if the page goes on."""
    begin_enrolment(stage, person, voter)
    camera.play(frames)
    main_button(person.page)
    return outcome(person)


def outcome(person: Person) -> str:
    passed = person.page.locator("main button.main:visible >> text=/Ачкыч түзүү/")
    person.page.locator(".problem").or_(passed).wait_for(timeout=60_000)
    return "" if passed.is_visible() else person.problem()


def pass_liveness(stage: Stage, person: Person, voter: int, camera: Camera) -> Recording:
    """To the passkey step, with the recording that brought it there."""
    for seed in range(ATTEMPTS):
        shown = recording(PERSON, seed)
        code = show_face(stage, person, voter, camera, shown.play(*ORDER))
        if not code:
            return shown
        assert code in STALLED
    raise AssertionError("the computer was too busy each time")


def sign_in(stage: Stage, person: Person) -> None:
    """From anywhere to the own page."""
    page = person.page
    page.goto(stage.id_origin)
    page.locator("main .choice button").nth(1).click()
    main_button(page)
    page.wait_for_selector("section.choice")


def hand_over(person: Person, which: int) -> None:
    """To the voting host: 0 for the voting passkey, 1 for the credential."""
    person.page.locator("section.choice button").nth(which).click()
    person.page.wait_for_url("**/voting-passkey/")


def assert_readable(person: Person) -> None:
    assert violations(person.page) == []
    assert sticks_out(person.page) == []
    assert person.page.locator("text=/[{][a-z-]+[}]/").count() == 0


# Refusals before anybody is enrolled: each voter is another one, and the same face may be shown for all of them.


def refused(
    stage: Stage, person: Person, voter: int, camera: Camera, whose: str, frames: Callable[[Recording], list[bytes]]
) -> str:
    """The code of the refusal that is not the computer's fault."""
    code = ""
    for seed in range(ATTEMPTS):
        code = show_face(stage, person, voter, camera, frames(recording(whose, seed)))
        if code not in STALLED:
            break
    return code


def test_the_other_persons_face_is_refused(stage: Stage, person: Person, camera: Camera) -> None:
    assert refused(stage, person, OTHER_FACE, camera, "biden", lambda shown: shown.play(*ORDER)) == "face-mismatch"
    assert_readable(person)
    assert person.passkeys() == []


def test_a_still_image_is_refused(stage: Stage, person: Person, camera: Camera) -> None:
    assert refused(stage, person, STILL, camera, PERSON, Recording.still) == "liveness-no-movement"


def test_a_wrong_order_is_refused(stage: Stage, person: Person, camera: Camera) -> None:
    def wrong(shown: Recording) -> list[bytes]:
        return shown.play("turn-right", "blink", "turn-left")

    assert refused(stage, person, WRONG_ORDER, camera, PERSON, wrong) == "liveness-wrong-order"


def test_late_frames_are_refused(stage: Stage, person: Person, camera: Camera) -> None:
    begin_enrolment(stage, person, LATE)
    camera.play(recording(PERSON, 0).play(*ORDER))
    opened = 0.0
    held = False

    def slow(route: Route) -> None:
        nonlocal held
        if not held and time.monotonic() - opened > 6.0:
            # In the middle of the first turn, for longer than an action may take. The recording goes on meanwhile.
            held = True
            time.sleep(11)
        route.continue_()

    person.page.route("**/liveness/frames*", slow)
    opened = time.monotonic()
    main_button(person.page)
    assert person.problem() == "liveness-too-late"
    assert held


def test_a_replay_of_an_earlier_session_is_refused(stage: Stage, person: Person, camera: Camera) -> None:
    # Live the first time: the page goes on to the passkey, which is not made.
    shown = pass_liveness(stage, person, REPLAY, camera)
    assert show_face(stage, person, REPLAY, camera, shown.play(*ORDER)) == "liveness-replayed"


def test_without_user_verification_no_passkey_is_made(stage: Stage, person: Person, camera: Camera) -> None:
    """The browser refuses; and where a page is tampered with so that it does not ask, the service refuses."""
    pass_liveness(stage, person, UNVERIFIED, camera)
    page = person.page
    person.verify_user(False)
    page.evaluate(IMPATIENT)
    main_button(page)
    assert person.problem() == "passkey-refused"
    person.use_plain_security_key()
    page.evaluate(WEAKEN)
    with page.expect_response("**/v1/enrolments/passkey") as answer:
        main_button(page)
    assert answer.value.status >= 400
    assert answer.value.json()["code"] == "passkey-refused"
    expect(page.locator("text=/^Кирүү$/")).to_have_count(0)


#: Chromium waits for another authenticator as long as the options say; here only its least, ten seconds.
IMPATIENT = """() => {
    for (const name of ['create', 'get']) {
        const real = navigator.credentials[name].bind(navigator.credentials);
        navigator.credentials[name] = options => {
            options.publicKey.timeout = 1;
            return real(options);
        };
    }
}"""

#: A page in the attacker's hands that does without user verification.
WEAKEN = """() => {
    for (const name of ['create', 'get']) {
        const real = navigator.credentials[name].bind(navigator.credentials);
        navigator.credentials[name] = options => {
            const selection = options.publicKey.authenticatorSelection;
            // A security key without PIN can make no discoverable passkey.
            if (selection) Object.assign(selection,
                {userVerification: 'discouraged', residentKey: 'discouraged', requireResidentKey: false});
            options.publicKey.userVerification = 'discouraged';
            // A passkey's secret would demand verification again.
            delete options.publicKey.extensions;
            return real(options);
        };
    }
}"""


# The whole way of one voter, in one browser profile: each step goes on where the one before ended.


@pytest.fixture(scope="module")
def voter(browser: Browser) -> Iterator[Person]:
    person = Person(browser, **SMALL)
    yield person
    person.close()


def step(number: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A step is tried after the one before it passed; otherwise it would only wait for what cannot come."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def run(*, voter: Person, **others: Any) -> None:
            assert voter.steps == number - 1, "a step before this one failed"
            test(voter=voter, **others)
            voter.steps = number

        return run

    return decorate


@step(1)
def test_1_enrolment_with_a_real_face(stage: Stage, voter: Person, camera: Camera) -> None:
    prompts: list[str] = []
    voter.page.expose_function("prompted", lambda action: prompts.append(action))
    begin_enrolment(stage, voter, VOTER)
    assert_readable(voter)
    voter.page.add_init_script(WATCH_PROMPTS)
    pass_liveness(stage, voter, VOTER, camera)
    # Of the attempt that passed: one that stalled may have asked for the first of them.
    assert tuple(name for name, _ in groupby(prompts))[-len(ORDER) :] == ORDER
    assert_readable(voter)
    main_button(voter.page)
    voter.page.wait_for_selector("main button.main:visible >> text=/^Кирүү$/")
    (passkey,) = voter.passkeys()
    assert passkey["rpId"] == "id.localhost"


#: Tells the test what the page asks for, and takes note only when that changes.
WATCH_PROMPTS = """document.addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
    const action = document.querySelector('.prompt')?.dataset.action;
    if (action) prompted(action);
}).observe(document.body, {subtree: true, childList: true, attributes: true}))"""


@step(2)
def test_2_sign_in_and_own_page(stage: Stage, voter: Person) -> None:
    sign_in(stage, voter)
    assert_readable(voter)
    expect(voter.page.locator(".model")).to_be_visible()
    assert voter.page.evaluate("document.cookie + JSON.stringify(sessionStorage)") == "{}"


@step(3)
def test_3_a_voting_passkey_is_confirmed_with_the_registrars_code(stage: Stage, voter: Person) -> None:
    page = voter.page
    hand_over(voter, 0)
    page.wait_for_selector("main button.main:visible")
    assert "code" not in page.url
    assert_readable(voter)
    main_button(page)
    digest = page.locator("code[data-digest]")
    digest.wait_for()
    shown = digest.inner_text()
    whole = digest.get_attribute("data-digest") or ""
    assert whole.startswith(shown)
    assert len(shown) == 8
    assert_readable(voter)
    page.fill("#code", "00000000")
    main_button(page)
    assert voter.problem() == "code-wrong"
    page.fill("#code", stage.code_for(stage.people[VOTER], shown))
    main_button(page)
    page.wait_for_selector("h1 >> text=/катталды/")
    assert {item["rpId"] for item in voter.passkeys()} == {"id.localhost", "vote.localhost"}


@step(4)
def test_4_before_the_opening_there_is_no_credential(stage: Stage, voter: Person) -> None:
    sign_in(stage, voter)
    hand_over(voter, 1)
    assert voter.problem() == "not-open"


@step(5)
def test_5_issuers_refuse_a_passkey_that_did_not_verify_its_user(stage: Stage, voter: Person) -> None:
    """The page is tampered with, so that it asks without user verification; all four issuers refuse on their own."""
    stage.open(enrolled=1)
    sign_in(stage, voter)
    hand_over(voter, 1)
    page = voter.page
    page.wait_for_selector("main button.main:visible")
    assert_readable(voter)
    voter.verify_user(False)
    page.evaluate(IMPATIENT)
    main_button(page)
    assert voter.problem() == "passkey-refused"
    page.evaluate(WEAKEN)
    main_button(page)
    expect(page.locator("[data-outcome=refused]")).to_have_count(4, timeout=30_000)
    assert voter.problem() == "too-few-issuers"
    assert "user-verified" in page.locator("[data-issuer='1']").inner_text()
    voter.verify_user(True)


def stored(page: Page) -> list[dict[str, Any]]:
    """Wallet records in the browser's database, without their bytes."""
    records: list[dict[str, Any]] = page.evaluate(
        """() => new Promise((resolve, reject) => {
            const opening = indexedDB.open('evoting');
            opening.onerror = () => reject(opening.error);
            opening.onupgradeneeded = () => reject(new Error('no wallet was ever stored'));
            opening.onsuccess = () => {
                const asked = opening.result.transaction('wallets').objectStore('wallets').getAll();
                asked.onsuccess = () => resolve(asked.result.map(
                    record => ({...record, sealed: [...record.sealed], blinded: [...record.blinded]})));
            };
        })"""
    )
    return records


@step(6)
def test_6_the_credential_is_obtained_with_one_issuer_down(stage: Stage, voter: Person) -> None:
    """The wallet of the refused attempt is used again; its pseudonym never changes."""
    page = voter.page
    before = stored(page)
    assert [record["issued"] for record in before] == [False]
    page.route(f"{stage.issuer_origins[2]}/**", lambda route: route.abort())
    sign_in(stage, voter)
    hand_over(voter, 1)
    page.wait_for_selector("main button.main:visible")
    main_button(page)
    page.wait_for_selector("[data-sealing]")
    # The tampered page did without the passkey's secret, so that wallet was sealed by the browser's key.
    assert page.locator("[data-sealing]").get_attribute("data-sealing") == "browser"
    assert_readable(voter)
    (after,) = stored(page)
    assert after["issued"]
    assert after["blinded"] == before[0]["blinded"]
    assert after["sealed"] != before[0]["sealed"]
    assert voter.violations == []


@step(7)
def test_7_another_device_of_the_same_voter_gets_no_second_credential(stage: Stage, voter: Person) -> None:
    """C1 as a person meets it: the wallet is gone. The issuer that was down signs another pseudonym; one is too few."""
    page = voter.page
    page.evaluate(
        """() => new Promise(resolve => {
            const opening = indexedDB.open('evoting');
            opening.onsuccess = () => {
                const change = opening.result.transaction('wallets', 'readwrite');
                change.objectStore('wallets').clear();
                change.oncomplete = () => { opening.result.close(); resolve(); };
            };
        })"""
    )
    sign_in(stage, voter)
    # Only now: the page before this one was still trying to reach the issuer with its first request.
    page.unroute_all()
    hand_over(voter, 1)
    page.wait_for_selector("main button.main:visible")
    main_button(page)
    expect(page.locator("[data-outcome=refused]")).to_have_count(3, timeout=30_000)
    assert page.locator("[data-issuer='3']").get_attribute("data-outcome") == "valid"
    assert voter.problem() == "already-issued"
    assert_readable(voter)
    # An untampered page seals under the passkey's own secret, and says before it asks anybody.
    assert [(record["sealing"], record["issued"]) for record in stored(page)] == [("passkey", False)]
