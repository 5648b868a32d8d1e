"""Records of separate processes, and leases that let only one of a kind run."""

import json

from thresher.errors import NotFound
from thresher.records import Job
from thresher.store.contract import Jobs
from thresher.store.sqlite.connection import Catalog

_JOB = """SELECT id, kind, category, arguments, state, host, pid, created_ms, heartbeat_ms, done, total, cancel, message
    FROM job"""


class SqliteJobs(Jobs):
    """Records of separate processes, and leases that let only one of a kind run."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def start(self, job: Job) -> None:
        with self.catalog.writing() as sql:
            sql.execute(
                """INSERT OR REPLACE INTO job (id, kind, category, arguments, state, host, pid, created_ms,
                       heartbeat_ms, done, total, cancel, message)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    job.id, job.kind, job.category, json.dumps(dict(job.arguments)), job.state, job.host, job.pid,
                    job.created_ms, job.heartbeat_ms, job.done, job.total, job.cancel, job.message,
                ),
            )  # fmt: skip

    def get(self, job: str) -> Job:
        with self.catalog.reading() as sql:
            found = sql.execute(f"{_JOB} WHERE id = ?", (job,)).fetchone()
        if not found:
            raise _no_such(job)
        return _job(*found)

    def all(self, limit: int = 100) -> list[Job]:
        with self.catalog.reading() as sql:
            return [_job(*line) for line in sql.execute(f"{_JOB} ORDER BY id DESC LIMIT ?", (limit,))]

    def beat(self, job: str, now_ms: int, *, done: int, total: int, message: str) -> bool:
        with self.catalog.writing() as sql:
            found = sql.execute(
                "UPDATE job SET heartbeat_ms = ?, done = ?, total = ?, message = ? WHERE id = ? RETURNING cancel",
                (now_ms, done, total, message, job),
            ).fetchone()
        if not found:
            raise _no_such(job)
        return bool(found[0])

    def finish(self, job: str, state: str, message: str, now_ms: int) -> None:
        with self.catalog.writing() as sql:
            changed = sql.execute(
                "UPDATE job SET state = ?, message = ?, heartbeat_ms = ? WHERE id = ?", (state, message, now_ms, job)
            ).rowcount
        if not changed:
            raise _no_such(job)

    def cancel(self, job: str) -> None:
        with self.catalog.writing() as sql:
            if not sql.execute("UPDATE job SET cancel = 1 WHERE id = ?", (job,)).rowcount:
                raise _no_such(job)

    def lease(self, name: str, owner: str, now_ms: int, lease_ms: int) -> bool:
        with self.catalog.writing() as sql:
            taken = sql.execute(
                """INSERT INTO lease (name, owner, until_ms) VALUES (?1, ?2, ?4)
                   ON CONFLICT DO UPDATE SET owner = ?2, until_ms = ?4 WHERE owner = ?2 OR until_ms <= ?3""",
                (name, owner, now_ms, now_ms + lease_ms),
            ).rowcount
        return taken > 0

    def leased(self, name: str, now_ms: int) -> bool:
        with self.catalog.reading() as sql:
            return bool(sql.execute("SELECT 1 FROM lease WHERE name = ? AND until_ms > ?", (name, now_ms)).fetchone())

    def release(self, name: str, owner: str) -> None:
        with self.catalog.writing() as sql:
            sql.execute("DELETE FROM lease WHERE name = ? AND owner = ?", (name, owner))


def _no_such(job: str) -> NotFound:
    return NotFound(f"no job has the id {job!r}.")


def _job(
    made: str, kind: str, category: str, arguments: str, state: str, host: str, pid: int, created_ms: int,
    heartbeat_ms: int, done: int, total: int, cancel: int, message: str,
) -> Job:  # fmt: skip
    return Job(
        made, kind, category, json.loads(arguments), state, host, pid, created_ms, heartbeat_ms, done, total,
        bool(cancel), message,
    )  # fmt: skip
