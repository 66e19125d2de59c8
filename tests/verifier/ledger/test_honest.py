"""An honest election passes every check of the auditor; the reports say what was audited; other input is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.small_manifest import OPENS
from tests.verifier.edits import MODEL_OFF, manifest
from tests.verifier.ledger.edits import at_terminal, cosigned, everywhere, policy_period, second_request
from tests.verifier.ledger.world import ABSTAINER, DAY, AuditElection, Case, failing, passkey
from verifier.cli import main
from verifier.ledger.audit import Audit, Inputs
from verifier.ledger.checks import audit_enrolment
from verifier.ledger.framed import open_log
from verifier.ledger.inputs import read_roll
from verifier.ledger.run import ORDER
from verifier.report.audit import audit_schema

SPEC = Path(__file__).parents[3] / "docs/spec/05-credentials.md"


def test_an_honest_election_is_verified(case: Case) -> None:
    code, report, shown = case.run()
    assert (code, failing(report)) == (0, {}), shown
    jsonschema.validate(report, audit_schema())
    assert [check["name"] for check in report["checks"]] == list(ORDER)
    assert shown.endswith("VERIFIED\n")
    assert [ledger["entries"] for ledger in report["ledgers"]] == [9, 9, 9, 2]
    assert report["ledgers"][0]["issued"] == [
        {"style": "east", "count": 5, "terminal": 1},
        {"style": "west", "count": 4, "terminal": 1},
    ]
    assert report["enrolment"] == {
        "entries": 7,
        "without-effect": [
            {"reason": "its position has an earlier one and it was not confirmed in person", "count": 1}
        ],
    }
    assert report["partial"] == {"count": 0, "positions": []}
    assert "MODEL ELECTION" in shown
    assert "note      ledger of issuer 2: not cosigned, as where issuance goes by files, without services" in shown


def test_the_checks_are_those_of_the_specification() -> None:
    section = SPEC.read_text().split("## 5.12")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(audit\.[a-z-]+)` \|", section, re.MULTILINE) == list(ORDER)


def test_the_page_is_self_contained(case: Case) -> None:
    path = case.root / "report.html"
    second_request(case)
    case.run("--html", str(path))
    page = path.read_text()
    assert "NOT VERIFIED" in page
    assert "position 0 has one request" in page
    assert "not cosigned, as where issuance goes by files" in page
    assert not re.search(r"<(script|img|link|iframe|a)\b|\b(src|href|on\w+)=", page)


def test_processes_and_chunks_change_nothing(case: Case) -> None:
    everywhere(case, case.world.request(12, passkey("thief"), credential=b"\x01"))
    reports = []
    for options in (["--chunk", "1"], ["--chunk", "4", "--jobs", "2"], ["--arithmetic", "portable"]):
        _, report, _ = case.run(*options)
        assert set(failing(report)) == {"audit.assertion"}
        reports.append({name: report[name] for name in ("checks", "ledgers", "enrolment", "partial")})
    assert reports[0] == reports[1] == reports[2]


def test_cosigned_checkpoints_are_noted_with_their_number(case: Case) -> None:
    cosigned(3)(case)
    code, report, shown = case.run()
    assert (code, failing(report)) == (0, {})
    assert "note      ledger of issuer 4: checkpoint cosigned by 3 of 4 log witnesses\n" in shown
    assert "note      ledger of issuer 4 at its statement: not cosigned" in shown


def test_an_auditor_who_knows_of_services_can_require_cosignatures(case: Case) -> None:
    code, report, _ = case.run("--require-cosigned")
    assert (code, set(failing(report))) == (1, {"audit.cosignatures"})
    sentences = [failure["sentence"] for failure in failing(report)["audit.cosignatures"]]
    assert sentences == [
        "enrolment log (entry 2): not cosigned",
        *[f"ledger of issuer {issuer}: not cosigned" for issuer in (1, 2, 3, 4)],
    ]


def test_without_ledgers_the_enrolment_log_is_audited(case: Case) -> None:
    case.given = []
    code, report, shown = case.run()
    assert code == 0
    names = [check["name"] for check in report["checks"]]
    assert names == ["audit.record", "audit.enrolment", "audit.cosignatures", "audit.complete"]
    assert "no ledger was given" in shown
    jsonschema.validate(report, audit_schema())


def test_a_partly_issued_position_is_listed_and_is_no_failure(case: Case) -> None:
    """One issuer did not answer. What the fourth, whose ledger is not given, holds could still complete it."""
    request = case.world.request(12, *case.world.officer_passkeys, credential=b"")
    for issuer in (1, 2):
        case.add(issuer, request)
    code, report, shown = case.run()
    assert (code, report["partial"]) == (0, {"count": 1, "positions": [12]})
    assert "partly issued: 1 positions with too few issuers for a credential: 12\n" in shown
    case.given = [1, 2, 3]
    assert case.run()[1]["partial"] == {"count": 0, "positions": []}


def test_before_the_ledgers_are_closed_nothing_is_compared_with_statements(case: Case) -> None:
    case.restated = False
    case.after.append(lambda: case.record.entries.pop(case.record.at("ledger", 3)))
    code, report, shown = case.run()
    assert (code, failing(report)) == (0, {}), shown
    assert "the record has no ledger statement of issuer 4" in shown
    assert [ledger["statement"] for ledger in report["ledgers"]] == [True, True, True, False]


def test_an_entry_of_today_is_within_the_period_while_the_election_is_open(case: Case) -> None:
    """Without a close entry the end is the auditor's clock, which is years after the election's."""
    case.restated = False
    case.after.append(lambda: case.record.entries.__delitem__(slice(case.record.at("close"), None)))
    for issuer in range(1, 5):
        case.change(issuer, 0, date=OPENS // DAY + 1)
    code, report, shown = case.run()
    assert (code, failing(report)) == (0, {}), shown


def test_the_policys_period_may_be_given(case: Case) -> None:
    policy_period(OPENS - 10, OPENS + 10)(case)
    code, report, shown = case.run()
    assert (code, failing(report)) == (0, {}), shown


# MODEL elections with later enrolment checkpoints


def test_what_was_issued_under_an_earlier_checkpoint_stays_right_in_a_model_election(case: Case) -> None:
    """Later, a voter's passkey is replaced in person, and a terminal voter enrols one."""
    world = case.world
    case.extend_log(
        world.log_entry(
            [
                world.enrolment(0, passkey("new"), "in-person"),
                world.enrolment(6, passkey("first"), time=OPENS),
                world.enrolment(ABSTAINER, passkey("abstainer's new"), "in-person"),
            ]
        )
    )
    request = world.request(
        ABSTAINER, passkey("abstainer's new"), credential=passkey("abstainer's new").public.credential
    )
    everywhere(case, request)
    code, report, shown = case.run()
    assert (code, failing(report)) == (0, {}), shown


def test_a_replacement_within_one_checkpoint_leaves_no_earlier_passkey(case: Case) -> None:
    world = case.world
    case.extend_log(
        world.log_entry([world.enrolment(12, passkey("a"))]),
        world.log_entry([world.enrolment(12, passkey("b"), "in-person")]),
    )
    everywhere(case, world.request(12, passkey("a"), credential=passkey("a").public.credential))
    _, report, _ = case.run()
    assert set(failing(report)) == {"audit.assertion"}


def test_officers_cannot_issue_to_a_voter_who_enrolled_before_the_first_checkpoint_and_again(case: Case) -> None:
    world = case.world
    case.extend_log(world.log_entry([world.enrolment(ABSTAINER, passkey("again"), "in-person")]))
    at_terminal(ABSTAINER, 1, 2)(case)
    _, report, _ = case.run()
    assert set(failing(report)) == {"audit.assertion"}


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("its position is not on the roll", {"position": 40, "style": "west"}),
        ("the roll has another ballot style at its position", {"style": "west"}),
        ("its key is not in one of the two encodings", {"key": b"\xa0"}),
        ("its key is not in one of the two encodings", {"algorithm": -7}),
        ("it is later than the enrolment entry", {"time": OPENS + 1}),
    ],
)
def test_an_enrolment_against_the_rules_has_no_effect(case: Case, reason: str, change: dict[str, Any]) -> None:
    """Both roles signed it, and issuers 1 to 3 took a request by its passkey."""
    from verifier.record.cbor import decode, encode

    own = passkey("irregular")
    body: Any = decode(decode(case.world.log_entry([case.world.enrolment(12, own)]))["body"])  # type: ignore[index,call-overload,arg-type]
    body["enrolments"][0].update(change)
    case.extend_log(signed_body(case.world, encode(body)))
    if change.get("position") != 40:
        everywhere(case, case.world.request(12, own, credential=own.public.credential))
    code, report, _ = case.run()
    assert {"reason": reason, "count": 1} in report["enrolment"]["without-effect"]
    assert set(failing(report)) == (set() if code == 0 else {"audit.assertion"})
    assert code == (0 if change.get("position") == 40 else 1)


def signed_body(world: AuditElection, body: bytes) -> bytes:
    from biometric_idp.enrolment.log import encode_entry, sign_enrolments
    from tests.support.small_election import ORIGIN

    idp, registrar = (sign_enrolments(world.keys[role], ORIGIN, body) for role in ("identity-provider", "registrar"))
    return encode_entry(body, idp, registrar)


# The enrolment age


def enrolment_sentences(case: Case) -> list[str]:
    case.write()
    state = case.record.state()
    try:
        audit = Audit(state, Inputs(read_roll(case.root / "roll"), open_log(case.root / "log"), (), None))
        return [failure.sentence for failure in audit_enrolment(audit)]
    finally:
        state.close()


def test_the_enrolment_age_is_kept_outside_model_elections(case: Case) -> None:
    manifest("enrolment-age", value=172_800)(case.record)
    assert enrolment_sentences(case) == []
    MODEL_OFF(case.record)
    assert enrolment_sentences(case) == ["the enrolment checkpoint is younger than 172800 s at the opening"]


def test_outside_model_elections_only_the_openings_enrolment_entry_counts(case: Case) -> None:
    MODEL_OFF(case.record)
    case.extend_log(case.log[0])
    assert enrolment_sentences(case) == ["the log has 8 entries, more than the 7 of the record's last checkpoint"]


# What cannot be audited


def test_a_record_without_opening_leaves_nothing_to_work_on(case: Case) -> None:
    case.restated = False
    case.after.append(lambda: case.record.entries.pop(case.record.at("opening")))
    code, report, _ = case.run()
    status = {check["name"]: (check["status"], check["cause"]) for check in report["checks"]}
    assert code == 1
    assert status["audit.record"] == ("fail", None)
    sentences = [failure["sentence"] for failure in failing(report)["audit.record"]]
    assert "the record cannot be used: order.counts: there is no opening entry" in sentences
    assert status["audit.enrolment"] == status["audit.assertion"] == ("not-run", "audit.record")
    assert status["audit.complete"] == ("fail", None)
    jsonschema.validate(report, audit_schema())


def test_a_manifest_without_voting_origin_leaves_no_assertion_to_judge(case: Case) -> None:
    manifest("origins", "voting", value=None)(case.record)
    case.restated = False
    _, report, _ = case.run()
    status = {check["name"]: check["status"] for check in report["checks"]}
    assert (status["audit.record"], status["audit.assertion"]) == ("fail", "not-run")


def test_a_manifest_without_identity_provider_leaves_nobody_to_ask_for_tickets(case: Case) -> None:
    def drop(edited: Any) -> None:
        roles = [role for role in edited if role["kind"] != "identity-provider"]
        edited[:] = roles

    case.record.edit_blob("manifest", "manifest", lambda content: drop(content["roles"]))
    case.restated = False
    _, report, _ = case.run()
    status = {check["name"]: (check["status"], check["cause"]) for check in report["checks"]}
    assert status["audit.record"] == ("fail", None)
    assert status["audit.ticket"] == ("not-run", "audit.record")


def test_the_enrolment_entry_of_the_opening_must_be_there(case: Case) -> None:
    case.restated = False
    case.record.set("enrolment", "time", value=5)
    _, report, _ = case.run()
    status = {check["name"]: (check["status"], check["cause"]) for check in report["checks"]}
    assert status["audit.enrolment"] == ("not-run", "audit.record")


def test_a_ledger_of_no_issuer_is_named(case: Case) -> None:
    case.write()
    path = case.root / "ledger-4"
    data = path.read_bytes()
    path.write_bytes(data[:50] + (9).to_bytes(4, "big") + data[54:])
    _, report, _ = rerun(case)
    assert "there is no issuer 9" in str(failing(report)["audit.ledger-format"])


def rerun(case: Case) -> tuple[int, dict[str, Any], list[str]]:
    """Run without writing anew."""
    arguments = ["ledger", "--record", str(case.record.root), "--trust-root", str(case.world.trust_root_path)]
    arguments += ["--enrolment-log", str(case.root / "log"), "--roll", str(case.root / "roll"), "--jobs", "1"]
    for issuer in case.given:
        arguments += ["--ledger", str(case.root / f"ledger-{issuer}")]
    arguments += ["--officers", str(case.root / "officers"), "--json", str(case.root / "report.json")]
    return main(arguments), json.loads((case.root / "report.json").read_text()), arguments


Damage = Callable[[bytes], bytes]


def huge_length(at: int) -> Damage:
    return lambda data: data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :]


def json_with(**members: Any) -> Damage:
    return lambda data: json.dumps({**json.loads(data), **members}).encode()


def officers_with(change: Callable[[list[Any]], object]) -> Damage:
    def damage(data: bytes) -> bytes:
        content = json.loads(data)
        change(content["officers"])
        return json.dumps(content).encode()

    return damage


def roll_file(styles: list[str], size: int, indices: list[int]) -> Damage:
    from verifier.record.cbor import encode

    header = encode({"styles": list(styles), "size": size})
    body = b"".join(index.to_bytes(2, "big") for index in indices)
    return lambda _: b"evoting-roll/v1\n" + len(header).to_bytes(4, "big") + header + body


#: File, words of the one line, damage.
DAMAGED: list[tuple[str, str, Damage]] = [
    ("ledger-1", "does not begin with the line 'evoting-ledger/v1'", lambda data: b""),
    ("ledger-1", "does not begin with the line", lambda data: b"\x89PNG\r\n\x1a\n" + data),
    ("ledger-1", "truncated in its header", lambda data: data[:30]),
    ("ledger-1", "another election", lambda data: data[:20] + bytes(30) + data[50:]),
    ("ledger-1", "truncated before its checkpoint", lambda data: data[:54]),
    ("ledger-1", "truncated in its checkpoint", lambda data: data[:60]),
    ("ledger-1", "truncated in the length of its checkpoint", lambda data: data[:56]),
    ("ledger-1", "its checkpoint claims 4294967295 bytes", huge_length(54)),
    ("ledger-1", "truncated in item 8", lambda data: data[:-1]),
    ("ledger-1", "truncated in the length of item 9", lambda data: data + b"\0\0\0"),
    ("ledger-1", "item 9 claims 65536 bytes, more than 65535", lambda data: data + b"\0\1\0\0" + bytes(65536)),
    ("ledger-1", "two of the ledgers are of one issuer", lambda data: data[:53] + b"\2" + data[54:]),
    ("log", "does not begin with the line 'evoting-enrolment-log/v1'", lambda data: data[1:]),
    ("log", "truncated in item 6", lambda data: data[:-1]),
    ("log", "item 0 claims 4294967295 bytes", huge_length(25)),
    ("roll", "does not begin with the line 'evoting-roll/v1'", lambda data: data[1:]),
    ("roll", "header: the value is truncated", lambda data: data[:16]),
    ("roll", "its header claims 4294967295 bytes", huge_length(16)),
    ("roll", "79 bytes after the header are not 40 positions", lambda data: data[:-1]),
    ("roll", "81 bytes after the header are not 40 positions", lambda data: data + b"\0"),
    ("roll", "a style that the header does not name", lambda data: data[:-1] + b"\2"),
    ("roll", "header.size: 0 is not within", roll_file(["east"], 0, [])),
    ("roll", "a style is repeated", roll_file(["east", "east"], 1, [0])),
    ("officers", "not JSON in UTF-8", lambda data: b"{"),
    ("officers", "a member is repeated", lambda data: b'{"format": 1, "format": 2}'),
    ("officers", "nested too deeply", lambda data: b"[" * 200_000),
    ("officers", "not a file of format", lambda data: b"[]"),
    ("officers", "not a file of format", json_with(format="evoting-officer-passkeys/v2")),
    ("officers", "another election", json_with(fingerprint="00" * 32)),
    ("officers", "officers: an array is expected", json_with(officers=None)),
    ("officers", "opens: an unsigned integer", json_with(format="evoting-issuance-policy/v1")),
    ("officers", "closes: an unsigned integer", json_with(format="evoting-issuance-policy/v1", opens=1)),
    ("officers", "two officers have one role", officers_with(lambda o: o[1].update(role=o[0]["role"]))),
    ("officers", "two officers have one passkey", officers_with(lambda o: o[1].update(credential=o[0]["credential"]))),
    ("officers", "officers[0].key: not in one of", officers_with(lambda o: o[0].update(key="a0"))),
    ("officers", "officers[1].key: not hex digits", officers_with(lambda o: o[1].update(key="x"))),
    ("officers", "officers[1].key: not lower-case", officers_with(lambda o: o[1].update(key="AB"))),
    ("officers", "officers[1].algorithm: neither", officers_with(lambda o: o[1].update(algorithm=-257))),
    ("officers", "officers[1].algorithm: neither", officers_with(lambda o: o[1].update(algorithm=-7.0))),
    ("record/checkpoint", "must end with signature lines", lambda data: b"x\n"),
]


@pytest.mark.parametrize(("name", "words", "damage"), DAMAGED, ids=[f"{n}: {w}" for n, w, _ in DAMAGED])
def test_a_damaged_file_is_refused_in_one_line_and_left_alone(
    case: Case, name: str, words: str, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    case.write()
    path = case.root / name
    path.write_bytes(damage(path.read_bytes()))
    (case.root / "report.json").write_text("{}")
    before = {one: one.read_bytes() for one in case.root.rglob("*") if one.is_file()}
    code, _, _ = rerun(case)
    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    first, *hint = captured.err.splitlines()
    assert first.startswith("evoting-verify: error: ")
    assert words in first
    assert all(line.startswith("hint: ") for line in hint)
    assert {one: one.read_bytes() for one in case.root.rglob("*") if one.is_file()} == before


def absent(path: Path) -> None:
    path.unlink()


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    import os

    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("replace", [absent, a_directory, a_pipe])
@pytest.mark.parametrize("name", ["ledger-1", "log", "roll", "officers"])
def test_what_is_no_file_is_refused(
    case: Case, name: str, replace: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    case.write()
    (case.root / "report.json").write_text("{}")
    replace(case.root / name)
    code, _, _ = rerun(case)
    error = capsys.readouterr().err
    assert code == 2
    assert name in error
    assert error.count("\n") == 1


def test_reports_go_to_directories_that_exist(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    case.write()
    assert main([*case.write(), "--html", str(case.root / "nowhere" / "report.html")]) == 2
    assert "its directory does not exist" in capsys.readouterr().err
