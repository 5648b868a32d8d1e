"""`thresher plan` as a person meets it: before there are scores, with them, and where yes are rare."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.cli.commands import is_one_clear_line, process, thresher
from tests.filled import NAME, add, fill, tiny_backbone
from tests.loop.people import everybody_answers

from thresher.loop.turn import turn
from thresher.records import Says, Targets
from thresher.settings import read_settings
from thresher.store import open_store


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool of four hundred that nobody has looked at."""
    place = tmp_path_factory.mktemp("fresh")
    assert thresher("init", place / "w").returncode == 0
    store = open_store(str(place / "w"), read_settings(place / "w"))
    fill(store, 400, size=(40, 30))
    store.close()
    return place / "w"


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool with a round of scores."""
    place = tmp_path_factory.mktemp("scored")
    assert thresher("init", place / "w").returncode == 0
    settings = read_settings(place / "w").but(
        backbone=tiny_backbone(place / "tiny.onnx"), processes=1, first_images=40, votes=1, gold_images=0, seed=3
    )
    store = open_store(str(place / "w"), settings)
    fill(store, 200)
    rows = add(store, range(900, 1000), size=(160, 40))
    store.categories.aim(NAME, Targets(method="certified"))
    for number in range(3):
        turn(NAME, store=store, settings=settings, now_ms=1_000 * number + 1_000, seed=number)
        everybody_answers(store, settings, lambda row: Says.YES if row in rows else Says.NO, 1_000 * number + 1_500)
    assert store.rounds.all(NAME)
    store.close()
    return place / "w"


def planned(at: Path, *flags: str) -> dict[str, Any]:
    run = thresher("plan", NAME, "--json", *flags, at=at)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_before_there_are_scores_it_uses_the_floor_and_says_what_it_assumes(fresh: Path) -> None:
    run = process("plan", NAME, "--precision", ".95", "--recall", ".9", at=fresh)
    assert run.returncode == 0, run.stderr
    assert "images to ask about" in run.stdout
    assert "assumption that 10% of the pool is yes" in run.stdout
    assert re.search(r"cost: \$[\d.,]+ \(\$[\d.,]+ to \$[\d.,]+\)", run.stdout)
    assert re.search(r"hours of work: [\d.,]+ \([\d.,]+ to [\d.,]+\)", run.stdout)


def test_before_anybody_has_come_it_counts_on_people_and_never_on_more_than_the_budget(fresh: Path) -> None:
    """Each picture of an audit takes a lead of three, and its share of the gold."""
    made = planned(fresh, "--method", "certified")
    assert made["answers"]["expected"] >= 3 * made["pictures"]["expected"]
    budgeted = planned(fresh, "--method", "precision", "--answers", "120")
    assert budgeted["answers"]["high"] == pytest.approx(120)


def test_every_interval_holds_its_middle_and_nothing_is_below_the_floor(fresh: Path, scored: Path) -> None:
    for at in (fresh, scored):
        for method in ("certified", "adjudicated", "precision", "recall"):
            made = planned(at, "--method", method)
            for part in ("pictures", "answers", "hours", "dollars"):
                assert 0 <= made[part]["low"] <= made[part]["expected"] <= made[part]["high"]
            assert made["pictures"]["high"] <= 400


def test_where_yes_are_rare_it_says_that_better_queries_are_cheaper_with_numbers(fresh: Path) -> None:
    made = planned(fresh, "--prevalence", "0.01", "--precision", ".95", "--recall", ".9")
    assert re.search(r"fewer than \d+ answers.* \d+ could be enough. Better queries cost less", made["advice"])
    assert planned(fresh, "--prevalence", "0.3")["advice"] == ""
    assert planned(fresh, "--prevalence", "0.01")["floor"] > planned(fresh, "--prevalence", "0.3")["floor"]


def test_with_scores_it_runs_the_procedure_and_asks_for_less_where_less_is_promised(scored: Path) -> None:
    strict, loose = planned(scored), planned(scored, "--precision", ".8", "--recall", ".7", "--delta", ".2")
    assert strict["from_"].startswith("the scores of round")
    assert strict["delivered"] > 0
    assert loose["pictures"]["expected"] <= strict["pictures"]["expected"]
    assert planned(scored, "--method", "precision", "--answers", "150")["pictures"]["high"] <= 150


def test_targets_without_a_method_say_which_was_chosen_for_which_price(fresh: Path) -> None:
    aimed = thresher("category", "aim", NAME, "--precision", ".95", "--recall", ".9", at=fresh)
    assert re.search(r"method (\S+) \(the cheapest that keeps the promise: about [\d,]+ answers by ", aimed.stdout)
    made = planned(fresh)
    price = f"about {made['answers']['expected']:,.0f} answers"
    for said in (
        aimed.stdout,
        made["chosen"],
        thresher("status", at=fresh).stdout,
        thresher("plan", NAME, at=fresh).stdout,
    ):
        assert price in said
    named = thresher("category", "aim", NAME, "--method", "cascade", at=fresh)
    assert "method cascade, no limit" in named.stdout
    assert "thing: method cascade." in thresher("status", at=fresh).stdout


def test_a_new_category_has_its_method_chosen_and_the_plan_does_so_at_once(tmp_path: Path) -> None:
    thresher("init", tmp_path / "w")
    assert thresher("category", "add", NAME, "--question", "Is it?", at=tmp_path / "w").returncode == 0
    assert "method certified (to be chosen" in thresher("status", at=tmp_path / "w").stdout


def test_what_makes_no_sense_is_one_line(fresh: Path) -> None:
    assert is_one_clear_line(thresher("plan", NAME, "--precision", "95", at=fresh), "--precision")
    assert is_one_clear_line(thresher("plan", NAME, "--prevalence", "2", at=fresh), "--prevalence")
    assert is_one_clear_line(thresher("plan", NAME, "--method", "cascade", at=fresh), "has no certificate")
    assert is_one_clear_line(thresher("plan", "nobody", at=fresh), "nobody")


def test_a_pool_without_images_is_told_and_not_priced_at_nothing(tmp_path: Path) -> None:
    assert thresher("init", tmp_path / "w").returncode == 0
    assert thresher("category", "add", NAME, "--question", "Is it a thing?", at=tmp_path / "w").returncode == 0
    for flags in ((), ("--json",), ("--prevalence", "0.2"), ("--method", "recall")):
        run = thresher("plan", NAME, *flags, at=tmp_path / "w")
        assert is_one_clear_line(run, f"{NAME} has no images yet", f"thresher harvest {NAME}")
        assert run.stdout == ""
