"""Requests drawn from each service's own OpenAPI document: lawful and broken ones, by nobody and by signed-in people.

No request may end in a server error, and every answer must be one that the document tells of: status, media type,
headers, body. An answer 503 is one of the document's too, with a code that says what to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.serialization import serialize_binary

from services.openapi import PROBLEM
from tests.fuzz.targets import Target, all_targets
from tests.support.running import start_service


@schemathesis.serializer("application/cbor")
def send_bytes(_: object, value: Any) -> bytes:
    """A body of bytes goes as it is, and what was drawn instead of one in words."""
    return serialize_binary(value)


AnyCase = Case[Any]
Operation = APIOperation[Any, Any, Any, Any]
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SERVICES = ("idp", "registrar", "issuer", "witness")
SEED = 2027
#: Another party behind the service, or the service itself, cannot do it now; the document says so.
TOLD = (502, 503)
FEW, MANY = 4, 200


@pytest.fixture(scope="module", name="targets")
def fixture_targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Target]]:
    with all_targets(tmp_path_factory.mktemp("targets")) as targets:
        yield targets


def operations(target: Target) -> list[Operation]:
    """All of the document; those that end a session come last."""
    document = httpx.get(f"{target.url}/openapi.json").raise_for_status().json()
    found: list[Operation] = []
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(result, Ok), result
        found.append(result.ok())
    assert found
    return sorted(found, key=lambda operation: operation.path == "/v1/sign-out")


def fill_in(case: AnyCase, known: Mapping[str, Any], draw: st.DataObject) -> None:
    """Put values that exist here in place of some made-up ones, so that requests get further than the first check."""
    if isinstance(case.body, dict):
        for name in sorted(case.body.keys() & known.keys()):
            if draw.draw(st.booleans()):
                case.body[name] = known[name]
    for name in sorted(case.query.keys() & known.keys()):
        if draw.draw(st.booleans()):
            case.query[name] = known[name]
    if "request" in known and draw.draw(st.booleans()):
        data = bytearray(known["request"])
        at = draw.draw(st.integers(0, len(data) - 1))
        data[at] ^= draw.draw(st.integers(0, 255))
        case.body = bytes(data[: draw.draw(st.sampled_from([len(data), at]))])
    if "election" in case.path_parameters and "election id" in known and draw.draw(st.booleans()):
        case.path_parameters["election"] = known["election id"]


def hold(case: AnyCase, target: Target, headers: Mapping[str, str]) -> None:
    """Send a request and hold the answer against the document."""
    response = case.call(base_url=target.url, headers=dict(headers), timeout=60, allow_redirects=False)
    if response.status_code >= 500:
        assert response.status_code in TOLD, f"{response.status_code}: {response.text}"
        assert response.headers.get("content-type") == [PROBLEM], response.text
    case.validate_response(response, checks=CHECKS)


@dataclass(frozen=True)
class Plan:
    """How many examples for each operation, kind of request and caller."""

    examples: int
    seed: int

    def settings(self) -> settings:
        return settings(
            max_examples=self.examples,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )


def fuzz(operation: Operation, mode: GenerationMode, target: Target, headers: Mapping[str, str], plan: Plan) -> int:
    """Gives how many requests were sent; raises what the first failure raised."""
    sent = 0

    @with_seed(plan.seed)
    @plan.settings()
    @given(case=operation.as_strategy(generation_mode=mode), draw=st.data())
    def send(case: AnyCase, draw: st.DataObject) -> None:
        nonlocal sent
        sent += 1
        fill_in(case, target.known, draw)
        hold(case, target, headers)

    try:
        send()
    except Unsatisfiable:
        # An operation without parameters and body has no broken requests.
        assert mode is GenerationMode.NEGATIVE
    return sent


def run(target: Target, plan: Plan) -> int:
    """Every operation, lawful and broken requests, every caller. Gives how many requests were sent.

    Raises:
        AssertionError: with every operation that failed.
    """
    failed: list[str] = []
    sent = 0
    for operation in operations(target):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for caller, headers in target.callers.items():
                try:
                    sent += fuzz(operation, mode, target, headers, plan)
                except (Exception, FailureGroup) as error:  # noqa: BLE001  (all are reported together)
                    failed.append(f"{operation.label} ({mode.value}, by {caller}): {type(error).__name__}: {error}")
    assert not failed, "\n\n".join(failed)
    return sent


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
def test_every_answer_is_one_that_the_openapi_document_tells_of(targets: dict[str, Target], service: str) -> None:
    assert run(targets[service], Plan(FEW, SEED)) >= 2 * FEW


@pytest.mark.slow
def test_a_service_that_breaks_its_document_is_noticed() -> None:
    with start_service("tests.services.sample", 0) as process, pytest.raises(AssertionError) as caught:
        run(Target(process.url, {"nobody": {}}), Plan(FEW, SEED))
    assert "500" in str(caught.value)


@pytest.mark.full
@pytest.mark.parametrize("service", SERVICES)
def test_every_answer_is_one_that_the_document_tells_of_with_many_new_examples(
    targets: dict[str, Target], service: str
) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    assert run(targets[service], Plan(MANY, seed)) >= 2 * MANY
