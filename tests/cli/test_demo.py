"""What `thresher demo` refuses; tests/examples runs it, and tests/test_wheel.py takes its images from the wheel."""

from pathlib import Path

import pytest
from tests.cli.commands import is_one_clear_line, thresher


@pytest.mark.parametrize("given", [("--images", "."), ("--truth", "truth.csv"), ("--question", "Is it?")])
def test_images_of_your_own_come_with_their_truth_and_question(tmp_path: Path, given: tuple[str, str]) -> None:
    run = thresher("demo", "--place", tmp_path / "demo", *given)
    assert is_one_clear_line(run, "--images, --truth and --question go together")
    assert not (tmp_path / "demo").exists()
