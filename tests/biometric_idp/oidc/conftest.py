"""One provider for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.biometric_idp.oidc.world import World, running_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("oidc")) as running:
        yield running
