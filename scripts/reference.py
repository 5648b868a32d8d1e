"""Write docs/reference.md from the commands and the settings; `--check` fails if it is out of date."""

import sys
from pathlib import Path
from typing import Any

import typer

from thresher.cli.main import app
from thresher.settings import TABLE

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"


def written() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    lines = [
        "# Reference",
        "",
        "Written by `python scripts/reference.py` from the commands and the settings; a test keeps it current.",
        "",
        "## Commands",
        "",
        "Each takes `--workspace` (`-w`), before its name or behind it: a directory, or `mongodb://host/database`.",
        "Without it the workspace is the directory where you are, or the nearest one above it.",
        "",
    ]
    lines += [line for path, command in leaves(root, "thresher") for line in one(path, command)]
    lines += [
        "## Settings",
        "",
        "Set them in `thresher.toml`, or as `THRESHER_<NAME>` in the environment, which overrides the file.",
        "Flags override both.",
        "",
    ]
    lines += ["| name | default | meaning |", "|---|---|---|"]
    lines += [f"| `{s.name}` | `{s.default!r}` | {s.help.replace('|', chr(92) + '|')} |" for s in TABLE]
    return "\n".join(lines) + "\n"


def leaves(command: Any, path: str) -> list[tuple[str, Any]]:  # noqa: ANN401 -- typer keeps its command classes to itself
    """Every command without subcommands, with its full name."""
    if hasattr(command, "commands"):
        return [
            leaf
            for name, child in command.commands.items()
            if not child.hidden
            for leaf in leaves(child, f"{path} {name}")
        ]
    return [(path, command)]


def one(path: str, command: Any) -> list[str]:  # noqa: ANN401 -- as above
    """The section of one command."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name not in ("help", "place")]
    usage = " ".join((path, *(named(p) for p in arguments)))
    rows = [f"| `{'`, `'.join(p.opts + p.secondary_opts)}` | {p.help or ''} |" for p in options]
    rows = [f"| `{named(p)}` | {getattr(p, 'help', '') or ''} |" for p in arguments] + rows
    table = ["| | |", "|---|---|", *rows, ""] if rows else []
    return [f"### `{usage}`", "", (command.help or "").strip(), "", *table]


def named(argument: Any) -> str:  # noqa: ANN401 -- as above
    """The name of an argument in the help."""
    return str(argument.metavar or argument.name.upper())


def main() -> None:
    """Write the page, or compare it with the existing one."""
    if "--check" in sys.argv:
        sys.exit(
            0
            if PAGE.read_text("utf-8") == written()
            else "docs/reference.md is out of date. Next: python scripts/reference.py"
        )
    PAGE.write_text(written(), "utf-8")


if __name__ == "__main__":
    main()
