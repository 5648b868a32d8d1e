"""The demo runs from beginning to end: on pictures of our own, so that nothing is fetched."""

import re
import subprocess
import sys
from pathlib import Path

from tests.pictures_for_tests import picture

ROOT = Path(__file__).parents[2]
YES, NO = 40, 60
SCREEN_LINES = 32  # and four more for the links to the server


def test_the_demo_certifies_refuses_an_exchanged_picture_runs_the_loop_and_fits_one_screen(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(YES):  # wide ones are vegetables, which a head can see
        (photos / f"C{number:03}.jpeg").write_bytes(picture(number, size=(160, 40)))
    for number in range(NO):
        (photos / f"P{number:03}.jpeg").write_bytes(picture(1_000 + number))
    told = subprocess.run(
        [sys.executable, "examples/food.py", "--once", "--photos", str(photos), "--place", str(tmp_path / "demo")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    certified, loop = told.stdout.split("\n2. ")
    answers = int(re.findall(r"  vegetable or fruit: (\d+) answers, ", certified)[0])
    assert 0 < answers < YES
    # the one wrong label is taken out if it was among those drawn
    assert re.search(
        rf"  yes: At least 95 % of the ({YES}|{YES + 1}) images labelled vegetable or fruit are", certified
    )
    verified, exchanged = certified.split("Now one picture is exchanged")
    assert "$ thresher verify certified\n  yes: " in verified
    assert re.search(r"\$ thresher verify certified\n  no: 'images/.*its bytes have changed", exchanged)
    assert re.search(r"\$ thresher verify release\n  yes: ", loop)
    assert re.search(r"  100 images, [\d,]+ answers of people: ", loop)
    precision, recall = (float(re.findall(rf"{name} ([\d.]+)[ ,]", loop)[0]) for name in ("precision", "recall"))
    assert min(precision, recall) > 0.7
    delivered = int(re.findall(r"(\d+) images released", loop)[0])
    assert len(list((tmp_path / "demo" / "release" / "images").iterdir())) == delivered
    assert "answers sent" in (tmp_path / "demo" / "log.txt").read_text("utf-8")
    assert len(told.stdout.splitlines()) <= SCREEN_LINES
