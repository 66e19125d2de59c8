"""From key ceremony to ledger entries by command line and files, as the demonstration drives it; and bad input."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
import stat
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from biometric_idp.bulk.cli import main as bulk
from biometric_idp.bulk.voters import read_voters, read_wallets
from biometric_idp.client.keys import decode_issuance_keys
from biometric_idp.enrolment.log import EnrolmentSource
from biometric_idp.files import frame_item
from biometric_idp.issuer.cli import main as issuer
from biometric_idp.issuer.ledger import (
    LedgerStatement,
    PositionProof,
    StyleCount,
    check_ledger_bounds,
    ledger_origin,
    verify_position,
)
from biometric_idp.issuer.office import REQUESTS_LINE
from biometric_idp.policy import IssuancePolicy, read_policy, write_policy
from biometric_idp.role_key import read_role_key
from biometric_idp.signatures import frames_signature_holds, note_verifier
from biometric_idp.webauthn import RelyingParty
from crypto import cbor
from crypto.blind_bls import StyleCredentials, encode_message, verify_credentials_batch
from crypto.group import load_group, load_pairing_group, set_threads
from crypto.log.checkpoint import verify_log_signature
from crypto.log.note import NOTE_KEY, NoteSigningKey, decode_note

pytestmark = pytest.mark.slow

FINGERPRINT = sha256(b"an opening entry").digest()
ORIGIN = "elections.example/2030/log"
NOW = 1_800_000_000
PLANS = {"abroad": (9, 5), "bishkek": (6, 4)}


class Flow:
    """Paths of one run, and its steps."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shared = root / "shared"
        self.bulk = root / "bulk"
        self.policy = root / "policy.json"
        self.keys = self.shared / "issuance-keys.cbor"
        self.issuers = [root / f"issuer-{index}" for index in range(1, 5)]

    def bulk_arguments(self) -> list[str]:
        roles = ["--identity-provider", str(self.root / "idp.key")]
        return ["--out", str(self.bulk), "--now", str(NOW), *roles]

    def issue(self) -> list[str]:
        arguments = ["issue", *self.bulk_arguments(), "--policy", str(self.policy), "--issuance-keys", str(self.keys)]
        for path in (self.issuers[0], self.issuers[1], self.issuers[3]):
            arguments += ["--issuer", str(path)]
        return arguments

    def open(self, index: int) -> list[str]:
        arguments = ["open", "--dir", str(self.issuers[index]), "--policy", str(self.policy)]
        arguments += ["--roll", str(self.bulk / "roll.bin"), "--issuance-keys", str(self.keys)]
        return [*arguments, "--enrolment-log", str(self.bulk / "enrolment-log.bin")]

    def ceremony(self, index: int, step: str) -> list[str]:
        arguments = ["ceremony", "--dir", str(self.issuers[index]), step, "--shared", str(self.shared)]
        return [*arguments, "--parameters", str(self.root / "ceremony.json")]


def write_role_key(path: Path, name: str) -> None:
    key = NoteSigningKey(f"elections.example/{name}", NOTE_KEY, sha256(name.encode()).digest())
    seed = base64.b64encode(key.seed).decode()
    path.write_text(f"evoting-key@v1\nvkey {key.verifier.encode()}\nseed {seed}\n")
    path.chmod(0o600)


@pytest.fixture(scope="module", name="made")
def fixture_made(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    """A run up to the issued credentials."""
    flow = Flow(tmp_path_factory.mktemp("flow"))
    flow.shared.mkdir()
    roles = []
    for index, path in enumerate(flow.issuers, start=1):
        assert issuer(["keygen", "--dir", str(path)]) == 0
        public = public_key_of(path)
        roles.append({"role": f"issuer-{index}", "key": public.hex()})
    parameters = {
        "format": "evoting-issuer-ceremony/v1",
        "manifest": "ab" * 32,
        "issuers": roles,
        "threshold": 3,
        "styles": list(PLANS),
    }
    (flow.root / "ceremony.json").write_text(json.dumps(parameters))
    for step in ("commit", "reveal", "share", "confirm", "finish"):
        for index in range(4):
            assert issuer(flow.ceremony(index, step)) == 0
    for name in ("idp", "registrar"):
        write_role_key(flow.root / f"{name}.key", name)
    arguments = ["enrol", *flow.bulk_arguments(), "--registrar", str(flow.root / "registrar.key"), "--origin", ORIGIN]
    for style, (roll, voters) in PLANS.items():
        arguments += ["--style", f"{style}:{roll}:{voters}"]
    assert bulk([*arguments, "--chunk-size", "5"]) == 0
    write_policy(flow.policy, make_policy(flow, roles))
    for index in range(4):
        assert issuer(flow.open(index)) == 0
    assert bulk([*flow.issue(), "--chunk", "0"]) == 0
    assert bulk([*flow.issue(), "--workers", "2"]) == 0
    set_threads(0)
    return flow


def public_key_of(path: Path) -> bytes:
    return bytes(SigningKey(bytes.fromhex(json.loads((path / "issuer-key.json").read_text())["seed"])).verify_key)


def make_policy(flow: Flow, roles: list[dict[str, str]]) -> IssuancePolicy:
    enrolment = json.loads((flow.bulk / "enrolment.json").read_text())
    source = EnrolmentSource(
        ORIGIN,
        bytes(read_role_key(flow.root / "idp.key").verify_key),
        bytes(read_role_key(flow.root / "registrar.key").verify_key),
        enrolment["checkpoint"],
        enrolment["time"],
    )
    return IssuancePolicy(
        FINGERPRINT,
        ORIGIN,
        RelyingParty("vote.localhost", "http://vote.localhost:8443"),
        NOW - 1,
        NOW + 1,
        tuple((role["role"], bytes.fromhex(role["key"])) for role in roles),
        3,
        tuple((style, roll) for style, (roll, _) in PLANS.items()),
        (),
        source,
    )


def test_every_wallet_holds_a_valid_credential(made: Flow) -> None:
    group, pairing = load_group(), load_pairing_group()
    keys = decode_issuance_keys(made.keys.read_bytes(), 4)
    counted: Counter[str] = Counter()
    pseudonyms: set[bytes] = set()
    batches = []
    for path in sorted((made.bulk / "wallets").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        chunk = read_wallets(path, FINGERPRINT)
        for row in chunk.rows:
            style, pseudonym = chunk.styles[int(row["style"])], bytes(row["pseudonym"])
            counted[style] += 1
            pseudonyms.add(pseudonym)
            secret = group.scalars_decode(bytes(row["secret"]))
            assert group.generator().mul(secret).encode() == pseudonym
            key = pairing.g2_decode(keys.of_style(style).key)
            message = encode_message(FINGERPRINT, style, pseudonym)
            batches.append(StyleCredentials(key, [message], bytes(row["credential"])))
    verify_credentials_batch(pairing, batches, os.urandom)
    assert counted == {style: voters for style, (_, voters) in PLANS.items()}
    assert len(pseudonyms) == 9


def test_issuing_again_changes_nothing(made: Flow) -> None:
    before = tree(made.bulk)
    assert bulk(made.issue()) == 0
    assert tree(made.bulk) == before


def test_an_interrupted_chunk_is_resumed_with_the_same_requests(
    copy: Flow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forget_chunk_one(copy)

    def disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("biometric_idp.bulk.issue.write_wallets", disk_full)
        assert bulk(copy.issue()) == 2
    assert "No space left" in capsys.readouterr().err
    wallets = copy.bulk / "wallets" / "00001.bin"
    assert not wallets.exists()
    assert bulk(copy.issue()) == 0
    assert len(read_wallets(wallets, FINGERPRINT).rows) == 4
    assert list((copy.bulk / "work").iterdir()) == []


def test_a_second_draw_for_the_same_voters_is_refused_by_the_issuers(
    copy: Flow, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy.bulk / "wallets" / "00001.bin").unlink()
    assert bulk(copy.issue()) == 2
    assert "already-issued" in capsys.readouterr().err


def forget_chunk_one(flow: Flow) -> None:
    """Take everybody back to the moment before the second chunk was drawn."""
    (flow.bulk / "wallets" / "00001.bin").unlink()
    positions = read_voters(flow.bulk / "voters" / "00001.bin").rows["position"].tolist()
    for path in flow.issuers:
        # Outside the database it is remembered how many were answered; this is no old copy but a test's own past.
        (path / "ledger-head-size").unlink(missing_ok=True)
        with closing(sqlite3.connect(path / "ledger.sqlite")) as connection, connection:
            connection.executemany("DELETE FROM ledger WHERE position = ?", [(position,) for position in positions])
            connection.execute("DELETE FROM log_entry WHERE position NOT IN (SELECT sequence FROM ledger)")
            connection.execute("UPDATE log_head SET size = (SELECT COUNT(*) FROM ledger)")


def test_ledger_entries_are_signed_and_their_numbers_hold(made: Flow, capsys: pytest.CaptureFixture[str]) -> None:
    policy = read_policy(made.policy)
    statements = []
    for index, path in enumerate(made.issuers, start=1):
        target = made.root / f"ledger-{index}.cbor"
        assert issuer(["close", "--dir", str(path), "--entry", str(target), "--now", str(NOW)]) == 0
        entry = cbor.decode(target.read_bytes())
        assert isinstance(entry, dict)
        signature = entry["signatures"][0]
        assert (entry["type"], signature["role"], len(entry["signatures"])) == ("ledger", f"issuer-{index}", 1)
        key = policy.issuers[index - 1][1]
        parts = (FINGERPRINT, b"ledger", entry["body"])
        assert frames_signature_holds(key, signature["signature"], "evoting/v1/entry", *parts)
        body = cbor.decode(entry["body"])
        assert isinstance(body, dict)
        note = decode_note(body["checkpoint"].encode())
        checkpoint = verify_log_signature(note, note_verifier(key, ledger_origin(ORIGIN, index)))
        counts = tuple(StyleCount(item["style"], item["count"], item["terminal"]) for item in body["issued"])
        assert checkpoint.size == sum(item.count for item in counts) == (0 if index == 3 else 9)
        tree_root = body["tree"]["root"]
        statements.append(
            LedgerStatement(index, body["checkpoint"], counts, tree_root, body["tree"]["size"], body["time"])
        )
    used = {style: voters for style, (_, voters) in PLANS.items()}
    check_ledger_bounds(policy.styles, policy.threshold, 4, statements, used)
    capsys.readouterr()
    issued = 0
    for position in range(policy.roll_size):
        assert issuer(["prove", "--dir", str(made.issuers[0]), "--position", str(position)]) == 0
        shown = json.loads(capsys.readouterr().out)
        value = None if shown["issued"] is None else bytes.fromhex(shown["issued"])
        issued += value is not None
        path_ = tuple(bytes.fromhex(node) for node in shown["path"])
        proof = PositionProof(shown["position"], bytes.fromhex(shown["salt"]), value, path_)
        verify_position(proof, FINGERPRINT, statements[0].tree_root, statements[0].tree_size)
    assert issued == 9


def test_secrets_are_readable_by_their_owner_only(made: Flow) -> None:
    for path in made.issuers:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        for name in ("issuer-key.json", "key-share.cbor", "ceremony.cbor", "ledger.sqlite"):
            assert stat.S_IMODE((path / name).stat().st_mode) == 0o600
    for name in ("roll-secret", "voters/00000.bin"):
        assert stat.S_IMODE((made.bulk / name).stat().st_mode) == 0o600


def tree(root: Path) -> dict[str, bytes]:
    """Every file and its content; SQLite's side files come and go with readers."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)


def absent(path: Path) -> None:
    path.unlink()


@pytest.fixture(name="copy")
def fixture_copy(made: Flow, tmp_path: Path) -> Flow:
    copy = Flow(tmp_path / "copy")
    shutil.copytree(made.root, copy.root)
    return copy


def require_one_line(capsys: pytest.CaptureFixture[str], root: Path, before: dict[str, bytes]) -> str:
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "error: " in error
    assert "Traceback" not in error
    assert tree(root) == before
    return error


@pytest.mark.parametrize("damage", [truncated, emptied, foreign, absent])
@pytest.mark.parametrize(
    "name", ["policy.json", "bulk/roll.bin", "bulk/enrolment-log.bin", "shared/issuance-keys.cbor"]
)
def test_opening_with_a_bad_file_says_so_and_changes_nothing(
    copy: Flow, name: str, damage: object, capsys: pytest.CaptureFixture[str]
) -> None:
    for leftover in ("ledger.sqlite", "policy.json", "roll.bin"):
        (copy.issuers[2] / leftover).unlink()
    damage(copy.root / name)  # type: ignore[operator]
    before = tree(copy.root)
    assert issuer(copy.open(2)) == 2
    require_one_line(capsys, copy.root, before)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (name, damage)
        for name in ("issuer-key.json", "key-share.cbor", "policy.json", "roll.bin")
        for damage in (truncated, emptied, foreign, absent)
    ]
    + [("ledger.sqlite", damage) for damage in (emptied, foreign, absent)],
)
def test_issuing_with_a_bad_file_of_its_own_says_so_and_changes_nothing(
    copy: Flow, name: str, damage: object, capsys: pytest.CaptureFixture[str]
) -> None:
    requests = copy.root / "requests"
    requests.write_bytes(REQUESTS_LINE + FINGERPRINT + frame_item(b"no request"))
    damage(copy.issuers[2] / name)  # type: ignore[operator]
    before = tree(copy.root)
    answers = copy.root / "answers"
    arguments = ["issue", "--dir", str(copy.issuers[2]), "--requests", str(requests), "--answers", str(answers)]
    assert issuer([*arguments, "--now", str(NOW)]) == 2
    require_one_line(capsys, copy.root, before)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"evoting-requests/v2\n" + FINGERPRINT,
        REQUESTS_LINE + FINGERPRINT[:-1],
        REQUESTS_LINE + bytes(32),
        REQUESTS_LINE + FINGERPRINT + b"\0\0",
        REQUESTS_LINE + FINGERPRINT + frame_item(b"cut off")[:-1],
        REQUESTS_LINE + FINGERPRINT + b"\xff\xff\xff\xff" + b"forged length",
    ],
)
def test_a_bad_file_of_requests_says_so_and_changes_nothing(
    copy: Flow, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    requests = copy.root / "requests"
    requests.write_bytes(content)
    before = tree(copy.root)
    answers = copy.root / "answers"
    arguments = ["issue", "--dir", str(copy.issuers[2]), "--requests", str(requests), "--answers", str(answers)]
    assert issuer([*arguments, "--now", str(NOW)]) == 2
    assert str(requests) in require_one_line(capsys, copy.root, before)


def test_steps_out_of_order_or_done_twice_say_so(copy: Flow, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(copy.root)
    assert issuer(["keygen", "--dir", str(copy.issuers[0])]) == 2
    assert "already here" in require_one_line(capsys, copy.root, before)
    assert issuer(copy.open(0)) == 0  # the same election again: nothing to do
    assert tree(copy.root) == before
    capsys.readouterr()
    policy = copy.policy.read_text()
    copy.policy.write_text(policy.replace('officers": []', 'officers":  []'))
    assert copy.policy.read_text() != policy
    before = tree(copy.root)
    assert issuer(copy.open(0)) == 2
    assert "another election is already open" in require_one_line(capsys, copy.root, before)
    assert issuer([*copy.open(0), "--record", str(copy.root)]) == 2
    assert "belong together" in require_one_line(capsys, copy.root, before)
    assert issuer(["prove", "--dir", str(copy.issuers[0]), "--position", "15"]) == 2
    assert "no position 15" in require_one_line(capsys, copy.root, before)
    assert issuer(["prove", "--dir", str(copy.root / "nowhere"), "--position", "1"]) == 2
    require_one_line(capsys, copy.root, before)


def test_tools_refuse_thresholds_that_let_one_issuer_serve_a_voter_twice(
    copy: Flow, capsys: pytest.CaptureFixture[str]
) -> None:
    parameters = json.loads((copy.root / "ceremony.json").read_text())
    policy = json.loads(copy.policy.read_text())
    for value in (parameters, policy):
        value["threshold"] = 2
    (copy.root / "ceremony.json").write_text(json.dumps(parameters))
    copy.policy.write_text(json.dumps(policy))
    (copy.issuers[2] / "ledger.sqlite").unlink()
    before = tree(copy.root)
    assert issuer(copy.ceremony(0, "commit")) == 2
    assert "exceed half" in require_one_line(capsys, copy.root, before)
    assert issuer(copy.open(2)) == 2
    assert "2k > m" in require_one_line(capsys, copy.root, before)


@pytest.mark.parametrize("damage", [truncated, emptied, foreign])
@pytest.mark.parametrize("name", ["voters/00001.bin", "wallets/00000.bin"])
def test_bulk_says_what_is_wrong_with_its_files(
    copy: Flow, name: str, damage: object, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(copy.bulk / name)  # type: ignore[operator]
    before = tree(copy.root)
    assert bulk(copy.issue()) == 2
    assert name.split("/")[1] in require_one_line(capsys, copy.root, before)


def test_a_role_key_that_others_can_read_is_refused(copy: Flow, capsys: pytest.CaptureFixture[str]) -> None:
    (copy.root / "idp.key").chmod(0o644)
    before = tree(copy.root)
    assert bulk(copy.issue()) == 2
    assert "read by others" in require_one_line(capsys, copy.root, before)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("issuer-key.json", lambda flow: flow.open(0)),
        ("issuer-key.json", lambda flow: flow.ceremony(0, "commit")),
        ("key-share.cbor", lambda flow: flow.open(0)),
        ("ceremony.cbor", lambda flow: flow.ceremony(0, "finish")),
    ],
)
def test_secrets_of_an_issuer_that_others_can_read_are_refused(
    copy: Flow, name: str, command: Callable[[Flow], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    (copy.issuers[0] / "ledger.sqlite").unlink()
    path = copy.issuers[0] / name
    path.chmod(0o640)
    before = tree(copy.root)
    assert issuer(command(copy)) == 2
    assert f"{path} can be read by others: chmod 600 it" in require_one_line(capsys, copy.root, before)
    path.chmod(0o600)
    assert issuer(command(copy)) == 0
