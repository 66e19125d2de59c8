"""One sample service for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.running import Service, start_service


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with start_service("tests.services.sample", 0) as process:
        yield process


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=30) as client:
        yield client
