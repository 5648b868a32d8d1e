"""Records of options: a command takes one record, and typer sees each of its fields."""

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import pytest
import typer
from tests.cli.commands import is_one_clear_line, thresher
from typer.testing import CliRunner

from thresher.cli.main import app
from thresher.cli.options import NewAimOptions, options
from thresher.loop.ways import CHEAPEST, WITHOUT_LABELS
from thresher.records import Targets


@dataclass(frozen=True, slots=True)
class Fruit:
    kind: Annotated[str, typer.Option(help="The kind of fruit.")]
    count: Annotated[int, typer.Option(help="How many.", min=1)] = 3


@dataclass(frozen=True, slots=True)
class Basket(Fruit):
    of: Annotated[Path | None, typer.Option("--from", help="Where it comes from.")] = None


def ran(*arguments: str) -> tuple[int, str, list[tuple[str, Basket, bool]]]:
    """Exit code, output, and what the command was given."""
    given: list[tuple[str, Basket, bool]] = []
    market = typer.Typer(add_completion=False)

    @market.command()
    @options
    def buy(name: Annotated[str, typer.Argument()], basket: Basket, *, ripe: bool = False) -> None:
        """Buy fruit."""
        given.append((name, basket, ripe))

    done = CliRunner().invoke(market, arguments)
    return done.exit_code, done.output, given


def test_a_command_is_given_one_record_of_what_was_typed() -> None:
    assert ran("ann", "--kind", "pear")[2] == [("ann", Basket("pear"), False)]
    typed = ("ann", "--kind", "pear", "--count", "5", "--from", "a/b", "--ripe")
    assert ran(*typed)[2] == [("ann", Basket("pear", 5, Path("a/b")), True)]


@pytest.mark.parametrize(
    ("typed", "says"),
    [((), "--kind"), (("--kind", "pear", "--count", "0"), "--count"), (("--colour", "red"), "--colour")],
)
def test_a_field_is_required_and_checked_as_any_option(typed: tuple[str, ...], says: str) -> None:
    code, output, given = ran("ann", *typed)
    assert (code, given) == (2, [])
    assert says in output


def test_the_help_lists_the_fields_in_the_records_place_and_order() -> None:
    _, output, _ = ran("--help")
    places = [output.index(option) for option in ("--kind", "--count", "--from", "--ripe")]
    assert places == sorted(places)
    for told in ("Buy fruit.", "The kind of fruit.", "[required]", "How many.", "[default: 3]", "Where it comes from."):
        assert told in output


def test_a_new_category_aims_at_what_the_records_say_by_a_method_that_is_chosen() -> None:
    given = {one.name: getattr(NewAimOptions(), one.name) for one in fields(NewAimOptions)}
    assert given.pop("method") == CHEAPEST
    assert given == {name: getattr(Targets(), name) for name in given}
    assert {one.name for one in fields(Targets)} - given.keys() == {"method", "chosen"}


def test_an_option_of_one_name_means_the_same_in_every_command_about_targets() -> None:
    """But for its default: targets that are not given to `aim` stay."""
    group = typer.main.get_command(app).commands["category"]  # type: ignore[attr-defined]  # it is a group
    aim, add = (
        {p.name: re.sub(r"default: [^.]*\.", "", p.help) for p in group.commands[name].params if hasattr(p, "help")}
        for name in ("aim", "add")
    )
    assert set(add) - set(aim) == {"question", "instructions", "text"}
    assert aim.pop("yes")  # a new category has no audits to end
    assert {name: add[name] for name in aim} == aim


def test_the_help_of_a_method_names_those_that_can_be_given_and_the_default_of_its_command() -> None:
    for command, default in (("add", CHEAPEST), ("aim", "unchanged")):
        shown = CliRunner().invoke(app, ["category", command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
        text = " ".join(shown.replace("\u2502", " ").split())
        assert f"Advanced: the method; default: {default}." in text
        assert [name for name in WITHOUT_LABELS if f" {name}: " not in text] == []
        assert " labels: " not in text


def test_a_new_category_without_labels_cannot_have_them_audited(tmp_path: Path) -> None:
    assert thresher("init", tmp_path / "w").returncode == 0
    added = thresher("category", "add", "car", "--question", "Is it?", "--method", "labels", at=tmp_path / "w")
    assert is_one_clear_line(added, "audits labels that were made elsewhere", "choose from cheapest, ")
