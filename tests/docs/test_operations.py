"""Every example of a configuration file in docs/operations.md is one that its service takes; its first steps work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from biometric_idp.idp.config import IdpConfig
from biometric_idp.issuer.http.config import IssuerConfig
from biometric_idp.policy import read_policy
from biometric_idp.registrar.config import RegistrarConfig
from biometric_idp.webauthn import require_cose_key
from crypto.log.note import COSIGNATURE_KEY, decode_vkey
from evoting.record.election import ElectionView, PublishedCopy
from evoting.record.rules import SETUP
from services.config import Config
from tests.docs.test_links import ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
EXAMPLES: list[tuple[str, str]] = re.findall(r"^```toml\n# ([a-z ]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MODELS: dict[str, type[Config]] = {"identity provider": IdpConfig, "issuer": IssuerConfig, "registrar": RegistrarConfig}


def parsed(name: str) -> list[Config]:
    return [MODELS[name].model_validate(tomllib.loads(text)) for service, text in EXAMPLES if service == name]


def test_every_toml_block_is_an_example_of_a_service_and_every_service_has_one() -> None:
    assert len(EXAMPLES) == PAGE.count("```toml")
    assert {name for name, _ in EXAMPLES} == MODELS.keys()


@pytest.mark.parametrize(("service", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_is_taken_by_its_service(service: str, text: str) -> None:
    MODELS[service].model_validate(tomllib.loads(text))


@pytest.mark.parametrize(("service", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_unknown_name_in_an_example_would_be_noticed(service: str, text: str) -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        MODELS[service].model_validate({**tomllib.loads(text), "unknown": 1})


def test_the_first_identity_provider_is_a_real_one_and_the_second_is_not() -> None:
    real, model = parsed("identity provider")
    assert isinstance(real, IdpConfig)
    assert isinstance(model, IdpConfig)
    assert (real.model, model.model) == (False, True)
    assert real.needs_faces
    assert all(election.closes is not None for election in real.elections)


def test_the_parties_of_the_examples_name_each_other() -> None:
    provider, registrar = parsed("identity provider")[0], parsed("registrar")[0]
    assert isinstance(provider, IdpConfig)
    assert isinstance(registrar, RegistrarConfig)
    there, here = provider.elections[0], registrar.elections[0]
    assert (there.id, there.origin, there.voting_origin, there.title) == (
        here.id,
        here.origin,
        here.voting_origin,
        here.title,
    )


def test_keys_in_the_examples_have_the_form_that_the_services_read() -> None:
    provider, issuer = parsed("identity provider")[0], parsed("issuer")[0]
    registrar = parsed("registrar")[0]
    assert isinstance(provider, IdpConfig)
    assert isinstance(issuer, IssuerConfig)
    assert isinstance(registrar, RegistrarConfig)
    for witness in provider.log.witnesses:
        assert decode_vkey(witness.vkey).key_type == COSIGNATURE_KEY
    assert issuer.witness_list()
    for officer in (*provider.officers, *registrar.officers):
        require_cose_key(bytes.fromhex(officer.key), officer.algorithm)


@pytest.mark.slow
def test_the_steps_of_an_election_work_in_an_empty_directory_as_they_stand_there(tmp_path: Path) -> None:
    steps = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(steps) == 3
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(steps)],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert {line.split(";")[0] for line in done.stderr.splitlines()} == {"evoting-trustee: the ceremony has succeeded"}
    assert (tmp_path / "enrolment-checkpoint").read_text().startswith("vote.example/model-2030/enrolment\n0\n")
    view = ElectionView(PublishedCopy(tmp_path / "record"))
    # Nobody voted, so there is no list to add up.
    assert [entry.type for entry in view.entries()] == [*SETUP, "close", "ledger", "selection", "result"]
    assert done.stdout.endswith("\nVERIFIED\n")
    trust_root = json.loads((tmp_path / "trust-root.json").read_text())
    assert trust_root["fingerprint"] == view.fingerprint.hex()
    policy = read_policy(tmp_path / "issuance-policy.json")
    assert policy.fingerprint == view.fingerprint
    assert (tmp_path / "issuer-1/ledger.sqlite").exists()
