"""Turning errors of MongoDB into ours: what happened, where, and the next command."""

import functools
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    CursorNotFound,
    DocumentTooLarge,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from thresher.errors import BadInput, BadSetting, StoreFull, StoreUnavailable, ThresherError

AGAIN = "check that mongod runs and is reachable, then run the same command again; stored data is kept"
NEWER = "install MongoDB 6.0 or newer there, or give another address"

_DENIED = {13, 18}  # Unauthorized, AuthenticationFailed
_FULL = {14031}  # OutOfDiskSpace
# the primary left: what the server answers where the driver does not ask again, as with writes of many documents
_LEFT = {91, 189, 10107, 11600, 11602, 13435}

# Calls that change nothing. The driver asks again by itself where a primary leaves before it answers, but not where it
# leaves between two batches of an answer; then these are made again from their start.
READS = frozenset(
    """aliases alike all all_of asked count counted damaged drafts find get gold gold_answers gold_record held many
    mark marks missing names of of_task of_worker offer open_counts open_rows origins page pool pool_holds pool_page
    questions read refusal_counts refusals reviews seen_gold similar tally task tasks top unreviewed untaken view voted
    voters votes waiting
    """.split()  # noqa: SIM905 -- a table of words
)
READ_SECONDS = 30.0
READ_AGAIN_SECONDS = 0.1

Part = TypeVar("Part")
Result = TypeVar("Result")


def explain(error: PyMongoError | DocumentTooLarge, where: str) -> ThresherError:
    """Our error for an error of the driver."""
    if isinstance(error, DocumentTooLarge):  # of its own kind, not one of PyMongoError
        return BadInput(
            "MongoDB accepts no document above 16 MB.", where=where, next="store this workspace in a directory"
        )
    code = _code(error)
    text = str(error).partition(", full error:")[0]
    if code in _FULL or "No space left on device" in text:
        return StoreFull(
            "the disk of MongoDB is full.", where=where, next="free some space there, then run the same command"
        )
    if code in _DENIED:
        return StoreUnavailable(
            f"MongoDB denies this user access: {text}.",
            where=where,
            next="put user and password into the address",
        )
    if isinstance(error, ConfigurationError):
        old = "wire version" in text
        return (StoreUnavailable if old else BadSetting)(
            f"{text}.", where=where, next=NEWER if old else "edit the address"
        )
    if isinstance(error, ServerSelectionTimeoutError):
        return StoreUnavailable("no MongoDB primary answers.", where=where, next=AGAIN)
    if isinstance(error, WTimeoutError):
        return StoreUnavailable("too few members of the replica set answer.", where=where, next=AGAIN)
    if error.timeout:
        return StoreUnavailable("MongoDB did not answer within the time limit.", where=where, next=AGAIN)
    if isinstance(error, ConnectionFailure | AutoReconnect):
        return StoreUnavailable("the connection to MongoDB was lost.", where=where, next=AGAIN)
    return StoreUnavailable(f"MongoDB reported an error: {text}.", where=where, next=AGAIN)


def _code(error: PyMongoError) -> int:
    if isinstance(error, BulkWriteError):
        codes = [int(one.get("code", 0)) for one in (error.details or {}).get("writeErrors", [])]
        return next((code for code in codes if code in _FULL | _DENIED), codes[0] if codes else 0)
    return int(error.code or 0) if isinstance(error, OperationFailure) else 0


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Raise the driver's errors as ours."""
    try:
        yield
    except (PyMongoError, DocumentTooLarge) as error:
        raise explain(error, where) from error


def steadily(read: Callable[[], Result]) -> Result:
    """The result of `read`, which may be made twice; called again if the primary left meanwhile."""
    deadline = time.monotonic() + READ_SECONDS
    while True:
        try:
            return read()
        except (AutoReconnect, CursorNotFound) as error:
            if isinstance(error, ServerSelectionTimeoutError) or error.timeout or time.monotonic() > deadline:
                raise
        except OperationFailure as error:
            if _code(error) not in _LEFT or time.monotonic() > deadline:
                raise
        time.sleep(READ_AGAIN_SECONDS)


def plain_failures(part: type[Part]) -> type[Part]:
    """A class decorator: every public method raises our errors; one about a `category` first checks that it exists."""
    for name, method in inspect.getmembers(part, inspect.isfunction):
        if not name.startswith("_"):
            plain = _plain(method)
            plain.__doc__ = inspect.getdoc(method)  # the contract's, which is not found from a method that is wrapped
            setattr(part, name, plain)
    return part


def _plain(method: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.isgeneratorfunction(method):

        @functools.wraps(method)
        def stream(self: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:  # noqa: ANN401 -- any method of any part
            with explained(self.link.shown):
                yield from method(self, *args, **kwargs)

        return stream

    reads = method.__name__ in READS
    taken = list(inspect.signature(method).parameters.values())[1:2]
    about_category = any(one.name == "category" and one.annotation is str for one in taken)

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- any method of any part
        with explained(self.link.shown):
            if about_category:
                self.link.must_know(args[0])
            return steadily(lambda: method(self, *args, **kwargs)) if reads else method(self, *args, **kwargs)

    return call
