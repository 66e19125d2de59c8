"""Every code that this package can raise has sentences and a next step, and there are no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import biometric_idp.biometrics
from biometric_idp.biometrics.errors import Busy
from biometric_idp.biometrics.liveness_rules import FAILURES
from services.problems import read_catalogue

PACKAGE = Path(biometric_idp.biometrics.__file__).parent
RAISED = re.compile(
    r'(?:ImageRefused|TemplateMismatch|MatcherUnavailable|WorkerFailed|VaultError|FrameRefused)\(\s*"([a-z-]+)"'
)


def test_every_code_has_texts_in_three_languages() -> None:
    source = "".join(path.read_text() for path in PACKAGE.glob("*.py"))
    raised = {*RAISED.findall(source), *FAILURES}
    catalogue = read_catalogue(PACKAGE / "problems.toml")
    common = read_catalogue().entries.keys()
    assert len(raised) > 20
    assert catalogue.entries.keys() - common == raised
    assert Busy().code in common


@pytest.mark.parametrize("code", ["busy", "matcher-timeout", "matcher-unavailable"])
def test_what_goes_away_by_waiting_is_503(code: str) -> None:
    assert read_catalogue(PACKAGE / "problems.toml")[code].status == 503
