"""Claim: the whole loop turns real pictures and real people's votes into a set, for few answers a delivered image.

Runs the real commands and the real HTTP API on a tar of pictures, with real votes replayed as the crowd: the n-th time
a picture is asked it gets its n-th vote; after the last vote the truth column answers as the owner who adjudicates. The
gate is off, for the votes are anonymous. Every human answer counts.

    python bench/loop.py --data cifar10n.tar --truth cifar10n.csv --positive automobile
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

NAME = "bench"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="a tar of pictures")
    options.add_argument("--truth", type=Path, required=True, help="CSV: file, truth, vote1, vote2, ...")
    options.add_argument("--positive", default="automobile", help="the class that means yes")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--method", default="cascade")
    options.add_argument("--precision", type=float, default=0.95)
    options.add_argument("--recall", type=float, default=0.90)
    options.add_argument("--workers", type=int, default=8)
    options.add_argument("--keep", type=Path, help="keep the workspace and the release here")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        measure(given, given.keep or Path(scratch))


def measure(given: argparse.Namespace, place: Path) -> None:
    workspace, release = place / "workspace", place / "release"
    took: dict[str, float] = {}

    def step(name: str, *arguments: str, at: Path | None = workspace) -> None:
        started = time.monotonic()
        run(*arguments, at=at)
        took[name] = time.monotonic() - started

    step("init", "init", str(workspace), at=None)
    settings = {
        "seed": given.seed,
        "gold_images": 0,  # the gate is off
        "votes": 2,
        "votes_most": count_votes(given.truth),
        "patience_seconds": 1,  # replayed votes take no time
    }
    (workspace / "thresher.toml").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    question = f"Is this a picture of: {given.positive}?"
    aims = ("--precision", str(given.precision), "--recall", str(given.recall), "--method", given.method)
    step("category", "category", "add", NAME, "--question", question, *aims)
    step("harvest", "harvest", NAME, "--tar", str(given.data))
    crowd = ("--truth", str(given.truth), "--positive", given.positive, "--replay", "--workers", str(given.workers))
    step("loop", "simulate", NAME, *crowd, "--seed", str(given.seed))
    step("release", "release", NAME, "--to", str(release), "--formats", "table")
    tell(given, workspace, release, took)


def count_votes(truth: Path) -> int:
    with truth.open() as file:
        return sum(name.startswith("vote") for name in next(csv.reader(file)))


def run(*arguments: str, at: Path | None) -> None:
    place = ["--workspace", str(at)] if at else []
    subprocess.run([sys.executable, "-m", "thresher", *place, *arguments], check=True)


def tell(given: argparse.Namespace, workspace: Path, release: Path, took: dict[str, float]) -> None:
    from thresher.settings import read_settings
    from thresher.store import open_store

    with given.truth.open() as file:
        truth = {row["file"]: row["truth"] == given.positive for row in csv.DictReader(file)}
    table = pq.read_table(release / "images.parquet").to_pylist()
    delivered = [row for row in table if row["decision"] == "yes"]
    right = sum(truth[row["alias"]] for row in delivered)
    positives = sum(truth[row["alias"]] for row in table)
    store = open_store(workspace, read_settings(workspace))
    tally, rounds = store.categories.tally(NAME), store.rounds.all(NAME)
    store.close()
    answers = tally.answers + tally.gold_answers + tally.owner_answers
    rows = {
        "images": len(table),
        "positives": positives,
        "rounds": len(rounds),
        "votes": tally.answers,
        "gold answers": tally.gold_answers,
        "owner's answers": tally.owner_answers,
        "answers in all": answers,
        "delivered": len(delivered),
        "left unknown": sum(row["decision"] == "unknown" for row in table),
        **{f"{name}, seconds": round(seconds, 1) for name, seconds in took.items()},
    }
    for name, value in rows.items():
        print(f"{name:24} {value:>12,}")
    print(f"RATIO answers_per_delivered {answers / max(len(delivered), 1):.3f}")
    print(f"RATIO precision {right / max(len(delivered), 1):.4f}")
    print(f"RATIO recall {right / max(positives, 1):.4f}")


if __name__ == "__main__":
    main()
