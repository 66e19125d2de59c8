"""An electorate's devices at work over HTTP: every voter enrols, confirms, signs in and obtains a credential.

Each voter is a device of its own that knows nothing of the others; a pool of threads plays many at a time. A journal
holds what a device would remember, one JSON object a line, so an interrupted run goes on where it was.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from biometric_idp.bulk.voters import VOTER, WALLET, Chunk, passkey_of, write_voters, write_wallets
from biometric_idp.client.connection import Connection, ServiceRefused
from biometric_idp.client.issuance import new_wallet, pseudonym_of
from biometric_idp.client.keys import IssuanceKeys
from biometric_idp.client.obtain import Issuers
from biometric_idp.client.voter import Pending, Place, Voter
from biometric_idp.client.wallet import StoredWallet, WalletFile
from biometric_idp.enrolment.passkey import Es256Passkey, make_assertion
from biometric_idp.errors import FormatError, StateError
from biometric_idp.files import read_json
from biometric_idp.policy import IssuancePolicy
from biometric_idp.schema import require_list, require_map, require_text
from biometric_idp.webauthn import RelyingParty
from crypto.group.interface import Group, PairingGroup

PEOPLE = "evoting-bulk-people/v1"
SETTINGS = "evoting-bulk-online/v1"
LANGUAGES = ("ky", "ru", "en")
_CODE_SECONDS = 60.0
Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Device:
    """What one voter holds: PIN, document, telephone, and the seed behind both passkeys."""

    pin: str
    mrz: tuple[str, ...]
    phone: str
    seed: bytes

    @property
    def sign_in(self) -> Es256Passkey:
        return Es256Passkey(self.seed, sha256(b"sign-in id" + self.seed).digest()[:16])


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the parties answer; a JSON file of format ``evoting-bulk-online/v1``."""

    election: str
    provider: str
    registrar: str
    party: RelyingParty
    voting: RelyingParty
    spool: Path
    issuers: tuple[str, ...]


_SETTINGS = frozenset({
    "format", "election", "provider", "registrar", "origin", "rp-id", "voting-origin", "voting-rp-id", "spool",
    "issuers",
})  # fmt: skip


def read_settings(path: Path) -> Settings:
    """Strict reader of the settings.

    Raises:
        FormatError: names what is missing.
    """
    members = require_map(read_json(path, SETTINGS), _SETTINGS, str(path))
    text = {name: require_text(members[name], f"{path}: {name}") for name in _SETTINGS - {"format", "issuers"}}
    issuers = [require_text(item, f"{path}: issuer") for item in require_list(members["issuers"], "issuers", 0, 100)]
    return Settings(
        text["election"],
        text["provider"],
        text["registrar"],
        RelyingParty(text["rp-id"], text["origin"]),
        RelyingParty(text["voting-rp-id"], text["voting-origin"]),
        Path(text["spool"]),
        tuple(issuers),
    )


def read_devices(path: Path) -> list[Device]:
    """The devices of everybody who will enrol."""
    items = require_list(read_json(path, PEOPLE).get("people"), "people", 1, 1_000_000)
    devices: list[Device] = []
    for item in items:
        members = require_map(item, frozenset({"pin", "mrz", "phone", "seed"}), "person")
        lines = tuple(require_text(line, "mrz") for line in require_list(members["mrz"], "mrz", 2, 3))
        seed = bytes.fromhex(require_text(members["seed"], "seed"))
        devices.append(
            Device(require_text(members["pin"], "pin"), lines, require_text(members["phone"], "phone"), seed)
        )
    return devices


class Journal:
    """What devices remember, by their number; the last line about a device and a subject counts."""

    def __init__(self, path: Path) -> None:
        self._known: dict[tuple[int, str], Any] = {}
        self._turn = threading.Lock()
        if path.exists():
            for line in path.read_text().splitlines():
                # The last line may have been cut off.
                if line.endswith("}"):
                    members = json.loads(line)
                    self._known[members["device"], members["what"]] = members["value"]
        self._file = path.open("a")

    def get(self, device: int, what: str) -> Any:
        return self._known.get((device, what))

    def put(self, device: int, what: str, value: object) -> None:
        with self._turn:
            self._known[device, what] = value
            self._file.write(json.dumps({"device": device, "what": what, "value": value}) + "\n")
            self._file.flush()

    def close(self) -> None:
        self._file.close()


class Phones:
    """The citizens' telephones in a model election: messages as the registrar's file spool has them."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self._seen: set[str] = set()
        self._codes: dict[tuple[str, str], str] = {}
        self._turn = threading.Lock()

    def code(self, phone: str, key_digest: str) -> str:
        """The code in the message to this telephone about this key.

        Raises:
            StateError: none came.
        """
        wanted = (phone, key_digest[:8])
        deadline = time.monotonic() + _CODE_SECONDS
        while time.monotonic() < deadline:
            with self._turn:
                if wanted not in self._codes:
                    self._read_new()
                if wanted in self._codes:
                    return self._codes[wanted]
            time.sleep(0.02)
        raise StateError("no code came to a voter's telephone")

    def _read_new(self) -> None:
        for name in os.listdir(self._spool) if self._spool.is_dir() else ():
            if name in self._seen or not name.endswith(".json") or name.startswith("."):
                continue
            self._seen.add(name)
            message = json.loads((self._spool / name).read_text())
            # A message with a code names the code first and the key last; a notice names the key only.
            named = re.findall(r"\b[0-9a-f]{8}\b", message["text"])
            if len(named) > 1:
                self._codes[message["to"], named[-1]] = named[0]


@contextmanager
def _connections(settings: Settings) -> Iterator[tuple[Connection, Connection]]:
    with Connection(settings.provider) as provider, Connection(settings.registrar) as registrar:
        yield provider, registrar


class Phases:
    """Runs one step of every device after the other step of every device, and keeps how long each took."""

    def __init__(self, threads: int, report: Report) -> None:
        self._threads = threads
        self._report = report
        self.figures: dict[str, dict[str, float]] = {}

    def run(self, name: str, work: Callable[[int], Any], numbers: Sequence[int], *, last: bool = False) -> list[Any]:
        """Results in order; the first failure ends it, after what is under way. Only the last phase is reported."""
        took: list[float] = []

        def timed(number: int) -> Any:
            started = time.perf_counter()
            result = work(number)
            took.append(time.perf_counter() - started)
            return result

        begun = time.perf_counter()
        results: list[Any] = []
        with ThreadPoolExecutor(self._threads) as pool:
            futures = [pool.submit(timed, number) for number in numbers]
            try:
                for done, future in enumerate(futures, start=1):
                    results.append(future.result())
                    if last and (done % 50 == 0 or done == len(futures)):
                        self._report(done)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        if took:
            ordered = sorted(took)
            self.figures[name] = {
                "count": len(ordered),
                "per_second": len(ordered) / (time.perf_counter() - begun),
                "p50_ms": 1000 * ordered[len(ordered) // 2],
                "p99_ms": 1000 * ordered[len(ordered) * 99 // 100],
            }
        return results


def enrol_online(out: Path, settings: Settings, styles: Sequence[str], phases: Phases) -> int:
    """Enrol every device below ``out`` and write ``voters/00000.bin``; devices that are done are left alone.

    Raises:
        ServiceRefused, Unreachable, StateError: of the first device that could not enrol.
    """
    devices = read_devices(out / "people.json")
    journal = Journal(out / "journal.jsonl")
    phones = Phones(settings.spool)
    missing = [number for number in range(len(devices)) if journal.get(number, "place") is None]
    voters: dict[int, Voter] = {}
    with _connections(settings) as (provider, registrar):

        def enrol(number: int) -> None:
            voters[number] = Voter(provider, registrar, settings.party, settings.voting, settings.election)
            _enrol_one(voters[number], devices[number], number)

        def register(number: int) -> None:
            place = _register_one(voters[number], devices[number], number, journal, phones)
            journal.put(number, "place", [place.position, place.style])

        phases.run("enrolments", enrol, missing)
        phases.run("voting_passkeys", register, missing, last=True)
    places = [Place(*journal.get(number, "place")) for number in range(len(devices))]
    journal.close()
    rows = np.zeros(len(devices), VOTER)
    rows["position"] = [place.position for place in places]
    rows["style"] = [styles.index(place.style) for place in places]
    rows["seed"] = np.frombuffer(b"".join([device.seed for device in devices]), "V32")
    (out / "voters").mkdir(exist_ok=True)
    write_voters(out / "voters" / "00000.bin", Chunk(tuple(styles), rows))
    return len(devices)


def _enrol_one(voter: Voter, device: Device, number: int) -> None:
    try:
        voter.enrol(device.pin, device.mrz, device.sign_in, LANGUAGES[number % len(LANGUAGES)])
    except ServiceRefused as refused:
        # An earlier attempt came as far as this passkey.
        if refused.code != "passkey-refused":
            raise
        voter.sign_in(device.sign_in)


def _register_one(voter: Voter, device: Device, number: int, journal: Journal, phones: Phones) -> Place:
    passkey = passkey_of(device.seed)
    voter.enter("voting-passkey")
    request = journal.get(number, "registration")
    if request is None:
        request = voter.registration(passkey, LANGUAGES[number % len(LANGUAGES)])
        journal.put(number, "registration", request)
    pending = voter.register(request, passkey.public)
    if journal.get(number, "confirmed") is None:
        voter.confirm(pending, phones.code(device.phone, pending.key_digest))
        journal.put(number, "confirmed", True)
    return _logged(voter, pending)


def _logged(voter: Voter, pending: Pending) -> Place:
    place = voter.complete(pending)
    if place is None:
        raise StateError("the registrar confirmed a passkey, but the identity provider has not logged it")
    return place


@dataclass(frozen=True)
class OnlineElection:
    """What devices know of the election when they ask for credentials; keys are those of the fingerprint."""

    policy: IssuancePolicy
    keys: IssuanceKeys
    group: Group
    pairing: PairingGroup


def issue_online(out: Path, settings: Settings, election: OnlineElection, phases: Phases) -> int:
    """Obtain every device's credential and write ``wallets/00000.bin``.

    Every wallet is sealed, stored and read back before its request leaves. Devices ask the issuers in different orders.

    Raises:
        IssuanceError, ServiceRefused, Unreachable: of the first device that got none.
    """
    devices = read_devices(out / "people.json")
    journal = Journal(out / "journal.jsonl")
    sealed = out / "sealed"
    sealed.mkdir(mode=0o700, exist_ok=True)
    files = [
        WalletFile(sealed / f"{number:07d}.wallet", device.seed, os.urandom) for number, device in enumerate(devices)
    ]
    wallets = {number: file.load() for number, file in enumerate(files) if file.exists()}
    missing = [
        number for number in range(len(devices)) if number not in wallets or wallets[number].wallet.credential is None
    ]
    voters: dict[int, Voter] = {}
    with ExitStack() as stack:
        provider, registrar = stack.enter_context(_connections(settings))
        connections = {
            index: stack.enter_context(Connection(url, tries=2, seconds=10.0))
            for index, url in enumerate(settings.issuers, start=1)
        }
        issuers = Issuers(
            election.group, election.pairing, election.keys, election.policy.threshold, connections, os.urandom
        )

        def sign_in(number: int) -> None:
            voters[number] = Voter(provider, registrar, settings.party, settings.voting, settings.election)
            voters[number].sign_in(devices[number].sign_in)
            voters[number].enter("ticket")

        def issue(number: int) -> None:
            place = journal.get(number, "place")
            if place is None:
                raise StateError(f"device {number} is not enrolled")
            stored = wallets.get(number) or _draw(files[number], election, Place(*place))
            wallets[number] = _issue_one(
                voters[number], issuers, election, devices[number], files[number], stored, number
            )

        phases.run("sign_ins", sign_in, missing)
        phases.run("issuances", issue, missing, last=True)
    journal.close()
    _write_wallets(out, election, [wallets[number] for number in range(len(devices))])
    return len(wallets)


def _draw(file: WalletFile, election: OnlineElection, place: Place) -> StoredWallet:
    fingerprint = election.policy.fingerprint
    return file.create(
        new_wallet(election.group, election.pairing, fingerprint, place.style, place.position, os.urandom)
    )


def _issue_one(
    voter: Voter,
    issuers: Issuers,
    election: OnlineElection,
    device: Device,
    file: WalletFile,
    stored: StoredWallet,
    number: int,
) -> StoredWallet:
    policy = election.policy
    passkey = passkey_of(device.seed)
    indices = list(range(1, len(policy.issuers) + 1))
    turn = number % len(indices)
    return issuers.obtain(
        file,
        stored,
        passkey.public.credential,
        lambda challenge: [make_assertion(passkey, policy.party, challenge)],
        voter.ticket,
        indices[turn:] + indices[:turn],
    )


def _write_wallets(out: Path, election: OnlineElection, wallets: Sequence[StoredWallet]) -> None:
    styles = tuple(style for style, _ in election.policy.styles)
    rows = np.zeros(len(wallets), WALLET)
    rows["style"] = [styles.index(item.wallet.style) for item in wallets]
    rows["secret"] = np.frombuffer(b"".join([item.wallet.secret for item in wallets]), "V32")
    pseudonyms = b"".join([pseudonym_of(election.group, item.wallet) for item in wallets])
    rows["pseudonym"] = np.frombuffer(pseudonyms, "V32")
    rows["credential"] = np.frombuffer(b"".join([item.wallet.credential or b"" for item in wallets]), "V48")
    (out / "wallets").mkdir(mode=0o700, exist_ok=True)
    write_wallets(out / "wallets" / "00000.bin", election.policy.fingerprint, Chunk(styles, rows))


def people_file(people: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Contents of ``people.json``."""
    if not people:
        raise FormatError("nobody enrols")
    return {"format": PEOPLE, "people": list(people)}
