"""Liveness and face over HTTP, with real faces played as a camera: C9 as far as this service decides it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from biometric_idp.biometrics.master_key import FileMasterKey
from biometric_idp.bulk.people import write_register
from tests.biometric_idp.biometrics.live import FPS, ORDER, video
from tests.biometric_idp.online.parties import Device, Parties, Refused, answer_of, make_parties, start_parties
from tests.support.faces import image

pytestmark = pytest.mark.slow


@contextmanager
def face_parties(directory: Path, **enrolment: int) -> Iterator[Parties]:
    """Services that demand liveness and face; the first citizen's portrait is that of one real person."""
    portrait = image("obama/obama2.jpg")
    FileMasterKey.generate(directory / "master.key")

    def change(members: dict[str, Any]) -> None:
        members["enrolment"] = {"steps": ["document", "liveness", "face", "passkey"], **enrolment}
        members["liveness"] = {"fixed_order": list(ORDER)}
        members["biometrics"] = {"master_key": str(directory / "master.key"), "workers": 2}
        members["sign_in"] = {"face": "always"}

    parties = make_parties(directory, change_idp=change)
    (directory / "idp/portrait.jpg").write_bytes(portrait)
    for person in parties.people[:3]:
        person.record["portrait"] = "portrait.jpg"
    write_register(directory / "idp/register.json", parties.people)
    try:
        start_parties(parties)
        yield parties
    finally:
        parties.stop()


@pytest.fixture(scope="module", name="parties")
def fixture_parties(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    with face_parties(tmp_path_factory.mktemp("faces"), failures=1, first_delay=4, longest_delay=4) as parties:
        yield parties


def show(device: Device, frames: Sequence[bytes], where: str = "/v1/enrolments") -> dict[str, Any]:
    """Play frames at the camera's rate; some of what was captured meanwhile goes in one body."""
    answer = device.post(f"{where}/liveness", None, device.session)
    headers = {"authorization": f"Bearer {device.session}", "content-type": "application/octet-stream"}
    started, sent = time.monotonic(), 0
    while sent < len(frames) and answer["state"] == "continue":
        due = min(len(frames), int((time.monotonic() - started) * FPS) + 1)
        if due <= sent:
            time.sleep(0.02)
            continue
        # A few at a time: on a slow machine the camera is slow too, and no gap grows long.
        due = min(due, sent + 3)
        body = b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames[sent:due])
        url = f"{where}/liveness/frames?sequence={sent}"
        answer = answer_of(device.id.post(url, content=body, headers=headers))
        sent = due
    return answer


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value.code


def test_a_person_enrols_with_their_face_and_signs_in_with_a_fresh_check(parties: Parties) -> None:
    device = Device(parties, parties.people[0])
    device.start()
    assert refused(device.register) == "wrong-step"
    assert show(device, video("obama"))["state"] == "passed"
    assert device.post("/v1/enrolments/face", None, device.session) == {"matched": True}
    device.register()
    account = device.get("/v1/account", device.session)
    assert (account["proofing"], account["acr"]) == ("document+face", "urn:evoting:acr:passkey+face")

    assert device.sign_in()["must"] == ["liveness"]
    assert refused(device.get, "/v1/account", device.session) == "more-checks-needed"
    # The recording of the first session is recognised.
    assert refused(show, device, video("obama"), "/v1/sign-in") == "liveness-replayed"
    # Somebody else with the device and its passkey does not try faces without end.
    own = video("obama", seed=2)  # made now, since that takes longer than the delay
    assert show(device, video("biden", seed=4), "/v1/sign-in")["state"] == "passed"
    assert refused(device.post, "/v1/sign-in/face", None, device.session) == "face-mismatch"
    assert refused(show, device, own, "/v1/sign-in") == "too-many-faces"
    time.sleep(5)
    assert show(device, own, "/v1/sign-in")["state"] == "passed"
    matched = device.post("/v1/sign-in/face", None, device.session)
    assert matched["amr"] == ["pop", "user", "face"]
    assert device.post("/v1/account/templates/revoke", None, device.session) == {"state": "revoked"}
    with sqlite3.connect(parties.directory / "idp/idp.sqlite") as connection:
        ((state, wrapped, sealed),) = connection.execute("SELECT state, wrapped, sealed FROM biometric_template")
        states = list(connection.execute("SELECT state FROM liveness WHERE state != ''"))
    assert (state, wrapped, sealed) == ("revoked", None, None)
    assert states == []
    device.close()


def test_C9_another_persons_face_is_refused(parties: Parties) -> None:
    device = Device(parties, parties.people[1])
    device.start()
    assert show(device, video("biden"))["state"] == "passed"
    assert refused(device.post, "/v1/enrolments/face", None, device.session) == "face-mismatch"
    assert refused(device.register) == "wrong-step"
    device.close()


def test_C9_a_wrong_order_is_refused(parties: Parties) -> None:
    device = Device(parties, parties.people[2])
    device.start()
    backwards = video("obama", tuple(reversed(ORDER)))
    assert refused(show, device, backwards) == "liveness-wrong-order"
    assert refused(device.post, "/v1/enrolments/face", None, device.session) == "wrong-step"
    device.close()


def test_who_has_no_portrait_is_sent_to_a_consulate(parties: Parties) -> None:
    device = Device(parties, parties.people[5])
    device.start()
    assert show(device, video("biden", seed=3))["state"] == "passed"
    assert refused(device.post, "/v1/enrolments/face", None, device.session) == "no-portrait"
    device.close()


def test_no_image_and_no_open_template_is_on_disk(parties: Parties, tmp_path: Path) -> None:
    data = b"".join(path.read_bytes() for path in (parties.directory / "idp").glob("idp.sqlite*"))
    assert b"\xff\xd8\xff" not in data
    assert tmp_path
