"""Images for tests: an archive that is not the known one is refused, and a video plays at its speed in Chromium."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.support.faces import portrait
from tests.support.synthetic_motion import write_mjpeg
from tools.faces import FACE_SOURCE, FacesUnavailable, _extract, fetch


def test_an_archive_with_another_hash_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "face_recognition-1.3.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(__file__, f"face_recognition-1.3.0/{next(iter(FACE_SOURCE.images))}")
    with pytest.raises(FacesUnavailable, match="SHA-256"):
        _extract(archive, tmp_path / "faces", FACE_SOURCE)
    assert not (tmp_path / "faces").exists()


def test_images_that_are_there_are_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    portrait("obama")
    monkeypatch.setattr("tools.faces.subprocess", None)
    assert fetch().is_dir()


def test_each_frame_is_repeated_for_the_rate_at_which_chromium_plays(tmp_path: Path) -> None:
    write_mjpeg(tmp_path / "video.mjpeg", [b"one", b"two"], fps=15)
    assert (tmp_path / "video.mjpeg").read_bytes() == b"oneonetwotwo"
