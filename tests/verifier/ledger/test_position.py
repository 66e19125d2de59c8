"""C12: a citizen checks what an issuer says about their own position, before the close and after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from tests.support.small_manifest import OPENS
from tests.verifier.ledger.world import ABSTAINER, AuditElection, Case
from verifier.cli import main
from verifier.hashing import frames

Edit = Callable[[dict[str, Any]], object]


def interim(world: AuditElection, issuer: int, key: SigningKey | None = None, **changes: Any) -> dict[str, Any]:
    """What an issuer signs before the close; the tree is the one of ``position_proof``."""
    root, size = world.tree_root(issuer), len(world.hashes[issuer])
    statement = {"size": size, "root": root.hex(), "tree-size": 40, "time": OPENS + 5, **changes}
    parts: tuple[Any, ...] = (
        "evoting/v1/ledger-tree",
        world.fingerprint,
        issuer,
        statement["size"],
        bytes.fromhex(statement["root"]),
        statement["tree-size"],
        statement["time"],
    )
    signer = key or world.keys[f"issuer-{issuer}"]
    return {**statement, "signature": signer.sign(frames(parts)).signature.hex()}


@pytest.fixture(name="check")
def fixture_check(
    world: AuditElection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    def check(proof: dict[str, Any] | str, record: Path | None = None) -> tuple[int, str, str]:
        path = tmp_path / "proof.json"
        path.write_text(proof if isinstance(proof, str) else json.dumps(proof))
        arguments = ["position", str(path), "--record", str(record or world.record_path)]
        code = main([*arguments, "--trust-root", str(world.trust_root_path), "--jobs", "1"])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return check


Check = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("position", [0, 6, ABSTAINER, 39])
def test_C12_every_position_has_a_proof_that_verifies(world: AuditElection, check: Check, position: int) -> None:
    for issuer in (1, 4):
        proof = world.position_proof(issuer, position)
        code, out, _ = check(proof)
        assert code == 0
        assert out.endswith("VERIFIED\n")
        assert ("nothing was issued" in out) == (position not in world.hashes[issuer])
        assert "the ledger statement in entry" in out
        code, out, _ = check({**proof, "statement": interim(world, issuer)})
        assert code == 0
        assert "the interim statement at ledger size" in out


LIES: list[tuple[str, Edit]] = [
    ("something was issued", lambda p: p.update(issued=sha256(b"made up").hexdigest())),
    ("another salt", lambda p: p.update(salt="00" * 32)),
    ("another position", lambda p: p.update(position=ABSTAINER + 1)),
    ("beyond the tree", lambda p: p.update(position=40)),
    ("a shorter path", lambda p: p["path"].pop()),
    ("a longer path", lambda p: p["path"].append("00" * 32)),
    ("another issuer's tree", lambda p: p.update(issuer=2)),
]


@pytest.mark.parametrize(("what", "lie"), LIES, ids=[what for what, _ in LIES])
def test_C12_a_lie_is_named(world: AuditElection, check: Check, what: str, lie: Edit) -> None:
    for statement in (None, interim(world, 4)):
        proof = world.position_proof(4, ABSTAINER) | ({"statement": statement} if statement else {})
        lie(proof)
        code, out, _ = check(proof)
        assert code == 1
        named = "position.statement" if statement and proof["issuer"] != 4 else "position.proof"
        assert f"{named:<20}FAIL" in out
        assert out.endswith("NOT VERIFIED\n")


def test_C12_an_issuer_that_hides_what_it_issued_is_named(world: AuditElection, check: Check) -> None:
    proof = world.position_proof(1, 0)
    assert check({**proof, "issued": None})[0] == 1


def test_C12_an_interim_statement_is_the_issuers(world: AuditElection, check: Check) -> None:
    proof = world.position_proof(4, ABSTAINER)
    for statement in (
        interim(world, 4, key=world.keys["issuer-3"]),
        {**interim(world, 4), "time": 1},
        {**interim(world, 4), "size": 1},
    ):
        code, out, _ = check({**proof, "statement": statement})
        assert code == 1
        assert "position.statement  FAIL     role issuer-4: the issuer's signature" in out


def test_C12_an_interim_tree_has_one_leaf_for_each_position(world: AuditElection, check: Check) -> None:
    """The tree of a smaller roll, in which the last positions are not."""
    proof = world.position_proof(4, ABSTAINER)
    _, out, _ = check({**proof, "statement": interim(world, 4, None, **{"tree-size": 41})})
    assert "position.statement  FAIL     role issuer-4: the tree has not one leaf for each roll position" in out


def test_C12_two_trees_for_one_ledger_size_convict_the_issuer(world: AuditElection, check: Check) -> None:
    """Before the close the issuer signed another tree of the same ledger: it gave two answers."""
    proof = world.position_proof(4, ABSTAINER)
    _, out, _ = check({**proof, "statement": interim(world, 4, root="11" * 32)})
    assert "the record has another tree at the same ledger size" in out
    _, out, _ = check({**proof, "statement": interim(world, 4, root="11" * 32, size=1)})
    assert "another tree at the same ledger size" not in out


def test_a_statement_of_no_issuer_is_nobodys(world: AuditElection, check: Check) -> None:
    proof = {**world.position_proof(4, ABSTAINER), "issuer": 9, "statement": interim(world, 4)}
    code, out, _ = check(proof)
    assert code == 1
    assert "role issuer 9: the issuer's signature" in out
    code, out, _ = check({**world.position_proof(4, ABSTAINER), "issuer": 9})
    assert "the record has no ledger statement of issuer 9" in out


def test_a_record_of_another_election_is_named(world: AuditElection, case: Case, check: Check) -> None:
    case.restated = False
    case.record.set("opening", "time", value=1)
    case.write()
    code, out, _ = check(world.position_proof(4, ABSTAINER), case.record.root)
    assert code == 1
    assert "position.record     FAIL" in out


def test_a_forged_ledger_entry_is_named(world: AuditElection, case: Case, check: Check) -> None:
    case.restated = False
    case.after.append(lambda: case.record.edit("ledger", lambda body: None, 3, "registrar"))
    case.write()
    code, out, _ = check(world.position_proof(4, ABSTAINER), case.record.root)
    assert code == 1
    assert "position.record     FAIL" in out


def test_an_unreadable_checkpoint_in_the_record_is_no_size(world: AuditElection, case: Case, check: Check) -> None:
    case.restated = False
    case.after.append(lambda: case.record.set("ledger", "checkpoint", value="x", number=3))
    case.write()
    proof = {**world.position_proof(4, ABSTAINER), "statement": interim(world, 4)}
    code, _, _ = check(proof, case.record.root)
    assert code == 0


def test_a_record_without_opening_is_no_ground(world: AuditElection, case: Case, check: Check) -> None:
    case.restated = False
    case.after.append(lambda: case.record.entries.pop(case.record.at("opening")))
    case.write()
    proof = {**world.position_proof(4, ABSTAINER), "statement": interim(world, 4)}
    code, out, _ = check(proof, case.record.root)
    assert code == 1
    assert "position.record     FAIL     the record cannot be used: order.counts" in out
    assert "position.statement  FAIL     not run because of order.counts" in out


@pytest.mark.parametrize(
    ("words", "damage"),
    [
        ("not JSON", lambda p: "{"),
        ("nested too deeply", lambda p: "[" * 200),
        ("more than 65536", lambda p: json.dumps(p) + " " * 70_000),
        ("another election", lambda p: {**p, "fingerprint": "00" * 32}),
        ("is not one of evoting-position-proof/v1", lambda p: {**p, "format": "evoting-position-proof/v2"}),
        ("unknown key 'more'", lambda p: {**p, "more": 1}),
        ("key 'salt' is missing", lambda p: {k: v for k, v in p.items() if k != "salt"}),
        ("proof.issued: not hex digits", lambda p: {**p, "issued": "x"}),
        ("proof.issued: 4 bytes instead of 32", lambda p: {**p, "issued": b"none".hex()}),
        ("proof.statement: key 'size' is missing", lambda p: {**p, "statement": {}}),
        ("proof.path: 64 items", lambda p: {**p, "path": ["00" * 32] * 64}),
    ],
)
def test_a_file_that_is_no_proof_is_refused_in_one_line(
    world: AuditElection, check: Check, words: str, damage: Callable[[dict[str, Any]], Any]
) -> None:
    code, out, error = check(damage(world.position_proof(4, ABSTAINER)))
    assert (code, out) == (2, "")
    assert words in error
    assert error.count("\n") == 1
