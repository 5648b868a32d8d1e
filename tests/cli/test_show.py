"""Tables as people and programs read them: nothing is cut, and each can be had as JSON."""

import inspect
import json
import re
from pathlib import Path

import pytest
import typer
from tests.cli.commands import process, thresher

from thresher.cli.main import app
from thresher.records import Refusal, now_ms
from thresher.store.contract import Store

LONG = "http://a.example/" + "/".join(f"part{n}" for n in range(60)) + ".jpg"


@pytest.fixture
def workspace(store: Store, tmp_path: Path) -> Path:
    """A workspace whose category "car" has two refused images, one of them with an address of secrets."""
    place = tmp_path / "workspace"
    (place / "thresher.toml").touch()
    assert thresher("category", "add", "car", "--question", f"Is this a car? {LONG}", at=place).returncode == 0
    signed = "http://ada:sesame@a.example/1.jpg?X-Amz-Signature=open"
    for name in (LONG, signed):
        store.categories.refuse("car", [Refusal(name, "fetch-status-404", "list.csv, line 7: " + "x" * 200, now_ms())])
    return place


def commands() -> list[tuple[str, typer.models.CommandInfo]]:
    def under(group: typer.Typer, path: str) -> list[tuple[str, typer.models.CommandInfo]]:
        found = [(f"{path} {one.name or one.callback.__name__}", one) for one in group.registered_commands]  # type: ignore[union-attr]  # each has one
        for more in group.registered_groups:
            assert more.typer_instance is not None
            found += under(more.typer_instance, f"{path} {more.typer_instance.info.name}")
        return found

    return under(app, "thresher")


def test_every_command_that_prints_a_table_has_json_too() -> None:
    tables = {}
    for path, command in commands():
        assert command.callback is not None
        source = inspect.getsource(inspect.unwrap(command.callback))
        if re.search(r"\b(table|facts|_tell)\(", source):
            tables[path] = "json" in inspect.signature(command.callback).parameters
    assert {"thresher refused", "thresher status", "thresher simulate", "thresher store copy"} <= set(tables)
    assert [path for path, has in tables.items() if not has] == []


@pytest.mark.parametrize(
    ("arguments", "whole"), [(("refused", "car"), LONG), (("category", "list"), f"Is this a car? {LONG}")]
)
def test_a_pipe_gets_every_row_whole_and_on_one_line(workspace: Path, arguments: tuple[str, ...], whole: str) -> None:
    for width in ("80", ""):
        said = process(*arguments, at=workspace, **({"COLUMNS": width} if width else {})).stdout
        assert any(whole in line for line in said.splitlines())
        assert "…" not in said


def test_a_narrow_terminal_gets_every_character(workspace: Path) -> None:
    said = process("refused", "car", at=workspace, FORCE_COLOR="1", TERM="xterm", COLUMNS="60").stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    lines = plain.splitlines()
    assert max(map(len, lines)) <= 60
    head = next(line for line in lines if "detail" in line)
    column = slice(head.index("name"), head.index("detail"))
    assert LONG in "".join(line[column].strip() for line in lines)


def test_what_was_refused_can_be_had_as_json(workspace: Path) -> None:
    found = json.loads(thresher("refused", "car", "--json", at=workspace).stdout)
    assert found["counts"] == {"fetch-status-404": 2}
    assert found["refused"][0]["name"] == LONG
    assert found["refused"][0]["reason"] == "fetch-status-404"
    assert found["refused"][0]["admitted_since"] is False
    assert found["same_answers"] == []


def test_a_table_of_refused_addresses_shows_no_secret(workspace: Path) -> None:
    said = thresher("refused", "car", at=workspace).stdout
    assert "http://a.example/1.jpg?X-Amz-Signature=..." in said
    assert "sesame" not in said


def test_a_harvest_can_be_had_as_json(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no picture")
    done = thresher("harvest", "car", "--folder", tmp_path / "photos", "--json", at=workspace)
    found = json.loads(done.stdout)
    assert (found["new"], found["refused"], found["seen"]) == (0, 1, 1)
    assert sum(found["refused_in_all"].values()) == 3
