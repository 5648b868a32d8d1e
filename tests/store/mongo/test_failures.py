"""What a MongoDB that is down, slow, old, alone or newer looks like to a person: one line and the next command."""

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import mongod
from tests.contract.things import category, images
from tests.store.mongo.conftest import Servers
from tests.store.mongo.old_server import OldServer

from thresher.errors import BadSetting, StoreUnavailable, WrongSchema
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.mongo.schema import WORKSPACE
from thresher.store.mongo.store import MongoStore

pytestmark = pytest.mark.mongo
Open = Callable[..., MongoStore]

QUICK = "serverSelectionTimeoutMS=300"


def test_where_nobody_listens_it_says_so_at_once(settings: Settings) -> None:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="no MongoDB primary answers") as told:
        open_store(f"mongodb://127.0.0.1:{mongod.free_port()}/cars?{QUICK}", settings)
    assert "mongod" in told.value.next
    assert time.monotonic() - began < 10


def test_without_options_the_wait_ends_after_seconds(settings: Settings) -> None:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        open_store(f"mongodb://127.0.0.1:{mongod.free_port()}/cars", settings)
    assert time.monotonic() - began < 20  # the driver's own patience is 30


def test_a_server_that_takes_the_call_and_never_answers_is_given_up(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(StoreUnavailable):
        open_store(f"mongodb://127.0.0.1:{silent.getsockname()[1]}/cars?{QUICK}", settings)


@pytest.mark.parametrize(("version", "wire_version"), [("5.0.9", 13), ("4.4.29", 9), ("3.6.23", 6)])
def test_an_old_server_is_refused_with_the_version_that_is_needed(
    version: str, wire_version: int, settings: Settings
) -> None:
    with OldServer(version, wire_version) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        with pytest.raises(StoreUnavailable) as told:
            open_store(f"{server.address}?{QUICK}", settings)
        server.shutdown()
        serving.join()
    assert "MongoDB 6.0" in told.value.next
    if wire_version > 6:  # the driver itself speaks with none older and names no version
        assert version in told.value.what


def test_a_server_alone_is_refused_with_how_to_make_it_a_set(tmp_path: Path, settings: Settings) -> None:
    port = mongod.free_port()
    server = mongod.start_member(tmp_path, port)
    try:
        mongod.wait_until_up(port)
        with pytest.raises(StoreUnavailable, match="no transactions") as told:
            open_store(f"mongodb://127.0.0.1:{port}/cars", settings)
        assert "--replSet" in told.value.next
        assert "rs.initiate()" in told.value.next
    finally:
        server.kill()
        server.wait()


def test_a_server_that_freezes_ends_a_call_and_what_was_stored_stays(one: Servers, opened: Open) -> None:
    place = f"{one.place('frozen')}&timeoutMS=1500"
    store = opened(place)
    category(store, 3)
    (port,) = one.members
    one.freeze(port)
    try:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable) as told:
            images(store, 1, start=50)
        assert time.monotonic() - began < 20
        assert "again" in told.value.next
    finally:
        one.thaw(port)
    images(store, 1, start=50)
    assert store.images.count() == 4
    assert store.check(mend=False).sound


def test_a_server_that_is_killed_and_started_again_has_what_was_answered(one: Servers, opened: Open) -> None:
    store = opened(one.place("killed"))
    category(store, 5)
    (port,) = one.members
    one.kill(port)
    restart = threading.Timer(0.5, one.start, [port])
    restart.start()
    assert images(store, 7) == [0, 1, 2, 3, 4, 5, 6]  # waits until it is there again
    restart.join()
    assert store.images.count() == 7
    assert store.check(mend=False).sound


@pytest.mark.parametrize(
    "place",
    ["mongodb://127.0.0.1:1", "mongodb://127.0.0.1:1/", "mongodb://127.0.0.1:1/a.b", "mongodb:///x", "mongodb://h:x/y"],
)
def test_an_address_that_names_no_database_is_refused_before_anything_is_asked(place: str, settings: Settings) -> None:
    with pytest.raises(BadSetting, match="mongodb://host/database") as told:
        open_store(place, settings)
    assert "\n" not in str(told.value)


def test_a_password_is_never_shown(settings: Settings) -> None:
    with pytest.raises(StoreUnavailable) as told:
        open_store(f"mongodb://ann:hunter2@127.0.0.1:{mongod.free_port()}/cars?{QUICK}", settings)
    assert "hunter2" not in str(told.value)
    assert "127.0.0.1" in str(told.value)


def test_a_workspace_of_a_newer_version_is_refused_and_left_alone(store: MongoStore, settings: Settings) -> None:
    images(store, 2)
    store.link.table(WORKSPACE).update_one({}, {"$set": {"schema": 99}})
    for create in (False, True):
        with pytest.raises(WrongSchema, match="99") as told:
            open_store(store.place, settings, create=create)
        assert "upgrade" in told.value.next
    assert store.images.count() == 2


def test_without_the_driver_the_extra_is_named() -> None:
    code = """
import sys
sys.modules["pymongo"] = None
from pathlib import Path
from thresher.errors import Missing
from thresher.settings import read_settings
from thresher.store import open_store
try:
    open_store("mongodb://127.0.0.1/x", read_settings(Path("."), {}))
except Missing as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.fullmatch(r'pymongo is not installed\. Next: pip install "thresher\[mongo\]"\n', done.stdout)


def test_a_directory_workspace_does_not_load_the_driver() -> None:
    code = "import sys, thresher.store; sys.exit('pymongo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
