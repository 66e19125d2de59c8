"""Every code that a document can be refused with is in the catalogue, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import biometric_idp.documents
from services.problems import read_catalogue

PACKAGE = Path(biometric_idp.documents.__file__).parent
CODE = re.compile(r'"((?:mrz|document|chip)-[a-z-]+)"')


def test_every_code_has_a_sentence_in_three_languages_and_a_next_step() -> None:
    common = set(read_catalogue().entries)
    told = set(read_catalogue(PACKAGE / "problems.toml").entries) - common
    # Names of MRZ fields look like codes of documents.
    fields = {"document-number", "document-code"}
    raised = {code for path in PACKAGE.glob("*.py") for code in CODE.findall(path.read_text())} - fields
    assert raised == told
