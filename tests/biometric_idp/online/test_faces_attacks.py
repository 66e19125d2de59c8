"""C9 and C10 over HTTP: what is no living person before the camera is refused, and what is stolen shows no face."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.biometric_idp.biometrics.live import measure, video
from tests.biometric_idp.online.everything import checkpoint_sqlite, files_of, holds, readings
from tests.biometric_idp.online.parties import Device, Parties
from tests.biometric_idp.online.test_faces_online import face_parties, refused, show

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", name="parties")
def fixture_parties(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    with face_parties(tmp_path_factory.mktemp("faces")) as parties:
        yield parties


def test_C9_a_photograph_before_the_camera_is_refused(parties: Parties) -> None:
    device = Device(parties, parties.people[3])
    device.start()
    still = video("obama")[0]
    assert refused(show, device, [still] * 90) in ("liveness-no-movement", "liveness-too-late")
    assert refused(device.post, "/v1/enrolments/face", None, device.session) == "wrong-step"
    assert refused(device.register) == "wrong-step"
    device.close()


def test_C9_a_replay_of_an_earlier_session_is_refused(parties: Parties) -> None:
    device = Device(parties, parties.people[4])
    device.start()
    assert show(device, video("biden", seed=5))["state"] == "passed"
    # Whoever recorded the frames of the first session begins another one.
    device.start()
    assert refused(show, device, video("biden", seed=5)) == "liveness-replayed"
    assert refused(device.register) == "wrong-step"
    device.close()


def test_C9_who_holds_the_document_does_not_try_faces_without_end(parties: Parties) -> None:
    """A right document clears its own failures, and not those of the face."""
    device = Device(parties, parties.people[2])
    device.start()
    answers = []
    for seed in (21, 22, 23):
        assert show(device, video("biden", seed=seed))["state"] == "passed"
        answers.append(refused(device.post, "/v1/enrolments/face", None, device.session))
    assert answers == ["face-mismatch", "face-mismatch", "face-attempts-over"]
    device.start()
    assert refused(device.post, "/v1/enrolments/liveness", None, device.session) == "too-many-attempts"
    assert refused(device.register) == "wrong-step"
    device.close()


def send(device: Device, sequence: int, data: bytes) -> dict[str, Any]:
    """One frame; the answer, or the problem."""
    headers = {"authorization": f"Bearer {device.session}", "content-type": "image/jpeg"}
    url = f"/v1/enrolments/liveness/frames?sequence={sequence}"
    answer = device.id.post(url, content=data, headers=headers).json()
    assert isinstance(answer, dict)
    return answer


def test_C9_late_frames_are_refused(parties: Parties) -> None:
    device = Device(parties, parties.people[6])
    device.start()
    begun = device.post("/v1/enrolments/liveness", None, device.session)
    calm = video("obama", ("neutral",))
    for number in range(3):
        assert send(device, number, calm[number])["state"] == "continue"
    time.sleep(begun["actions"][0]["seconds"] + 0.5)
    code = send(device, 3, calm[3])["code"]
    assert code in ("liveness-too-late", "liveness-no-movement"), code
    assert send(device, 4, calm[4])["code"] == "liveness-over"
    assert refused(device.register) == "wrong-step"
    device.close()


def test_C9_frames_out_of_sequence_and_things_that_are_no_image_are_refused(parties: Parties) -> None:
    device = Device(parties, parties.people[7])
    device.start()
    device.post("/v1/enrolments/liveness", None, device.session)
    calm = video("obama", ("neutral",))
    assert send(device, 5, calm[0])["state"] == "continue"
    for sequence, data, code in (
        (3, calm[1], "frame-out-of-sequence"),
        (5, calm[1], "frame-out-of-sequence"),
        (6, b"\xff\xd8\xff" + bytes(5000), "image-unreadable"),
        (6, b"GIF89a" + bytes(100), "image-unreadable"),
    ):
        assert send(device, sequence, data).get("code") == code, (sequence, data[:6])
    assert refused(device.register) == "wrong-step"
    device.close()


def test_C10_a_stolen_disk_of_the_identity_provider_shows_no_face(parties: Parties) -> None:
    """Everything but the master key, which is on another device in real use."""
    device = Device(parties, parties.people[0])
    device.start()
    shown = video("obama", seed=8)
    assert show(device, shown)["state"] == "passed"
    assert device.post("/v1/enrolments/face", None, device.session) == {"matched": True}
    device.register()
    device.close()
    directory = parties.directory / "idp"
    checkpoint_sqlite(directory)
    files = [data for name, data in files_of(directory) if not name.endswith("portrait.jpg")]
    haystack = [reading for data in files for reading in readings(data)]
    assert holds(haystack, device.sign_in_key.public.key)
    embeddings = [measure(frame, embed=True).embedding for frame in shown]
    assert not [embedding for embedding in embeddings if embedding and holds(haystack, embedding)]
    assert not [frame for frame in shown if holds(haystack, frame)]
    with sqlite3.connect(directory / "idp.sqlite") as connection:
        sealed = [row[0] for row in connection.execute("SELECT sealed FROM biometric_template WHERE state = 'active'")]
    assert len(sealed) == 1
    # Two templates of one face in two deployments have nothing in common: each has a key of its own.
    assert len(bytes(sealed[0])) > 100
