"""Every state of a category names one next step; who follows it ends with a release, or where a person has to act."""

import json
import shlex
from typing import Any

import pytest
from tests.cli.commands import is_one_clear_line, thresher
from tests.cli.states import (
    COUNT,
    PEOPLE,
    STATES,
    Place,
    all_known,
    all_no_by_the_owner,
    all_yes_by_the_owner,
    answered_and_not_settled,
    audited,
    grown_since,
    nothing_known,
    people_say_yes_to_all,
    place,
    told,
    too_hard,
)
from tests.filled import NAME
from tests.serving import serving

from thresher.label.mining import mine
from thresher.loop.autopilot import run
from thresher.records import OWNER, Worker, now_ms

__all__ = ["place"]

STEPS_MOST = 40


def follow(place: Place, entry: dict[str, Any], number: int) -> bool:
    """Do what the next step says, as whoever has to act; whether there was anything to do."""
    waits, command, human = entry["waits for"], entry["next"], entry["who acts"]
    if human == "annotators" and "to join" in waits:
        for name in PEOPLE:
            place.store.people.add(Worker(name, "", False, "", 1))
        return True
    if human == "annotators":
        return place.answer() > 0
    if human == "owner" and "owner's task" in waits:
        mine(NAME, store=place.store, settings=place.settings, now_ms=now_ms())
        return place.answer(people=(OWNER,)) > 0
    if human:
        return False  # the owner's folder, or the owner's decision on targets and budget
    if command == f"thresher run {NAME}":
        asked = False

        def heard(_name: str, came_to: Any) -> None:
            nonlocal asked
            asked = came_to.state == "asking"

        run(NAME, store=place.store, settings=place.settings, heard=heard, stop=lambda: asked)
        return True
    words = [str(place.folder / f"out {number}") if word == "DIR" else word for word in shlex.split(command)]
    done = thresher(*words[1:], at=place.at)
    assert done.returncode == 0, (words, done.stderr)
    return True


FURTHER = (nothing_known, all_yes_by_the_owner, all_known, answered_and_not_settled, audited, too_hard, grown_since)
WALKS = [(state, method) for method in ("cascade", "certified") for state in STATES]
WALKS += [(state.__name__, method) for method in ("uncertainty", "adjudicated", "precision") for state in FURTHER]


@pytest.mark.parametrize(("state", "method"), WALKS)
def test_whoever_follows_the_next_step_of_a_state_comes_to_a_release_or_to_a_named_person(
    place: Place, state: str, method: str
) -> None:
    place.method = method
    STATES[state](place)
    seen: list[str] = []
    for number in range(STEPS_MOST):
        entry = told(place)
        seen.append(entry["waits for"])
        if entry["next"] == "":
            assert "it is released in" in entry["waits for"]
            assert place.store.rounds.releases(NAME)
            break
        if not follow(place, entry, number):
            assert entry["who acts"] == "owner", seen
            assert any(word in entry["waits for"] for word in ("harvest", "category aim", "not certified")), seen
            break
    else:
        pytest.fail(f"the steps go in a circle: {seen}")


@pytest.mark.parametrize("state", STATES)
def test_status_console_and_release_name_the_same_next_step(place: Place, state: str) -> None:
    STATES[state](place)
    entry = told(place)
    with serving(place.store, place.settings) as server:
        assert server.console.category(NAME).waits_for == entry["waits for"]
    said = thresher("status", at=place.at).stdout.replace("\n", " ")
    assert f"{NAME} waits for {entry['waits for']}." in said
    refused = thresher("release", NAME, "--to", place.folder / "out", at=place.at)
    if entry["yes"] or (entry["images"] and not entry["unknown"]):
        assert refused.returncode == 0, refused.stderr
    else:
        assert is_one_clear_line(refused, entry["waits for"], f"Next: {entry['next']}")


@pytest.mark.parametrize("state", ["all_yes_by_the_owner", "all_no_by_the_owner", "spent_for_nothing"])
def test_the_last_line_of_a_run_is_what_the_status_says(place: Place, state: str) -> None:
    STATES[state](place)
    last = thresher("run", NAME, at=place.at).stdout.splitlines()[-1]
    assert last == f"{NAME} waits for {told(place)['waits for']}."


def test_what_people_decided_without_a_classifier_is_released_and_says_so(place: Place) -> None:
    people_say_yes_to_all(place)
    assert place.store.rounds.latest(NAME, 1) is None
    assert "no classifier was trained" in thresher("release", NAME, "--to", place.folder / "out", at=place.at).stdout
    certificate = json.loads((place.folder / "out" / "certificate.json").read_text())
    assert (certificate["certified"], certificate["counts"]["yes"]) == (False, COUNT)
    assert json.loads((place.folder / "out" / "release.json").read_text())["round"] is None
    assert len(list((place.folder / "out" / "images").iterdir())) == COUNT


def test_a_pool_without_a_yes_is_released_as_its_table(place: Place) -> None:
    import pyarrow.parquet as pq

    all_no_by_the_owner(place)
    assert thresher("release", NAME, "--to", place.folder / "out", at=place.at).stdout.startswith("Released 0 images")
    table = pq.read_table(place.folder / "out" / "images.parquet")
    assert (set(table["decision"].to_pylist()), set(table["round"].to_pylist())) == ({"no"}, {None})
