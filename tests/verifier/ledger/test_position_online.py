"""C12 over HTTP: a running issuer's answer about a position, checked by ``evoting-verify position``."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from biometric_idp.files import write_atomic, write_json
from biometric_idp.issuer.keys import KEY_FORMAT, IssuerDirectory
from biometric_idp.policy import write_policy
from biometric_idp.shared.inquiry import sign_inquiry
from crypto.dkg.files import KeyShareFile
from crypto.dkg.parameters import ISSUERS
from tests.biometric_idp.issuer_service.places import TOOL, write_config
from tests.support.running import Service, start_service
from tests.verifier.ledger.world import ABSTAINER, SECRET, VOTERS, AuditElection
from verifier.cli import main

ISSUER = 4


def make_issuer(world: AuditElection, root: Path, secret: bytes) -> Path:
    """The directory of issuer 4 as it was when it stated its ledger; gives its configuration."""
    root.mkdir()
    directory = IssuerDirectory(root, None)
    seed = bytes(world.keys[f"issuer-{ISSUER}"])
    write_json(directory.key, {"format": KEY_FORMAT, "seed": seed.hex(), "ledger-secret": secret.hex()}, secret=True)
    shares = world.issuer_completion[ISSUER - 1].key_shares
    threshold = world.manifest.issuer_threshold
    share = KeyShareFile(ISSUERS, bytes(32), bytes(32), ISSUER, threshold, shares)
    write_atomic(directory.share, share.encode(), secret=True)
    write_policy(directory.policy, world.issuance_policy)
    shutil.copy(world.roll_path, directory.roll)
    shutil.copy(world.root / f"issuer-{ISSUER}.sqlite", str(directory.database))
    config = root / "issuer.toml"
    write_config(config, None)
    return config


@pytest.fixture(name="ask")
def fixture_ask(world: AuditElection, tmp_path: Path) -> Callable[[Service, int], dict[str, Any]]:
    """What the issuer answers to an inquiry of the election's identity provider."""

    def ask(service: Service, position: int) -> dict[str, Any]:
        today = int(time.time()) // 86_400
        inquiry = sign_inquiry(world.keys["identity-provider"], world.fingerprint, ISSUER, position, today)
        text = base64.urlsafe_b64encode(inquiry.encode()).rstrip(b"=").decode()
        deadline = time.monotonic() + 20
        while True:
            response = httpx.post(f"{service.url}/v1/positions", json={"inquiry": text})
            if response.status_code != 503 or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        answer = response.raise_for_status().json()
        assert isinstance(answer, dict)
        return answer

    return ask


@pytest.fixture(name="verify_answer")
def fixture_verify(
    world: AuditElection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[dict[str, Any]], tuple[int, str]]:
    def verify(proof: dict[str, Any]) -> tuple[int, str]:
        path = tmp_path / "proof.json"
        path.write_text(json.dumps(proof))
        arguments = ["--record", str(world.record_path), "--trust-root", str(world.trust_root_path), "--jobs", "1"]
        code = main(["position", str(path), *arguments])
        return code, capsys.readouterr().out

    return verify


@pytest.mark.slow
def test_C12_a_running_issuers_answer_verifies_against_the_record(
    world: AuditElection,
    tmp_path: Path,
    ask: Callable[[Service, int], dict[str, Any]],
    verify_answer: Callable[[dict[str, Any]], tuple[int, str]],
) -> None:
    config = make_issuer(world, tmp_path / "issuer", SECRET)
    with start_service(TOOL, "serve", "--config", config) as service:
        for position, issued in ((ABSTAINER, False), (VOTERS[0], True)):
            proof = ask(service, position)
            assert (proof["issued"] is not None) == issued
            code, out = verify_answer(proof)
            assert code == 0, out
            assert ("nothing was issued" in out) == (not issued)
            # The opposite, under the same signed statement, does not verify.
            lie = {**proof, "issued": None if issued else "11" * 32}
            assert verify_answer(lie)[0] == 1


@pytest.mark.slow
def test_C12_an_issuer_that_answers_two_ways_is_convicted(
    world: AuditElection,
    tmp_path: Path,
    ask: Callable[[Service, int], dict[str, Any]],
    verify_answer: Callable[[dict[str, Any]], tuple[int, str]],
) -> None:
    """It stated one tree in the record, and signs another one of the same ledger for those who ask."""
    config = make_issuer(world, tmp_path / "issuer", b"t" * 32)
    with start_service(TOOL, "serve", "--config", config) as service:
        proof = ask(service, ABSTAINER)
    code, out = verify_answer(proof)
    assert code == 1
    assert "position.statement" in out
    assert "the record has another tree at the same ledger size" in out
