"""A small election over HTTP: every party a process, every credential obtained by the client library.

Identity provider and registrar enrol the electorate; their log and roll are what the issuers are opened with.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from biometric_idp.bulk.enrol import StylePlan
from biometric_idp.bulk.online import OnlineElection, Phases, Settings, enrol_online, issue_online, people_file
from biometric_idp.enrolment.log import EnrolmentSource
from biometric_idp.files import write_json
from biometric_idp.issuer.office import read_enrolment_entries
from biometric_idp.registrar.roll import read_roll
from biometric_idp.role_key import read_role_key
from tests.biometric_idp.issuer_service.places import IssuerPlace, make_place
from tests.biometric_idp.online.parties import ELECTION, FINGERPRINT, ORIGIN, VOTING, Parties, run, running
from tests.biometric_idp.world import STYLES, World
from tests.support.running import Service


def _quiet(_: int) -> None:
    return


@dataclass
class SmallElection:
    """All processes, and what voters know.

    Attributes:
        voters: the directory of the voters' devices; nobody else's.
        world: keys and shares of the issuers.
    """

    directory: Path
    parties: Parties
    world: World
    places: list[IssuerPlace]
    issuers: list[Service] = field(default_factory=list)

    @property
    def voters(self) -> Path:
        return self.directory / "voters"

    @property
    def known(self) -> OnlineElection:
        return OnlineElection(self.world.policy, self.world.keys, self.world.group, self.world.pairing)

    def settings(self, urls: Sequence[str] | None = None) -> Settings:
        return Settings(
            ORIGIN,
            f"http://127.0.0.1:{self.parties.idp.port}",
            f"http://127.0.0.1:{self.parties.registrar.port}",
            self.parties.party,
            VOTING,
            self.parties.directory / "spool",
            tuple([service.url for service in self.issuers] if urls is None else urls),
        )

    def start_issuers(self) -> None:
        self.issuers = [place.start() for place in self.places]

    def issue(self, report: Callable[[int], None] = _quiet, urls: Sequence[str] | None = None) -> int:
        """Every enrolled voter's credential, from k of the issuers."""
        return issue_online(self.voters, self.settings(urls), self.known, Phases(4, report))


@contextmanager
def small_election(
    directory: Path,
    voters: Sequence[int] = (4, 3),
    *,
    abstainers: int = 1,
    databases: Mapping[str, str] | None = None,
    **settings: Any,
) -> Iterator[SmallElection]:
    """Enrolled and opened, with nothing issued yet.

    Args:
        voters: people on the roll by ballot style.
        abstainers: so many of the last never enrol.
        databases: addresses by ``idp``, ``registrar`` or an issuer's number; SQLite where there is none.
    """
    chosen = dict(databases or {})
    with ExitStack() as stack:
        for name in ("parties", "issuers", "voters"):
            (directory / name).mkdir()
        plans = [StylePlan(style, count, 0) for style, count in zip(STYLES, voters, strict=True)]
        parties = stack.enter_context(
            running(
                directory / "parties",
                plans=plans,
                idp_database=chosen.get("idp", "sqlite"),
                registrar_database=chosen.get("registrar", "sqlite"),
            )
        )
        people = parties.people[: len(parties.people) - abstainers]
        members = [
            {
                "pin": person.pin,
                "mrz": list(person.mrz),
                "phone": str(person.record["phone"]),
                "seed": sha256(f"device of {person.pin}".encode()).hexdigest(),
            }
            for person in people
        ]
        write_json(directory / "voters/people.json", people_file(members), secret=True)
        world = World(
            directory / "issuers",
            FINGERPRINT,
            read_role_key(parties.idp_config.parent / "role.key"),
            read_role_key(parties.registrar_config.parent / "role.key"),
            now=int(time.time()),
            voters=sum(voters),
        )
        stack.callback(world.close)
        world.databases = {int(name): url for name, url in chosen.items() if name.isdigit()}
        election = SmallElection(directory, parties, world, [])
        enrol_online(election.voters, election.settings(), STYLES, Phases(4, _quiet))
        _open(election)
        election.places = [make_place(world, index, **settings) for index in range(1, world.issuers + 1)]
        for place in election.places:
            stack.callback(place.stop)
        election.start_issuers()
        yield election


def _open(election: SmallElection) -> None:
    """What the office gives the issuers: roll, enrolment log and policy."""
    world, parties = election.world, election.parties
    chosen = ("--config", parties.idp_config, "--election", ELECTION)
    checkpoint, log = election.directory / "checkpoint", election.directory / "enrolment-log.bin"
    run("idp", "sign-checkpoint", *chosen, "--out", checkpoint, prints=False)
    run("idp", "export-enrolments", *chosen, "--checkpoint", checkpoint, "--out", log, prints=False)
    world.roll = read_roll(parties.directory / "roll.bin")
    world.entries = list(read_enrolment_entries(log))
    source = EnrolmentSource(
        ORIGIN, parties.keys["idp"], parties.keys["registrar"], checkpoint.read_text(), int(time.time())
    )
    world.policy = replace(
        world.policy, origin=ORIGIN, party=VOTING, styles=tuple(world.roll.sizes()), enrolment=source
    )
