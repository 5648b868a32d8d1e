"""Jobs and their progress, and the request to cancel one."""

from typing import Annotated

from fastapi import APIRouter, Path

from thresher.records import Job
from thresher.server.console.parameters import Limit
from thresher.server.desk import Desk, TheDesk
from thresher.server.problems import without_paths
from thresher.server.wire import JobWire

router = APIRouter()


@router.get("/jobs")
def jobs(desk: TheDesk, limit: Limit = 100) -> list[JobWire]:
    """The newest jobs first."""
    return [_job(job, desk) for job in desk.store.jobs.all(limit)]


@router.post("/jobs/{job}/cancel")
def cancel_job(job: Annotated[str, Path(max_length=64)], desk: TheDesk) -> JobWire:
    """Ask a job to stop at its next heartbeat."""
    desk.store.jobs.get(job)
    desk.store.jobs.cancel(job)
    return _job(desk.store.jobs.get(job), desk)


def _job(job: Job, desk: Desk) -> JobWire:
    fields = {name: getattr(job, name) for name in JobWire.model_fields}
    return JobWire(**{**fields, "message": without_paths(job.message, desk.store.place)})
