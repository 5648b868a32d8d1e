"""The cache of the SHA-256 of rows, which all threads of a server share."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from tests.contract.things import data, images

from thresher.store.mongo.hashes import BLOCK, Hashes
from thresher.store.mongo.store import MongoStore

TRIALS = 60


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hurried")
def test_threads_that_read_at_once_find_the_bytes_of_every_image(store: MongoStore) -> None:
    rows = images(store, 2 * BLOCK + 1)
    wanted = [rows[0], rows[BLOCK], rows[2 * BLOCK]]
    barrier = Barrier(len(wanted))

    def read(row: int) -> bytes:
        barrier.wait()
        return store.images.read(row)

    with ThreadPoolExecutor(len(wanted)) as threads:
        for _ in range(TRIALS):
            store.images.hashes = Hashes(store.images.link)
            assert list(threads.map(read, wanted)) == [data(rows.index(row)) for row in wanted]
