"""Jobs over HTTP."""

import pytest
from tests.serving import Served

from thresher.errors import NotFound
from thresher.records import Job
from thresher.store.contract import Store


def test_jobs_are_shown_and_can_be_asked_to_stop(server: Served, store: Store) -> None:
    store.jobs.start(Job("j1", "loop", "car", {}, "running", "here", 1, 5, 5))
    store.jobs.beat("j1", 6, done=3, total=9, message="embedding")
    (job,) = server.console.jobs()
    assert (job.id, job.state, job.done, job.total, job.message) == ("j1", "running", 3, 9, "embedding")
    assert server.console.cancel_job("j1").id == "j1"
    assert store.jobs.get("j1").cancel
    with pytest.raises(NotFound):
        server.console.cancel_job("nobody")
