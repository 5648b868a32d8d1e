"""How a failure of MongoDB reads to a person: what, where, and the next command."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from thresher.errors import BadInput, BadSetting, StoreFull, StoreUnavailable, ThresherError

AGAIN = "see that mongod runs and is reached there, then run the same command again; nothing stored is lost"
NEWER = "install MongoDB 6.0 or newer there, or give another address"

_DENIED = {13, 18}  # Unauthorized, AuthenticationFailed
_FULL = {14031}  # OutOfDiskSpace
_NO_TRANSACTIONS = {20, 263}  # IllegalOperation, OperationNotSupportedInTransaction

Part = TypeVar("Part")


def explain(error: PyMongoError, where: str) -> ThresherError:
    """Our error for one of the driver's."""
    code = _code(error)
    text = str(error).partition(", full error:")[0]
    if isinstance(error, InvalidURI):
        return BadSetting(f"not a MongoDB address: {text}.", where=where, next="give mongodb://host/database")
    if code in _FULL or "No space left on device" in text:
        return StoreFull(
            "the disk of MongoDB is full.", where=where, next="free space there, then run the same command"
        )
    if code in _DENIED:
        return StoreUnavailable(
            f"MongoDB lets this user do nothing here: {text}.",
            where=where,
            next="give user and password in the address",
        )
    if isinstance(error, ConfigurationError):
        old = "wire version" in text
        return (StoreUnavailable if old else BadSetting)(
            f"{text}.", where=where, next=NEWER if old else "edit the address"
        )
    if isinstance(error, DocumentTooLarge):
        return BadInput(
            "MongoDB takes no document above 16 MB.", where=where, next="store this workspace in a directory"
        )
    if isinstance(error, ServerSelectionTimeoutError):
        return StoreUnavailable("no MongoDB primary answers.", where=where, next=AGAIN)
    if isinstance(error, WTimeoutError):
        return StoreUnavailable("too few members of the replica set answer.", where=where, next=AGAIN)
    if error.timeout:
        return StoreUnavailable("MongoDB is too slow: an answer took longer than allowed.", where=where, next=AGAIN)
    if isinstance(error, ConnectionFailure | AutoReconnect):
        return StoreUnavailable("the connection to MongoDB broke.", where=where, next=AGAIN)
    return StoreUnavailable(f"MongoDB refused: {text}.", where=where, next=AGAIN)


def _code(error: PyMongoError) -> int:
    if isinstance(error, BulkWriteError):
        codes = [int(one.get("code", 0)) for one in (error.details or {}).get("writeErrors", [])]
        return next((code for code in codes if code in _FULL | _DENIED), codes[0] if codes else 0)
    return int(error.code or 0) if isinstance(error, OperationFailure) else 0


@contextmanager
def explained(where: str) -> Iterator[None]:
    """What the driver raises inside, raised as ours."""
    try:
        yield
    except PyMongoError as error:
        raise explain(error, where) from error


def plain_failures(part: type[Part]) -> type[Part]:
    """A class decorator: every public method raises our errors; the object says `where` it is."""
    for name, method in list(vars(part).items()):
        if inspect.isfunction(method) and not name.startswith("_"):
            setattr(part, name, _plain(method))
    return part


def _plain(method: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.isgeneratorfunction(method):

        @functools.wraps(method)
        def stream(self: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:  # noqa: ANN401 -- any method of any part
            with explained(self.link.shown):
                yield from method(self, *args, **kwargs)

        return stream

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- any method of any part
        with explained(self.link.shown):
            return method(self, *args, **kwargs)

    return call
