"""Claim: files and functions are short, no import is circular, and a release asks its store a few times, not per image.

Reads the source as data, this checkout's and, with --of, another one's beside it; counts the calls that a release and
an idle turn of the loop make to the store; and takes the time of the suite from a log of pytest, or measures it.

    git worktree add ../before bc54143
    python bench/house.py --of ../before --log suite.log
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from checkout import ROOT
from scripts import house
from tests.counting import counted
from tests.filled import NAME
from tests.loop.people import pool, small, to_the_end

from thresher.learn.embed import embed
from thresher.learn.round import train_round
from thresher.loop.ship import ship
from thresher.loop.turn import Turn, turn
from thresher.records import OWNER, Label, Purpose, Says, Source
from thresher.settings import Settings, read_settings
from thresher.store import open_store
from thresher.store.contract import Store

MOST_PARAMETERS = 7
BACKENDS = {("store", "sqlite"), ("store", "mongo")}
RELEASE_NO = 10
"""Images that are a no in the pool of the release: a head needs both answers."""

IDLE_POOL, IDLE_NO = 60, 40
"""Images of the pool whose idle turn is counted, and how many of them are a no."""


@dataclass(frozen=True)
class Figure:
    """A value under the name of its RATIO line, and what a person should know of it."""

    name: str
    value: float
    note: str = ""


@dataclass(frozen=True)
class Workspace:
    """A workspace in a folder of its own, and the settings of its loop."""

    store: Store
    settings: Settings
    folder: Path


def main() -> None:
    given = options()
    checkouts = [ROOT, *(path.resolve() for path in given.of)]
    found = [static(checkout) for checkout in checkouts]
    table(found, ["here", *(path.name for path in checkouts[1:])])
    live = [*store_calls(given.images), *suite(given)]
    print()
    for figure in live:
        print(f"{figure.name.replace('_', ' '):36} {figure.value:9,.0f}  {figure.note}")
    print()
    for figure in [*found[0], *live]:
        print(f"RATIO {figure.name} {figure.value:g}")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", type=Path, action="append", default=[], help="another checkout, read beside this one")
    parser.add_argument("--images", type=int, default=3_000, help="images of the release whose calls are counted")
    parser.add_argument("--log", type=Path, help="what pytest printed when it ran the whole suite, or its junit.xml")
    parser.add_argument("--suite", action="store_true", help="run the whole suite and take its time")
    return parser.parse_args()


def table(columns: Sequence[Sequence[Figure]], names: Sequence[str]) -> None:
    """The figures of each checkout beside each other, then the notes on this one's and on the others'."""
    print(f"{'':36}" + "".join(f"{name[-9:]:>10}" for name in names))
    for row in zip(*columns, strict=True):
        print(f"{row[0].name.replace('_', ' '):36}" + "".join(f"{figure.value:10,.0f}" for figure in row))
    for column, name in zip(columns, names, strict=True):
        for figure in column:
            if figure.note:
                print(f"{name}: {figure.name.replace('_', ' ')}: {figure.note}")


# --- the source as data -----------------------------------------------------------------------------------------------


def static(checkout: Path) -> list[Figure]:
    """What can be told of a checkout without running anything of it."""
    source = checkout / "src" / house.PACKAGE
    modules = house.read(source)
    functions = [one for module in modules.values() for one in house.functions(module)]
    circles = house.circles(house.imports(modules))
    file = max(modules.values(), key=lambda module: module.lines)
    longest = max(functions, key=lambda one: one.lines)
    most = max(functions, key=lambda one: one.parameters)
    over = sum(one.parameters > MOST_PARAMETERS for one in functions)
    backends = sum(m.lines for m in modules.values() if m.file.relative_to(source).parts[:2] in BACKENDS)
    return [
        Figure("files", len(modules)),
        Figure("file_median_lines", statistics.median(module.lines for module in modules.values())),
        Figure("file_longest_lines", file.lines, file.file.relative_to(source).as_posix()),
        Figure("functions", len(functions)),
        Figure("function_median_lines", statistics.median(one.lines for one in functions)),
        Figure("function_longest_lines", longest.lines, f"{longest.name} in {longest.file.relative_to(source)}"),
        Figure("functions_over_7_parameters", over, f"{most.name} has {most.parameters}" if over else ""),
        Figure("circles", len(circles), "; ".join(" > ".join(circle) for circle in circles)),
        Figure("circular_imports_in_the_pages", circular_imports_of_the_pages(checkout)),
        Figure("lines_of_sqlite_and_mongo", backends),
    ]


def circular_imports_of_the_pages(checkout: Path) -> float:
    """How many imports of web/ are part of a circle, by this checkout's rule; not a number where biome is not here."""
    biome = ROOT / "web/node_modules/.bin/biome"
    if not biome.exists():
        return float("nan")
    with tempfile.TemporaryDirectory() as name:
        web = Path(name, "web")
        shutil.copytree(checkout / "web", web, ignore=shutil.ignore_patterns("node_modules"))
        shutil.copy(ROOT / "web/biome.jsonc", web)
        flags = ["--only=suspicious/noImportCycles", "--reporter=json", "--max-diagnostics=none"]
        done = subprocess.run([biome, "lint", *flags, "."], cwd=web, capture_output=True, text=True)
    return sum("noImportCycles" in said["category"] for said in json.loads(done.stdout)["diagnostics"])


# --- calls of the store -----------------------------------------------------------------------------------------------


def store_calls(images: int) -> Iterator[Figure]:
    """How often the store is called by a release, and by turns of the loop that find nothing new."""
    for measure in (partial(release_calls, images=images), idle_calls):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            settings = small(read_settings(folder, {}), folder).but(votes=1, votes_most=1)
            store = open_store(folder / "workspace", settings, create=True)
            yield from measure(Workspace(store, settings, folder))
            store.close()


def release_calls(work: Workspace, images: int) -> Iterator[Figure]:
    """A release in every format of so many images, all labelled."""
    rows = pool(work.store, RELEASE_NO, RELEASE_NO + images)
    says = [Says.NO] * RELEASE_NO + [Says.YES] * images
    labels = [Label(row, said, Source.OWNER, Purpose.LEARN, 1, 1) for row, said in zip(rows, says, strict=True)]
    work.store.labels.hold(NAME, labels)
    embed(work.store.categories.pool(NAME), store=work.store, settings=work.settings)
    train_round(NAME, store=work.store, settings=work.settings, seed=1, now_ms=1)
    store, calls = counted(work.store)
    made = ship(NAME, work.folder / "out", store=store, now_ms=2)
    yield Figure("store_calls_of_a_release", calls.total(), f"{made.images:,} images; {most_of(calls)}")


def idle_calls(work: Workspace) -> Iterator[Figure]:
    """A turn while people have not answered, and a turn when nothing is left to ask."""
    rows = pool(work.store, IDLE_NO, IDLE_POOL)

    def says(row: int) -> Says:
        return Says.NO if row in rows[:IDLE_NO] else Says.YES

    take(work.store, work), take(work.store, work)  # the first asks, the second embeds
    yield idle("waiting", work)
    to_the_end(work.store, work.settings, says, ("ann", "bob", OWNER))
    yield idle("done", work)


def take(store: Store, work: Workspace) -> Turn:
    return turn(NAME, store=store, settings=work.settings, now_ms=10**9, seed=1)


def idle(name: str, work: Workspace) -> Figure:
    """The calls of a turn that comes to nothing."""
    store, calls = counted(work.store)
    came_to = take(store, work)
    return Figure(f"store_calls_of_an_idle_turn_{name}", calls.total(), f"{came_to.state}; {most_of(calls)}")


def most_of(calls: "Counter[str]") -> str:
    return ", ".join(f"{name} {count:,}" for name, count in calls.most_common(4))


# --- the suite --------------------------------------------------------------------------------------------------------


def suite(given: argparse.Namespace) -> Iterator[Figure]:
    """The seconds that the whole suite takes, where they are to be had."""
    if given.log:
        yield Figure("suite_seconds", seconds_of(given.log.read_text("utf-8")), given.log.name)
    if given.suite:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"], cwd=ROOT)
        yield Figure("suite_seconds", time.perf_counter() - started, "measured now")


def seconds_of(log: str) -> float:
    """The time in the last summary line of pytest ("passed in 780.12s"), or that of its junit.xml."""
    found = re.findall(r'<testsuite [^>]*\btime="([\d.]+)"|\b(?:passed|failed|skipped)\b.* in ([\d.]+)s', log)
    if not found:
        sys.exit("The log has no line of pytest like '812 passed in 780.12s'.")
    return float(found[-1][0] or found[-1][1])


if __name__ == "__main__":
    main()
