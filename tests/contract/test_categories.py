import threading
import unicodedata
from contextlib import suppress
from typing import Literal

import numpy as np
import pytest
from tests.contract.things import category, images, new_image

from thresher.errors import AlreadyThere, BadInput, Conflict, NotFound
from thresher.records import Alias, Category, NewAsk, Origin, Purpose, Question, Refusal, Targets
from thresher.store.contract import Store, Tally

TARGETS = Targets(precision=0.9, recall=0.5, delta=0.1, answers=900, method="certified")


def test_a_category_comes_back_as_it_was_made(store: Store) -> None:
    made = Category("car", Question(1, "Is it a car?", "Vans too.", 3), TARGETS, "vehicles", 4)
    store.categories.create(made)
    assert store.categories.get("car") == made
    assert store.categories.all() == [made]


def test_a_name_is_given_once(store: Store) -> None:
    category(store)
    with pytest.raises(AlreadyThere):
        category(store)


def test_an_unknown_name_is_answered_with_the_known_ones(store: Store) -> None:
    category(store, name="car")
    category(store, name="dog")
    with pytest.raises(NotFound, match=r"car, dog"):
        store.categories.get("cat")
    with pytest.raises(NotFound, match=r"car, dog"):
        store.categories.pool("cat")


@pytest.mark.parametrize("name", ["", "A", "a/b", "../x", ".hidden", "x" * 65, "a b"])
def test_a_name_that_could_not_be_a_file_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(BadInput):
        category(store, name=name)


def test_categories_are_listed_by_name(store: Store) -> None:
    for name in ("dog", "ant", "cat"):
        category(store, name=name)
    assert [each.name for each in store.categories.all()] == ["ant", "cat", "dog"]


def test_rewording_starts_a_version_and_keeps_the_earlier_ones(store: Store) -> None:
    category(store)
    second = store.categories.reword("car", "Is a car in it?", "No vans.", 9)
    assert second == Question(2, "Is a car in it?", "No vans.", 9)
    assert store.categories.get("car").question == second
    assert store.categories.questions("car") == [Question(1, "Is this a car?", "Look.", 5), second]


def test_a_wording_of_a_version_that_there_is_puts_that_version_in_force(store: Store) -> None:
    category(store)
    reworded = store.categories.reword("car", "Is that a car?", "Look twice.", 9, version=1)
    second = store.categories.reword("car", "Is it a van?", "", 10)
    assert (reworded.version, second.version) == (1, 2)
    back = store.categories.reword("car", reworded.text, reworded.instructions, 11, version=1)
    assert store.categories.get("car").question == back == Question(1, "Is that a car?", "Look twice.", 11)
    assert [asked.version for asked in store.categories.questions("car")] == [1, 1, 2, 1]
    assert store.categories.reword("car", "Is it a lorry?", "", 12).version == 3
    with pytest.raises(NotFound, match="no question version 7"):
        store.categories.reword("car", "Is it a lorry?", "", 12, version=7)


def test_counts_are_of_the_version_in_force(store: Store) -> None:
    category(store, 2)
    store.asks.wish("car", 1, [NewAsk(0, Purpose.LEARN)])
    store.categories.reword("car", "Is it a van?", "", 9)
    assert store.categories.tally("car").asks_open == {}
    store.categories.reword("car", "Is this a car?", "", 10, version=1)
    assert store.categories.tally("car").asks_open == {"learn": 1}


def test_of_two_who_reword_at_once_the_second_is_told(store: Store, another: Store) -> None:
    category(store)
    for opened in (store, another):
        assert len(opened.categories.questions("car")) == 1
    store.categories.reword("car", "Is it a van?", "", 9, after=1)
    with pytest.raises(Conflict, match="'Is it a van\\?' now"):
        another.categories.reword("car", "Is it a lorry?", "", 9, after=1)
    assert another.categories.get("car").question.text == "Is it a van?"


def test_of_many_who_reword_at_once_one_does(store: Store, another: Store) -> None:
    category(store)
    done: list[int] = []

    def run(opened: Store, number: int) -> None:
        with suppress(Conflict):
            done.append(opened.categories.reword("car", f"Is it {number}?", "", 9, after=1).version)

    threads = [threading.Thread(target=run, args=(one, at)) for at, one in enumerate((store, another) * 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (done, len(store.categories.questions("car"))) == ([2], 2)


def test_targets_are_replaced(store: Store) -> None:
    category(store)
    store.categories.aim("car", TARGETS)
    assert store.categories.get("car").targets == TARGETS


def test_the_pool_counts_what_is_new_and_answers_ascending_rows(store: Store) -> None:
    category(store)
    rows = images(store, 6)
    assert store.categories.pool_add("car", [rows[4], rows[1]], Origin("folder")) == 2
    assert store.categories.pool("car").tolist() == [rows[1], rows[4]]
    assert store.categories.pool_add("car", rows[:3], Origin("folder")) == 2
    assert store.categories.pool("car").tolist() == [rows[0], rows[1], rows[2], rows[4]]
    assert store.categories.tally("car").images == 4


def test_categories_share_images(store: Store) -> None:
    category(store, 4, name="car")
    category(store, name="dog")
    store.categories.pool_add("dog", [1, 3], Origin("tar"))
    assert store.categories.pool("dog").tolist() == [1, 3]
    assert store.categories.pool("car").tolist() == [0, 1, 2, 3]
    assert store.images.count() == 4


def test_the_pool_is_paged_by_row(store: Store) -> None:
    category(store, 5)
    assert store.categories.pool_page("car", -1, 2) == [0, 1]
    assert store.categories.pool_page("car", 1, 9) == [2, 3, 4]
    assert store.categories.pool_page("car", 4, 9) == []


def test_the_pool_knows_what_it_holds(store: Store) -> None:
    category(store, 2)
    (other,) = images(store, 1, start=90)
    assert store.categories.pool_holds("car", [1, other, 0, 1]) == [True, False, True, True]


def test_a_name_is_looked_up_inside_the_pool(store: Store) -> None:
    category(store, name="cat")
    category(store, name="dog")
    for number, name in enumerate(("cat", "dog")):
        new = [new_image(10 * number + seed, aliases=(Alias("file", f"{seed}.jpg"),)) for seed in range(2)]
        store.categories.pool_add(name, store.images.put(new), Origin("folder"))
    store.images.put([new_image(99, aliases=(Alias("file", "2.jpg"),))])
    names = ["0.jpg", new_image(1).sha256, new_image(11).sha256.upper(), "2.jpg", "none", "0.jpg"]
    assert store.categories.find("cat", names) == [[0], [1], [], [], [], [0]]
    assert store.categories.find("dog", names) == [[2], [], [3], [], [], [2]]
    assert store.categories.find("dog", []) == []
    with pytest.raises(NotFound, match=r"cat, dog"):
        store.categories.find("car", names)


def test_a_name_of_several_images_finds_them_all(store: Store, another: Store) -> None:
    category(store)
    kinds = ("file", "url", "id")
    first = store.images.put([new_image(seed, aliases=(Alias(kinds[seed], "1.jpg"),)) for seed in range(3)])
    rows = [*first, *another.images.put([new_image(3, aliases=(Alias("file", "1.jpg"), Alias("id", "7")))])]
    store.categories.pool_add("car", [rows[3], rows[1]], Origin("folder"))
    assert store.categories.find("car", ["1.jpg", "7"]) == [[rows[1], rows[3]], [rows[3]]]
    store.images.put([new_image(1, aliases=(Alias("id", "7"), Alias("file", "1.jpg")))])
    assert store.categories.find("car", ["1.jpg", "7"]) == [[rows[1], rows[3]]] * 2
    store.categories.pool_add("car", rows, Origin("folder"))
    assert another.categories.find("car", ["1.jpg"]) == [rows]


def test_composed_and_decomposed_letters_are_one_name(store: Store) -> None:
    category(store)
    known = ["café.jpg", "한글.jpg", "São Paulo.jpg"]
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
    stored = [unicodedata.normalize(forms[place % 2], name) for place, name in enumerate(known)]
    new = [new_image(seed, aliases=(Alias("file", name),)) for seed, name in enumerate(stored)]
    store.categories.pool_add("car", store.images.put(new), Origin("folder"))
    for form in forms:
        asked = [unicodedata.normalize(form, name) for name in known]
        assert store.categories.find("car", asked) == [[0], [1], [2]]
    store.images.put([new_image(2, aliases=(Alias("file", unicodedata.normalize("NFD", known[0])),))])
    assert store.categories.find("car", [known[0]]) == [[0, 2]]


def test_thousands_of_names_are_found_at_once(store: Store) -> None:
    category(store)
    new = [new_image(seed, aliases=(Alias("file", f"{seed % 2000}.jpg"),)) for seed in range(2500)]
    store.categories.pool_add("car", store.images.put(new), Origin("folder"))
    names = [f"{seed}.jpg" for seed in range(2500)] + [image.sha256 for image in new]
    found = store.categories.find("car", names)
    assert found[:500] == [[row, row + 2000] for row in range(500)]
    assert found[500:2000] == [[row] for row in range(500, 2000)]
    assert found[2000:2500] == [[]] * 500
    assert found[2500:] == [[row] for row in range(2500)]


def test_a_row_keeps_its_first_origin(store: Store) -> None:
    category(store)
    (row, second) = images(store, 2)
    first = Origin("folder", "photos", "CC-BY", 7)
    store.categories.pool_add("car", [row], first)
    later = Origin("tar", "x.tar", "", 8)
    store.categories.pool_add("car", [row, second], later)
    assert store.categories.origins("car", [second, row, second]) == [later, first, later]
    assert store.categories.origins("car", np.array([row])) == [first]
    assert store.categories.origins("car", []) == []
    (outside,) = images(store, 1, start=50)
    with pytest.raises(NotFound, match=f"image {outside} is not in the pool of car"):
        store.categories.origins("car", [row, outside])


def test_each_row_may_have_a_query_of_its_own(store: Store) -> None:
    category(store)
    rows = images(store, 2)
    store.categories.pool_add("car", rows, Origin("urls", "list.txt", "", 8), ["http://a", "http://b"])
    assert store.categories.origins("car", rows[1:]) == [Origin("urls", "http://b", "", 8)]
    with pytest.raises(BadInput):
        store.categories.pool_add("car", rows, Origin("urls"), ["http://only-one"])


def test_a_row_without_an_image_does_not_enter_a_pool(store: Store) -> None:
    category(store)
    with pytest.raises(NotFound):
        store.categories.pool_add("car", [5], Origin("folder"))
    assert store.categories.pool("car").tolist() == []
    assert store.categories.tally("car").images == 0


def test_a_refusal_is_counted_once_for_its_name_and_reason(store: Store) -> None:
    category(store)
    broken = Refusal("a.jpg", "truncated", "12 bytes are missing", 1)
    store.categories.refuse("car", [broken, Refusal("b.jpg", "truncated", "3 bytes are missing", 2)])
    store.categories.refuse("car", [Refusal("a.jpg", "truncated", "again", 3), Refusal("a.jpg", "too large", "", 4)])
    assert store.categories.refusal_counts("car") == {"truncated": 2, "too large": 1}
    assert store.categories.tally("car").refused == 3
    listed = store.categories.refusals("car", 0, 2)
    assert listed[0][1] == broken
    rest = store.categories.refusals("car", listed[-1][0], 10)
    assert [refusal.reason for _, refusal in rest] == ["too large"]


def test_a_fresh_category_counts_nothing(store: Store) -> None:
    category(store)
    assert store.categories.tally("car") == Tally()


def test_another_process_sees_a_pool_grow(store: Store, another: Store) -> None:
    category(store, 2)
    assert another.categories.pool("car").tolist() == [0, 1]
    rows = images(store, 2, start=50)
    store.categories.pool_add("car", rows, Origin("folder"))
    assert another.categories.pool("car").tolist() == [0, 1, *rows]
