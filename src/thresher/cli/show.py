"""Terminal output: one console, tables, progress bars; plain when piped. rich follows `NO_COLOR`."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the records take a while to make, and `--help` needs none
    from thresher.records import Progress
    from thresher.settings import Settings
    from thresher.store.contract import Store

WIDEST = 100_000
YES, GOLD = "#3bc9db", "#f0c36d"  # LOOK.md's dark column: terminals are mostly dark


def say(text: str) -> None:
    """Print a sentence."""
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(text, markup=False)


def next_line(name: str, store: "Store", settings: "Settings") -> str:
    """The sentence that tells what a category waits for: the same after every command."""
    return next_lines(name, store, settings)[0]


def next_lines(name: str, store: "Store", settings: "Settings") -> tuple[str, str]:
    """What a category waits for, and the command for that, which is empty if nothing has to be done."""
    from thresher.loop.decision import decision
    from thresher.loop.next_step import next_step_of
    from thresher.server.presence import next_for_people

    step = next_step_of(decision(name, store=store), store=store, settings=settings)
    # where people are to answer, a server may run already
    command = next_for_people(store, settings) if step.command == "thresher serve" else step.command
    return f"{name} waits for {step.waits_for}.", f"Next: {command}" if command else ""


def visible(text: str) -> str:
    """Text that is safe to print on one line: control characters are written as escapes.

    File names, URLs and questions come from other people.
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )


def as_json(value: Any) -> None:  # noqa: ANN401 -- whatever json takes
    """Print JSON."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, default=str) + "\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Print a table; numbers are right-aligned with thousands separators.

    Nothing is cut: on a terminal long cells are continued on the next line, and a pipe gets each row as one line.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:  # rich would take a pipe for a terminal of 80 columns
        console = Console(highlight=False, width=WIDEST)
    drawn = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD if console.is_terminal else box.ASCII2)
    for column in columns:
        drawn.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        # as Text: in a plain str, rich reads what stands in brackets as markup
        drawn.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else visible(str(cell))) for cell in row))
    console.print(drawn)


def facts(title: str, values: Mapping[str, object]) -> None:
    """Print names with their values."""
    table(title, ("", ""), list(values.items()))


@contextmanager
def bars() -> Iterator[Callable[["Progress"], None]]:
    """Progress bars with rate and remaining time, one for each stage that reports.

    When piped, prints a line when a stage ends and otherwise every ten seconds.
    """
    from rich.console import Console

    console = Console(stderr=True)
    with _drawn(console) if console.is_terminal else _printed() as report:
        yield report


@contextmanager
def _drawn(console: Any) -> Iterator[Callable[["Progress"], None]]:  # noqa: ANN401 -- rich is imported lazily
    from rich.progress import BarColumn, MofNCompleteColumn, Task, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Rate(TextColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed or 0:,.0f}/s")

    ids: dict[str, Any] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(complete_style=GOLD, finished_style=YES),
        MofNCompleteColumn(),
        Rate(""),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console, transient=False) as drawn:

        def report(progress: "Progress") -> None:
            if progress.stage not in ids:
                ids[progress.stage] = drawn.add_task(progress.stage, total=progress.total or None)
            drawn.update(ids[progress.stage], completed=progress.done, total=progress.total or None)

        yield report


@contextmanager
def _printed() -> Iterator[Callable[["Progress"], None]]:
    import time

    started: dict[str, float] = {}
    said: dict[str, float] = {}
    last: dict[str, tuple[int, int]] = {}
    quiet_seconds = 10.0

    def report(progress: "Progress") -> None:
        now = time.monotonic()
        begun = started.setdefault(progress.stage, now)
        ended = bool(progress.total) and progress.done >= progress.total
        before, last[progress.stage] = last.get(progress.stage), (progress.done, progress.total)
        if before == last[progress.stage]:  # a stage may report its end twice
            return
        if not ended and now - said.setdefault(progress.stage, now) < quiet_seconds:
            return
        said[progress.stage] = now
        rate = progress.done / max(now - begun, 1e-3)
        left = (
            f", {(progress.total - progress.done) / max(rate, 1e-9):,.0f} s left"
            if progress.total and not ended
            else ""
        )
        of = f"/{progress.total:,}" if progress.total else ""
        sys.stderr.write(f"{progress.stage}: {progress.done:,}{of} {progress.unit} ({rate:,.0f}/s{left})\n")

    yield report
