"""The revisions make exactly the tables of the models, on both kinds of database."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from biometric_idp.idp import app as idp_app
from biometric_idp.registrar import app as registrar_app
from services.migrations import differences, upgrade


@pytest.mark.parametrize("app", [idp_app, registrar_app], ids=["idp", "registrar"])
def test_models_and_revisions_agree(app: object, engine: Engine) -> None:
    for _ in range(2):
        upgrade(engine, app.MIGRATIONS, app.SERVICE)  # type: ignore[attr-defined]
    with engine.connect() as connection:
        for metadata in app.SCHEMAS:  # type: ignore[attr-defined]
            assert differences(connection, metadata, app.SERVICE) == []  # type: ignore[attr-defined]
