"""A category over HTTP: added, and shown with its state."""

from collections.abc import Callable

import pytest
from tests.server.people import Pool, answer
from tests.serving import Served

from thresher.client import WorkerClient
from thresher.errors import AlreadyThere, BadInput, NotFound, NotReady
from thresher.records import Targets, now_ms
from thresher.server.wire import NewCategory, Reword, TargetsWire
from thresher.store.contract import Store


def test_a_category_is_added_and_shown(server: Served) -> None:
    made = server.console.add_category(
        NewCategory(name="bus", question="Is this a bus?", instructions="Look.", targets=TargetsWire(precision=0.9))
    )
    assert (made.name, made.question, made.version, made.targets.precision) == ("bus", "Is this a bus?", 1, 0.9)
    assert [category.name for category in server.console.categories()] == ["bus", "car"]
    assert server.console.category("bus") == made
    assert made.waits_for == "images: run `thresher harvest bus --folder ...`"
    with pytest.raises(AlreadyThere):
        server.console.add_category(NewCategory(name="bus", question="Is it?"))


def test_a_category_with_an_unknown_method_is_refused_with_the_known_ones(server: Served) -> None:
    with pytest.raises(BadInput, match="magic") as refused:
        server.console.add_category(
            NewCategory(name="bus", question="Is this a bus?", targets=TargetsWire(method="magic"))
        )
    assert "cascade" in refused.value.next


def test_a_category_with_a_delta_that_cannot_be_proven_is_refused(server: Served) -> None:
    with pytest.raises(BadInput, match=r"between 0 and 0\.5") as refused:
        server.console.add_category(NewCategory(name="bus", question="Is this a bus?", targets=TargetsWire(delta=0.5)))
    assert "--delta 0.05" in refused.value.next


def test_only_an_audit_of_labels_may_have_no_recall_target(server: Served, store: Store) -> None:
    store.categories.aim("car", Targets(method="labels", recall=0.0))
    assert server.console.category("car").targets.recall == 0.0
    with pytest.raises(BadInput, match="--recall 0 is not between"):
        server.console.add_category(NewCategory(name="cab", question="Is this a cab?", targets=TargetsWire(recall=0.0)))


def test_a_new_category_without_labels_cannot_have_them_audited(server: Served) -> None:
    with pytest.raises(BadInput, match="audits labels that were made elsewhere"):
        server.console.add_category(
            NewCategory(name="bus", question="Is this a bus?", targets=TargetsWire(method="labels"))
        )


@pytest.mark.parametrize("name", ["", "Car", "../car", "a b", "x" * 65, "-x"])
def test_a_category_cannot_have_a_name_that_is_no_name(server: Served, name: str) -> None:
    answer = server.http.post(
        "/api/console/categories",
        json={"name": name, "question": "Is this a bus?"},
        headers={"Authorization": f"Bearer {server.token}"},
    )
    assert answer.status_code == 422


def test_a_category_nobody_has_is_not_found_wherever_it_is_asked_for(server: Served) -> None:
    console = server.console
    calls: list[Callable[[], object]] = [
        lambda: console.category("dog"),
        lambda: console.pictures("dog"),
        lambda: console.rounds("dog"),
        lambda: console.questions("dog"),
        lambda: console.reword("dog", Reword(question="Is it a cat?")),
        lambda: console.refusals("dog"),
        lambda: console.workers("dog"),
        lambda: console.tasks("dog"),
        lambda: console.owner_link("dog"),
        lambda: console.add_invite("dog"),
        lambda: console.upload_task("dog", "mine", ["x"]),
        lambda: console.category("../../etc/passwd"),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()


def test_a_category_tells_what_it_has_and_what_it_waits_for(
    server: Served, worker: WorkerClient, store: Store, pool: Pool
) -> None:
    category = server.console.category("car")
    assert (category.images, category.yes, category.no, category.unknown) == (32, 0, 0, 32)
    assert (category.gold_yes, category.gold_no, category.tasks_open, category.rounds) == (6, 6, 2, 0)
    assert category.asks_open == {"learn": 20}
    assert category.waits_for == "annotators: 2 tasks are open"
    work = worker.deal("car")
    assert work is not None
    answer(worker, work, store, pool)
    category = server.console.category("car")
    assert (category.answers, category.gold_answers, category.assignments["accepted"]) == (10, 8, 1)
    assert category.waits_for == "annotators: 1 task is open"


def test_a_category_whose_loop_runs_says_so(server: Served, store: Store) -> None:
    assert not server.console.category("car").loop_running
    store.jobs.lease("loop/car", "somebody", now_ms(), 60_000)
    assert server.console.category("car").loop_running


def test_a_question_is_reworded_over_http_as_at_the_command_line(server: Served, pool: Pool, store: Store) -> None:
    console = server.console
    other = Reword(question="Is this a lorry?")
    with pytest.raises(NotReady, match=r"ersion 1 has .* gold") as refused:
        console.reword("car", other)
    assert "--yes" in refused.value.next
    assert console.category("car").version == 1
    kept = console.reword("car", Reword(question="Is a car in it?", keep_answers=True))
    assert (kept.version, kept.question, kept.gold_yes) == (1, "Is a car in it?", console.category("car").gold_yes)
    assert console.reword("car", other.model_copy(update={"confirmed": True})).version == 2
    assert console.reword("car", Reword(version=1)).question == "Is a car in it?"
    asked = [(wording.version, wording.text) for wording in console.questions("car")]
    assert asked[1:] == [(1, "Is a car in it?"), (2, "Is this a lorry?"), (1, "Is a car in it?")]
    with pytest.raises(BadInput):
        console.reword("car", Reword())
