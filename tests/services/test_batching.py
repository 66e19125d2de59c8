"""Requests that arrive together are worked on together, and each gets its own answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.support.running import start_service


def test_each_of_many_concurrent_requests_gets_its_own_answer(client: httpx.Client) -> None:
    numbers = [number for number in range(300) if number != 13]
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda number: client.get(f"/square/{number}").json(), numbers))
    assert answers == [number * number for number in numbers]
    sizes = client.get("/sizes").json()
    assert sum(sizes) >= len(numbers)
    assert 1 < max(sizes) <= 64


def test_a_batch_that_fails_fails_for_its_requests_only(client: httpx.Client) -> None:
    assert client.get("/square/13").status_code == 500
    assert client.get("/square/12").json() == 144


def test_a_service_that_is_asked_to_stop_ends_by_itself() -> None:
    with start_service("tests.services.sample", 0) as process:
        assert httpx.get(f"{process.url}/healthz").status_code == 204
        assert process.stop() == 0
