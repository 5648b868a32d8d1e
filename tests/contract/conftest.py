"""The stores that are held to the contract. A further one is a row of BACKENDS; the tests stay as they are."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.mongo_for_tests import mongo_place, replica_set

from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store

# Name of a store: what answers a fresh place for it, given the request (for fixtures of its own) and a directory.
BACKENDS: dict[str, Callable[[pytest.FixtureRequest, Path], str]] = {
    "directory": lambda _request, path: str(path / "workspace"),
    "mongodb": mongo_place,
}

__all__ = ["replica_set"]

# what a store needs that not every machine has, so that `-m "not mongo"` leaves it out
MARKS = {"mongodb": [pytest.mark.mongo]}


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, [])) for name in sorted(BACKENDS)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a workspace may be made."""
    return BACKENDS[request.param](request, tmp_path)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Every setting at its default, but for what is kept outside the workspace."""
    return settings.but(cache=str(tmp_path / "cache"))


@pytest.fixture
def store(place: str, settings: Settings) -> Iterator[Store]:
    """A fresh workspace."""
    opened = open_store(place, settings, create=True)
    yield opened
    opened.close()


@pytest.fixture
def another(store: Store, settings: Settings) -> Iterator[Store]:
    """The same workspace, opened a second time as another process would."""
    opened = open_store(store.place, settings)
    yield opened
    opened.close()
