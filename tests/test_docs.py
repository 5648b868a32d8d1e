"""Docs that lag fail here: the reference is current, and every command the docs show exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from thresher.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_reference_is_written_from_the_commands_of_today() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_the_docs_show_is_there(page: Path) -> None:
    known = commands(typer.main.get_command(app), "thresher")
    shown = {
        " ".join(match.split())
        for block in re.findall(r"^```.*?^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        for match in re.findall(r"^\s*(?:\$ )?(thresher(?: [a-z]+)+)", block, re.MULTILINE)
    }
    unknown = {line for line in shown if not any(line == k or line.startswith(f"{k} ") for k in known)}
    assert unknown == set()


def commands(command: object, path: str) -> set[str]:
    children: dict[str, object] = getattr(command, "commands", {})
    if not children:
        return {path}
    return {line for name, child in children.items() for line in commands(child, f"{path} {name}")}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_file_the_docs_link_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
