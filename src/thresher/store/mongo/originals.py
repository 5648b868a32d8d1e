"""The bytes of images as documents of their own, `_id` = SHA-256: an exact duplicate cannot exist."""

from collections.abc import Mapping, Sequence
from typing import Final

from thresher.errors import StoreDamaged
from thresher.records import now_ms
from thresher.store.mongo.blobs import insert_new
from thresher.store.mongo.link import Document, Link, Session, among

# a document is 16 MB at most: the rest of a larger picture lies in further ones, its name and a number their _id
PIECE_BYTES: Final = 15_000_000
# one message of MongoDB is 48 MB at most; a third of that is as fast and leaves more of the memory alone
MESSAGE_BYTES: Final = 16_000_000


class BytesLost(Exception):
    """An election lost bytes that no majority had yet; sending them again repairs it. Never leaves the store."""


class Originals:
    """Bytes by their SHA-256."""

    def __init__(self, link: Link) -> None:
        self.link = link

    def put(self, data: Mapping[bytes, bytes], session: Session | None = None) -> list[bytes]:
        """Send bytes to the primary; returns the names that existed already, left by an interrupted run."""
        there: list[bytes] = []
        for message in _messages(data):
            there += [bytes(message[at]["_id"]) for at in insert_new(self.link.fast_table("bytes"), message, session)]
        return [name for name in there if len(name) == 32]

    def vouch(self, data: Mapping[bytes, bytes], waiting: Sequence[bytes], session: Session) -> None:
        """Check that a majority has all these bytes, which were sent in this session. Raises BytesLost.

        Those that were there `waiting` get a new time, so that `check` does not reclaim them meanwhile.
        """
        if old := [name for name in waiting if name in data]:
            self.link.fast_table("bytes").update_many(among(old), {"$set": {"at_ms": now_ms()}}, session=session)
        names = [piece for name, whole in data.items() for piece in _piece_names(name, len(whole))]
        # the session is causally consistent: it waits until a majority has what was written in it, or has lost it
        found = self.link.table("bytes").find(among(names), {"_id": 1}, session=session, batch_size=len(names) + 1)
        if len(list(found)) != len(names):
            raise BytesLost

    def read(self, wanted: Mapping[bytes, int]) -> dict[bytes, bytes]:
        """The bytes of names; `wanted` has the row of each, for the error. Raises StoreDamaged."""
        found = {one["_id"]: one for one in self.link.fast_table("bytes").find(among(wanted))}
        for name, row in wanted.items():
            if name not in found:
                raise self._damaged(row)
        return {
            name: self._whole(name, one, wanted[name]) if "pieces" in one else one["data"]
            for name, one in found.items()
        }

    def pieces_of(self, names: Sequence[bytes]) -> list[bytes]:
        """The names of all pieces of images."""
        found = self.link.table("bytes").find(among(names), {"pieces": 1})
        pieces = {one["_id"]: one.get("pieces", 1) for one in found}
        # each by its own name: MongoDB orders binaries by their length first, so that a range would hold strangers
        return [one for name, count in pieces.items() for one in _piece_names(name, count * PIECE_BYTES)]

    def _whole(self, name: bytes, one: Document, row: int) -> bytes:
        names = _piece_names(name, one["pieces"] * PIECE_BYTES)[1:]
        rest = {piece["_id"]: piece["data"] for piece in self.link.fast_table("bytes").find(among(names))}
        if len(rest) != len(names):
            raise self._damaged(row)
        return b"".join([one["data"], *(rest[piece] for piece in names)])

    def _damaged(self, row: int) -> StoreDamaged:
        return StoreDamaged(f"the bytes of image {row} are missing.", where=self.link.shown, next="thresher check")


def _messages(data: Mapping[bytes, bytes]) -> list[list[Document]]:
    """Documents in lists that fit one message each; the further pieces of an image come before its first."""
    messages: list[list[Document]] = []
    size = MESSAGE_BYTES
    now = now_ms()
    for name, whole in data.items():
        for document in _pieces(name, whole, now):
            if size + len(document["data"]) > MESSAGE_BYTES:
                messages.append([])
                size = 0
            messages[-1].append(document)
            size += len(document["data"])
    return messages


def _pieces(name: bytes, whole: bytes, now: int) -> list[Document]:
    names = _piece_names(name, len(whole))
    documents: list[Document] = [
        # bytes are BSON's binary as they are; a Binary of them would copy a whole image twice
        {"_id": piece, "at_ms": now, "data": whole[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]}
        for number, piece in enumerate(names)
    ]
    if len(names) > 1:
        documents[0]["pieces"] = len(names)
    return documents[::-1]


def _piece_names(name: bytes, size: int) -> list[bytes]:
    """The names of an image's pieces; the first piece has the image's own name."""
    return [name, *(name + number.to_bytes(2, "big") for number in range(1, -(-size // PIECE_BYTES)))]
