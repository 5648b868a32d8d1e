"""The commands about labels and scores that somebody else made: labels import, list, remove."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from thresher.cli.open import opened
from thresher.cli.options import JSON, Name, options
from thresher.cli.show import as_json, next_line, say, table

labels = typer.Typer(
    name="labels",
    help="Labels and scores that somebody else made, such as those of a detector: the classifier may learn from them.",
    no_args_is_help=True,
)
SKIPPED_SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(labels)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file of labels is read."""

    kind: Annotated[
        str,
        typer.Option(
            "--as", help="The format of the file; default: what it looks like. See `thresher labels formats`."
        ),
    ] = ""
    label: Annotated[
        str,
        typer.Option(
            "--label",
            help="The label in the file that means yes; default: the name of the category, or the only label.",
        ),
    ] = ""
    column: Annotated[
        str, typer.Option("--name", help="A name for this column of labels; default: the name of the file.")
    ] = ""
    skip_bad: Annotated[
        bool,
        typer.Option(
            "--skip-bad",
            help="Leave out images that are not in the pool, names of several images, and images with two labels.",
        ),
    ] = False


@labels.command("import")
@options
def labels_import(
    context: typer.Context,
    name: Name,
    file: Annotated[Path, typer.Argument(help="A file or a folder of labels, scores or detections.")],
    read: ReadOptions,
) -> None:
    """Import labels or scores that somebody else made, as one more column for the classifier to learn from.

    An image with the label is a yes, an image that the file names without it is a no, and nothing is known of the
    others. Answers of people show how far the column can be trusted. It is never a label, gold or a part of the proof.
    Another import under the same name replaces it.
    """
    from thresher.label.imports import Wanted, import_column
    from thresher.loop.snapshot import is_frozen
    from thresher.records import now_ms

    with opened(context) as (store, settings):
        wanted = Wanted(read.kind, read.label, read.column, read.skip_bad)
        found = import_column(name, file, wanted, store=store, now_ms=now_ms())
        frozen = is_frozen(store.categories.get(name), store=store)
        images, step = len(store.categories.pool(name)), next_line(name, store, settings)
    claim = found.claim
    for bad in found.skipped[:SKIPPED_SHOWN]:
        say(f"left out, {bad.says}")
    if len(found.skipped) > SKIPPED_SHOWN:
        say(f"left out: {len(found.skipped) - SKIPPED_SHOWN:,} more")
    yes = int(claim.yes.sum())
    scores = "" if claim.scores is None else ", with scores"
    say(
        f"Imported as {claim.name!r} ({claim.kind}{scores}): {yes:,} images with the label {found.label!r}, "
        f"{len(claim.rows) - yes:,} without it, {images - len(claim.rows):,} of the pool are not in the file."
    )
    if frozen:
        say("The ranking is frozen and audited: the classifier learns from these labels before the next freeze.")
    say(step)


@labels.command("list")
def labels_list(context: typer.Context, name: Name, json: JSON = False) -> None:
    """List the columns of labels of a category, and whether its classifier uses them."""
    from datetime import UTC, datetime

    from thresher.loop.columns import columns_in_use

    def day(at_ms: int) -> str:
        return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")

    with opened(context) as (store, _):
        found = columns_in_use(name, store=store)
    if json:
        as_json([asdict(column) for column in found])
    elif not found:
        say(f"{name} has no labels from elsewhere. Next: thresher labels import {name} FILE")
    else:
        rows = [
            (it.name, it.kind, it.images, it.yes, "yes" if it.scored else "no", it.used, day(it.at_ms)) for it in found
        ]
        titles = ("name", "format", "images", "yes", "scores", "classifier", "imported")
        table(f"Labels from elsewhere for {name}", titles, rows, right=("images", "yes"))


@labels.command("remove")
def labels_remove(
    context: typer.Context,
    name: Name,
    column: Annotated[str, typer.Argument(help="The name of the column, as `labels list` prints it.")],
) -> None:
    """Remove a column of labels; the next training of the classifier goes without it."""
    from thresher.label.imports import remove_column

    with opened(context) as (store, settings):
        remove_column(name, column, store=store)
        step = next_line(name, store, settings)
    say(f"Removed {column}.")
    say(step)


@labels.command("formats")
def labels_formats(json: JSON = False) -> None:
    """List the formats of labels that can be read."""
    from thresher.annotations import KINDS

    if json:
        as_json([{"name": kind.name, "what it is": kind.says} for kind in KINDS.values()])
        return
    table("Formats", ("name", "what it is"), [(kind.name, kind.says) for kind in KINDS.values()])
