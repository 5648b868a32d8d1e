"""Tasks in the console, and the owner's link to theirs."""

from typing import Annotated, Literal

from pydantic import Field

from thresher.server.wire.base import Wire


class OwnerLink(Wire):
    """The owner's personal link, which opens the owner's tasks."""

    link: str


class Upload(Wire):
    """A list of images to ask about as a named task: SHA-256, file name or URL, one per entry."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    images: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(min_length=1, max_length=100_000)]


class Known(Wire):
    """An uploaded name whose answer is known: gold stays gold, and is shown as such in the tasks of the list."""

    image: str
    says: Literal["yes", "no"]


class Uploaded(Wire):
    """The result of an uploaded list: the tasks made, the names not in the pool, and those whose answer is known.

    At most 100 names of each are listed.
    """

    tasks: list[int]
    images: int
    unknown: int
    unknown_names: list[str]
    known: int
    known_names: list[Known]


class TaskWire(Wire):
    """A task and its progress."""

    number: int
    name: str
    images: int
    places: int
    taken: int
    done: int
    owner_only: bool
    published_ms: int
