"""One record a way to decide: whatever else speaks of the ways knows just these."""

from pathlib import Path

import pytest

from thresher.errors import BadInput
from thresher.evidence import METHODS
from thresher.loop.turn import ASKING
from thresher.loop.ways import PROVEN, WAYS, described, way_of

DOCS = Path(__file__).parents[2] / "docs"


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="unknown method 'magic'") as refused:
        way_of("magic")
    assert refused.value.next == f"choose from cheapest, {', '.join(WAYS)}"


def test_a_method_that_proves_nothing_is_refused_where_a_proof_is_wanted() -> None:
    with pytest.raises(BadInput, match="cascade has no certificate") as refused:
        way_of("cascade", PROVEN)
    assert refused.value.next == f"choose from cheapest, {', '.join(PROVEN)}"


def test_every_way_has_a_function_that_asks_for_it_and_every_function_a_way() -> None:
    assert {way.asks for way in WAYS.values()} == ASKING.keys()


def test_what_is_proven_has_a_method_of_the_mathematics_and_nothing_else_has() -> None:
    assert {name for name, way in WAYS.items() if way.proves} == METHODS.keys()


def test_all_that_is_proven_can_be_planned_but_for_labels_that_are_there() -> None:
    assert METHODS.keys() - set(PROVEN) == {"labels"}
    with pytest.raises(BadInput, match="the method labels audits labels that were made elsewhere"):
        way_of("labels", PROVEN)


def test_a_way_that_proves_nothing_freezes_nothing() -> None:
    for way in WAYS.values():
        assert way.proves or not (way.budgeted or way.scouted or way.middle or way.words)
        assert way.budgeted or not way.recall_share


def test_the_help_and_the_page_that_explains_them_name_every_way() -> None:
    page = (DOCS / "how-it-decides.md").read_text("utf-8")
    for name, way in WAYS.items():
        assert f"{name}: {way.says}." in described()
        assert f"| `{name}` |" in page
