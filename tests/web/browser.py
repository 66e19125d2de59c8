"""Headless Chromium with a virtual authenticator and a camera that plays a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Playwright

CHROMIUM = shutil.which("chromium")
_FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


class Camera:
    """A file that Chromium plays from its first frame whenever a page opens the camera, so that it can be exchanged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def play(self, frames: Sequence[bytes], per_second: int = 10) -> None:
        """What the camera sees from its next opening on. Chromium plays 30 frames a second, so each is repeated."""
        new = self.path.with_suffix(".new")
        new.write_bytes(b"".join(frame * (30 // per_second) for frame in frames))
        os.replace(new, self.path)


@contextmanager
def chromium(playwright: Playwright, camera: Path) -> Iterator[Browser]:
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*_FLAGS, f"--use-file-for-fake-video-capture={camera}"]
    )
    try:
        yield browser
    finally:
        browser.close()


class Person:
    """One browser profile with one device: a page, its authenticator, and what went wrong on the page.

    Attributes:
        steps: how many steps of a way through several tests are behind this person.
    """

    steps = 0

    def __init__(self, browser: Browser, *, language: str = "ky", has_prf: bool = True, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(**options)
        self.context.grant_permissions(["camera"])
        self.context.add_init_script(f"try {{ localStorage.language ??= '{language}' }} catch {{}}")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.violations: list[str] = []
        self.page.on("console", lambda message: self._note(message.text))
        self.page.on("pageerror", lambda error: self.violations.append(str(error)))
        self.devtools: CDPSession = self.context.new_cdp_session(self.page)
        self.devtools.send("WebAuthn.enable")
        self.authenticator: str = self.devtools.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "ctap2Version": "ctap2_1",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                    "hasPrf": has_prf,
                }
            },
        )["authenticatorId"]

    def _note(self, text: str) -> None:
        if "Content Security Policy" in text or "Trusted Type" in text or "integrity" in text:
            self.violations.append(text)

    def verify_user(self, verified: bool) -> None:
        """Whether the authenticator finds that it is the user."""
        self.devtools.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self.authenticator, "isUserVerified": verified}
        )

    def use_plain_security_key(self) -> None:
        """Another authenticator instead: a security key without PIN, which cannot verify its user at all."""
        self.devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.authenticator})
        options = {
            "protocol": "ctap2",
            "transport": "usb",
            "hasResidentKey": False,
            "hasUserVerification": False,
            "automaticPresenceSimulation": True,
        }
        answer = self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.authenticator = answer["authenticatorId"]

    def passkeys(self) -> list[dict[str, Any]]:
        answer = self.devtools.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})
        return list(answer["credentials"])

    def problem(self, timeout: float = 60_000) -> str:
        """The code of the error that the page shows."""
        box = self.page.locator(".problem")
        box.wait_for(timeout=timeout)
        return box.get_attribute("data-code") or ""

    def close(self) -> None:
        self.context.close()
