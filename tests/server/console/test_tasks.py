"""Tasks over HTTP: the owner's, and those that lists of pictures become."""

import pytest
from tests.contract.things import new_image
from tests.server.people import Pool, add_category, add_pictures, entries
from tests.serving import Served

from thresher.client import WorkerClient
from thresher.errors import BadInput
from thresher.records import Alias, Gold, Origin, Says, Source
from thresher.settings import Settings
from thresher.store.contract import Store


def test_the_owners_first_task_mines_gold_where_there_is_none(server: Served, store: Store) -> None:
    add_category(store, "dog")
    add_pictures(store, "dog", 12, first_seed=300)
    owner = WorkerClient.from_link(server.console.owner_link("dog"))
    assert server.console.category("dog").waits_for.endswith("open the owner's task")
    work = owner.deal("dog")
    assert work is not None
    assert [task.owner_only for task in server.console.tasks("dog")] == [True]
    owner.send(work.token, entries(work, lambda position: Says.YES if position % 2 else Says.NO))
    category = server.console.category("dog")
    assert category.gold_yes + category.gold_no == len(work.pictures)
    assert category.owner_answers == len(work.pictures)


def test_nobody_but_the_owner_is_dealt_the_owners_task(server: Served, worker: WorkerClient, store: Store) -> None:
    add_category(store, "dog")
    add_pictures(store, "dog", 12, first_seed=300)
    server.console.owner_link("dog")
    assert worker.deal("dog") is None
    assert "dog" not in [offer.category for offer in worker.me().offers]


def test_a_list_of_pictures_becomes_a_named_task_and_what_nobody_has_is_told(
    server: Served, store: Store, pool: Pool
) -> None:
    add_category(store, "dog")
    (elsewhere,) = add_pictures(store, "dog", 1, first_seed=700)
    by_sha256 = store.images.get(pool.rows[12]).sha256
    other_pool = store.images.get(elsewhere).sha256
    made = server.console.upload_task(
        "car", "look again", [by_sha256, "car/0013.jpg", "car/0013.jpg", "car/0014.jpg", "nobody.jpg", other_pool]
    )
    assert (made.images, made.unknown, made.unknown_names) == (3, 2, ["nobody.jpg", other_pool])
    task = next(task for task in server.console.tasks("car") if task.number in made.tasks)
    assert task.name.startswith("look again")
    assert (task.images, task.taken, task.owner_only) == (3, 0, False)


def test_gold_in_a_list_is_reported_with_its_label_and_stays_gold(server: Served, store: Store, pool: Pool) -> None:
    made = server.console.upload_task("car", "mine", ["car/0000.jpg", "car/0001.jpg", "car/0014.jpg"])
    assert (made.images, made.known) == (1, 2)
    assert [(one.image, one.says) for one in made.known_names] == [("car/0000.jpg", "yes"), ("car/0001.jpg", "no")]
    (number,) = made.tasks
    assert store.asks.task(number).gold == tuple(pool.rows[:2])
    only_gold = server.console.upload_task("car", "mine", ["car/0000.jpg"])
    assert (only_gold.tasks, only_gold.images, only_gold.known) == ([], 0, 1)


def test_a_provisional_gate_is_told_with_what_it_needs(
    server: Served, store: Store, pool: Pool, small: Settings
) -> None:
    assert not server.console.category(pool.name).gate.provisional
    add_category(store, "dog")
    (row,) = add_pictures(store, "dog", 1, first_seed=700)
    store.labels.gild("dog", [Gold(row, Says.YES, 1, Source.OWNER)])
    gate, least = server.console.category("dog").gate, small.gold_least
    assert (gate.provisional, gate.missing_yes, gate.missing_no) == (True, least - 1, least)
    assert f"needs {least - 1} more yes and {least} more no gold" in gate.says


def test_a_name_that_several_pictures_have_is_refused(server: Served, store: Store, pool: Pool) -> None:
    namesakes = [new_image(900 + seed, aliases=(Alias("file", "twice.jpg"),)) for seed in range(3)]
    store.categories.pool_add("car", store.images.put(namesakes), Origin("tar"))
    before = len(server.console.tasks("car"))
    with pytest.raises(BadInput, match=r"3 images of car are called 'twice\.jpg'") as told:
        server.console.upload_task("car", "look again", ["car/0001.jpg", "twice.jpg"])
    assert "picture 2 of the list" in told.value.where
    assert told.value.next.endswith(f"{namesakes[0].sha256} or {namesakes[1].sha256} or another")
    assert len(server.console.tasks("car")) == before
    assert server.console.upload_task("car", "again", [namesakes[1].sha256]).images == 1


def test_a_longer_list_becomes_several_tasks(server: Served, pool: Pool) -> None:
    made = server.console.upload_task("car", "all of them", [f"car/{seed:04}.jpg" for seed in range(25)])
    assert (made.images, made.known) == (13, 12)
    # each of two votes in a task of its own, in halves that differ
    assert [task.images for task in server.console.tasks("car") if task.number in made.tasks] == [7, 7, 6, 6]
