"""Claim: what each promise costs in people: answers, hours and dollars, end to end, with people who err.

Every run goes through the real commands' code and the real HTTP API: a pool is harvested and embedded once, and each
promise is then kept on a copy of it, by the pinned crowd (workforce/crowd.py; once with its errors, once with half and
once with twice as many) and by real votes replayed. The times of the pinned crowd change nothing but the bill, so half
and twice of them are worked out from the same run. Every answer counts: gold, wasted votes, the owner's adjudications.

    python bench/crowd_cost.py --data cifar10n.tar --truth cifar10n.csv --positive automobile
"""

import argparse
import csv
import io
import shutil
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from thresher.settings import Settings
    from thresher.store.contract import Store

NAME = "bench"
READING_AND_SENDING = 28.0
PROMISES = {"adjudicated": None, "precision": 4000, "recall": 4000}  # method: its budget of answers
DOLLARS_AN_HOUR, FEE = 12.0, 0.2


@dataclass(frozen=True)
class Outcome:
    """One run: what it cost and what came of it."""

    crowd: str
    method: str
    answers: int
    owner: int
    hours: float
    overhead_hours: float
    ended: str
    delivered: int
    precision: float
    recall: float
    wall_seconds: float

    def dollars(self, times: float = 1.0) -> float:
        hours = self.overhead_hours + times * (self.hours - self.overhead_hours)
        return hours * DOLLARS_AN_HOUR * (1 + FEE)

    def kept(self, precision: float, recall: float) -> bool:
        """Whether what was promised is true; nothing is promised without a certificate."""
        if self.ended != "certified":
            return True
        right = {"precision": self.precision >= precision, "recall": self.recall >= recall}
        return right.get(self.method, all(right.values()))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, help="a tar of pictures; without it a small pool is drawn")
    options.add_argument("--truth", type=Path, help="CSV: file, truth, vote1, vote2, ...")
    options.add_argument("--positive", default="automobile", help="the class that means yes")
    options.add_argument("--images", type=int, default=300)
    options.add_argument("--prevalence", type=float, default=0.3)
    options.add_argument("--precision", type=float, default=0.95)
    options.add_argument("--recall", type=float, default=0.90)
    options.add_argument("--workers", type=int, default=24)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--quick", action="store_true", help="a drawn pool and the pinned crowd once: seconds")
    options.add_argument("--promise", action="append", choices=PROMISES, help="leave the others out")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        if given.data is None or given.quick:
            data, truth = drawn(place, 240 if given.quick else given.images, given.prevalence, given.positive)
            real = False
        else:
            data, truth = part_of(place, given)
            real = True
        prepare(place / "pool", data, truth, given)
        crowds: dict[str, float | None] = {"pinned": 1.0}
        if not given.quick:
            crowds |= {"errors x 0.5": 0.5, "errors x 2": 2.0}
        if real:
            crowds["real votes"] = None
        outcomes = []
        for crowd, errors in crowds.items():
            for method in given.promise or PROMISES:
                outcomes.append(measured(place, truth, given, crowd, errors, method, PROMISES[method]))
                print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        tell(outcomes, given)


def drawn(place: Path, images: int, prevalence: float, positive: str) -> tuple[Path, Path]:
    """A pool without any data: yes are bright above and dark below, no are the other way round, with much noise."""
    rng = np.random.default_rng(0)
    data, truth = place / "drawn.tar", place / "drawn.csv"
    with tarfile.open(data, "w") as tar, truth.open("w") as file:
        file.write("file,truth\n")
        for number in range(images):
            yes = rng.random() < prevalence
            slope = np.linspace(60, -60, 64)[:, None, None] * (1 if yes else -1)
            pixels = np.clip(128 + slope + rng.normal(0, 60, (64, 64, 3)), 0, 255).astype(np.uint8)
            _put(tar, f"{number}.png", Image.fromarray(pixels))
            file.write(f"{number}.png,{positive if yes else 'other'}\n")
    return data, truth


def _put(tar: tarfile.TarFile, name: str, picture: Image.Image) -> None:
    out = io.BytesIO()
    picture.save(out, "PNG")
    _add(tar, name, out.getvalue())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def part_of(place: Path, given: argparse.Namespace) -> tuple[Path, Path]:
    """A random part of the data with the wanted share of yes."""
    with given.truth.open() as file:
        lines = list(csv.DictReader(file))
    rng = np.random.default_rng(given.seed)
    wanted = round(given.images * given.prevalence)
    chosen: list[dict[str, str]] = []
    for is_yes, count in ((True, wanted), (False, given.images - wanted)):
        some = [line for line in lines if (line["truth"] == given.positive) is is_yes]
        chosen += [some[at] for at in rng.permutation(len(some))[:count].tolist()]
    names = {line["file"] for line in chosen}
    with tarfile.open(given.data) as tar, tarfile.open(place / "part.tar", "w") as part:
        for member in tar:
            if Path(member.name).name in names and (found := tar.extractfile(member)):
                _add(part, Path(member.name).name, found.read())
    with (place / "part.csv").open("w") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(chosen)
    return place / "part.tar", place / "part.csv"


def prepare(place: Path, data: Path, truth: Path, given: argparse.Namespace) -> None:
    """Harvest and embed once, with sixty known answers as gold."""
    from thresher.harvest import harvest
    from thresher.harvest.sources.tar import from_tar
    from thresher.label.imports import import_gold
    from thresher.learn.embed import embed
    from thresher.records import Category, Question, now_ms
    from thresher.settings import read_settings
    from thresher.store import open_store

    place.mkdir()
    lines = ["votes = 2", "votes_most = 3", "gold_images = 20", "gold_least = 10", "patience_seconds = 1.0"]
    lines += ["first_images = 110", "round_images = 110", f"seed = {given.seed}", f'cache = "{place / "cache"}"']
    (place / "thresher.toml").write_text("\n".join(lines) + "\n")
    settings = read_settings(place)
    store = open_store(str(place), settings, create=True)
    store.categories.create(Category(NAME, Question(1, f"Is this a picture of: {given.positive}?", "", now_ms())))
    harvest(NAME, from_tar(data), store=store, settings=settings, now_ms=now_ms())
    with truth.open() as file:
        known = [(line["file"], line["truth"] == given.positive) for line in csv.DictReader(file)]
    gold = [line for yes in (True, False) for line in [one for one in known if one[1] is yes][:30]]
    path = place.parent / "gold.csv"
    path.write_text("file,answer\n" + "".join(f"{name},{'yes' if yes else 'no'}\n" for name, yes in gold))
    import_gold(NAME, path, store=store, now_ms=now_ms())
    embed(store.categories.pool(NAME), store=store, settings=settings)
    store.close()


def measured(
    place: Path,
    truth: Path,
    given: argparse.Namespace,
    crowd: str,
    errors: float | None,
    method: str,
    budget: int | None,
) -> Outcome:
    """One promise, kept by one crowd, on a copy of the pool."""
    from thresher.cli.crowd import Way, simulate_with
    from thresher.cli.options import CrowdOptions
    from thresher.records import Targets

    replay = errors is None
    store, settings = copied(place, without_gate=replay)  # replayed votes are anonymous
    store.categories.aim(NAME, Targets(given.precision, given.recall, 0.05, budget, method))
    started = time.monotonic()
    facts = simulate_with(
        NAME,
        CrowdOptions(truth, given.workers, given.positive, replay, given.seed),
        store=store,
        settings=settings,
        way=Way(errors=errors or 1.0),
    )
    wall = time.monotonic() - started
    with truth.open() as file:
        yes = {line["file"] for line in csv.DictReader(file) if line["truth"] == given.positive}
    delivered, claim = shipped(store)
    tally = store.categories.tally(NAME)
    hours = float(str(facts["hours of work"]))
    store.close()
    return Outcome(
        crowd,
        method,
        tally.answers + tally.gold_answers + tally.owner_answers,
        tally.owner_answers,
        hours,
        min(int(str(facts["assignments sent"])) * READING_AND_SENDING / 3600, hours),
        claim,
        len(delivered),
        len(delivered & yes) / max(len(delivered), 1),
        len(delivered & yes) / max(len(yes), 1),
        wall,
    )


def copied(place: Path, *, without_gate: bool) -> tuple["Store", "Settings"]:
    """A copy of the pool's workspace, opened."""
    from thresher.settings import read_settings
    from thresher.store import open_store

    workspace = place / "copy"
    shutil.rmtree(workspace, ignore_errors=True)
    shutil.copytree(place / "pool", workspace)
    if without_gate:
        table = workspace / "thresher.toml"
        table.write_text(table.read_text().replace("gold_images = 20", "gold_images = 0"))
    settings = read_settings(workspace)
    return open_store(str(workspace), settings), settings


def shipped(store: "Store") -> tuple[set[str], str]:
    """The files that a release would hold, and what its certificate says in a word or a sentence."""
    from thresher.loop.ship import chosen
    from thresher.records import now_ms

    made = chosen(NAME, store=store, now_ms=now_ms())
    aliases = store.images.aliases(made.rows)
    file_of = {row: next(alias.value for alias in found if alias.kind == "file") for row, found in aliases.items()}
    claim = "certified" if made.certificate["certified"] else str(made.certificate["words"])
    return {file_of[int(row)] for row in made.yes}, claim


def tell(outcomes: list[Outcome], given: argparse.Namespace) -> None:
    head = (
        "crowd",
        "promise",
        "answers",
        "owner",
        "hours",
        "$ (times x0.5)",
        "$",
        "$ (x2)",
        "delivered",
        "prec",
        "rec",
    )
    print("| " + " | ".join(head) + " | ended | wall s |")
    print("|" + "---|" * (len(head) + 2))
    for one in outcomes:
        cells = [one.crowd, one.method, f"{one.answers:,}", f"{one.owner:,}", f"{one.hours:.2f}"]
        cells += [f"{one.dollars(times):,.2f}" for times in (0.5, 1.0, 2.0)]
        cells += [
            f"{one.delivered:,}",
            f"{one.precision:.3f}",
            f"{one.recall:.3f}",
            one.ended,
            f"{one.wall_seconds:.0f}",
        ]
        print("| " + " | ".join(cells) + " |")
    certified = [one for one in outcomes if one.ended == "certified"]
    false = sum(not one.kept(given.precision, given.recall) for one in certified)
    print(f"RATIO false_certificates {false / max(len(certified), 1):.4f}")
    print(f"RATIO certified_runs {len(certified) / max(len(outcomes), 1):.4f}")
    for method in PROMISES:
        mine = [one for one in certified if one.method == method and one.crowd == "pinned"]
        for one in mine:
            print(f"RATIO answers_per_delivered_{method} {one.answers / max(one.delivered, 1):.3f}")


if __name__ == "__main__":
    main()
