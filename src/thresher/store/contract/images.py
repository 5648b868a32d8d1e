"""Images and their renderings: encoded bytes, stored once and unchanged."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from thresher.records import Alias, Image, NewImage, Rendering
from thresher.store.contract.common import Rows


class Images(Protocol):
    """Encoded bytes, stored once and unchanged; each image gets a row number when it is committed."""

    grouped: bool
    """Whether similar groups are in force; if not, `similar` answers that each image stands for itself."""

    fetch_reference: Callable[[Image], bytes] | None
    """Gets the bytes of an image kept by reference; None, or what whoever opened the store has handed in."""

    def put(self, batch: Sequence[NewImage]) -> list[int]:
        """Store images and their aliases; returns their rows in order. A known SHA-256 keeps its row and bytes.

        A known image that was kept by reference, or whose bytes were lost, gets the bytes that come with it now.

        Bytes are written first, then the catalog: a crash in between leaves bytes that `check` reclaims, never a row
        without bytes. An image joins the similar group that it names (`similar`).
        """

    def alike(self, fingerprints: Sequence[str]) -> list[list[Image]]:
        """For each fingerprint the images that represent a similar group, by row, without aliases; at most 8."""

    def get(self, row: int) -> Image:
        """The image of a row, aliases included. Raises NotFound."""

    def many(self, rows: Sequence[int] | Rows) -> list[Image]:
        """The images of rows, in the given order, without aliases. Raises NotFound."""

    def find(self, names: Sequence[str]) -> list[int | None]:
        """The row of each name, which is a SHA-256 or the value of any alias; None for an unknown name.

        If several images have the name (two folders with a 1.jpg), it is the lowest row.
        """

    def aliases(self, rows: Sequence[int] | Rows) -> dict[int, tuple[Alias, ...]]:
        """All further names of each row."""

    def read(self, row: int) -> bytes:
        """The unchanged bytes of one image. Raises NotFound, StoreDamaged; NotReady if a reference can't be fetched."""

    def read_many(self, rows: Sequence[int] | Rows) -> Iterator[bytes]:
        """The bytes of rows, in the given order."""

    def page(self, after_row: int, limit: int) -> list[Image]:
        """The next images by row, without aliases."""

    def count(self) -> int:
        """How many images there are; rows run from 0, and may have gaps."""

    def top(self) -> int:
        """One more than the highest row: the length of a column."""

    def similar(self, rows: Rows) -> Rows:
        """For each row the row that represents its similar group, which was confirmed before it was stored.

        Groups that a version before schema 3 made of equal fingerprints alone are not in force.
        """


class Renderings(Protocol):
    """Images as people saw them, stored if the bytes themselves are kept by reference."""

    def get(self, row: int, size: str) -> Rendering | None:
        """An image at a size; None if nobody has seen it at that size, or if the stored file is damaged.

        A size is a word of digits and hyphens.
        """

    def keep(self, row: int, size: str, rendering: Rendering) -> None:
        """Store one, replacing an earlier one."""
