"""Checks of a page as it is shown now: WCAG 2.2 AA by axe, and that nothing sticks out of a small screen."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "web/node_modules/axe-core/axe.min.js"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


#: Where pictures of every page that is checked go, to be looked at; nowhere without it.
_PICTURES = os.environ.get("WEB_PICTURES")
_numbers = count()


def take_picture(page: Page) -> None:
    if _PICTURES:
        page.screenshot(path=Path(_PICTURES) / f"{next(_numbers):02}.png", full_page=True)


def violations(page: Page) -> list[str]:
    """What axe objects to, with the elements. The script goes in by the debugger, which the page's policy allows."""
    take_picture(page)
    page.evaluate(AXE.read_text() + "; true")
    found: list[dict[str, Any]] = page.evaluate(
        "tags => axe.run(document, {runOnly: tags}).then(result => result.violations)", _TAGS
    )
    return [f"{item['id']}: {[node['html'][:120] for node in item['nodes']]}" for item in found]


def sticks_out(page: Page) -> list[str]:
    """Elements that are wider than the screen."""
    found: list[str] = page.evaluate(
        """() => [...document.body.querySelectorAll('*')]
            .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
            .map(e => e.outerHTML.slice(0, 120))"""
    )
    return found
