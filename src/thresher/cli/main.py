"""The command line: one command per stage. Commands are thin; each imports what it needs when it runs."""

import os
import sys
from copy import copy
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from thresher import __version__
from thresher.cli import annotators, backbone, certify, demo, invites, labels, people, places, stages, start, workspace
from thresher.cli.show import visible
from thresher.errors import StoreFull, ThresherError, without_secrets

NO_SPACE_ERRNO = 28
INTERRUPTED = 130


class Commands(TyperGroup):
    """The commands; each takes `--workspace` behind its name too, and there it counts for more than before it."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 -- handed on to typer
        super().__init__(**given)
        behind: Any = copy(next(option for option in self.params if "--workspace" in option.opts))
        behind.expose_value, behind.callback = False, _workspace_behind
        waiting: list[Any] = list(self.commands.values())
        while waiting:
            command = waiting.pop()
            command.params.append(behind)
            waiting.extend(getattr(command, "commands", {}).values())


def _workspace_behind(context: typer.Context, _option: object, place: str) -> None:
    context.obj = place or context.obj


app = typer.Typer(
    name="thresher",
    cls=Commands,
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


for commands in (certify, start, demo, workspace, labels, stages, people, invites, annotators, places, backbone):
    commands.add_to(app)


def main() -> None:
    """Run a command. An error prints one line and exits with 2, Ctrl-C prints one line and exits with 130."""
    try:
        code = app(prog_name="thresher", standalone_mode=False)
    except ThresherError as error:
        raise SystemExit(_say(visible(str(error)))) from None
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except OSError as error:
        raise SystemExit(_say(visible(_disk(error)))) from None
    except Exception as error:  # noqa: BLE001 -- the library's usage errors are told apart; a trace never reaches a user
        raise SystemExit(
            _usage(error) if hasattr(error, "format_message") else _say(visible(_unforeseen(error)))
        ) from None
    if code == INTERRUPTED:  # typer catches Ctrl-C itself and answers with the code
        sys.stderr.write("\ninterrupted. Run the same command again: it continues where it stopped.\n")
    raise SystemExit(code if isinstance(code, int) else 0)


def _usage(error: Any) -> int:  # noqa: ANN401 -- typer keeps the class of its usage errors to itself
    """One line for an unknown flag, argument or command; the whole help if no command was given."""
    said = error.format_message()
    if "\n" in said:
        return _say(said)
    command = error.ctx.command_path if error.ctx else "thresher"
    return _say(f"{command}: {said if said.endswith(('.', '?')) else said + '.'} Next: {command} --help")


def _unforeseen(error: Exception) -> str:
    """One line for an internal error; its traceback is written to a file, to be attached to a report."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="thresher-", suffix=".log", delete=False) as log:
        log.write(without_secrets("".join(traceback.format_exception(error))))
    what = f"internal error: {type(error).__name__}: {error}".replace("\n", " ")
    return f"{what}. Stored data is kept. Next: report it and attach {log.name}"


def _say(line: str) -> int:
    sys.stderr.write(f"{without_secrets(line)}\n")
    return 2


def _disk(error: OSError) -> str:
    where = str(error.filename or Path.cwd())
    if error.errno == NO_SPACE_ERRNO:
        full = StoreFull("the disk is full; stored data is kept.", where=where, next="free some space and run it again")
        return str(full)
    what = os.strerror(error.errno) if error.errno else str(error)
    return f"{where}: {what}. Next: check that the path exists and is writable, and run it again"
