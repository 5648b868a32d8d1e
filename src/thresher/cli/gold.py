"""The command `thresher gold mine`: a task for the owner that looks for gold."""

from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli.open import interruptible, opened
from thresher.cli.options import JSON, Name
from thresher.cli.show import as_json, bars, next_line, say

if TYPE_CHECKING:  # the records take a while to make, and `--help` needs none
    from thresher.records import Task
    from thresher.settings import Settings
    from thresher.store.contract import Store

Text = Annotated[
    str | None,
    typer.Option(
        help="Words that a yes shows, such as 'a red car at night': they rank the pool by a backbone with a text "
        "tower, and stay with the category; empty: none."
    ),
]


def add_to(gold: typer.Typer) -> None:
    """Add these commands to the group `thresher gold`."""
    gold.command("mine")(gold_mine)


def gold_mine(
    context: typer.Context,
    name: Name,
    text: Text = None,
    size: Annotated[int | None, typer.Option(help="Images in the task.", min=2, max=110)] = None,
    json: JSON = False,
) -> None:
    """Make a task for the owner that looks for gold, a rare yes too.

    Half of it are the images that fit the words of the category or the newest scores best, half are random.
    """
    from thresher.label.mining import mine
    from thresher.learn.text import describe, rank
    from thresher.records import now_ms
    from thresher.store.claims import words_of

    with opened(context) as (store, settings):
        if text is not None:
            describe(name, text, store=store, settings=settings, now_ms=now_ms())
        words = words_of(name, store=store)
        if words:
            with bars() as report, interruptible() as stop:
                rank(name, store=store, settings=settings, now_ms=now_ms(), report=report, stop=stop)
        tasks = mine(name, store=store, settings=settings, now_ms=now_ms(), size=size)
        images = sum(len(task.rows) for task in tasks)
        says = _says(name, words, images, tasks, store, settings)
    if json:
        as_json({"category": name, "text": words, "tasks": [task.number for task in tasks], "images": images})
        return
    for line in says:
        say(line)


def _says(
    name: str, words: str, images: int, tasks: "list[Task]", store: "Store", settings: "Settings"
) -> tuple[str, ...]:
    """What was done, and what comes next."""
    ranked = f"The pool of {name} is ranked by {words!r}." if words else ""
    if tasks:
        made = f"{images:,} images wait for the owner's answers. Next: thresher serve"
    else:
        follows = next_line(name, store, settings)
        made = f"No task was made: there is gold enough, or the owner has one already. {follows}"
    return (ranked, made) if ranked else (made,)
