import pickle
from inspect import get_annotations, getdoc
from multiprocessing import get_context
from typing import Any, Protocol

import pytest
from tests.contract.things import category, data, images

from thresher.errors import BadInput, StoreUnavailable
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store


def test_where_there_is_no_workspace_the_next_command_is_named(place: str, settings: Settings) -> None:
    with pytest.raises(StoreUnavailable) as told:
        open_store(place, settings)
    assert "thresher init" in told.value.next


def test_a_kind_of_store_nobody_knows_is_refused_with_the_known_ones(settings: Settings) -> None:
    with pytest.raises(BadInput, match="mongodb://"):
        open_store("redis://host/0", settings)


def test_a_workspace_is_the_same_after_it_was_closed(store: Store, settings: Settings) -> None:
    category(store, 3)
    secret = store.secret()
    store.close()
    store.close()
    again = open_store(store.place, settings)
    assert again.place == store.place
    assert again.secret() == secret
    assert len(secret) == 32
    assert list(again.images.read_many(again.categories.pool("car"))) == [data(seed) for seed in range(3)]
    again.close()


def test_making_a_workspace_where_one_is_keeps_it(store: Store, settings: Settings) -> None:
    images(store, 2)
    again = open_store(store.place, settings, create=True)
    assert (again.images.count(), again.secret()) == (2, store.secret())
    again.close()


def test_each_workspace_has_a_secret_of_its_own(
    store: Store, tmp_path_factory: pytest.TempPathFactory, settings: Settings
) -> None:
    other = open_store(tmp_path_factory.mktemp("other"), settings, create=True)
    assert other.secret() != store.secret()
    other.close()


def _read_and_add(opened: Store) -> bytes:
    images(opened, 2, start=50)
    found = opened.images.read(1)
    opened.close()
    return found


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # newer Pythons warn of what is tested here
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_store_travels_to_another_process_as_its_place(store: Store, method: str) -> None:
    images(store, 3)
    with get_context(method).Pool(1) as pool:
        assert pool.apply(_read_and_add, (store,)) == data(1)
    assert list(store.images.read_many(range(5))) == [data(seed) for seed in (0, 1, 2, 50, 51)]


def test_a_copy_by_pickle_is_the_same_workspace(store: Store) -> None:
    images(store, 2)
    copied: Store = pickle.loads(pickle.dumps(store))
    assert copied.images.count() == 2
    copied.close()


def test_a_sound_workspace_is_found_sound(store: Store) -> None:
    category(store, 5)
    store.columns.create("features/x", 2)
    report = store.check(mend=False)
    assert (report.sound, report.found, report.mended) == (True, (), ())
    assert report.counted["images"] == 5


def test_every_promise_is_kept_by_the_store_itself_and_told_by_the_contract(store: Store) -> None:
    """A part inherits its docstrings from the contract; an inherited body would answer None without a word."""
    parts: list[Any] = [store, *(getattr(store, name) for name in get_annotations(Store))]
    inherited, untold = [], []
    for part in parts:
        contract = next(one for one in type(part).__mro__ if Protocol in one.__bases__)
        for name in (name for name in vars(contract) if not name.startswith("_")):
            if name in get_annotations(contract):
                continue
            where = f"{type(part).__name__}.{name}"
            inherited += [where] if getattr(type(part), name) is getattr(contract, name) else []
            untold += [where] if not getdoc(getattr(type(part), name)) else []
    assert (inherited, untold) == ([], [])
