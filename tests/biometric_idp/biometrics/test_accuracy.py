"""The accuracy script: its bounds against known values, and its figures on the packaged faces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biometric_idp.biometrics.accuracy import main, upper_bound
from tests.support.faces import portrait
from tools.faces import FACES


@pytest.mark.parametrize(
    ("errors", "comparisons", "bound"),
    # No error: 1 - 0.05^(1/n) exactly. The others: scipy.stats.beta.ppf(0.95, x + 1, n - x).
    [
        (0, 5, 0.450720),
        (0, 10, 0.258866),
        (0, 1000, 0.002991),
        (1, 10, 0.394163),
        (2, 20, 0.282619),
        (5, 5, 1.0),
        (0, 0, 1),
    ],
)
def test_bounds_are_those_of_clopper_and_pearson(errors: int, comparisons: int, bound: float) -> None:
    assert upper_bound(errors, comparisons) == pytest.approx(bound, abs=2e-6)


def test_no_error_gives_the_rule_of_three() -> None:
    assert upper_bound(0, 3000) == pytest.approx(3 / 3000, rel=0.01)


@pytest.mark.slow
def test_the_packaged_faces_are_told_apart_and_certify_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portrait("obama")
    assert main([str(FACES), "--json", str(tmp_path / "out.json")]) == 0
    assert "TOO SMALL TO CERTIFY ANYTHING" in capsys.readouterr().out
    found = json.loads((tmp_path / "out.json").read_text())
    assert (len(found["genuine"]), len(found["impostor"]), found["images"]) == (10, 5, 6)
    (usual,) = [row for row in found["thresholds"] if row["threshold"] == 0.5]
    assert usual["fnmr"]["errors"] == usual["fmr"]["errors"] == 0
    assert usual["fmr"]["upper"] == pytest.approx(0.45, abs=0.01)
    (strict,) = [row for row in found["thresholds"] if row["threshold"] == 0.4]
    assert strict["fnmr"]["errors"] == 1


def test_a_directory_without_images_is_an_error_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for directory in (tmp_path, tmp_path / "nowhere"):
        assert main([str(directory)]) == 2
        error = capsys.readouterr().err
        assert error.startswith("accuracy: error: ")
        assert error.count("\n") == 1


@pytest.mark.slow
def test_an_image_without_a_face_is_a_failure_to_acquire(tmp_path: Path) -> None:
    for name, data in (("a/1.jpg", portrait("obama")), ("b/1.jpg", b"no image")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(data)
    assert main([str(tmp_path), "--json", str(tmp_path / "out.json")]) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["failures"] == {"image-unreadable": 1}
    assert found["failure_to_acquire"]["errors"] == 1
    assert found["thresholds"][0]["fnmr"]["rate"] is None
