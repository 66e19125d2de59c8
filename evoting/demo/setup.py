"""The demonstration up to the opening entry: keys, manifest, roll, enrolment, both ceremonies."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from nacl.signing import SigningKey

from crypto.dkg.driver import STEPS
from crypto.log.note import NOTE_KEY, decode_vkey
from evoting.board.keys import generate_key, load_key
from evoting.board.store import Board
from evoting.definition import Manifest, encode_manifest, manifest_hash
from evoting.demo.errors import DemoError
from evoting.demo.parties import run_parties, run_party
from evoting.demo.places import Places, read_json, write_whole
from evoting.demo.plan import ORIGIN, Plan
from evoting.demo.trust import write_trust_root
from evoting.examples.kyrgyz2021 import role_plan
from evoting.office import steps
from evoting.office.ceremonies import Kind, assemble_ceremony, ceremony_parameters
from evoting.office.issuance import write_ceremony_parameters
from evoting.office.setup import open_with_ceremonies
from evoting.record.election import ElectionRecord, read_blobref

#: Roles whose key the office's own tool makes; the others have commands of their own.
_PLAIN_KINDS = ("officer", "ballot-box", "identity-provider", "registrar", "terminal")


def make_keys(places: Places, plan: Plan) -> dict[str, bytes]:
    """Every role makes its key in its own directory, if it has none yet; returns the public keys.

    A key whose public half was not handed over before an interruption is made anew: nobody has seen it.

    Raises:
        DemoError: a public key is gone although the election has begun, or damaged.
    """
    keys: dict[str, bytes] = {}
    log = places.secrets("log") / "key"
    log.parent.mkdir(parents=True, exist_ok=True)
    if not log.exists():
        generate_key(log, ORIGIN, NOTE_KEY)
    log_vkey = load_key(log).verifier.encode()
    calls: list[tuple[object, ...]] = []
    waiting: list[str] = []
    for role, kind, _ in role_plan(plan.options):
        directory = places.secrets(role)
        public = places.stick / "keys" / f"{role}.json"
        public.parent.mkdir(parents=True, exist_ok=True)
        if public.exists():
            keys[role] = _read_public(public)
            continue
        if (places.secrets("log") / "state").exists():
            raise DemoError(f"{public} is missing, and the election has begun with this key")
        shutil.rmtree(directory, ignore_errors=True)
        if kind in ("trustee", "mixer"):
            directory.mkdir(parents=True, exist_ok=True)
            output = run_party(f"evoting-{kind}", "keygen", directory / "key", "--name", f"{ORIGIN}/{role}")
            keys[role] = _publish(public, bytes.fromhex(output.strip()))
        elif kind in _PLAIN_KINDS:
            directory.mkdir(parents=True, exist_ok=True)
            generate_key(directory / "key", f"{ORIGIN}/{role}", NOTE_KEY)
            keys[role] = _publish(public, bytes(signing_key(places, role).verify_key))
        elif kind == "witness":
            output = run_party("evoting-witness", "init", directory, "--name", f"{role}.example", "--log", log_vkey)
            keys[role] = _publish(public, decode_vkey(output.strip()).public_key)
        else:
            calls.append((f"evoting-{kind}", "keygen", "--dir", directory))
            waiting.append(role)
    for role, output in zip(waiting, run_parties(calls, 2), strict=True):
        keys[role] = _publish(places.stick / "keys" / f"{role}.json", bytes.fromhex(json.loads(output)["key"]))
    return keys


def _publish(path: Path, key: bytes) -> bytes:
    write_whole(path, json.dumps({"key": key.hex()}) + "\n")
    return key


def _read_public(path: Path) -> bytes:
    try:
        key = bytes.fromhex(read_json(path)["key"])
    except (KeyError, TypeError, ValueError):
        key = b""
    if len(key) != 32:
        raise DemoError(f"{path} is damaged: it holds no public key")
    return key


def signing_key(places: Places, role: str) -> SigningKey:
    """A role key that the office's tool made."""
    return SigningKey(load_key(places.secrets(role) / "key", NOTE_KEY).seed)


def officers(places: Places) -> dict[str, SigningKey]:
    """Both officers' keys."""
    return {role: signing_key(places, role) for role in ("officer-1", "officer-2")}


def open_board(places: Places) -> Board:
    """Open the demonstration's board, or start it."""
    key = load_key(places.secrets("log") / "key", NOTE_KEY)
    state = places.secrets("log") / "state"
    if not (state / "head").exists():
        return Board.create(places.record, state, key)
    return Board.open(places.record, state, key)


def publish_manifest(record: ElectionRecord, places: Places, manifest: Manifest) -> None:
    """Entry 0."""
    if not record.entries("manifest"):
        steps.post_manifest(record, encode_manifest(manifest), officers(places))


def run_ceremony(record: ElectionRecord, places: Places, kind: Kind) -> None:
    """Let every participant take every step, each as a process with its own directory, and post the transcript.

    A step that was taken before an interruption is taken again and gives the same bytes.
    """
    entry = f"{kind}-ceremony"
    if record.entries(entry):
        return
    parameters = ceremony_parameters(record, kind)
    stick = places.stick / entry
    stick.mkdir(parents=True, exist_ok=True)
    described = places.stick / "issuer-ceremony.json"
    write_ceremony_parameters(described, record.manifest, manifest_hash(record.manifest_bytes))
    for step in STEPS:
        calls: list[tuple[object, ...]] = []
        files: list[object]
        for role in parameters.roles:
            own = places.secrets(role.id)
            if kind == "trustee":
                manifest = places.record / read_blobref(record.only("manifest").body["manifest"]).path()
                files = ["--manifest", manifest, "--key", own / "key", "--private", own / "private"]
            else:
                files = ["--parameters", described, "--dir", own]
            calls.append((f"evoting-{kind}", "ceremony", step, *files, "--shared", stick))
        run_parties(calls, 2)
    transcript = assemble_ceremony(record, kind, stick)
    steps.post_ceremony(record, entry, transcript, steps.one_officer(officers(places)), int(time.time()))


def open_election(record: ElectionRecord, places: Places) -> None:
    """Recompute all keys from the transcripts, append the opening entry, write the trust root."""
    if not record.entries("opening"):
        open_with_ceremonies(record, officers(places), [], int(time.time()))
    write_trust_root(record, places)
