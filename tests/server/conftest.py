"""A real server over a small workspace with work in it."""

from collections.abc import Callable, Iterator

import pytest
from tests.server.people import Pool, add_pool
from tests.serving import Served, serving

from thresher.client import WorkerClient
from thresher.records import now_ms
from thresher.settings import Settings
from thresher.store.contract import Store


class Clock:
    """The time, which a test may move on."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead_ms

    def pass_minutes(self, minutes: float) -> None:
        self.ahead_ms += round(minutes * 60_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def small(settings: Settings) -> Settings:
    """Settings for tasks of 10 pictures and 8 gold."""
    return settings.but(task_images=10, gold_images=8, gold_least=4)


@pytest.fixture
def pool(store: Store, small: Settings) -> Pool:
    """A category "car" of 32 pictures: 12 gold, and 20 asked in two tasks of one place each."""
    return add_pool(store, small)


@pytest.fixture
def heard() -> list[str]:
    """The categories that `on_sent` was called for."""
    return []


@pytest.fixture
def server(store: Store, small: Settings, pool: Pool, clock: Clock, heard: list[str]) -> Iterator[Served]:
    with serving(store, small, clock=clock, on_sent=heard.append) as served:
        yield served


@pytest.fixture
def join(server: Served) -> Callable[[], WorkerClient]:
    """Makes a new worker each time."""
    invite = server.console.add_invite()

    def joined() -> WorkerClient:
        return WorkerClient.join(invite.link, "Ada")

    return joined


@pytest.fixture
def worker(join: Callable[[], WorkerClient]) -> WorkerClient:
    return join()
