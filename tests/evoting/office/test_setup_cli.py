"""``evoting-office`` up to the opening: what other parties hand in is refused where a verifier would reject it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from biometric_idp.policy import officer_signature_holds, read_policy
from biometric_idp.signatures import sign_checkpoint
from crypto.dkg.files import message_file
from crypto.dkg.transcript import decode_transcript
from crypto.entry import Binding, EntryError, countersign_entry, decode_role_entry, sign_entry
from evoting.definition import Manifest, UnitMinimum
from evoting.office import cli, steps
from evoting.record.election import ElectionView, PublishedCopy
from tests.biometric_idp.world import passkey
from tests.evoting.office.office_desk import OfficeElection, tree
from tests.evoting.office.test_cli import refused
from tests.support.small_election import ORIGIN, SmallElection

Capture = pytest.CaptureFixture[str]
ONE = ("officer-1",)


def sizes(**changed: int) -> list[dict[str, object]]:
    """Styles of the roll, as the manifest has them but for some."""
    return [{"style": style, "size": size} for style, size in {"east": 20, "west": 20, **changed}.items()]


class Beginning(OfficeElection):
    """Only the manifest is on the board; the office's command does the rest."""

    model = True
    enrolment_age = 0

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        steps.post_manifest(self.record, self.manifest_bytes, self.officers)
        self.hand_over()

    @cached_property
    def manifest(self) -> Manifest:
        return replace(super().manifest, model=self.model, enrolment_age=self.enrolment_age)

    def entry(self, kind: str, body: Mapping[str, object], *signers: str, binding: Binding | None = None) -> Path:
        path = self.root / f"{kind}.entry"
        keys = {name: self.keys[name] for name in signers}
        path.write_bytes(sign_entry(kind, body, binding or Binding(self.manifest_hash), keys))
        return path

    def signed_roll(self, *, binding: Binding | None = None, **changes: object) -> Path:
        """The registrar's entry, with some members changed."""
        body = {"commitment": bytes(32), "size": 40, "styles": sizes(), "time": self.now()}
        return self.entry("roll", {**body, **changes}, "registrar", binding=binding)

    def enrolment_body(self, size: int = 5, origin: str = f"{ORIGIN}/enrolment", by: str = "") -> dict[str, Any]:
        key = self.keys[by or "identity-provider"]
        return {"checkpoint": sign_checkpoint(key, origin, size, b"r" * 32), "time": self.now()}

    def post_roll(self) -> int:
        return self.office("post", str(self.signed_roll()), signers=ONE)

    def post_enrolment(self) -> int:
        entry = self.entry("enrolment", self.enrolment_body(), "identity-provider", "registrar")
        return self.office("post", str(entry), signers=())

    def share_ceremony(self, kind: str, leave_out: str = "nothing") -> Path:
        """The directory that the participants of a ceremony shared."""
        completed = (self.trustee_completion if kind == "trustee" else self.issuer_completion)[0]
        parameters = self.trustee_parameters if kind == "trustee" else self.issuer_parameters
        shared = self.root / f"{kind}s"
        for attempt in decode_transcript(parameters, completed.transcript):
            for envelope in (envelope for messages in attempt.rounds for envelope in messages):
                path = shared / message_file(attempt.number, envelope.type, envelope.role)
                path.parent.mkdir(parents=True, exist_ok=True)
                if leave_out not in path.name:
                    path.write_bytes(envelope.encode())
        return shared

    def post_ceremony(self, kind: str) -> int:
        return self.office("ceremony", kind, "--shared", str(self.share_ceremony(kind)), signers=ONE)

    def prepare(self) -> None:
        """Everything before the opening."""
        for code in (self.post_roll(), self.post_enrolment(), *map(self.post_ceremony, ("trustee", "issuer"))):
            assert code == 0


class Real(Beginning):
    """A binding election, whose enrolments must be two days old."""

    model = False
    enrolment_age = 2 * 86_400

    @cached_property
    def manifest(self) -> Manifest:
        real = replace(super().manifest, voting_origin="https://vote.example", identity_origin="https://id.example")
        return replace(real, unit_minimum=UnitMinimum(10, 20))

    def writing(self) -> list[str]:
        """Of a binding election the clock is the computer's."""
        options = super().writing()
        return options[: options.index("--now")]


@pytest.fixture
def begun(tmp_path: Path, capsys: Capture) -> Beginning:
    election = Beginning(tmp_path / "begun")
    capsys.readouterr()
    return election


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    """A record before its opening; tests do not change it."""
    election = Beginning(tmp_path_factory.mktemp("prepared"))
    election.prepare()
    return election


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    election = Beginning(tmp_path_factory.mktemp("opened"))
    election.prepare()
    assert election.office("open") == 0
    return election


def test_from_the_manifest_to_the_opening_by_the_command(tmp_path: Path, capsys: Capture) -> None:
    election = Beginning(tmp_path / "election")
    election.prepare()
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html>")
    capsys.readouterr()
    assert election.office("open", "--page", str(page)) == 0
    assert capsys.readouterr().out == "5\n"
    opening = ElectionView(PublishedCopy(election.record_path)).only("opening").body
    assert opening["vote-page"] == [{"path": "index.html", "hash": opening["vote-page"][0]["hash"]}]  # type: ignore[index]
    assert opening["trustees"]["key"] == election.joint_key()  # type: ignore[index]


#: An entry of another role, and what the office says to it.
HANDED_IN: dict[str, tuple[Callable[[Beginning], Path], tuple[str, ...], str]] = {
    "a roll of more voters": (
        lambda e: e.signed_roll(styles=sizes(east=21)),
        ONE,
        "21 voters of style east, the manifest 20",
    ),
    "a roll in another order": (lambda e: e.signed_roll(styles=sizes()[::-1]), ONE, "in another order"),
    "a roll that does not add up": (lambda e: e.signed_roll(size=41), ONE, "do not add up"),
    "a roll of another manifest": (lambda e: e.signed_roll(binding=Binding(bytes(32))), ONE, "signature of registrar"),
    "a roll that no officer signs": (lambda e: e.signed_roll(), (), "1 registrar and 1 officer"),
    "a roll that two officers sign": (lambda e: e.signed_roll(), ("officer-1", "officer-2"), "one officer"),
    "a roll that a mixer signs": (lambda e: e.signed_roll(), ("mixer-1",), "no officer's"),
    "an enrolment before the roll": (
        lambda e: e.entry("enrolment", e.enrolment_body(), "identity-provider", "registrar"),
        (),
        "out of its phase",
    ),
    "an entry of no type": (lambda e: e.entry("rolls", {}, "registrar"), (), "no type of entry"),
}


@pytest.mark.parametrize("name", HANDED_IN)
def test_a_wrong_entry_is_refused_and_nothing_changes(begun: Beginning, capsys: Capture, name: str) -> None:
    make, signers, words = HANDED_IN[name]
    entry = make(begun)
    before = tree(begun.root)
    refused(capsys, begun.office("post", str(entry), signers=signers), words)
    assert tree(begun.root) == before


ENROLMENTS: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "of another log": ({"origin": "log.example/other/enrolment"}, ("identity-provider", "registrar"), "is none of"),
    "that the registrar's key signed": ({"by": "registrar"}, ("identity-provider", "registrar"), "is none of"),
    "that only one of both vouches for": ({}, ("identity-provider",), "1 identity-provider and 1 registrar"),
}


@pytest.mark.parametrize("name", ENROLMENTS)
def test_a_wrong_enrolment_checkpoint_is_refused(begun: Beginning, capsys: Capture, name: str) -> None:
    options, signers, words = ENROLMENTS[name]
    assert begun.post_roll() == 0
    capsys.readouterr()
    entry = begun.entry("enrolment", begun.enrolment_body(**options), *signers)
    refused(capsys, begun.office("post", str(entry), signers=()), words)


def test_an_enrolment_log_that_became_shorter_is_refused(tmp_path: Path, capsys: Capture) -> None:
    election = Beginning(tmp_path / "election")
    election.prepare()
    assert election.office("open") == 0
    capsys.readouterr()
    for size, words in ((4, "became shorter"), (6, "")):
        entry = election.entry("enrolment", election.enrolment_body(size), "identity-provider", "registrar")
        code = election.office("post", str(entry), signers=())
        if words:
            refused(capsys, code, words)
        else:
            assert code == 0


def test_a_ceremony_that_is_not_finished_or_not_there_is_refused(begun: Beginning, capsys: Capture) -> None:
    assert begun.post_roll() == begun.post_enrolment() == 0
    capsys.readouterr()
    shared = begun.share_ceremony("trustee", leave_out="4-confirm.trustee-2")
    for directory, words in (
        (shared, "no confirm"),
        (begun.share_ceremony("issuer"), "ceremony"),
        (begun.root / "none", "no directory"),
        (begun.root / "log.key", "no directory"),
    ):
        code = begun.office("ceremony", "trustee", "--shared", str(directory), signers=ONE)
        refused(capsys, code, words)
    assert begun.post_ceremony("trustee") == 0
    capsys.readouterr()
    refused(capsys, begun.post_ceremony("trustee"), "already")
    refused(capsys, begun.office("open"), "no issuer-ceremony entry yet")


def test_a_real_election_waits_for_the_enrolment_age(tmp_path: Path, capsys: Capture) -> None:
    election = Real(tmp_path / "real")
    election.prepare()
    capsys.readouterr()
    assert election.office("open") == 0
    young = Real(tmp_path / "young")
    young.clock = int(time.time()) - 100
    young.prepare()
    capsys.readouterr()
    refused(capsys, young.office("open"), "must be 172800 s old at the opening")


def sign_officers_passkey(election: SmallElection, role: str, output: Path, **changes: str) -> int:
    own = passkey(role).public
    key = election.root / f"{role}.key"
    options = {"credential": own.credential.hex(), "algorithm": str(own.algorithm), "public": own.key.hex(), **changes}
    words = [word for name, value in options.items() for word in (f"--{name}={value}",)]
    return cli.main(["sign-passkey", str(election.record_path), "--key", str(key), *words, "--output", str(output)])


def test_issuers_take_the_policy_with_officers_who_signed_their_passkeys(
    opened: Beginning, tmp_path: Path, capsys: Capture
) -> None:
    files = []
    for role in ("officer-2", "officer-1"):
        files.append(tmp_path / f"{role}.json")
        assert sign_officers_passkey(opened, role, files[-1]) == 0
    output = tmp_path / "policy.json"
    given = [word for path in files for word in ("--officer", str(path))]
    assert cli.main(["issuance-policy", str(opened.record_path), "--output", str(output), *given]) == 0
    policy = read_policy(output)
    fingerprint = ElectionView(PublishedCopy(opened.record_path)).fingerprint
    assert (policy.fingerprint, policy.origin) == (fingerprint, ORIGIN)
    assert [officer.role for officer in policy.officers] == ["officer-1", "officer-2"]
    keys = {role.id: role.key for role in opened.manifest.roles}
    for officer in policy.officers:
        assert officer.passkey == passkey(officer.role).public
        assert officer_signature_holds(officer, keys[officer.role], fingerprint)

    capsys.readouterr()
    policy_of = ["issuance-policy", str(opened.record_path), "--output", str(tmp_path / "other.json"), "--officer"]
    refused(capsys, cli.main([*policy_of, str(files[0]), "--officer", str(files[0])]), "two officers have the same")
    value = json.loads(files[0].read_text())
    for changed, words in (
        ({**value, "credential": "00"}, "did not sign this passkey"),
        ({**value, "role": "officer-1"}, "did not sign this passkey"),
        ({**value, "role": "mixer-1"}, "no officer of this election"),
        ({**value, "algorithm": -257}, "-7 (ES256) or -8 (EdDSA)"),
        ({**value, "more": 1}, "no officer's passkey"),
        ([], "no officer's passkey"),
    ):
        (tmp_path / "changed.json").write_text(json.dumps(changed))
        refused(capsys, cli.main([*policy_of, str(tmp_path / "changed.json")]), words)
    assert not (tmp_path / "other.json").exists()


def test_only_an_officer_signs_a_passkey_and_only_after_the_opening(
    opened: Beginning, prepared: Beginning, tmp_path: Path, capsys: Capture
) -> None:
    output = tmp_path / "signed.json"
    capsys.readouterr()
    refused(capsys, sign_officers_passkey(opened, "mixer-1", output), "no officer's of this election")
    refused(capsys, sign_officers_passkey(prepared, "officer-1", output), "no opening entry yet")
    refused(capsys, sign_officers_passkey(opened, "officer-1", output, algorithm="-257"), "-7 (ES256)")
    refused(capsys, sign_officers_passkey(opened, "officer-1", output, public="00"), "bytes, not 1")
    refused(capsys, sign_officers_passkey(opened, "officer-1", output, credential=""), "1 to 1023 bytes")
    assert not output.exists()


def test_the_files_for_issuers_are_what_the_record_says(opened: Beginning, tmp_path: Path) -> None:
    keys, parameters = tmp_path / "keys.cbor", tmp_path / "ceremony.json"
    record = str(opened.record_path)
    assert cli.main(["issuance-keys", record, "--output", str(keys)]) == 0
    view = ElectionView(PublishedCopy(opened.record_path))
    assert keys.read_bytes() == view.blob(view.only("opening"), "issuers", "keys")
    assert cli.main(["ceremony-parameters", record, "--output", str(parameters)]) == 0
    made = json.loads(parameters.read_text())
    assert (made["manifest"], made["threshold"]) == (opened.manifest_hash.hex(), 3)
    assert [one["role"] for one in made["issuers"]] == [f"issuer-{i}" for i in (1, 2, 3, 4)]


def test_a_key_is_made_once(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "officer-1.key"
    assert cli.main(["keygen", str(path), "--name", "officer-1"]) == 0
    public = capsys.readouterr().out.strip()
    assert len(bytes.fromhex(public)) == 32
    before = path.read_bytes()
    refused(capsys, cli.main(["keygen", str(path), "--name", "officer-1"]), "officer-1.key")
    assert path.read_bytes() == before


def test_nobody_signs_an_entry_twice(begun: Beginning) -> None:
    entry = decode_role_entry(begun.signed_roll().read_bytes())
    binding = Binding(begun.manifest_hash)
    with pytest.raises(EntryError, match="registrar has signed the roll entry already"):
        countersign_entry(entry, binding, {"registrar": begun.keys["registrar"]})
    both = {name: begun.keys[name] for name in ("registrar", "officer-1")}
    whole = countersign_entry(entry, binding, {"officer-1": begun.keys["officer-1"]})
    assert whole == sign_entry("roll", entry.body, binding, both)
