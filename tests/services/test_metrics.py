"""What counters and log lines say, and that neither tells when something happened on a quiet route."""

from __future__ import annotations

import httpx

from tests.support.running import Service


def scraped(client: httpx.Client) -> list[str]:
    """What a scrape shows, but for the scrapes themselves."""
    return [line for line in client.get("/metrics").text.splitlines() if 'route="/metrics"' not in line]


def lines(service: Service, route: str) -> list[str]:
    return [line for line in service.text().splitlines() if f'"route": "{route}"' in line]


def test_requests_are_counted_and_logged_by_route_template(client: httpx.Client, service: Service) -> None:
    client.get("/square/7")
    assert any(line.startswith('requests_total{route="/square/{number}",status="200"}') for line in scraped(client))
    assert lines(service, "/square/{number}")
    assert "/square/7" not in service.text()


def test_C11_no_scrape_tells_when_a_quiet_route_was_asked(client: httpx.Client, service: Service) -> None:
    before = scraped(client)
    for _ in range(200):
        assert client.get("/quiet/2").status_code == 200
        assert client.get("/quiet/1").status_code == 409
    assert scraped(client) == before
    assert lines(service, "/quiet/{number}") == []


def test_a_server_error_on_a_quiet_route_is_counted_and_logged(client: httpx.Client, service: Service) -> None:
    assert client.get("/quiet/13").status_code == 500
    counted = [line for line in scraped(client) if line.startswith("requests_total") and "/quiet/" in line]
    assert counted == ['requests_total{route="/quiet/{number}",status="500"} 1.0']
    assert len(lines(service, "/quiet/{number}")) == 1
