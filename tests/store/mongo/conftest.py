"""Servers of one's own, for what the shared replica set must not suffer: elections, a frozen or a killed server."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import mongod
from tests.mongo_for_tests import in_database, mongo_place, replica_set

from thresher.settings import Settings
from thresher.store.mongo.store import MongoStore

__all__ = ["replica_set"]


@dataclass
class Servers:
    """Members of a replica set that a test may hurt."""

    folder: Path
    address: str
    members: dict[int, subprocess.Popen[bytes]]

    def place(self, name: str) -> str:
        return in_database(self.address, name)

    def freeze(self, port: int) -> None:
        self.members[port].send_signal(signal.SIGSTOP)

    def thaw(self, port: int) -> None:
        self.members[port].send_signal(signal.SIGCONT)

    def kill(self, port: int) -> None:
        self.members[port].kill()
        self.members[port].wait()

    def start(self, port: int) -> None:
        self.members[port] = mongod.start_member(self.folder, port, "--replSet", "rs")


def start_set(folder: Path, members: int) -> Servers:
    address, started = mongod.start_set(folder, members)
    return Servers(folder, address, started)


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Three members for elections."""
    servers = start_set(tmp_path_factory.mktemp("three"), 3)
    yield servers
    mongod.stop(servers.members)


@pytest.fixture(scope="session")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A replica set of a single member."""
    servers = start_set(tmp_path_factory.mktemp("one"), 1)
    yield servers
    mongod.stop(servers.members)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Every setting at its default, but for what is kept outside the workspace."""
    return settings.but(cache=str(tmp_path / "cache"))


@pytest.fixture
def store(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[MongoStore]:
    """A fresh workspace on the shared replica set."""
    with MongoStore(mongo_place(request, tmp_path), settings, create=True) as opened:
        yield opened


@pytest.fixture
def opened(settings: Settings) -> Iterator[Callable[[str], MongoStore]]:
    """Opens workspaces and closes them after the test."""
    stores: list[MongoStore] = []

    def open_one(place: str, *, create: bool = True) -> MongoStore:
        stores.append(MongoStore(place, settings, create=create))
        return stores[-1]

    yield open_one
    for each in stores:
        each.close()
