"""One SQLite file: one writer connection that threads use in turn, and a reader connection per concurrent reader.

WAL lets readers continue while one process writes. Processes take turns at `BEGIN IMMEDIATE`, which is retried every
millisecond: SQLite's own busy handler sleeps up to 100 ms and lets the first in line wait longest.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from thresher.errors import StoreDamaged, StoreFull, StoreUnavailable, ThresherError

OLDEST_SQLITE = (3, 37, 0)  # STRICT tables and RETURNING
WAIT_SECONDS = 30.0
RETRY_SECONDS = 0.001
WRITER_CACHE_KIBIBYTES = 131_072  # the indexes of a million rows
READER_CACHE_KIBIBYTES = 8_192  # readers are many, and the file is mapped
PRIMARY = 0xFF  # SQLite's extended result codes add detail above the low byte
MAPPED_BYTES = 1 << 32
CHECKPOINT_PAGES = 16_000  # 64 MB of log: random pages are then written back once for many transactions

# what `thresher check` itself cannot repair must not end in "thresher check"
RESTORE = (
    "move catalog.sqlite to another folder and restore it from a backup; without one,"
    " thresher check --recover makes a catalog from the stored images"
)
_FAILURES: dict[int, tuple[type[ThresherError], str, str]] = {
    sqlite3.SQLITE_FULL: (StoreFull, "the disk is full; stored data is kept.", "free some space and run it again"),
    sqlite3.SQLITE_IOERR: (StoreUnavailable, "the disk reports an error.", "check the disk; then thresher check"),
    sqlite3.SQLITE_IOERR_WRITE: (StoreFull, "the disk is full.", "free some space and run it again"),  # or a quota is
    sqlite3.SQLITE_IOERR_SHMSIZE: (StoreFull, "the disk is full.", "free some space and run it again"),
    sqlite3.SQLITE_READONLY: (StoreUnavailable, "the catalog is read-only.", "make the workspace writable"),
    sqlite3.SQLITE_CANTOPEN: (StoreUnavailable, "the catalog cannot be opened.", "make the workspace writable"),
    sqlite3.SQLITE_PERM: (StoreUnavailable, "no permission to open the catalog.", "make the workspace writable"),
    sqlite3.SQLITE_BUSY: (StoreUnavailable, "another process locks the catalog.", "stop it, or wait, and run it again"),
    sqlite3.SQLITE_CORRUPT: (StoreDamaged, "the catalog is damaged.", RESTORE),
    sqlite3.SQLITE_NOTADB: (StoreDamaged, "the catalog is not SQLite.", RESTORE),
}
# Connections that came through a fork: closing one here would release the parent's locks, so they are only kept.
_INHERITED: list[object] = []


def insert(
    sql: sqlite3.Connection, table: str, values: Mapping[str, object], *, clash: str = "ABORT", key: str = ""
) -> sqlite3.Cursor:
    """Insert a row into a table; `clash` says what SQLite does if there is one with its key.

    With the column `key`, a row that has the same value there gets the others too, and keeps its further columns.
    """
    statement = f"INSERT OR {clash} INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
    if key:
        statement += f" ON CONFLICT ({key}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in values)}"
    return sql.execute(statement, tuple(values.values()))


class Catalog:
    """Transactions on one file. Safe from any thread; a forked process gets its own connections at its first call."""

    def __init__(self, path: Path, *, wait_seconds: float = WAIT_SECONDS) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise StoreUnavailable(
                f"SQLite {sqlite3.sqlite_version} is too old.", next="use a Python with SQLite 3.37 or newer"
            )
        self.path = path
        self.wait_seconds = wait_seconds
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._turn = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._readers: list[sqlite3.Connection] = []
        self.categories: dict[str, int] = {}  # ids by name, which never change

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the catalog until the block ends."""
        with self._failures_told(), self._reader() as sql:
            try:
                sql.execute("BEGIN")
                yield sql
            finally:
                if sql.in_transaction:
                    sql.execute("COMMIT")

    def first(self, statement: str, values: tuple[object, ...]) -> Any:  # noqa: ANN401 -- the statement says what
        """The first row of one statement, or None; takes a third of the time of a `reading` block."""
        with self._failures_told(), self._reader() as sql:
            return sql.execute(statement, values).fetchone()

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed when the block ends and rolled back when it raises.

        Committed data survives `kill -9`; with `durable` it survives a power failure too, for one fsync.
        """
        self._mind_forks()
        if not self._turn.acquire(timeout=self.wait_seconds):
            raise self._error(sqlite3.SQLITE_BUSY, "")
        try:
            with self._failures_told():
                sql = self._writer = self._writer or self._connect(0, WRITER_CACHE_KIBIBYTES)
                if durable:
                    sql.execute("PRAGMA synchronous = FULL")
                try:
                    self._begin(sql)
                    yield sql
                    sql.execute("COMMIT")
                finally:
                    if sql.in_transaction:
                        sql.execute("ROLLBACK")
                    if durable:
                        sql.execute("PRAGMA synchronous = NORMAL")
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close every connection; the next call opens new ones."""
        self._mind_forks()
        with self._turn:
            while self._readers:
                self._readers.pop().close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _begin(self, sql: sqlite3.Connection) -> None:
        self._again_while_busy(lambda: sql.execute("BEGIN IMMEDIATE"))

    def _again_while_busy(self, work: Callable[[], object]) -> None:
        deadline = time.monotonic() + self.wait_seconds
        while True:
            try:
                work()
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & PRIMARY != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(RETRY_SECONDS)

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """A reader connection from the pool: as many as threads that read at once, whatever the number of threads."""
        self._mind_forks()
        try:
            sql = self._readers.pop()
        except IndexError:
            sql = self._connect(self.wait_seconds, READER_CACHE_KIBIBYTES)
        try:
            yield sql
        finally:
            self._readers.append(sql)

    def _connect(self, wait_seconds: float, cache_kibibytes: int) -> sqlite3.Connection:
        sql = sqlite3.connect(
            f"{self.path.resolve().as_uri()}?mode=rw",
            uri=True,
            timeout=wait_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            self._again_while_busy(lambda: self._tune(sql, cache_kibibytes))  # the first to open it switches it to WAL
        except BaseException:
            sql.close()
            raise
        return sql

    def _tune(self, sql: sqlite3.Connection, cache_kibibytes: int) -> None:
        sql.execute("PRAGMA journal_mode = WAL")
        sql.execute("PRAGMA synchronous = NORMAL")
        sql.execute("PRAGMA foreign_keys = ON")
        sql.execute(f"PRAGMA cache_size = -{cache_kibibytes}")
        sql.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
        sql.execute("PRAGMA temp_store = MEMORY")
        sql.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    def _mind_forks(self) -> None:
        if self._pid != os.getpid():
            _INHERITED.append((self._writer, self._readers))
            self._reset()

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
            for known in (code, code & PRIMARY):
                if known in _FAILURES:
                    raise self._error(known, str(error)) from error
            raise

    def _error(self, code: int, detail: str) -> ThresherError:
        kind, what, following = _FAILURES[code]
        told = f"{what[:-1]} ({detail})." if detail else what
        return kind(told, where=str(self.path), next=following)
