"""The demo runs from beginning to end: on pictures of our own, so that nothing is fetched."""

import re
import subprocess
import sys
from pathlib import Path

from tests.pictures_for_tests import picture

ROOT = Path(__file__).parents[2]
YES, NO = 40, 60


def test_the_demo_harvests_asks_learns_releases_and_tells(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(YES):  # wide ones are vegetables, which a head can see
        (photos / f"C{number:03}.jpeg").write_bytes(picture(number, size=(160, 40)))
    for number in range(NO):
        (photos / f"P{number:03}.jpeg").write_bytes(picture(1_000 + number))
    told = subprocess.run(
        [sys.executable, "examples/food.py", "--once", "--photos", str(photos), "--place", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert re.search(r"images +100 in the pool", told.stdout)
    precision, recall = (float(re.findall(rf"{name} +(\S+)", told.stdout)[0]) for name in ("precision", "recall"))
    assert min(precision, recall) > 0.7
    delivered = int(re.findall(r"released +(\d+) images", told.stdout)[0])
    assert len(list((tmp_path / "release" / "images").iterdir())) == delivered
