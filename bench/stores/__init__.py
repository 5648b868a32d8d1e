"""The stores that bench/store.py compares; a further one is a row of KINDS."""

from stores.contract import Kind
from stores.database import Postgres, RawMongo, Redis, ThresherMongo
from stores.file import Append, Files, Lmdb, ShardsAlone, ThresherDirectory

__all__ = ["KINDS", "Kind"]

# In the order of the table; "shards" is a piece of our own, which says where the rest of the time goes.
KINDS: dict[str, type[Kind]] = {
    "directory": ThresherDirectory,
    "shards": ShardsAlone,
    "append": Append,
    "lmdb": Lmdb,
    "files": Files,
    "mongodb": ThresherMongo,
    "rawmongo": RawMongo,
    "postgres": Postgres,
    "redis": Redis,
}
