"""Jobs over HTTP."""

import subprocess
import sys

import pytest
from tests.serving import Served

from thresher.errors import NotFound
from thresher.records import Job, now_ms
from thresher.store.contract import Store


def test_jobs_are_shown_and_can_be_asked_to_stop(server: Served, store: Store) -> None:
    now = now_ms()
    store.jobs.start(Job("j1", "loop", "car", {}, "running", "here", 1, now, now))
    store.jobs.beat("j1", now + 1, done=3, total=9, message="embedding")
    (job,) = server.console.jobs()
    assert (job.id, job.state, job.done, job.total, job.message) == ("j1", "running", 3, 9, "embedding")
    assert server.console.cancel_job("j1").id == "j1"
    assert store.jobs.get("j1").cancel
    with pytest.raises(NotFound):
        server.console.cancel_job("nobody")


def test_a_job_whose_process_was_killed_is_not_shown_as_running(server: Served, store: Store) -> None:
    store.jobs.start(Job("j1", "loop", "car", {}, "running", "here", 1, now_ms(), now_ms()))
    name = "from thresher.compute.process import this_process; print(this_process())"
    ended = subprocess.run([sys.executable, "-c", name], capture_output=True, text=True, check=True).stdout.strip()
    store.jobs.began("j1", ended, now_ms())
    (job,) = server.console.jobs()
    assert (job.state, job.message) == ("failed", "its process has ended without a word, as if it was killed.")
