"""``evoting-idp``: the identity provider's service and its operator's commands."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from biometric_idp.errors import IdpError, StateError
from biometric_idp.files import write_atomic
from biometric_idp.idp.app import SERVICE, make_app, open_database, open_idp, publish_logs
from biometric_idp.idp.config import IdpConfig
from biometric_idp.idp.context import Idp, now
from biometric_idp.idp.faces import commands as faces
from biometric_idp.idp.log.export import export_log, read_own_checkpoint, require_covered
from biometric_idp.idp.oidc.commands import add_arguments
from biometric_idp.idp.oidc.commands import run as oidc_key
from biometric_idp.idp.purge.service import purge
from biometric_idp.idp.tables import AUDIT
from biometric_idp.idp.terminal.service import require_signed_officers
from biometric_idp.idp.voting.repository import OpeningRepository
from biometric_idp.role_key import write_role_key
from biometric_idp.shared.audit.service import Audit
from biometric_idp.shared.commits import Committer
from biometric_idp.shared.record_entries import enrolment_entry, manifest_binding
from biometric_idp.shared.secret import write_secret
from crypto.errors import CryptoError
from services.config import read_config
from services.errors import ServiceError
from services.pages import read_pages
from services.run import serve


def _open(arguments: argparse.Namespace, port: int = 0) -> Idp:
    return open_idp(read_config(arguments.config, IdpConfig), arguments.config.parent, port)


def _serve(arguments: argparse.Namespace) -> None:
    config = read_config(arguments.config, IdpConfig)
    pages = None if config.pages is None else read_pages([arguments.config.parent / config.pages])

    def make(port: int) -> FastAPI:
        idp = _open(arguments, port)
        fingerprints = idp.committer.read(lambda db: OpeningRepository(db).all())
        for election in idp.config.elections:
            if election.id in fingerprints:
                require_signed_officers(election, fingerprints[election.id])
        return make_app(idp, port, pages)

    serve(SERVICE, make, arguments.host, arguments.port)


def _init(arguments: argparse.Namespace) -> None:
    """Make key and secret where they are missing; existing ones stay."""
    config = read_config(arguments.config, IdpConfig)
    base = arguments.config.parent
    public = write_role_key(base / config.key, "identity-provider", os.urandom(32))
    write_secret(base / config.secret)
    if config.oidc is not None and not (base / config.oidc.keys).exists():
        oidc_key("new", config.oidc, base, now(), drop_previous=False)
    _open(arguments)
    print(json.dumps({"key": public.hex()}))


def _open_election(arguments: argparse.Namespace) -> None:
    idp = _open(arguments)
    election = idp.election_by_id(arguments.election)
    try:
        fingerprint = bytes.fromhex(arguments.fingerprint)
    except ValueError:
        fingerprint = b""
    if len(fingerprint) != 32:
        raise StateError("a fingerprint is 64 hexadecimal digits")

    require_signed_officers(election, fingerprint)
    enrolled = None
    if arguments.checkpoint is not None:
        log = idp.logs[election.id]
        checkpoint = read_own_checkpoint(arguments.checkpoint, idp.key, log.origin)
        require_covered(log, checkpoint)
        enrolled = checkpoint.size
    elif not election.model:
        raise StateError("a real election is opened with --checkpoint, the one in the record: enrolment ends with it")

    def store(db: Connection) -> None:
        repository = OpeningRepository(db)
        known = repository.fingerprint(election.id)
        if known not in (None, fingerprint):
            raise StateError("this election has another fingerprint already")
        if known is None:
            repository.add(election.id, fingerprint)
            idp.audit.record_operation(
                db, "election-opened", idp.clock(), election=election.id, fingerprint=fingerprint.hex()
            )
        ended = repository.enrolled(election.id)
        if enrolled is not None and ended not in (None, enrolled):
            raise StateError(f"enrolment ended with {ended} entries already")
        if enrolled is not None and ended is None:
            repository.end_enrolment(election.id, enrolled)
            idp.audit.record_operation(db, "enrolment-ended", idp.clock(), election=election.id, entries=enrolled)

    idp.committer.commit("opening", store)
    print(json.dumps({"election": election.id, "fingerprint": fingerprint.hex(), "enrolled": enrolled}))


def _sign_checkpoint(arguments: argparse.Namespace) -> None:
    idp = _open(arguments)
    election = idp.election_by_id(arguments.election)
    note = idp.logs[election.id].publish(idp.clock())
    if arguments.out is not None:
        write_atomic(arguments.out, note.encode())
    else:
        print(note, end="")


def _export(arguments: argparse.Namespace) -> None:
    idp = _open(arguments)
    election = idp.election_by_id(arguments.election)
    log = idp.logs[election.id]
    if arguments.checkpoint is not None:
        chosen = read_own_checkpoint(arguments.checkpoint, idp.key, log.origin)
    else:
        publish_logs(idp)
        published = log.published()
        if published is None:
            raise StateError("the log has no published checkpoint yet")
        chosen = published
    export_log(log, chosen, arguments.out)
    print(json.dumps({"entries": chosen.size, "root": chosen.root.hex()}))


def _sign_enrolment(arguments: argparse.Namespace) -> None:
    idp = _open(arguments)
    election = idp.election_by_id(arguments.election)
    binding = manifest_binding(arguments.manifest)
    log = idp.logs[election.id]
    checkpoint = read_own_checkpoint(arguments.checkpoint, idp.key, log.origin)
    require_covered(log, checkpoint)
    write_atomic(arguments.out, enrolment_entry(idp.key, binding, arguments.checkpoint.read_text(), idp.clock()))
    print(json.dumps({"enrolled": checkpoint.size}))


def _audit(arguments: argparse.Namespace) -> None:
    idp = _open(arguments)
    known = None if arguments.size is None else (arguments.size, bytes.fromhex(arguments.hash))
    idp.committer.commit("seal", idp.audit.seal)
    size, head, waiting = idp.committer.read(lambda db: idp.audit.verify(db, known))
    print(json.dumps({"entries": size, "hash": head.hex(), "waiting": waiting}))


def _purge(arguments: argparse.Namespace) -> None:
    print(json.dumps(purge(_open(arguments))))


def _oidc_key(arguments: argparse.Namespace) -> None:
    config = read_config(arguments.config, IdpConfig)
    if config.oidc is None:
        raise StateError("the configuration has no section [oidc]")
    base = arguments.config.parent
    print(oidc_key(arguments.action, config.oidc, base, now(), drop_previous=arguments.drop_previous))


def _master_key(arguments: argparse.Namespace) -> None:
    config, base = read_config(arguments.config, IdpConfig), arguments.config.parent
    if arguments.action == "new":
        print(json.dumps({"master_key": faces.new_master_key(config.biometrics, base)}))
        return
    committer = Committer(open_database(config, base))
    key, count = faces.rotate_master_key(config.biometrics, base, committer.engine)
    audit = Audit(AUDIT)
    committer.commit(
        "master-key-rotated",
        lambda db: audit.record_operation(db, "master-key-rotated", now(), key=key, templates=count),
    )
    print(json.dumps({"master_key": key, "templates": count}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="evoting-idp", description="The identity provider: enrolment, sign-in, tickets, the enrolment log."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], about: str) -> argparse.ArgumentParser:
        child = commands.add_parser(name, help=about, description=about)
        child.add_argument("--config", type=Path, required=True, help="configuration file (TOML)")
        child.set_defaults(run=run)
        return child

    serving = command("serve", _serve, "Answer requests until SIGTERM.")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, default=0, help="0 takes a free one; it is printed")
    command("init", _init, "Make role key, secret and database; prints the public key.")
    opening = command("open", _open_election, "Tell an election's fingerprint, once it is known; the service sees it.")
    opening.add_argument("--election", required=True, help="id of the election in the configuration")
    opening.add_argument("--fingerprint", required=True, help="64 hexadecimal digits")
    about = "the enrolment checkpoint in the record, as sign-checkpoint wrote it: enrolment ends with it"
    opening.add_argument("--checkpoint", type=Path, help=f"{about}; only a MODEL election may leave it out")
    signing = command("sign-checkpoint", _sign_checkpoint, "Sign and publish the enrolment log as it is now.")
    signing.add_argument("--election", required=True)
    signing.add_argument("--out", type=Path, help="file to write; otherwise stdout")
    export = command("export-enrolments", _export, "Write the enrolment log up to one checkpoint.")
    export.add_argument("--election", required=True)
    export.add_argument("--checkpoint", type=Path, help="what sign-checkpoint wrote; otherwise a new one is published")
    export.add_argument("--out", type=Path, required=True)
    entry = command("sign-enrolment", _sign_enrolment, "Sign the record's enrolment entry; the registrar signs it too.")
    entry.add_argument("--election", required=True, help="id of the election in the configuration")
    entry.add_argument("--manifest", required=True, metavar="HASH", help="as evoting-office import printed it")
    entry.add_argument("--checkpoint", type=Path, required=True, help="what sign-checkpoint wrote")
    entry.add_argument("--out", type=Path, required=True, help="file to write, for evoting-registrar sign-enrolment")
    audit = command("audit", _audit, "Check the audit log; with --size and --hash also that it continues that head.")
    audit.add_argument("--size", type=int)
    audit.add_argument("--hash", default="")
    command("purge", _purge, "Delete what has outlived its purpose, and prove it in the audit log.")
    faces.add_arguments(command("master-key", _master_key, "Make or replace the key above all templates."))
    add_arguments(command("oidc-key", _oidc_key, "Make a signing key for ID tokens, or a secret for a client."))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Exit code 0, or 2 with one line on what is wrong."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except (IdpError, ServiceError, CryptoError, DBAPIError, OSError, ValueError) as error:
        print(f"evoting-idp: error: {' '.join(str(error).split())[:500]}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
