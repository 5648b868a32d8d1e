"""Fresh places in a real MongoDB for the tests that need one: `from tests.mongo_for_tests import replica_set`."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import mongod

from thresher.store.kinds import KINDS
from thresher.store.mongo import schema
from thresher.store.mongo.link import FIRST, Link

_numbers = itertools.count()
_free: list[str] = []


@pytest.fixture(scope="session")
def replica_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of three members on loopback, without a database; all test processes share them."""
    base = tmp_path_factory.getbasetemp()
    # with several processes each has a folder of its own below the run's
    folder = (base.parent if base.name.startswith("popen-") else base) / "mongod"
    yield mongod.use(folder)
    _free.clear()
    mongod.let_go(folder)


def in_database(address: str, name: str) -> str:
    """The address of a database of a server."""
    return address.replace("/?", f"/{name}?")


def mongo_place(request: pytest.FixtureRequest, _path: Path) -> str:
    """A database with every collection and index and nothing in them, for one test.

    Making them takes a second, emptying them a few milliseconds: a database is used again after the test.
    """
    address = request.getfixturevalue("replica_set")
    if not _free:
        name = (
            f"thresher_{request.config.workerinput['workerid'] if hasattr(request.config, 'workerinput') else 'tests'}"
        )
        place = in_database(address, f"{name}_{next(_numbers)}")
        link = Link(place)
        schema.make(link, KINDS)
        _empty(link)
        _free.append(place)
    place = _free.pop()
    request.addfinalizer(lambda: _give_back(place))
    return place


def _give_back(place: str) -> None:
    _empty(Link(place))
    _free.append(place)


def _empty(link: Link) -> None:
    database = link.database.with_options(write_concern=FIRST)
    for made in database.list_collection_names():
        database[made].delete_many({})
    link.table(schema.WORKSPACE).delete_many({})  # by a majority, and so what came before
    link.close()
