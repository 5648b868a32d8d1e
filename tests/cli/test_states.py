"""Every state of a category names one next step; who follows it ends with a release, or where a person has to act."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.cli.commands import is_one_clear_line, thresher
from tests.filled import NAME, add, fill
from tests.loop.people import everybody_answers, one_turn, small, to_the_end
from tests.serving import serving

from thresher.label.deal import deal
from thresher.label.mining import mine
from thresher.label.votes import settle
from thresher.loop.autopilot import run
from thresher.loop.growth import may_grow
from thresher.records import (
    OWNER,
    Category,
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
from thresher.server.listening import listening
from thresher.settings import FILE, Settings
from thresher.store.contract import Store

COUNT, YES_FROM = 36, 22
PEOPLE = ("ann", "bob", "cyd", "dan", "eve")
STEPS_MOST = 40


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


# --- following the steps ----------------------------------------------------------------------------------------------


def given(work: Any, truth: Callable[[int], Says]) -> Any:
    from thresher.records import Given

    return [Given(at, truth(dealt.row), 1.0, 1.0) for at, dealt in enumerate(work.dealt)]


def told(place: Place) -> dict[str, Any]:
    """What `thresher status` says."""
    (entry,) = json.loads(thresher("status", "--json", at=place.at).stdout)
    return dict(entry)


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


def test_a_question_is_reworded_at_the_command_line_only_by_one_who_knows_what_it_costs(place: Place) -> None:
    some_gold_of_both(place)
    other = ("category", "reword", NAME, "--question", "Is this another thing?")
    refused = thresher(*other, at=place.at)
    assert is_one_clear_line(refused, "version 1 has 0 answers, 6 labels and 6 gold", "--yes", "--keep-answers")
    reword = ("category", "reword", NAME)
    assert "nothing changed" in thresher(*reword, "--question", "Is this a thing?", at=place.at).stdout
    assert "new instructions of version 1" in thresher(*reword, "--instructions", "Look.", at=place.at).stdout
    assert "new wording of version 1" in thresher(*other, "--keep-answers", at=place.at).stdout
    more = thresher(*reword, "--question", "And this?", "--yes", at=place.at).stdout
    assert "question version 2" in more
    assert f"`thresher release {NAME} --version 1 --to DIR` releases it" in more
    old = thresher("release", NAME, "--version", "1", "--to", place.folder / "old", at=place.at)
    assert old.returncode == 0, old.stderr
    assert "version 1 is asked again" in thresher(*reword, "--version", "1", at=place.at).stdout
    asked = json.loads(thresher("category", "questions", NAME, "--json", at=place.at).stdout)
    assert [question["version"] for question in asked] == [1, 1, 1, 2, 1]
    assert asked[-1]["text"] == "Is this another thing?"
    assert is_one_clear_line(thresher(*reword, at=place.at), "nothing is to be changed")


@pytest.mark.parametrize(("typed", "versions"), [("n", 1), ("y", 2)])
def test_on_a_terminal_it_asks_before_answers_stop_counting(place: Place, typed: str, versions: int) -> None:
    some_gold_of_both(place)
    ours, theirs = os.openpty()
    command = ["category", "reword", NAME, "--question", "Is this another thing?"]
    with subprocess.Popen(
        [sys.executable, "-m", "thresher", "--workspace", str(place.at), *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
    ) as running:
        os.close(theirs)
        os.write(ours, f"{typed}\n".encode())
        said = b""
        with suppress(OSError):  # the terminal is gone with its process
            while some := os.read(ours, 1000):
                said += some
        assert running.wait(60) == 0, said
    os.close(ours)
    assert b"6 labels and 6 gold" in said
    assert b"Do it all the same?" in said
    assert place.store.categories.questions(NAME)[-1].version == versions


def test_a_pool_without_a_yes_is_released_as_its_table(place: Place) -> None:
    import pyarrow.parquet as pq

    all_no_by_the_owner(place)
    assert thresher("release", NAME, "--to", place.folder / "out", at=place.at).stdout.startswith("Released 0 images")
    table = pq.read_table(place.folder / "out" / "images.parquet")
    assert (set(table["decision"].to_pylist()), set(table["round"].to_pylist())) == ({"no"}, {None})


def test_a_harvest_into_a_pool_whose_audits_have_answers_asks_first_and_says_what_it_ended(place: Place) -> None:
    place.method = "certified"
    audited(place)
    for number in range(30, 40):
        place.answer()
        if may_grow(NAME, store=place.store, confirmed=True):
            break
        place.turn(number)
    more = place.folder / "more images"
    more.mkdir()
    Image.effect_noise((80, 60), 60).save(more / "another.png")
    with listening("127.0.0.1", 0) as busy:  # so that what would serve ends
        question, port = place.store.categories.get(NAME).question.text, str(busy.getsockname()[1])
        begun = thresher("start", NAME, question, more, at=place.at, THRESHER_PORT=port)
    typed = shlex.join(("thresher", "--workspace", str(place.at), "harvest", NAME, "--folder", str(more)))
    assert begun.stdout == f"The audits of {NAME} have answers, so its pool stays as it is. New images: {typed}\n"
    harvest = ("harvest", NAME, "--folder", more, "--processes", "1")
    refused = thresher(*harvest, at=place.at)
    assert is_one_clear_line(refused, "the audits of the present pool have", "answers stay as labels", "--yes")
    assert place.store.categories.tally(NAME).images == COUNT
    assert told(place)["audits ended"] == ""
    done = thresher(*harvest, "--yes", at=place.at)
    said = told(place)["audits ended"]
    assert said.startswith(f"The audits of {COUNT} images ended with ")
    assert said in done.stdout
    assert said in " ".join(thresher("status", at=place.at).stdout.split())
