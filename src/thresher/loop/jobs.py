"""Jobs: separate processes with a record in the store; they outlive the page and the server that started them."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from thresher.compute.process import is_gone, this_process
from thresher.errors import ThresherError
from thresher.records import Job, Progress, new_id, now_ms
from thresher.settings import Settings, child_at
from thresher.store.contract import Store

if TYPE_CHECKING:
    from thresher.loop.turn import Turn

BEAT_SECONDS = 1.0
DEAD_AFTER_MS = 60_000
READ_AGAIN_MS = 20_000
LOG_BYTES = 2_000_000


def spawn(
    kind: str, category: str = "", arguments: Mapping[str, object] | None = None, *, store: Store, log: Path
) -> Job:
    """Start a job as a process in its own session; its record is stored before the process starts.

    The process is `thresher job ID`, a command that a person could run too.
    """
    job = Job(
        id=new_id(),
        kind=kind,
        category=category,
        arguments=dict(arguments or {}),
        state="running",
        host=socket.gethostname(),
        pid=0,
        created_ms=now_ms(),
        heartbeat_ms=now_ms(),
    )
    store.jobs.start(job)
    log.parent.mkdir(parents=True, exist_ok=True)
    put_aside(log)
    flags, environment = child_at(store.place)
    with log.open("ab") as out:
        subprocess.Popen(  # noqa: S603 -- our own interpreter with our own id, nothing from outside
            [sys.executable, "-m", "thresher", *flags, "job", job.id],
            env=environment,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    return job


def put_aside(log: Path) -> None:
    """Rename a log that has grown long, so that the next job begins a new one; the one put aside before goes."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def work(job_id: str, *, store: Store, settings: Settings) -> None:
    """Run a recorded job in this process and record how it ended."""
    job = store.jobs.get(job_id)
    store.jobs.began(job_id, this_process(), now_ms())
    beat = Beat(job_id, store)
    try:
        KINDS[job.kind](job, store, settings, beat)
    except ThresherError as error:
        store.jobs.finish(job_id, "failed", str(error), now_ms())
        raise
    except KeyboardInterrupt:
        store.jobs.finish(job_id, "cancelled", "interrupted", now_ms())
        raise
    store.jobs.finish(job_id, "cancelled" if beat.cancelled else "done", beat.message, now_ms())


class Beat:
    """A job's heartbeat: records progress at most once a second, and reads whether the job should stop."""

    def __init__(self, job_id: str, store: Store) -> None:
        self._job_id, self._store, self._next = job_id, store, 0.0
        self.cancelled = False
        self.message = ""

    def report(self, progress: Progress) -> None:
        """Record a stage's progress."""
        self._beat(progress.done, progress.total, progress.stage)

    def stop(self) -> bool:
        """Whether the job was asked to stop."""
        self._beat(0, 0, self.message)
        return self.cancelled

    def say(self, message: str) -> None:
        """Record a message for the user."""
        self.message = message
        self._beat(0, 0, message)

    def _beat(self, done: int, total: int, message: str) -> None:
        if time.monotonic() >= self._next and not self.cancelled:
            self._next = time.monotonic() + BEAT_SECONDS
            self.cancelled = self._store.jobs.beat(self._job_id, now_ms(), done=done, total=total, message=message)


def alive(job: Job, at_ms: int) -> bool:
    """Whether a job runs: one that was killed leaves a record in the state "running".

    Its process is asked for where that can be seen; elsewhere a job lives that had a heartbeat of late.
    """
    return job.state == "running" and not is_gone(job.process) and at_ms - job.heartbeat_ms < DEAD_AFTER_MS


class Runs:
    """Whether one job runs, for who asks all the time: its record is read again only now and then.

    A process that has ended is seen at once; one that hangs, when the record that is read again has no new heartbeat.
    """

    def __init__(self, job: Job, store: Store) -> None:
        self._job, self._store, self._read_ms = job, store, 0

    def __call__(self, at_ms: int) -> bool:
        """Whether it runs at a time."""
        if not self._job.process or at_ms - self._read_ms >= READ_AGAIN_MS:
            self._job, self._read_ms = self._store.jobs.get(self._job.id), at_ms
        return alive(self._job, at_ms)


def _keep_loops(job: Job, store: Store, settings: Settings, beat: Beat) -> None:
    # here, for it brings all stages with it, and the server that starts this job needs none of them
    from thresher.loop.autopilot import keep

    # loops that run beside a server stop with it, however it ended
    server = str(job.arguments.get("while_process", ""))

    def heard(name: str, came_to: "Turn") -> None:
        beat.say(f"{name}: {came_to.says}")

    keep(store=store, settings=settings, heard=heard, stop=lambda: beat.stop() or is_gone(server))


Kind = Callable[[Job, Store, Settings, Beat], None]
KINDS: dict[str, Kind] = {"loop": _keep_loops}
