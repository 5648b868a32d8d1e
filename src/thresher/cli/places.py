"""The command `thresher store copy`."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli.open import interruptible
from thresher.cli.options import JSON
from thresher.cli.show import as_json, bars, say, table
from thresher.cli.workspace import start_settings
from thresher.errors import BadInput
from thresher.settings import read_settings, without_password

if TYPE_CHECKING:  # the store is imported when a command needs it: `--help` stays quick
    from thresher.store.copy import Copied

store = typer.Typer(name="store", help="Copy a workspace from one store to another.", no_args_is_help=True)
SHOWN_OF_CHECKSUM = 16


def add_to(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(store)


@store.callback()
def _group() -> None:
    """Copy a workspace from one store to another."""  # without it typer merges a group of one command with the command


@store.command("copy")
def copy(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="A workspace: a directory, or mongodb://host/database.")
    ],
    target: Annotated[
        str, typer.Argument(metavar="TO", help="A new directory or database, or an unfinished copy of FROM.")
    ],
    json: JSON = False,
) -> None:
    """Copy a whole workspace and compare counts and checksums; run again, it continues where it stopped.

    No other command may use either workspace meanwhile. If the thresher.toml of a directory names a store, that store
    is copied; other settings are not copied.
    """
    from thresher.store import open_store
    from thresher.store.copy import copy_store

    if context.obj:
        raise BadInput("store copy does not take --workspace.", next="thresher store copy FROM TO")
    here, there = _store_of(source), _store_of(target)
    if here == there:
        raise BadInput("FROM and TO are the same.", where=without_password(here), next="choose another TO")
    settings = read_settings(Path.cwd())
    with closing(open_store(here, settings)) as ours, closing(open_store(there, settings, create=True)) as theirs:
        if "://" not in there:
            start_settings(Path(there))
        with bars() as report, interruptible() as stop:
            copied = copy_store(ours, theirs, report=report, stop=stop)
    if copied is not None:
        _tell(copied, source, target, json=json)


def _store_of(place: str) -> str:
    """The store that a place stands for; a directory's own settings count here, not those of the environment."""
    if "://" in place:
        return place
    directory = Path(place).absolute()
    return str(read_settings(directory, {}).store or directory)


def _tell(copied: "Copied", source: str, target: str, *, json: bool) -> None:
    if json:
        as_json({"agree": True, "counts": copied.counts, "checksums": copied.checksums})
        return
    rows = [(kind, count, copied.checksums[kind][:SHOWN_OF_CHECKSUM]) for kind, count in copied.counts.items() if count]
    table("Copied", ("kind", "count", "SHA-256 in both"), rows, right=("count",))
    places = f"from {without_password(source)} to {without_password(target)}"
    say(f"Copied {copied.counts['image']:,} images and all their records {places}.")
    say("Counts and checksums are equal.")
