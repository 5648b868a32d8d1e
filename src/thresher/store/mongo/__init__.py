"""The store on MongoDB, image bytes included: for more than one machine."""

from typing import TYPE_CHECKING

from thresher.errors import Missing
from thresher.settings import Settings
from thresher.store.kinds import KINDS
from thresher.store.shapes import Kinds

if TYPE_CHECKING:
    from thresher.store.mongo.store import MongoStore


def open_mongo(
    place: str, settings: Settings, *, create: bool = False, recover: bool = False, kinds: Kinds = KINDS
) -> "MongoStore":
    """The workspace at `mongodb://host/database`; with `create`, make it with its collections and indexes.

    Raises Missing without the extra, StoreUnavailable, WrongSchema, BadSetting; StoreDamaged if its own document is
    missing or another workspace's, or the images' documents are gone, which `recover` takes as they are.
    """
    try:
        from thresher.store.mongo.store import MongoStore  # here: pymongo costs 0.2 s that a directory need not pay
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"pymongo", "bson"}:
            raise
        raise Missing("pymongo", 'pip install "thresher[mongo]"') from error
    return MongoStore(place, settings, create=create, recover=recover, kinds=kinds)
