"""Renderings of images that are kept by reference, a document each."""

from bson import Binary

from thresher.records import Rendering
from thresher.store.contract import Renderings
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.link import Part


@plain_failures
class MongoRenderings(Part, Renderings):
    """Documents by row and size; they can be made again, so the acknowledgement of the primary is enough."""

    def get(self, row: int, size: str) -> Rendering | None:
        found = self.link.fast_table("renderings").find_one({"_id": _name(row, size)})
        return Rendering(bytes(found["data"]), found["seconds"]) if found else None

    def keep(self, row: int, size: str, rendering: Rendering) -> None:
        kept = {"data": Binary(rendering.data), "seconds": rendering.seconds}
        self.link.fast_table("renderings").replace_one({"_id": _name(row, size)}, kept, upsert=True)


def _name(row: int, size: str) -> str:
    return f"{int(row)}-{size}"
