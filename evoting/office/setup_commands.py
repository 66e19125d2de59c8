"""The actions of ``evoting-office`` up to the opening, beyond ``import`` and ``start``."""

from __future__ import annotations

import json
from argparse import Namespace

from nacl.signing import SigningKey

from crypto.log.note import NOTE_KEY
from evoting.board.keys import generate_key, load_key
from evoting.definition import manifest_hash
from evoting.errors import RecordError
from evoting.files import write_new
from evoting.office import notices, steps
from evoting.office.ceremonies import assemble_ceremony
from evoting.office.console import now, opened_desk, posted, view_of
from evoting.office.issuance import write_ceremony_parameters, write_policy
from evoting.office.passkeys import FORMAT, read_passkeys, sign_passkey
from evoting.office.setup import open_with_ceremonies
from evoting.record.election import member_integer


def keygen(options: Namespace) -> None:
    print(generate_key(options.file, options.name, NOTE_KEY).public_key.hex())


def ceremony_parameters(options: Namespace) -> None:
    view = view_of(options)
    write_ceremony_parameters(options.output, view.manifest, manifest_hash(view.manifest_bytes))


def ceremony(options: Namespace) -> None:
    with opened_desk(options) as desk:
        officers = desk.officers(f"{options.kind}-ceremony")
        transcript = assemble_ceremony(desk.record, options.kind, options.shared)
        steps.post_ceremony(desk.record, f"{options.kind}-ceremony", transcript, officers, now(options))
        posted(desk, desk.record.board.size - 1)


def open_election(options: Namespace) -> None:
    page = [] if options.page is None else sorted(notices.read_page(options.page).items())
    with opened_desk(options) as desk:
        open_with_ceremonies(desk.record, desk.officers("opening"), page, now(options))
        posted(desk, desk.record.board.size - 1)


def sign_officer_passkey(options: Namespace) -> None:
    view = view_of(options)
    key = load_key(options.key, NOTE_KEY)
    role = next((one.id for one in view.manifest.roles_of("officer") if one.key == key.verifier.public_key), None)
    if role is None:
        raise RecordError(f"{options.key}: this key is no officer's of this election")
    signed = sign_passkey(
        SigningKey(key.seed), view.fingerprint, role, options.credential, options.algorithm, options.public
    )
    write_new(options.output, (json.dumps({"format": FORMAT, **signed}, indent=2) + "\n").encode())
    print(role)


def issuance_policy(options: Namespace) -> None:
    view = view_of(options)
    opening = view.only("opening")
    officers = read_passkeys(options.officer, view.manifest, view.fingerprint)
    write_policy(
        options.output,
        view.manifest,
        view.fingerprint,
        str(opening.body["origin"]),
        view.only("enrolment"),
        member_integer(opening, "time"),
        officers,
    )


def issuance_keys(options: Namespace) -> None:
    view = view_of(options)
    write_new(options.output, view.blob(view.only("opening"), "issuers", "keys"))
