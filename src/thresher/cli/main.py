"""The command line: one verb a stage. Each command is thin; what it does is imported when it runs."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from thresher import __version__
from thresher.cli import people, stages, workspace
from thresher.errors import StoreFull, ThresherError

NO_SPACE_ERRNO = 28

app = typer.Typer(
    name="thresher",
    help="Turn a question into a large labelled image dataset, with a certificate.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"thresher {__version__}")
        raise typer.Exit


@app.callback()
def _workspace(
    context: typer.Context,
    place: Annotated[
        str, typer.Option("--workspace", "-w", help="The workspace: a directory, or mongodb://host/database.")
    ] = "",
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = place


for commands in (workspace, stages, people):
    commands.add_to(app)


def main() -> None:
    """Run a command; an error of ours is one line and exit code 2, Ctrl-C is 130."""
    try:
        code = app(prog_name="thresher", standalone_mode=False)
    except ThresherError as error:
        raise SystemExit(_say(str(error))) from None
    except (typer.Abort, KeyboardInterrupt):
        sys.stderr.write("\ninterrupted. Run the same command again: it goes on where it was.\n")
        raise SystemExit(130) from None
    except OSError as error:
        raise SystemExit(_say(_disk(error))) from None
    except Exception as error:  # noqa: BLE001 -- typer's usage errors show themselves; a trace never reaches a user
        show = getattr(error, "show", None)
        if show is None:
            raise SystemExit(_say(_unforeseen(error))) from None
        show()
        raise SystemExit(getattr(error, "exit_code", 2)) from None
    raise SystemExit(code if isinstance(code, int) else 0)


def _unforeseen(error: Exception) -> str:
    """One line, with the trace in a file for those who mend us."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="thresher-", suffix=".log", delete=False) as log:
        log.write("".join(traceback.format_exception(error)))
    what = f"something unforeseen: {type(error).__name__}: {error}".replace("\n", " ")
    return f"{what}. What was stored stays. Next: report it with {log.name}"


def _say(line: str) -> int:
    sys.stderr.write(f"{line}\n")
    return 2


def _disk(error: OSError) -> str:
    where = str(error.filename or Path.cwd())
    if error.errno == NO_SPACE_ERRNO:
        full = StoreFull(
            "the disk is full; what was stored stays.", where=where, next="free some space and run it again"
        )
        return str(full)
    return f"{where}: {os.strerror(error.errno or 0) if error.errno else error}."
