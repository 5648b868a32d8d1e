"""Records of separate processes, and leases that let only one of a kind run."""

import json

from pymongo.errors import DuplicateKeyError

from thresher.errors import NotFound
from thresher.records import Job
from thresher.store.contract import Jobs
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.link import Document, Link


@plain_failures
class MongoJobs(Jobs):
    """Records of separate processes, and leases that let only one of a kind run."""

    def __init__(self, link: Link) -> None:
        self.link = link

    def start(self, job: Job) -> None:
        made = {
            "kind": job.kind,
            "category": job.category,
            "arguments": json.dumps(dict(job.arguments)),  # its keys are whatever they are
            "state": job.state,
            "host": job.host,
            "pid": job.pid,
            "created_ms": job.created_ms,
            "heartbeat_ms": job.heartbeat_ms,
            "done": job.done,
            "total": job.total,
            "cancel": job.cancel,
            "message": job.message,
        }
        self.link.table("jobs").replace_one({"_id": job.id}, made, upsert=True)

    def get(self, job: str) -> Job:
        found = self.link.table("jobs").find_one({"_id": job})
        if found is None:
            raise _no_such(job)
        return _job(found)

    def all(self, limit: int = 100) -> list[Job]:
        if not limit:
            return []
        return [_job(one) for one in self.link.table("jobs").find().sort("_id", -1).limit(limit)]

    def beat(self, job: str, now_ms: int, *, done: int, total: int, message: str) -> bool:
        beat = {"$set": {"heartbeat_ms": now_ms, "done": done, "total": total, "message": message}}
        found = self.link.table("jobs").find_one_and_update({"_id": job}, beat, projection={"cancel": 1})
        if found is None:
            raise _no_such(job)
        return bool(found["cancel"])

    def finish(self, job: str, state: str, message: str, now_ms: int) -> None:
        self._set(job, {"state": state, "message": message, "heartbeat_ms": now_ms})

    def cancel(self, job: str) -> None:
        self._set(job, {"cancel": True})

    def _set(self, job: str, fields: Document) -> None:
        if not self.link.table("jobs").update_one({"_id": job}, {"$set": fields}).matched_count:
            raise _no_such(job)

    def lease(self, name: str, owner: str, now_ms: int, lease_ms: int) -> bool:
        free = {"_id": name, "$or": [{"owner": owner}, {"until_ms": {"$lte": now_ms}}]}
        taken = {"$set": {"owner": owner, "until_ms": now_ms + lease_ms}}
        try:
            self.link.table("leases").update_one(free, taken, upsert=True)
        except DuplicateKeyError:
            return False  # it is there, and another's
        return True

    def release(self, name: str, owner: str) -> None:
        self.link.table("leases").delete_one({"_id": name, "owner": owner})

    def leased(self, name: str, now_ms: int) -> bool:
        return self.link.table("leases").find_one({"_id": name, "until_ms": {"$gt": now_ms}}) is not None


def _no_such(job: str) -> NotFound:
    return NotFound(f"no job has the id {job!r}.")


def _job(one: Document) -> Job:
    fields = {**one, "id": one["_id"], "arguments": json.loads(one["arguments"])}
    del fields["_id"]
    return Job(**fields)
