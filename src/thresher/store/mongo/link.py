"""The connection to a workspace in MongoDB: clients, time limits, and write concerns."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeVar

import numpy as np
import pymongo
from bson import MaxKey
from numpy.typing import NDArray
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.database import Database
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern
from pymongo.uri_parser import parse_uri

from thresher.errors import BadSetting, StoreUnavailable
from thresher.settings import without_password
from thresher.store.mongo.failures import NEWER, explain
from thresher.store.mongo.sessions import SessionNotes
from thresher.store.rules import no_such_category

Document = dict[str, Any]
Table = Collection[Document]
Session = ClientSession
Result = TypeVar("Result")

OLDEST: Final = (6, 0)
KNOWN_SHOWN: Final = 20
OPEN_SECONDS: Final = 5.0
# an election after a primary is lost takes up to 12 s with MongoDB's own settings: a call outlives one
CALL_SECONDS: Final = 30.0
# MongoDB keeps what a client that was killed on another machine has touched for 60 to 90 s: as long as it answers at
# all, a transaction outlives that
TURN_SECONDS: Final = 100.0
MAJORITY: Final = WriteConcern("majority")
FIRST: Final = WriteConcern(1)
# a driver option of the table holds unless the address gives its own
OPTIONS: Final[Mapping[str, Any]] = {
    "timeoutMS": int(CALL_SECONDS * 1000),
    "serverSelectionTimeoutMS": int(CALL_SECONDS * 1000),
    "connectTimeoutMS": 3000,
    "retryWrites": True,
    "retryReads": True,
    "appname": "thresher",
}
# clients that came through a fork: closing one here would end the parent's sessions, so they are only kept
_INHERITED: list[object] = []
SINGLE = "start it with `mongod --replSet rs` and run rs.initiate() once in mongosh; one member is enough"


class Link:
    """A client bound to one database. Safe from any thread; each process makes its own."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.shown = without_password(place)
        # what was seen here once and is never taken away
        self.known_categories: set[str] = set()
        self.known_rows: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self.notes: SessionNotes | None = None
        self._name, self._options = read_address(place)
        self._connect()
        in_force = self._client.options
        self.call_seconds: float = in_force.timeout or CALL_SECONDS
        self.turn_seconds = TURN_SECONDS if self.call_seconds == CALL_SECONDS else self.call_seconds
        self.open_seconds = min(OPEN_SECONDS, in_force.server_selection_timeout, self.call_seconds)

    def _connect(self) -> None:
        self._pid = os.getpid()
        try:
            self._client: MongoClient[Document] = MongoClient(self.place, **self._options)
        except PyMongoError as error:
            raise explain(error, self.shown) from error

    @property
    def client(self) -> MongoClient[Document]:
        """The client of this process; a forked process opens its own."""
        if self._pid != os.getpid():
            _INHERITED.append(self._client)
            self._connect()
        return self._client

    @property
    def database(self) -> Database[Document]:
        """The workspace's database: reads go to the primary, writes wait for a majority."""
        return self.client.get_database(
            self._name,
            read_preference=ReadPreference.PRIMARY,
            write_concern=MAJORITY,
            read_concern=ReadConcern("majority"),
        )

    def greet(self) -> None:
        """Check, within seconds, that a suitable MongoDB answers. Raises StoreUnavailable."""
        try:
            with pymongo.timeout(self.open_seconds):
                hello = self.client.admin.command("hello")
                version = tuple(self.client.server_info()["versionArray"])
        except PyMongoError as error:
            raise explain(error, self.shown) from error
        if version[:2] < OLDEST:
            found = ".".join(map(str, version[:3]))
            raise StoreUnavailable(f"MongoDB {found} is too old.", where=self.shown, next=NEWER)
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise StoreUnavailable(
                "this MongoDB is not a replica set, so it has no transactions.", where=self.shown, next=SINGLE
            )

    def table(self, name: str) -> Table:
        """A collection whose writes are acknowledged by a majority."""
        return self.database[name]

    def fast_table(self, name: str) -> Table:
        """A collection whose writes are acknowledged by the primary only: for bytes that a later commit makes safe."""
        return self.database.get_collection(name, write_concern=FIRST, read_concern=ReadConcern("local"))

    def transact(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in one transaction; it is repeated from the start after a conflict or if the primary left.

        When it returns, a majority has acknowledged its writes. `work` must have no effects outside the session.
        """

        def turn(session: Session) -> Result:
            try:
                with pymongo.timeout(self.call_seconds):
                    return work(session)
            except ServerSelectionTimeoutError as error:
                raise explain(error, self.shown) from error  # nobody answers: another turn would not help

        with pymongo.timeout(self.turn_seconds), self.client.start_session() as session:
            if self.notes is not None:
                self.notes.note(bytes(session.session_id["id"]))
            return session.with_transaction(
                turn,
                read_concern=ReadConcern("snapshot"),
                write_concern=MAJORITY,
                read_preference=ReadPreference.PRIMARY,
            )

    def must_know(self, category: str) -> None:
        """Raise NotFound, naming the known categories, if a category does not exist."""
        if category in self.known_categories:
            return
        table = self.table("categories")
        if table.find_one({"_id": category}, {"_id": 1}) is None:
            known = table.find({}, {"_id": 1}).sort("_id", 1).limit(KNOWN_SHOWN)
            raise no_such_category(category, [one["_id"] for one in known])
        self.known_categories.add(category)

    def attend(self, notes: SessionNotes) -> None:
        """End the transactions that killed processes of this machine left open, and record those opened from now on."""
        notes.end_abandoned(self.client)
        self.notes = notes

    def close(self) -> None:
        """Close the connections."""
        if self.notes is not None:
            self.notes.close()
        if self._pid == os.getpid():
            self._client.close()


def read_address(place: str) -> tuple[str, Document]:
    """The database in an address, and the default options that the address does not set itself. Raises BadSetting."""
    where, following = without_password(place), "give mongodb://host/database"
    if not re.fullmatch(r"[^:]+://([^@/?#]*@)?[^@]*", place):
        # the driver would take a part of the password for the host or the database, and say it
        what = "a user name or password in the address has characters that must be escaped."
        raise BadSetting(what, where=where, next="write / as %2F, : as %3A, @ as %40, ? as %3F, # as %23, % as %25")
    try:
        parsed = parse_uri(place)
    except (PyMongoError, ValueError) as error:  # the driver has no error of its own for a port that is no number
        raise BadSetting(f"not a MongoDB address: {str(error).rstrip('.')}.", where=where, next=following) from error
    if not parsed["database"] or parsed["collection"]:
        raise BadSetting("the address contains no database name.", where=where, next=following)
    given = {str(option).lower() for option in parsed["options"]}
    return parsed["database"], {name: value for name, value in OPTIONS.items() if name.lower() not in given}


class Part:
    """A part of a workspace."""

    def __init__(self, link: Link) -> None:
        self.link = link


def key(**parts: Any) -> Document:  # noqa: ANN401 -- whatever an _id holds
    """A compound `_id`, whose fields sort in the order given."""
    return parts


def span(*, above: Document | None = None, **prefix: Any) -> Document:  # noqa: ANN401 -- whatever an _id holds
    """The filter for every compound `_id` that begins with `prefix`, in the given order, and is greater than `above`.

    MongoDB compares documents field by field, the type before the name, and MaxKey is above every type.
    """
    low = {"$gte": prefix} if above is None else {"$gt": {**prefix, **above}}
    return {"_id": {**low, "$lt": {**prefix, "end": MaxKey()}}}


def among(names: Iterable[bytes]) -> Document:
    """The filter for the documents of some binary names."""
    return {"_id": {"$in": list(names)}}


def at_most(found: Cursor[Document], limit: int) -> Iterable[Document]:
    """At most `limit` documents of an answer; to MongoDB itself a limit of 0 means no limit."""
    return found.limit(limit) if limit else ()


def batches(things: Iterable[Result], size: int) -> Iterator[list[Result]]:
    """Things in lists of at most `size`."""
    left = iter(things)
    while batch := list(islice(left, size)):
        yield batch
