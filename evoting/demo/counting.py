"""The demonstration after the last ballot: close, ledgers, selection, mixes, decryption, result, publication."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from crypto.entry import decode_role_entry
from crypto.log.note import NoteSignature, decode_signature_lines
from evoting.definition import HomomorphicContest, MixedContest, Role
from evoting.demo.errors import DemoError
from evoting.demo.parties import run_parties, run_party
from evoting.demo.places import Places
from evoting.demo.setup import officers
from evoting.demo.trust import witness_keys
from evoting.office import steps
from evoting.office.groups import TallyGroup
from evoting.office.tally import post_result
from evoting.record.election import ElectionRecord
from mix_net.stage import ENTRY, OUTPUT, PROOF

Progress = Callable[[int], None]


def close(record: ElectionRecord, places: Places) -> None:
    """Close, unless that is done."""
    if not record.entries("close"):
        steps.close_election(record, officers(places), int(time.time()))


def ledgers(record: ElectionRecord, places: Places, jobs: int) -> None:
    """Every issuer's signed statement."""
    posted = {entry.body["issuer"] for entry in record.entries("ledger")}
    missing = [role for role in record.manifest.roles_of("issuer") if role.index not in posted]
    files = {role.id: places.stick / f"{role.id}.ledger.entry" for role in missing}
    run_parties(
        [
            ("evoting-issuer", "close", *places.issuer(role.id), "--entry", files[role.id])
            for role in missing
            if not files[role.id].exists()
        ],
        jobs,
    )
    for role in missing:
        record.post_signed(files[role.id].read_bytes())


def select(record: ElectionRecord, places: Places, progress: Progress) -> None:
    """Judge everything, unless that is done."""
    if not record.entries("selection"):
        selection = steps.judge_all(record, progress)
        steps.post_selection(record, officers(places), selection, int(time.time()))


def aggregate(record: ElectionRecord, places: Places, progress: Progress) -> None:
    """Aggregates and mix inputs; done again as a whole where it was interrupted before the first entry."""
    expected = [
        (contest.id, group.id)
        for contest in record.manifest.contests
        if isinstance(contest, HomomorphicContest)
        for group in tallied(record, contest.id)
    ]
    lists = places.work / "lists"
    done = lists / "done"
    if len(record.entries("aggregate")) == len(expected) and done.exists():
        return
    steps.post_aggregates(record, officers(places), lists, progress)
    done.touch()


def tallied(record: ElectionRecord, contest: str) -> list[TallyGroup]:
    """The groups of a contest that have a list."""
    return [group for group in steps.published_groups(record)[contest] if group.status == "tallied"]


def mixed_contests(record: ElectionRecord) -> list[MixedContest]:
    """Contests that go through the mixes."""
    return [contest for contest in record.manifest.contests if not isinstance(contest, HomomorphicContest)]


def prepare_mixers(record: ElectionRecord, places: Places, jobs: int) -> None:
    """Re-encryption pairs for every list, made by each mixer while people vote."""
    total = sum(contest.width for contest in mixed_contests(record)) * record.voter_count
    if total == 0 or record.entries("mix"):
        return
    run_parties(
        [
            (
                "evoting-mixer", "prepare", places.secrets(role.id) / "pairs", "--count", total,
                "--public-key", election_key(record).hex(), "--quiet",
            )
            for role in record.manifest.roles_of("mixer")
            if not (places.secrets(role.id) / "pairs").exists()
        ],
        jobs,
    )  # fmt: skip


def election_key(record: ElectionRecord) -> bytes:
    """The trustees' joint key."""
    return bytes(record.only("opening").body["trustees"]["key"])  # type: ignore[index]


def mix(record: ElectionRecord, places: Places, jobs: int, progress: Progress) -> None:
    """Every list through every mixer, stage by stage; lists side by side. What is on the board is not mixed again."""
    lists = [(contest, group) for contest in mixed_contests(record) for group in tallied(record, contest.id)]
    fingerprint, key, mixers = record.fingerprint, election_key(record), record.manifest.roles_of("mixer")
    done = {(entry.body["contest"], entry.body["group"], entry.body["stage"]) for entry in record.entries("mix")}
    busy = {mixer.id: Lock() for mixer in mixers}

    def through_all_mixers(one: tuple[MixedContest, TallyGroup]) -> list[Path]:
        contest, group = one
        inputs = steps.mix_input(places.work / "lists", contest.id, group.id)
        outs: list[Path] = []
        for mixer in mixers:
            outs.append(places.stick / "mix" / f"{contest.id}.{group.id}.{mixer.index}")
            if (contest.id, group.id, mixer.index) not in done:
                with busy[mixer.id]:
                    _run_mixer(places, fingerprint, key, contest, group, mixer, inputs, outs[-1])
                progress(group.ballots)
            inputs = outs[-1] / OUTPUT
        return outs

    with ThreadPoolExecutor(jobs) as pool:
        for (contest, group), outs in zip(lists, pool.map(through_all_mixers, lists), strict=True):
            for mixer, out in zip(mixers, outs, strict=True):
                if (contest.id, group.id, mixer.index) not in done:
                    record.board.put_blob(out / OUTPUT)
                    record.board.put_blob(out / PROOF)
                    record.post_signed((out / ENTRY).read_bytes())


def _run_mixer(
    places: Places,
    fingerprint: bytes,
    key: bytes,
    contest: MixedContest,
    group: TallyGroup,
    mixer: Role,
    inputs: Path,
    out: Path,
) -> None:
    """One mixer as a process of its own; repeated after an interruption it publishes the same bytes."""
    out.mkdir(parents=True, exist_ok=True)
    context = out.with_suffix(".json")
    members = {"fingerprint": fingerprint.hex(), "contest": contest.id, "group": group.id}
    context.write_text(
        json.dumps({**members, "stage": mixer.index, "mixer": mixer.id, "width": contest.width}, indent=2) + "\n"
    )
    own = places.secrets(mixer.id)
    run_party(
        "evoting-mixer", "mix", "--list", inputs, "--public-key", key.hex(), "--context", context, "--out", out,
        "--private", own / "private", "--key", own / "key", "--pairs", own / "pairs", "--quiet",
    )  # fmt: skip


def publish(record: ElectionRecord, places: Places, jobs: int) -> None:
    """Sign a checkpoint of everything, let every log witness look at it and cosign, and leave no other file behind."""
    record.board.publish()
    calls = [
        ("evoting-witness", "cosign", places.secrets(role.id), "--record", places.record)
        for role in record.manifest.roles_of("witness")
    ]
    lines: list[NoteSignature] = []
    for output in run_parties(calls, jobs):
        lines += decode_signature_lines(output)
    record.board.add_cosignatures(lines, witness_keys(record, places), int(time.time()))
    record.board.prune()


#: Up to so many ballots every trustee counts again before it decrypts. Beyond, the demonstration tells them that their
#: own verifier has done so, which is not true: it measures the rest, and is no example.
RECOUNT_LIMIT = 50_000


def decrypt(record: ElectionRecord, places: Places, jobs: int) -> None:
    """t trustees decrypt every list, each after checking the published record."""
    counted_before = ["--verified"] if record.voter_count > RECOUNT_LIMIT else []
    manifest = record.manifest
    lists = [(contest.id, group.id) for contest in manifest.contests for group in tallied(record, contest.id)]
    posted = {
        (entry.body["trustee"], entry.body["contest"], entry.body["group"]) for entry in record.entries("decryption")
    }
    present = manifest.roles_of("trustee")[: manifest.trustee_threshold]
    waiting = [role for role in present if any((role.index, *name) not in posted for name in lists)]
    run_parties(
        [
            (
                "evoting-trustee", "decrypt", "--record", places.record, "--trust-root", places.trust_root,
                "--key", places.secrets(role.id) / "key", "--private", places.secrets(role.id) / "private",
                "--output", places.stick / "decryption" / role.id, *counted_before,
            )
            for role in waiting
        ],
        min(jobs, 2),
    )  # fmt: skip
    for role in waiting:
        for path in sorted((places.stick / "decryption" / role.id).glob("*.entry")):
            raw = path.read_bytes()
            body = decode_role_entry(raw).body
            if (role.index, body["contest"], body["group"]) not in posted:
                factors = path.with_suffix(".factors")
                if hashlib.sha256(factors.read_bytes()).digest() != body["factors"]["hash"]:  # type: ignore[index]
                    raise DemoError(f"{factors} is damaged: it is not what the trustee's entry names")
                record.board.put_blob(factors)
                record.post_signed(raw)


def result(record: ElectionRecord, places: Places, progress: Progress) -> None:
    """Combine, count, allocate, and publish the result entry."""
    if not record.entries("result"):
        post_result(record, officers(places), int(time.time()), progress)
