"""``kill -9`` of an issuer at random moments under load: ``python -m tests.crash.issuer --rounds 200 [--postgresql]``.

Every voter asks with two different requests at once. However often the process dies, in the end exactly one of the two
is answered, always with the same bytes; and every checkpoint that anybody saw is a prefix of the last one.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from biometric_idp.issuer.ledger import ledger_origin
from biometric_idp.request import Answer, Refusal, decode_answer
from biometric_idp.signatures import note_verifier
from crypto import cbor
from crypto.log.checkpoint import Checkpoint, verify_log_signature
from crypto.log.merkle import hash_leaves, root_of_hashes
from crypto.log.note import decode_note
from tests.biometric_idp.issuer_service.places import TOOL, IssuerPlace, make_place
from tests.biometric_idp.world import ORIGIN, World
from tests.support.postgres import postgres_server
from tests.support.running import Service

VOTERS_A_ROUND = 6
_CBOR = {"content-type": "application/cbor"}


@dataclass
class Seen:
    """What voters and watchers saw, over all lives of the process."""

    partials: dict[tuple[int, int], set[bytes]] = field(default_factory=dict)
    refused: set[tuple[int, int]] = field(default_factory=set)
    heads: list[Checkpoint] = field(default_factory=list)
    asked: set[tuple[int, int]] = field(default_factory=set)
    unanswered: set[tuple[int, int]] = field(default_factory=set)
    lost: int = 0

    def take(self, place: tuple[int, int], answer: Answer | Refusal) -> None:
        if isinstance(answer, Answer):
            self.partials.setdefault(place, set()).add(answer.partial)
        else:
            assert answer.code == "already-issued", answer.code
            self.refused.add(place)

    def doubles(self) -> int:
        """Voters with answers to both requests, or two answers to one."""
        both = sum((position, 1) in self.partials for position, which in self.partials if which == 0)
        return both + sum(len(found) > 1 for found in self.partials.values())

    def locked_out(self) -> int:
        """Voters who asked and have nothing."""
        return len({position for position, _ in self.asked} - {position for position, _ in self.partials})

    def retried(self) -> set[tuple[int, int]]:
        """Requests that lost an answer once and have it now, or a refusal."""
        return self.unanswered & (self.partials.keys() | self.refused)


def ask_once(client: httpx.Client, seen: Seen, place: tuple[int, int], request: bytes) -> None:
    """One request, whatever becomes of it."""
    seen.asked.add(place)
    try:
        response = client.post("/v1/issuances", content=request, headers=_CBOR)
        seen.take(place, decode_answer(response.content))
    except httpx.TransportError:
        seen.lost += 1
        seen.unanswered.add(place)


def watch(client: httpx.Client, world: World, seen: Seen, stop: threading.Event) -> None:
    """Somebody who keeps every checkpoint."""
    key = note_verifier(bytes(world.signing[0].verify_key), ledger_origin(ORIGIN, 1))
    while not stop.is_set():
        try:
            response = client.get("/v1/ledger/checkpoint")
        except httpx.TransportError:
            return
        if response.status_code == 200:
            seen.heads.append(verify_log_signature(decode_note(response.content), key))
        time.sleep(0.02)


def one_life(
    place: IssuerPlace,
    seen: Seen,
    requests: dict[tuple[int, int], bytes],
    kill: Callable[[Service], None],
    module: str = TOOL,
    *arguments: object,
) -> None:
    """Start the process, send everything at once, and end it while it works."""
    service = place.start(module, *arguments)
    stop = threading.Event()
    with httpx.Client(base_url=service.url, timeout=30) as client:
        threads = [
            threading.Thread(target=ask_once, args=(client, seen, at, request)) for at, request in requests.items()
        ]
        threads.append(threading.Thread(target=watch, args=(client, place.world, seen, stop)))
        for thread in threads:
            thread.start()
        kill(service)
        stop.set()
        for thread in threads:
            thread.join()


def check_the_end(place: IssuerPlace, seen: Seen, requests: dict[tuple[int, int], bytes]) -> None:
    """Everybody asks again: nobody has two, nobody is locked out, nothing that was seen is untrue."""
    world = place.world
    service = place.start()
    with httpx.Client(base_url=service.url, timeout=30) as client:
        for at in sorted(requests):
            ask_once(client, seen, at, requests[at])
    positions = sorted({position for position, _ in requests})
    for position in positions:
        answered = [number for number in (0, 1) if (position, number) in seen.partials]
        assert len(answered) == 1, f"position {position}: {len(answered)} of two requests were answered"
        assert len(seen.partials[position, answered[0]]) == 1, f"position {position}: two different answers"
        assert (position, 1 - answered[0]) in seen.refused
    service.stop()
    store = world.store(1)
    with store.snapshot() as ledger:
        entries = list(ledger.entries())
        assert ledger.size == len(ledger.hashes()) == len(positions)
    assert len({cbor.decode(entry)["hash"] for entry in entries}) == len(entries)  # type: ignore[index]
    leaves = hash_leaves(entries)
    for head in seen.heads:
        assert head.root == root_of_hashes(leaves[: 32 * head.size]), f"the checkpoint of size {head.size} is no prefix"
    assert len(store.refusals()) >= len(positions)


def run(
    directory: Path,
    rounds: int,
    database: str | None,
    seed: int,
    seen: Seen | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Seen:
    """So many lives, each with voters of its own and those of the life before, who lost their answers.

    Raises:
        AssertionError: what was seen is not what must be; ``seen`` has all of it.
    """
    rng = random.Random(seed)
    world = World(directory, now=int(time.time()), voters=VOTERS_A_ROUND * rounds + 2)
    if database is not None:
        world.databases[1] = database
    place = make_place(world, 1, checkpoint_seconds=0.05, tree_seconds=0.1)
    seen = Seen() if seen is None else seen
    requests: dict[tuple[int, int], bytes] = {}

    def kill(service: Service) -> None:
        time.sleep(rng.uniform(0, 0.5))
        service.kill()

    try:
        for number in range(rounds):
            positions = range(VOTERS_A_ROUND * number, VOTERS_A_ROUND * (number + 1))
            fresh = {(at, which): world.request(world.wallet(at)).encode() for at in positions for which in (0, 1)}
            requests |= fresh
            again = {at: requests[at] for at in list(requests)[-4 * VOTERS_A_ROUND :]}
            one_life(place, seen, again, kill)
            place.stop()
            progress(number + 1)
        check_the_end(place, seen, requests)
    finally:
        place.stop()
        world.close()
    return seen


def main() -> int:
    """Run and say what happened."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.issuer", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="how often the issuer is killed")
    parser.add_argument("--postgresql", action="store_true", help="with a PostgreSQL server instead of SQLite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crash-")))
        database = stack.enter_context(postgres_server()).database() if arguments.postgresql else None
        seen = run(directory, arguments.rounds, database, arguments.seed)
    print(
        f"{arguments.rounds} kills: {len(seen.partials)} voters with one credential each, {seen.lost} answers lost, "
        f"{len(seen.heads)} checkpoints seen, all prefixes of the last"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
