"""Signed voter lists to the roll, and on to a voting passkey in the log, by the operator's own commands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from biometric_idp.bulk.enrol import StylePlan
from biometric_idp.bulk.people import SyntheticPerson
from biometric_idp.registrar.roll import read_roll
from tests.biometric_idp.online.parties import (
    ELECTION,
    Device,
    Refused,
    run,
    running,
    write_config,
)
from tests.biometric_idp.population.voter_list import KEY, Lists
from tests.support.running import run_tool

PLANS = (StylePlan("north", 6, 0), StylePlan("south", 4, 0))
#: Who is taken off by the final list, and who is in it twice.
REMOVED, MERGED, KEPT = 1, 2, 3
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def entry(person: SyntheticPerson, **changes: Any) -> dict[str, Any]:
    record = person.record
    names = ("pin", "surname", "given_names", "birth_date", "sex", "documents", "unit")
    return {**{name: record[name] for name in names}, "status": "active", **changes}


def with_lists(members: dict[str, Any]) -> None:
    members["lists"] = {"trust": ["keeper.pem"]}
    members["elections"][0]["rules"] = "rules.json"


def write_trust(directory: Path) -> None:
    """What the operator configures: who may sign, and what is asked of lists."""
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (directory / "keeper.pem").write_bytes(pem)
    rules = {
        "format": "evoting-list-rules/v1",
        "election": ELECTION,
        "election_day": "2027-01-24",
        "minimum_age": 18,
        "units": {"north": "north", "south": "south"},
    }
    (directory / "rules.json").write_text(json.dumps(rules))


def refused(*arguments: object) -> tuple[int, str]:
    """Exit code and all output of a command of the registrar."""
    done = run_tool("biometric_idp.registrar.cli", *arguments)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def roll_from_lists(config: Path, people: Sequence[SyntheticPerson], roll: Path) -> None:
    """A preliminary list, a final one, and the roll; with what must not get in between them."""
    write_trust(config.parent)
    lists = Lists(config.parent)
    election = ("--config", config, "--election", ELECTION)
    drawing = ("roll", *election, "--from-lists", "--style", "south", "--style", "north", "--roll", roll)
    assert "no final list" in refused(*drawing)[1]

    first = lists.write([entry(person) for person in people], election=ELECTION)
    importing = ("import-list", *election, "--json")
    code, said = refused(*importing, first, "--signature", lists.sign(first, STRANGER))
    assert (code, "not configured" in said) == (2, True), said
    taken = run("registrar", *importing, first, "--signature", lists.sign(first))
    assert (taken["outcome"], taken["voters"]) == ("accepted", len(people))
    assert "no final list" in refused(*drawing)[1]

    entries = [entry(person) for number, person in enumerate(people) if number not in (REMOVED, MERGED)]
    entries.append({"pin": people[MERGED].pin, "status": "merged", "merged_into": people[KEPT].pin})
    bad = lists.final([*entries, entry(people[0])], first, election=ELECTION)
    code, said = refused(*importing, bad, "--signature", lists.sign(bad))
    assert (code, json.loads(said)["outcome"]) == (1, "rejected")
    final = lists.final(entries, first, election=ELECTION)
    for outcome in ("accepted", "unchanged"):
        assert run("registrar", *importing, final, "--signature", lists.sign(final))["outcome"] == outcome

    assert "ballot styles" in refused(*drawing[:-4], "--style", "east", "--roll", roll)[1]
    drawn = run("registrar", *drawing)
    assert drawn["styles"] == [{"style": "south", "size": 4}, {"style": "north", "size": 4}]
    assert refused(*drawing)[0] == 2


@pytest.mark.slow
def test_signed_lists_come_to_a_roll_on_which_a_voter_enrols(tmp_path: Path) -> None:
    with running(tmp_path, plans=PLANS, change_registrar=with_lists, make_roll=roll_from_lists) as parties:
        assert read_roll(tmp_path / "roll.bin").styles == ("south", "north")
        device = Device(parties, parties.people[KEPT])
        device.enrol()
        place = device.vote_ready()
        assert (place["state"], place["style"]) == ("logged", "north")
        assert read_roll(tmp_path / "roll.bin").style_of(place["position"]) == "north"
        device.close()
        for number in (REMOVED, MERGED):
            left_out = Device(parties, parties.people[number])
            left_out.enrol()
            left_out.handoff()
            with pytest.raises(Refused, match="not-on-roll"):
                left_out.register_voting()
            left_out.close()
    purge = ("registrar", "purge", "--config", parties.registrar_config)
    assert [run(*purge)["list-entries"] for _ in range(2)] == [10, 0]
    audit = run("registrar", "audit", "--config", parties.registrar_config)
    assert audit["entries"] >= 4


@pytest.mark.slow
def test_a_real_deployment_takes_signed_lists_only(tmp_path: Path) -> None:
    people_file = tmp_path / "register.json"
    people_file.write_text(json.dumps({"format": "evoting-register/v1", "persons": []}))
    config = tmp_path / "registrar.toml"
    members: dict[str, Any] = {
        "host_names": ["registrar.example"],
        "database": "registrar.sqlite",
        "key": "role.key",
        "secret": "secret",
        "register": {"file": "register.json"},
        "channels": {"smtp": {"host": "mail.example", "sender": "registrar@registrar.example"}},
        "elections": [
            {
                "id": ELECTION,
                "origin": "vote.example/2027",
                "identity_provider": "00" * 32,
                "voting_origin": "https://vote.example",
                "title": {"ky": "Шайлоо", "ru": "Выборы", "en": "Election"},
            }
        ],
    }
    write_config(config, members)
    run("registrar", "init", "--config", config)
    voters = tmp_path / "voters.csv"
    voters.write_text("pin,style\n20101199000001,north\n")
    election = ("--config", config, "--election", ELECTION)
    code, said = refused("roll", *election, "--list", voters)
    assert (code, "signed lists" in said) == (2, True)
    code, said = refused("import-list", *election, voters, "--signature", voters)
    assert (code, "[lists]" in said) == (2, True)
