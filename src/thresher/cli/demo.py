"""The command `thresher demo`: the whole loop with a simulated crowd, from images to a verified release, then a server.

Without images of your own it takes the handwritten digits that scikit-learn brings, so it needs no network. Every step
is a `thresher` command that you could type.
"""

import csv
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli.show import say
from thresher.errors import BadInput, JobFailed

if TYPE_CHECKING:
    from thresher.server.local import Local

GOLD_OF_EACH = 24
TRY_IMAGES = 20
WORKERS = 20
DIGITS = "digits"
LOOPS = frozenset({0, 6, 8, 9})
DIGITS_QUESTION = "Is this a 0, 6, 8 or 9?"
DIGIT_PIXELS = 128
NAME = "demo"
SETTINGS = "seed = 7\npatience_seconds = 1.0  # simulated people answer in no time: a few asks need not wait for more\n"


def add_to(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(demo)


def demo(
    place: Annotated[Path, typer.Option(help="Folder for images, workspace and release.")] = Path("thresher-demo"),
    images: Annotated[
        Path | None, typer.Option(help="A folder of images, with --truth and --question; default: handwritten digits.")
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="A table with the columns file and truth (yes or no).")] = None,
    question: Annotated[str, typer.Option(help="The question that --truth answers.")] = "",
    once: Annotated[bool, typer.Option("--once", help="Stop after the release, without the server.")] = False,
) -> None:
    """Run the whole loop with a simulated crowd, verify its release, and leave a server where you can answer a task."""
    given = (images is not None, truth is not None, bool(question))
    if any(given) and not all(given):
        raise BadInput("--images, --truth and --question go together.", next="give all of them, or none")
    place.mkdir(parents=True, exist_ok=True)
    if images is None or truth is None:
        images, truth = digits(place / DIGITS)
        question = DIGITS_QUESTION
    for old in ("workspace", "release"):
        shutil.rmtree(place / old, ignore_errors=True)
    _run(_Demo(place, images, truth, question), once=once)


@dataclass(frozen=True, slots=True)
class _Demo:
    """Where a demo's files lie, and what it asks."""

    place: Path
    images: Path
    truth: Path
    question: str

    @property
    def workspace(self) -> Path:
        return self.place / "workspace"

    @property
    def release(self) -> Path:
        return self.place / "release"


def digits(to: Path) -> tuple[Path, Path]:
    """The 1,797 handwritten digits of scikit-learn (Alpaydin and Kaynak 1998) as PNG files, and the table of truths."""
    from PIL import Image
    from sklearn.datasets import load_digits

    truth, made = to.with_suffix(".csv"), to
    found = load_digits()
    names = [f"{number:04}.png" for number in range(len(found.target))]
    if not made.exists():
        part = to.with_name(f"{to.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name, levels in zip(names, found.images, strict=True):  # 0 is paper and 16 is ink
            drawn = Image.fromarray((255 - levels * (255 / 16)).clip(0, 255).astype("uint8"))
            drawn.resize((DIGIT_PIXELS, DIGIT_PIXELS), Image.Resampling.BICUBIC).save(part / name, compress_level=1)
        part.rename(made)
    answers = ["yes" if digit in LOOPS else "no" for digit in found.target]
    _write(truth, "truth", list(zip(names, answers, strict=True)))
    return made, truth


def _run(demo: _Demo, *, once: bool) -> None:
    """Run the commands of the demo one after the other."""
    from thresher.server.local import local_server

    started = time.monotonic()
    gold = demo.place / "gold.csv"
    _write(gold, "answer", _known_answers(demo.truth))
    thresher("init", str(demo.workspace))
    (demo.workspace / "thresher.toml").write_text(SETTINGS, "utf-8")
    thresher("category", "add", NAME, "--question", demo.question, at=demo.workspace)
    thresher("harvest", NAME, "--folder", str(demo.images), at=demo.workspace)
    thresher("gold", "import", NAME, str(gold), at=demo.workspace)
    say("\n$ thresher serve --port 0")
    with local_server(str(demo.workspace), crowd=True) as server:
        say(f"Console: {server.link}")
        crowd = ("--truth", str(demo.truth), "--workers", str(WORKERS), "--url", server.url)
        thresher("simulate", NAME, *crowd, at=demo.workspace)
        thresher("release", NAME, "--to", str(demo.release), at=demo.workspace)
        thresher("verify", str(demo.release))
        _report(demo, time.monotonic() - started)
        if not once:
            _offer_a_task(demo.workspace, server)


def thresher(*arguments: str, at: Path | None = None) -> None:
    """Print a command and run it, as a person would. Raises JobFailed with its own line above."""
    say(f"\n$ thresher {' '.join(_quoted(argument) for argument in arguments)}")
    if subprocess.run(_command(*arguments, at=at), check=False).returncode:  # noqa: S603 -- our own command
        raise JobFailed(f"thresher {arguments[0]} ended with an error; it says why above.", next="thresher demo")


def _command(*arguments: str, at: Path | None) -> list[str]:
    """The command line of this interpreter's own thresher."""
    return [sys.executable, "-m", "thresher", *(["--workspace", str(at)] if at else []), *arguments]


def _quoted(argument: str) -> str:
    """An argument as one would type it."""
    return f'"{argument}"' if " " in argument else argument


def _write(path: Path, header: str, rows: list[tuple[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("file", header))
        writer.writerows(rows)


def _truth(path: Path) -> dict[str, str]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row["file"]: row["truth"] for row in csv.DictReader(file)}


def _known_answers(truth: Path) -> list[tuple[str, str]]:
    """The few known answers that the owner gives at the start: as many yes as no, drawn with a seed."""
    answers, draw = _truth(truth), random.Random(7)  # noqa: S311 -- a demo is to come out alike
    return [
        (name, answer)
        for answer in ("yes", "no")
        for name in draw.sample(sorted(n for n in answers if answers[n] == answer), GOLD_OF_EACH)
    ]


def _report(demo: _Demo, seconds: float) -> None:
    """Print the results: images, answers by purpose and on gold, released images, precision and recall, path."""
    from thresher.tables import open_table

    says = _truth(demo.truth)
    table = open_table(demo.release / "images.parquet", ("alias",), ("decision",))
    decided = {name: decision for _, (name, decision) in table.records(*table.chosen)}
    delivered = [name for name, decision in decided.items() if decision == "yes"]
    right, positives = (sum(says[name] == "yes" for name in names) for names in (delivered, decided))
    counted = _answers(demo.workspace)
    say("\nResults")
    say(f"  images        {len(decided):,} in the pool")
    for purpose, count in counted.items():
        say(f"  answers       {count:5,} {purpose}")
    say(f"  released      {len(delivered):,} images")
    say(f"  precision     {right / max(len(delivered), 1):.3f} against the known truth")
    say(f"  recall        {right / max(positives, 1):.3f}")
    say(f"  dataset       {demo.release}")
    say(f"  took          {seconds:.0f} s")


def _answers(workspace: Path) -> dict[str, int]:
    """The number of human answers, by purpose."""
    from thresher.records import OWNER
    from thresher.settings import read_settings
    from thresher.store import open_store

    store = open_store(workspace, read_settings(workspace))
    tally, votes = store.categories.tally(NAME), store.labels.votes(NAME, 1)
    store.close()
    purposes = Counter(vote.purpose.value for vote in votes if vote.worker != OWNER)
    return {
        **{f"to {purpose}" if purpose == "learn" else f"for {purpose}": n for purpose, n in sorted(purposes.items())},
        "on gold, to check annotators": tally.gold_answers,
        "in rejected assignments (not used)": tally.answers - sum(purposes.values()),
        "by the owner: known answers at the start, and adjudications": 2 * GOLD_OF_EACH + tally.owner_answers,
        "in all": tally.answers + tally.gold_answers + tally.owner_answers + 2 * GOLD_OF_EACH,
    }


def _offer_a_task(workspace: Path, server: "Local") -> None:
    """Leave the server running with a task that the user can answer."""
    link = task_to_try(workspace, server.url)
    say("\nThe server is running. Ctrl-C stops it.")
    say(f"  answer a task yourself   {link}")
    say(f"  open the console         {server.link}")
    try:
        server.process.wait()
    except KeyboardInterrupt:
        say("stopped")


def task_to_try(workspace: Path, url: str) -> str:
    """A link at the server's address to a task of a few images, for whoever has just run the demo."""
    from thresher.label.asks import upload
    from thresher.records import Invite, new_id, now_ms
    from thresher.settings import read_settings
    from thresher.store import open_store
    from thresher.workforce.links import Links

    settings = read_settings(workspace)
    store = open_store(workspace, settings)
    try:
        rows = store.categories.pool(NAME)[:TRY_IMAGES].tolist()
        upload(NAME, "Try it yourself", rows, store=store, settings=settings, now_ms=now_ms())
        invite = Invite(new_id(), NAME, "the user of the demo", now_ms())
        store.people.invite(invite)
        return f"{url}/join/{Links(store.secret()).invite(invite.id)}"
    finally:
        store.close()
