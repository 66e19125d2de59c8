"""One pair of running services for all tests of a file that only need some citizen each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.biometric_idp.online.parties import Device, Parties, officer_config, running

_PEOPLE = count()


@pytest.fixture(scope="session", name="shared")
def fixture_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    """MODEL services on SQLite, with officers and consulates."""
    directory: Path = tmp_path_factory.mktemp("shared")

    def change(members: dict[str, object]) -> None:
        members["officers"] = [officer_config(1), officer_config(2)]
        members["appointments"] = {"consulates": ["moscow"]}
        members["enrolment"] = {"steps": ["document", "passkey"], "failures": 3, "first_delay": 2, "longest_delay": 4}

    with running(directory, change_idp=change) as parties:
        yield parties


@pytest.fixture(name="device")
def fixture_device(shared: Parties) -> Iterator[Device]:
    """The device of a citizen whom no other test uses."""
    device = Device(shared, shared.people[next(_PEOPLE)])
    yield device
    device.close()
