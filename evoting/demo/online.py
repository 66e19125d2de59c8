"""Enrolment and issuance over HTTP: identity provider, registrar, issuers and log witnesses run as services.

Voters' devices are software; the identity provider of this MODEL election asks for a document and a passkey, and for no
face, because no photographs are shipped. One issuer is killed while it issues, and the rest carry on without it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crypto.entry import countersign_entry, decode_role_entry
from crypto.log.note import NOTE_KEY, VerifierKey
from evoting.definition import manifest_hash
from evoting.demo.parties import PartyFailed, run_parties, run_party
from evoting.demo.places import Places, read_json, write_whole
from evoting.demo.plan import ORIGIN
from evoting.demo.services import ServicePool, watch_party, write_toml
from evoting.demo.setup import officers
from evoting.demo.trust import witness_keys
from evoting.examples.kyrgyz2021 import DemoElection
from evoting.office import steps
from evoting.record.election import ElectionRecord

ELECTION = "kyrgyz-2021-demo"
IDP = "identity-provider"
REGISTRAR = "registrar"
#: Index of the issuer that is killed, and the part of all credentials after which it is.
VICTIM, AFTER = 4, 0.5

Progress = Callable[[int], None]


def enrol(
    record: ElectionRecord, places: Places, election: DemoElection, styles: list[str], report: Progress
) -> dict[str, Any]:
    """Population, roll, and every voter's passkey in the enrolment log; then the two entries about them.

    Returns:
        What the voters' devices measured; empty where all of it was done before.
    """
    if record.entries("enrolment"):
        return {}
    _make_people(places, styles)
    _configure(record, places)
    _import_roll(places, election)
    about = ("--election", ELECTION, "--manifest", manifest_hash(record.manifest_bytes).hex())
    registrar = places.secrets(REGISTRAR) / "config.toml"
    if not record.entries("roll"):
        signed = places.stick / "roll.entry"
        run_party("evoting-registrar", "sign-roll", "--config", registrar, *about, "--out", signed)
        entry = decode_role_entry(signed.read_bytes())
        record.post_signed(countersign_entry(entry, record.binding, steps.one_officer(officers(places))))
    with ServicePool(places.work / "logs") as pool:
        _start_identity(record, places, pool)
        _write_settings(record, places, pool, [])
        output = watch_party(
            "evoting-voters", "enrol-online", "--out", places.secrets("voters"), *styles,
            "--settings", _settings(places), "--progress", heard=_counter(report),
        )  # fmt: skip
        config = places.secrets(IDP) / "config.toml"
        checkpoint = _checkpoint(places)
        run_party("evoting-idp", "sign-checkpoint", "--config", config, "--election", ELECTION, "--out", checkpoint)
        log = places.stick / "enrolment-log.bin"
        run_party(
            "evoting-idp", "export-enrolments", "--config", config, "--election", ELECTION,
            "--checkpoint", checkpoint, "--out", log,
        )  # fmt: skip
    signed, joint = places.stick / "enrolment.one", places.stick / "enrolment.entry"
    run_party("evoting-idp", "sign-enrolment", "--config", config, *about, "--checkpoint", checkpoint, "--out", signed)
    run_party(
        "evoting-registrar", "sign-enrolment", "--config", registrar, *about, "--entry", signed,
        "--enrolment-log", log, "--out", joint,
    )  # fmt: skip
    record.post_signed(joint.read_bytes())
    return dict(json.loads(output)["figures"])


def issue(
    record: ElectionRecord,
    places: Places,
    policy: Path,
    keys: Path,
    jobs: int,
    report: Progress,
    *,
    kill: bool = True,
) -> dict[str, Any]:
    """Every device's credential from k of m issuers over HTTP.

    Args:
        kill: end one issuer halfway, as a power failure would; it comes back when the rest is done.

    Returns:
        What the voters' devices measured; empty where all of it was done before.
    """
    voters = places.secrets("voters")
    if (voters / "wallets" / "00000.bin").exists():
        return {}
    manifest = record.manifest
    fingerprint = record.fingerprint.hex()
    issuers = manifest.roles_of("issuer")
    run_parties(
        [
            (tool, "open", "--config", places.secrets(role) / "config.toml", "--election", ELECTION,
             "--fingerprint", fingerprint, *more)
            for tool, role, more in (
                ("evoting-idp", IDP, ("--checkpoint", _checkpoint(places))), ("evoting-registrar", REGISTRAR, ()),
            )
        ],
        jobs,
    )  # fmt: skip
    with ServicePool(places.work / "logs") as pool:
        witnesses = _start_identity(record, places, pool)
        urls: list[str] = []
        for role in issuers:
            config = places.secrets(role.id) / "service.toml"
            database = places.databases.get(role.id)
            write_toml(
                config,
                {
                    "directory": ".", "host_names": ["127.0.0.1"], "threads": 1,
                    "checkpoint_seconds": places.checkpoint_seconds, "tree_seconds": 5.0, **witnesses,
                    **({} if database is None else {"database": database}),
                },
            )  # fmt: skip
            urls.append(pool.start(role.id, "evoting-issuer", "serve", "--config", config))
        _write_settings(record, places, pool, urls)
        total = len(read_json(voters / "people.json")["people"])
        victim = issuers[VICTIM - 1].id if kill and len(issuers) > manifest.issuer_threshold else None
        killed: list[int] = []

        def heard(done: int) -> None:
            report(done)
            if victim is not None and not killed and done >= AFTER * total:
                killed.append(pool.kill(victim))

        output = watch_party(
            "evoting-voters", "issue-online", "--out", voters, "--settings", _settings(places), "--policy", policy,
            "--issuance-keys", keys, "--record", places.record, "--trust-root", places.trust_root, "--progress",
            heard=_counter(heard),
        )  # fmt: skip
        if victim is not None and killed:
            # It opens its ledger again, loses nothing, and signs what it had issued.
            config = places.secrets(victim) / "service.toml"
            pool.start(victim, "evoting-issuer", "serve", "--config", config, port=killed[0])
            time.sleep(2 * places.checkpoint_seconds)
    return dict(json.loads(output)["figures"])


def roll_file(places: Places) -> Path:
    """The roll as issuers get it."""
    return places.stick / "roll.bin"


def enrolment_log_file(places: Places) -> Path:
    """The enrolment log as issuers get it."""
    return places.stick / "enrolment-log.bin"


def _checkpoint(places: Places) -> Path:
    """The enrolment log's checkpoint, as it goes into the record."""
    return places.stick / "enrolment-checkpoint"


def _make_people(places: Places, styles: list[str]) -> None:
    registers: list[object] = []
    for role in (IDP, REGISTRAR):
        registers += ["--register", places.secrets(role) / "register.json"]
    run_party(
        "evoting-voters", "people", "--out", places.secrets("voters"), *styles, *registers,
        "--list", places.secrets(REGISTRAR) / "voters.csv",
    )  # fmt: skip


def _configure(record: ElectionRecord, places: Places) -> None:
    """The registrar's configuration; the identity provider's needs the registrar's address."""
    manifest = record.manifest
    keys = {role.id: role.key.hex() for role in manifest.roles}
    write_toml(
        places.secrets(REGISTRAR) / "config.toml",
        {
            "model": True,
            "host_names": ["127.0.0.1"],
            "database": places.databases.get(REGISTRAR, "registrar.sqlite"),
            "key": "key",
            "secret": "secret",
            "register": {"file": "register.json"},
            "channels": {"spool": str(_spool(places).resolve())},
            "elections": [
                {
                    "id": ELECTION,
                    "origin": ORIGIN,
                    "identity_provider": keys[IDP],
                    "voting_origin": manifest.voting_origin,
                    "title": _title(record),
                    "model": True,
                }
            ],
        },
    )
    run_party("evoting-registrar", "init", "--config", places.secrets(REGISTRAR) / "config.toml")


def _title(record: ElectionRecord) -> dict[str, str]:
    return dict(record.manifest.title.texts)


def _import_roll(places: Places, election: DemoElection) -> None:
    """The registrar draws the order and commits to it, once."""
    if roll_file(places).exists():
        return
    order: list[object] = []
    for style in election.manifest.styles:
        order += ["--style", style.id]
    directory = places.secrets(REGISTRAR)
    about = ("--config", directory / "config.toml", "--election", ELECTION, "--roll", roll_file(places), *order)
    try:
        run_party("evoting-registrar", "roll", *about, "--list", directory / "voters.csv")
    except PartyFailed:
        # An earlier attempt ended between the import and the file: what was drawn is written again.
        run_party("evoting-registrar", "export-roll", *about)


def _start_identity(record: ElectionRecord, places: Places, pool: ServicePool) -> dict[str, object]:
    """Witnesses, registrar and identity provider; gives the witnesses' part of a configuration."""
    manifest = record.manifest
    keys = {role.id: role.key for role in manifest.roles}
    logs = [VerifierKey(f"{ORIGIN}/enrolment", NOTE_KEY, keys[IDP])]
    logs += [VerifierKey(f"{ORIGIN}/ledger/{role.index}", NOTE_KEY, role.key) for role in manifest.roles_of("issuer")]
    vkeys: list[object] = []
    for log in logs:
        vkeys += ["--log", log.encode()]
    witnesses: list[dict[str, object]] = []
    for role, key in zip(manifest.roles_of("witness"), witness_keys(record, places), strict=True):
        own = places.secrets(role.id)
        run_party("evoting-witness", "add-log", own, *vkeys)
        url = pool.start(role.id, "evoting-witness", "serve", own, "--host-name", "127.0.0.1")
        witnesses.append({"vkey": key.encode(), "url": url})
    cosigning: dict[str, object] = {"witnesses": witnesses, "quorum": manifest.witness_quorum}
    config = places.secrets(REGISTRAR) / "config.toml"
    registrar = pool.start(REGISTRAR, "evoting-registrar", "serve", "--config", config)
    assert manifest.voting_origin is not None
    origin = manifest.identity_origin
    assert origin is not None
    write_toml(
        places.secrets(IDP) / "config.toml",
        {
            "model": True,
            "host_names": ["127.0.0.1"],
            "origin": origin,
            "rp_id": urlsplit(origin).hostname,
            "database": places.databases.get(IDP, "idp.sqlite"),
            "key": "key",
            "secret": "secret",
            "register": {"file": "register.json"},
            "enrolment": {"steps": ["document", "passkey"]},
            "log": {"interval": places.checkpoint_seconds, **cosigning},
            "elections": [
                {
                    "id": ELECTION,
                    "origin": ORIGIN,
                    "voting_origin": manifest.voting_origin,
                    "voting_rp_id": urlsplit(manifest.voting_origin).hostname,
                    "registrar": {"url": registrar, "key": keys[REGISTRAR].hex()},
                    "title": _title(record),
                    "model": True,
                }
            ],
        },
    )
    run_party("evoting-idp", "init", "--config", places.secrets(IDP) / "config.toml")
    pool.start(IDP, "evoting-idp", "serve", "--config", places.secrets(IDP) / "config.toml")
    return cosigning


def _write_settings(record: ElectionRecord, places: Places, pool: ServicePool, issuers: list[str]) -> None:
    manifest = record.manifest
    assert manifest.voting_origin is not None
    assert manifest.identity_origin is not None
    settings = {
        "format": "evoting-bulk-online/v1",
        "election": ORIGIN,
        "provider": f"http://127.0.0.1:{pool.port(IDP)}",
        "registrar": f"http://127.0.0.1:{pool.port(REGISTRAR)}",
        "origin": manifest.identity_origin,
        "rp-id": urlsplit(manifest.identity_origin).hostname,
        "voting-origin": manifest.voting_origin,
        "voting-rp-id": urlsplit(manifest.voting_origin).hostname,
        "spool": str(_spool(places).resolve()),
        "issuers": issuers,
    }
    write_whole(_settings(places), json.dumps(settings, indent=2) + "\n")


def _settings(places: Places) -> Path:
    return places.work / "online.json"


def _spool(places: Places) -> Path:
    """Where messages of the registrar wait for the citizens' telephones."""
    return places.secrets("voters") / "telephones"


def _counter(report: Progress) -> Callable[[str], None]:
    """Hears lines like ``bulk: 50 credentials`` and reports how many there are."""

    def heard(line: str) -> None:
        words = line.split()
        if len(words) > 2 and words[0] == "bulk:" and words[1].isdecimal():
            report(int(words[1]))

    return heard
