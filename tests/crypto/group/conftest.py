"""Both kernels, wherever both are there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crypto.group import Group, PairingGroup, load_group, load_pairing_group, native_available

VECTORS = Path(__file__).parents[2] / "vectors"
NAMES = ["native", "portable"]


def require(name: str) -> None:
    if name == "native" and not native_available():
        pytest.skip("the native arithmetic is not built here")


@pytest.fixture(params=NAMES)
def group(request: pytest.FixtureRequest) -> Group:
    require(request.param)
    return load_group(request.param)


@pytest.fixture(params=NAMES)
def pairing(request: pytest.FixtureRequest) -> PairingGroup:
    require(request.param)
    return load_pairing_group(request.param)


@pytest.fixture(scope="session")
def both() -> tuple[Group, Group]:
    require("native")
    return load_group("native"), load_group("portable")


@pytest.fixture(scope="session")
def both_pairings() -> tuple[PairingGroup, PairingGroup]:
    require("native")
    return load_pairing_group("native"), load_pairing_group("portable")


@pytest.fixture(scope="session")
def rfc9496() -> Any:
    return json.loads((VECTORS / "rfc9496-ristretto255.json").read_text())


@pytest.fixture(scope="session")
def rfc9380_g1() -> Any:
    return json.loads((VECTORS / "rfc9380-bls12381g1-xmd-sha256-sswu-ro.json").read_text())
