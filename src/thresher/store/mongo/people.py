"""Workers and the invites that mint them."""

from dataclasses import asdict

from pymongo.errors import DuplicateKeyError

from thresher.errors import NotFound
from thresher.records import Invite, Worker
from thresher.store.contract import People
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.link import Document, Link


@plain_failures
class MongoPeople(People):
    """Workers and the invites that mint them."""

    def __init__(self, link: Link) -> None:
        self.link = link

    def invite(self, invite: Invite) -> None:
        self._add("invites", asdict(invite))

    def invites(self) -> list[Invite]:
        found = self.link.table("invites").find().sort([("created_ms", -1), ("_id", -1)])
        return [Invite(**_named(one)) for one in found]

    def get_invite(self, invite: str) -> Invite:
        found = self.link.table("invites").find_one({"_id": invite})
        if found is None:
            raise NotFound("there is no such invite.", next="ask for another link")
        return Invite(**_named(found))

    def revoke(self, invite: str, at_ms: int) -> None:
        self.link.table("invites").update_one({"_id": invite, "revoked_ms": 0}, {"$set": {"revoked_ms": at_ms}})

    def add(self, worker: Worker) -> None:
        self._add("workers", asdict(worker))

    def get(self, worker: str) -> Worker:
        found = self.link.table("workers").find_one({"_id": worker})
        if found is None:
            raise NotFound("there is no such worker.", next="ask for another link")
        return Worker(**_named(found))

    def all(self) -> list[Worker]:
        return [Worker(**_named(one)) for one in self.link.table("workers").find().sort("_id", 1)]

    def joined(self, invite: str) -> int:
        return int(self.link.table("workers").count_documents({"invite": invite}))

    def _add(self, table: str, fields: Document) -> None:
        made = {"_id": fields.pop("id"), **fields}
        try:
            self.link.table(table).insert_one(made)
        except DuplicateKeyError:
            return


def _named(one: Document) -> Document:
    return {"id": one.pop("_id"), **one}
