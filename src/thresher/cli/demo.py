"""The command `thresher demo`: labels certified by a few answers, the whole loop with a simulated crowd, a server.

Without images of your own it takes the handwritten digits that scikit-learn brings, so it needs no network. Every step
is a `thresher` command that you could type. What it prints at length goes into a log: the demo fits one screen.
"""

import csv
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli.show import say
from thresher.errors import BadInput, JobFailed
from thresher.settings import child_at

if TYPE_CHECKING:
    from thresher.server.local import Local

GOLD_OF_EACH = 24
TRY_IMAGES = 20
WORKERS = 20
LOOP_IMAGES = 600  # more would keep whoever tries it waiting
WRONG_SHARE = 0.005  # of the labels, planted
DIGITS = "digits"
LOOPS = frozenset({0, 6, 8, 9})
DIGITS_QUESTION = "Is this a 0, 6, 8 or 9?"
DIGITS_LABEL = "loop"
DIGIT_PIXELS = 128
NAME = "demo"
WIDEST = 160  # of a sentence that a command printed; the log has all of it
LOG = "log.txt"
MARK = ".thresher-demo"  # a folder that has it was made by a demo, so that another may replace what it made there
MADE = ("certify-labels", "certified", "workspace", "release", "few", "labels.csv", "gold.csv", LOG)
SETTINGS = "seed = 7\npatience_seconds = 1.0  # simulated people answer in no time: a few asks need not wait for more\n"


def add_to(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(demo)


def demo(
    place: Annotated[Path, typer.Option(help="Folder for images, workspaces and releases.")] = Path("thresher-demo"),
    images: Annotated[
        Path | None, typer.Option(help="A folder of images, with --truth and --question; default: handwritten digits.")
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="A table with the columns file and truth (yes or no).")] = None,
    question: Annotated[str, typer.Option(help="The question that --truth answers.")] = "",
    label: Annotated[str, typer.Option(help="The label of images whose truth is yes.")] = "match",
    once: Annotated[bool, typer.Option("--once", help="Stop after the release, without the server.")] = False,
) -> None:
    """Certify labels, run the whole loop with a simulated crowd, and leave a server where you can answer a task."""
    given = (images is not None, truth is not None, bool(question))
    if any(given) and not all(given):
        raise BadInput("--images, --truth and --question go together.", next="give all of them, or none")
    claim(place)
    if images is None or truth is None:
        images, truth = digits(place / DIGITS)
        question, label = DIGITS_QUESTION, DIGITS_LABEL
    for old in MADE:
        shutil.rmtree(place / old, ignore_errors=True)
        (place / old).unlink(missing_ok=True)
    _run(Demo(place.resolve(), images.resolve(), truth.resolve(), question, label), once=once)


def claim(place: Path) -> None:
    """Make a folder the place of a demo. Raises BadInput for one that has files and was never that."""
    there = place.is_dir() and any(place.iterdir())
    if (there and not (place / MARK).exists()) or (place.exists() and not place.is_dir()):
        raise BadInput("is not empty, and not of a demo.", where=str(place), next="give another folder with --place")
    place.mkdir(parents=True, exist_ok=True)
    (place / MARK).touch()


@dataclass(frozen=True, slots=True)
class Demo:
    """Where a demo's files lie (absolute), what it asks, and the label of a yes."""

    place: Path
    images: Path
    truth: Path
    question: str
    label: str

    @property
    def workspace(self) -> Path:
        """The workspace of the loop."""
        return self.place / "workspace"

    @property
    def release(self) -> Path:
        """What the loop releases."""
        return self.place / "release"

    def typed(self, path: Path) -> str:
        """A path as one would type it in the demo's folder."""
        return str(path.relative_to(self.place)) if path.is_relative_to(self.place) else str(path)

    def run(self, *arguments: str, ends: Sequence[int] = (0,)) -> list[str]:
        """Print a command and run it in the demo's folder; the lines it printed, which the log gets too.

        Raises JobFailed with its last line if it ends otherwise than it may.
        """
        typed = f"$ thresher {shlex.join(arguments)}"
        say(typed)
        command = [sys.executable, "-m", "thresher", *arguments]
        _, environment = child_at(str(self.workspace))  # a store that the environment names is none of the demo's
        with _waiting():
            done = subprocess.run(  # noqa: S603 -- our own command
                command, cwd=self.place, env=environment, capture_output=True, encoding="utf-8", check=False
            )
        with (self.place / LOG).open("a", encoding="utf-8") as log:
            log.write(f"{typed}\n{done.stdout}{done.stderr}\n")
        if done.returncode not in ends:
            last = "".join((done.stderr or done.stdout).strip().splitlines()[-1:])
            # without its next step: that is of the command, and what it goes by is in the log
            what = f"thresher {arguments[0]} ended with an error: {last.rsplit(' Next: ', 1)[0]}"
            raise JobFailed(what, next=f"read {self.place / LOG}")
        return done.stdout.splitlines()


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


def _run(demo: Demo, *, once: bool) -> None:
    """Run the commands of the demo one after the other."""
    from thresher.server.local import local_server

    started = time.monotonic()
    truth = as_in_folder(truth_of(demo.truth), demo.images)
    say(f"{len(truth):,} images in {demo.images}. Question: {demo.question}")
    say("Simulated people answer it by the known truth. Commands run in the folder of the demo.")
    say("\n1. You have labels. Are they right?")
    _certify(demo, truth)
    say("\n2. You have no labels. People answer, and in a pool that is large enough a model labels most images.")
    images, few = few_of(demo, truth)
    known = _known_answers(few)
    _write(demo.place / "gold.csv", "answer", known)
    demo.run("init", "workspace")
    (demo.workspace / "thresher.toml").write_text(SETTINGS, "utf-8")
    at = ("--workspace", "workspace")
    demo.run("category", "add", NAME, "--question", demo.question, *at)
    demo.run("harvest", NAME, "--folder", demo.typed(images), *at)
    demo.run("gold", "import", NAME, "gold.csv", *at)
    with local_server(str(demo.workspace), crowd=True) as server:
        crowd = ("--truth", demo.typed(demo.truth), "--workers", str(WORKERS), "--url", server.url)
        demo.run("simulate", NAME, *crowd, *at)
        demo.run("release", NAME, "--to", demo.typed(demo.release), *at)
        _tell(demo.run("verify", demo.typed(demo.release)))
        _report(demo, truth, len(known))
        say(f"\nAll of it took {time.monotonic() - started:.0f} s; what the commands printed is in {demo.place / LOG}.")
        if not once:
            _offer_a_task(demo.workspace, server)


def _certify(demo: Demo, truth: dict[str, str]) -> None:
    """Certify labels with planted errors, release and verify the images, and show that an exchanged one is refused."""
    from thresher.loop.taken import categories_of

    claimed, wrong = planted_labels(truth)
    _write(demo.place / "labels.csv", "label", [(name, demo.label) for name in claimed])
    say(f'labels.csv labels {len(claimed):,} of them "{demo.label}", {wrong} of these wrongly, on purpose.')
    told = demo.run(
        *("certify", "labels.csv", "--images", demo.typed(demo.images), "--question", demo.question),
        *("--by", "simulated", "--truth", demo.typed(demo.truth), "--positive", "yes"),
    )
    _tell([*[line for line in told if " answers, " in line][-1:], *(line for line in told if line.startswith("yes:"))])
    category = categories_of([demo.label])[demo.label]
    demo.run("release", category, "--to", "certified", "--workspace", "certify-labels")
    _tell(demo.run("verify", "certified"))
    first, last = (sorted((demo.place / "certified" / "images").iterdir())[at] for at in (0, -1))
    kept = first.read_bytes()
    first.write_bytes(last.read_bytes())
    say("Now one picture is exchanged for another one.")
    _tell(demo.run("verify", "certified", ends=(1,)))
    first.write_bytes(kept)


def few_of(demo: Demo, truth: dict[str, str]) -> tuple[Path, dict[str, str]]:
    """A folder with at most so many of the images that the loop is soon over, drawn with a seed, and their truth."""
    if len(truth) <= LOOP_IMAGES:
        return demo.images, truth
    names = sorted(random.Random(7).sample(sorted(truth), LOOP_IMAGES))  # noqa: S311 -- a demo is to come out alike
    folder = demo.place / "few"
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(demo.images / name, folder / name)
    return folder, {name: truth[name] for name in names}


def planted_labels(truth: dict[str, str], seed: int = 7) -> tuple[list[str], int]:
    """The images that the labels of the demo claim, and how many of these are wrong: planted, drawn with a seed."""
    right, others = ([name for name, is_yes in truth.items() if is_yes == says] for says in ("yes", "no"))
    planted = min(max(1, round(WRONG_SHARE * len(right))), len(others))
    wrong = random.Random(seed).sample(others, planted)  # noqa: S311 -- a demo is to come out alike
    return sorted([*right, *wrong]), len(wrong)


def _waiting() -> AbstractContextManager[object]:
    """On a terminal a sign that a command is at work, which vanishes with it."""
    from rich.console import Console

    return Console(stderr=True).status("")


def _tell(lines: Sequence[str]) -> None:
    """Print lines of a command, indented; long sentences and names are cut, and the log has all of them."""
    for line in lines:
        named = re.sub(r"([0-9a-f]{8})[0-9a-f]{56}", r"\1...", line)
        say(f"  {shorten(named, WIDEST, placeholder=' ...')}")


def _write(path: Path, header: str, rows: list[tuple[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("file", header))
        writer.writerows(rows)


def truth_of(path: Path) -> dict[str, str]:
    """Yes or no for each image of a table. Raises BadInput, BadLine as `read_truth`."""
    from thresher.workforce.truth import read_truth

    return {name: "yes" if is_yes else "no" for name, is_yes in read_truth(path, "yes").yes.items()}


def as_in_folder(truth: dict[str, str], images: Path) -> dict[str, str]:
    """The truth by the names of the files in the folder, as labels may name them; other names stay as they are."""
    from thresher.annotations.names import Names

    if all((images / name).is_file() for name in truth):
        return truth
    files = Names(path.relative_to(images).as_posix() for path in images.rglob("*") if path.is_file())
    fitting = {name: files.find(name) for name in truth}
    return {found[0] if len(found := fitting[name]) == 1 else name: says for name, says in truth.items()}


def _known_answers(answers: dict[str, str]) -> list[tuple[str, str]]:
    """The few known answers that the owner gives at the start: as many yes as no, drawn with a seed."""
    draw = random.Random(7)  # noqa: S311 -- a demo is to come out alike
    says = {answer: sorted(name for name in answers if answers[name] == answer) for answer in ("yes", "no")}
    each = min(GOLD_OF_EACH, *map(len, says.values()))
    return [(name, answer) for answer, names in says.items() for name in draw.sample(names, each)]


def _report(demo: Demo, truth: dict[str, str], known: int) -> None:
    """Print the results: images, answers by purpose and on gold, released images, precision and recall.

    `known` answers were given at the start.
    """
    from thresher.tables import open_table

    table = open_table(demo.release / "images.parquet", ("alias",), ("decision",))
    decided = {name: decision for _, (name, decision) in table.records(*table.chosen) if name in truth}
    delivered = [name for name, decision in decided.items() if decision == "yes"]
    right, positives = (sum(truth[name] == "yes" for name in names) for names in (delivered, decided))
    *parts, (_, every) = _answers(demo.workspace, known).items()
    say(f"  {len(decided):,} images, {every:,} answers of people: {', '.join(f'{n:,} {kind}' for kind, n in parts)}.")
    told = f"precision {right / max(len(delivered), 1):.3f}, recall {right / max(positives, 1):.3f} by the known truth"
    say(f"  {len(delivered):,} images released: {told}.")


def _answers(workspace: Path, known: int) -> dict[str, int]:
    """The number of human answers by what became of them, and of all."""
    from thresher.records import OWNER
    from thresher.settings import read_settings
    from thresher.store import open_store

    store = open_store(workspace, read_settings(workspace))
    tally, votes = store.categories.tally(NAME), store.labels.votes(NAME, 1)
    store.close()
    counting = sum(vote.worker != OWNER for vote in votes)
    return {
        "that count": counting,
        "on gold, to check people": tally.gold_answers,
        "rejected": tally.answers - counting,
        "by the owner": known + tally.owner_answers,
        "in all": tally.answers + tally.gold_answers + tally.owner_answers + known,
    }


def _offer_a_task(workspace: Path, server: "Local") -> None:
    """Leave the server running with a task that the user can answer."""
    link = task_to_try(workspace, server.url)
    say("\n3. Your turn: a server is running. Ctrl-C stops it.")
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
