"""The states that a category may be in, each made in a workspace of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.cli.commands import thresher
from tests.filled import NAME, add, fill
from tests.loop.people import everybody_answers, one_turn, small, to_the_end

from thresher.label.deal import deal
from thresher.label.mining import mine
from thresher.label.votes import settle
from thresher.records import (
    OWNER,
    Category,
    Given,
    Gold,
    Label,
    Purpose,
    Question,
    Says,
    Source,
    Targets,
    Worker,
    now_ms,
)
from thresher.settings import FILE, Settings
from thresher.store.contract import Store

COUNT, YES_FROM = 36, 22
PEOPLE = ("ann", "bob", "cyd", "dan", "eve")


@dataclass
class Place:
    """A workspace with the settings that its commands read too."""

    store: Store
    settings: Settings
    at: Path
    folder: Path
    method: str = "cascade"

    @property
    def rows(self) -> list[int]:
        return [int(row) for row in self.store.categories.pool(NAME)]

    def truth(self, row: int) -> Says:
        return Says.YES if row in self.rows[YES_FROM:] else Says.NO

    def know(self, rows: list[int], says: Says | None = None, *, gold: bool = True) -> None:
        """The owner's labels, by default with the truth; gold too."""
        said = {row: says or self.truth(row) for row in rows}
        labels = [Label(row, one, Source.OWNER, Purpose.IMPORT, 1, 1) for row, one in said.items()]
        self.store.labels.hold(NAME, labels)
        if gold:
            self.store.labels.gild(NAME, [Gold(row, one, 1, Source.OWNER) for row, one in said.items()])

    def turn(self, number: int = 1) -> str:
        return one_turn(self.store, self.settings, number).state

    def answer(self, says: Callable[[int], Says] | None = None, people: tuple[str, ...] = PEOPLE) -> int:
        return everybody_answers(self.store, self.settings, says or self.truth, now_ms(), people)

    def budget(self, answers: int) -> None:
        self.store.categories.aim(NAME, Targets(method=self.method, answers=answers))


@pytest.fixture
def place(store: Store, settings: Settings, tmp_path: Path) -> Place:
    settings = small(settings, tmp_path).but(first_images=16, round_images=8, votes=2, gold_least=2, sure=0.6)
    changed = [name for name, origin in settings.origins.items() if origin == "flag"]
    lines = [f"{name} = {json.dumps(getattr(settings, name))}" for name in changed]
    at = Path(store.place)
    (at / FILE).write_text("\n".join(lines) + "\n")
    return Place(store, settings, at, tmp_path)


def filled(place: Place) -> None:
    fill(place.store, YES_FROM)
    add(place.store, range(900, 900 + COUNT - YES_FROM), size=(160, 40))
    place.store.categories.aim(NAME, Targets(0.8, 0.7, 0.2, method=place.method))


def given(work: Any, truth: Callable[[int], Says]) -> Any:
    return [Given(at, truth(dealt.row), 1.0, 1.0) for at, dealt in enumerate(work.dealt)]


def always_yes(_row: int) -> Says:
    return Says.YES


def always_no(_row: int) -> Says:
    return Says.NO


# --- the states -------------------------------------------------------------------------------------------------------


def empty(place: Place) -> None:
    place.store.categories.create(Category(NAME, Question(1, "Is this a thing?", "", 1)))


def nothing_known(place: Place) -> None:
    filled(place)


def some_gold_all_yes(place: Place) -> None:
    filled(place)
    place.know(place.rows[:5], Says.YES)


def some_gold_of_both(place: Place) -> None:
    filled(place)
    place.know([*place.rows[:3], *place.rows[-3:]])


def all_yes_by_the_owner(place: Place) -> None:
    filled(place)
    place.know(place.rows, Says.YES)


def all_no_by_the_owner(place: Place) -> None:
    filled(place)
    place.know(place.rows, Says.NO)


def all_unsure(place: Place) -> None:
    filled(place)
    place.know(place.rows, Says.UNSURE, gold=False)


def all_known(place: Place) -> None:
    filled(place)
    place.know(place.rows)


def all_but_one_yes(place: Place) -> None:
    """Too few of one answer to train on."""
    filled(place)
    place.know(place.rows[:-1], Says.YES)
    place.know(place.rows[-1:], Says.NO)


def all_imported(place: Place) -> None:
    filled(place)
    labels = [Label(row, Says.YES, Source.IMPORTED, Purpose.IMPORT, 1, 1) for row in place.rows]
    place.store.labels.hold(NAME, labels)


def the_owner_is_asked_for_gold(place: Place) -> None:
    filled(place)
    mine(NAME, store=place.store, settings=place.settings, now_ms=1)


def asked(place: Place) -> None:
    filled(place)
    place.turn()
    taken = set(place.store.asks.open_rows(NAME, 1).tolist())
    free = [row for row in place.rows if row not in taken]
    place.know([*free[:3], *free[-3:]])


def somebody_works(place: Place) -> None:
    asked(place)
    worker = Worker("ann", "", False, "", 1)
    place.store.people.add(worker)
    assert deal(NAME, worker, store=place.store, settings=place.settings, now_ms=now_ms(), seed=1)


def sent_and_not_checked(place: Place) -> None:
    asked(place)
    for name in ("ann", "bob"):
        worker = Worker(name, "", False, "", 1)
        place.store.people.add(worker)
        while work := deal(NAME, worker, store=place.store, settings=place.settings, now_ms=now_ms(), seed=1):
            place.store.work.send(work.id, given(work, place.truth), now_ms())


def answered_and_not_settled(place: Place) -> None:
    asked(place)
    assert place.answer()


def people_say_yes_to_all(place: Place) -> None:
    filled(place)
    for number in range(1, 9):
        place.turn(number)
        place.answer(always_yes)
    settle(NAME, store=place.store, settings=place.settings, now_ms=now_ms())


def people_contradict_each_other(place: Place) -> None:
    asked(place)
    for name, says in zip(PEOPLE, (Says.YES, Says.NO, Says.YES, Says.NO, Says.YES), strict=True):
        place.answer({Says.YES: always_yes, Says.NO: always_no}[says], (name,))
        place.turn(2)


def trained(place: Place) -> None:
    some_gold_of_both(place)
    place.turn(1)
    place.answer()
    place.turn(2)


def as_far_as_it_goes(place: Place) -> None:
    some_gold_of_both(place)
    to_the_end(place.store, place.settings, place.truth, PEOPLE)


def spent_for_nothing(place: Place) -> None:
    filled(place)
    place.turn(1)
    place.answer(always_no)
    place.budget(1)


def spent_with_something_decided(place: Place) -> None:
    trained(place)
    place.answer()
    place.turn(3)
    place.budget(1)


def audited(place: Place) -> None:
    """The audits of a certificate wait for answers, if the method has any."""
    some_gold_of_both(place)
    for number in range(1, 30):
        place.turn(number)
        if place.store.rounds.epochs(NAME) and place.store.asks.open_counts(NAME, 1):
            return
        place.answer()


def too_hard(place: Place) -> None:
    """No certificate is possible: people cannot tell what half of the images are."""
    some_gold_of_both(place)
    place.store.categories.aim(NAME, Targets(0.95, 0.95, 0.05, method=place.method))

    def blurred(row: int) -> Says:
        return Says.UNSURE if place.rows[8] <= row < place.rows[-6] else place.truth(row)

    to_the_end(place.store, place.settings, blurred, (*PEOPLE, OWNER))


def grown_since(place: Place) -> None:
    as_far_as_it_goes(place)
    add(place.store, range(700, 706))


def released(place: Place) -> None:
    as_far_as_it_goes(place)
    assert thresher("release", NAME, "--to", place.folder / "first", at=place.at).returncode == 0


def released_and_grown(place: Place) -> None:
    released(place)
    add(place.store, range(700, 706))


def reworded(place: Place) -> None:
    as_far_as_it_goes(place)
    place.store.categories.reword(NAME, "Is this quite another thing?", "", now_ms())


STATES: dict[str, Callable[[Place], None]] = {
    state.__name__: state
    for state in (
        empty, nothing_known, some_gold_all_yes, some_gold_of_both, all_yes_by_the_owner, all_no_by_the_owner,
        all_unsure, all_known, all_but_one_yes, all_imported, the_owner_is_asked_for_gold, asked, somebody_works,
        sent_and_not_checked, answered_and_not_settled, people_say_yes_to_all, people_contradict_each_other, trained,
        as_far_as_it_goes, spent_for_nothing, spent_with_something_decided, audited, too_hard, grown_since, released,
        released_and_grown, reworded,
    )
}  # fmt: skip


def told(place: Place) -> dict[str, Any]:
    """What `thresher status` says."""
    (entry,) = json.loads(thresher("status", "--json", at=place.at).stdout)
    return dict(entry)
