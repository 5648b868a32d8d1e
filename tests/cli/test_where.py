"""The workspace may be named before a command or behind it, and every help says so."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.cli.commands import is_one_clear_line, thresher
from tests.labelled import labelled

from thresher.cli.main import app


def names_of(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command and group of commands, as it is typed."""
    below = getattr(command, "commands", {}).items()
    return [path, *(name for word, child in below for name in names_of(child, (*path, word)))]


EVERY = names_of(typer.main.get_command(app))


@pytest.mark.parametrize("name", EVERY, ids=" ".join)
def test_every_command_s_help_shows_that_it_takes_the_workspace(name: tuple[str, ...]) -> None:
    shown = thresher(*name, "--help").stdout
    assert "--workspace" in shown
    assert "-w " in shown


@pytest.mark.parametrize(
    "words",
    [
        "-w WHERE category list",
        "category -w WHERE list",
        "category list -w WHERE",
        "category list --workspace=WHERE",
        "-w NOWHERE category list -w WHERE",  # the last one counts
        "--workspace NOWHERE category -w WHERE list",
    ],
)
def test_the_workspace_may_be_named_before_a_command_or_behind_it(words: str, tmp_path: Path) -> None:
    where = tmp_path / "cars"
    assert thresher("init", where).returncode == 0
    assert thresher("category", "add", "car", "--question", "Is it a car?", "-w", where).returncode == 0
    given = [{"WHERE": str(where), "NOWHERE": str(tmp_path / "nowhere")}.get(word, word) for word in words.split()]
    run = thresher(*(word.replace("=WHERE", f"={where}") for word in given), "--json")
    assert run.returncode == 0, run.stderr
    assert [category["name"] for category in json.loads(run.stdout)] == ["car"]


def test_commands_that_name_their_workspaces_themselves_say_so_wherever_it_is_given(tmp_path: Path) -> None:
    for words in (("init", "new"), ("store", "copy", "a", "b")):
        for given in (("-w", str(tmp_path), *words), (*words, "-w", str(tmp_path))):
            assert is_one_clear_line(thresher(*given), "does not take --workspace")


@pytest.mark.parametrize("command", ["status", "start", "certify"])
@pytest.mark.parametrize("given", [True, False], ids=["address", "directory"])
def test_an_address_given_on_the_command_line_counts_more_than_the_setting_and_a_directory_less(
    command: str, given: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = labelled(tmp_path, 2)
    more = {
        "status": (),
        "start": ("thing", "Is this a thing?", made.photos),
        "certify": (made.labels, "--images", made.photos, "--by", "simulated", "--truth", made.truth),
    }
    # no store is known by either scheme, and the error tells which of them was asked for
    where = "given://here/things" if given else str(tmp_path / "work")
    run = thresher("--workspace", where, command, *more[command], THRESHER_STORE="setting://there/things")
    assert is_one_clear_line(run, f"unknown store {'given' if given else 'setting'}://")
