"""Which files were read before, and are unchanged since.

A file may be replaced under its name by one of the same size, even with the times of the old one. So a file is known
only if its source, its name and its `stamp` are those of one that was read: the stamp has its size, the time of its
last change, the time at which its inode changed, which nobody can set, and the number of the inode. All else is read.
"""

from collections.abc import Sequence
from hashlib import blake2b

from thresher.harvest.candidates import Candidate
from thresher.store.contract import Store
from thresher.store.kinds import SEEN_FILE

SETTLED_MS = 2_000
"""A file that changed less than this before a harvest is read by the next one too: a further change may come within one
tick of the clock of its file system (FAT has the longest, 2 seconds), and leave the stamp as it was."""


class Known:
    """The files of one source that harvests have read; `began_ms` is when this harvest began."""

    def __init__(self, source: str, *, store: Store, began_ms: int) -> None:
        self.source = source
        self.store = store
        self.began_ms = began_ms

    def rows(self, batch: Sequence[Candidate]) -> list[int | None]:
        """The row of each file that need not be read; None for the others, and where the bytes of the row are lost."""
        there = [place for place, candidate in enumerate(batch) if candidate.stamp]
        lines = self.store.lines.many(SEEN_FILE, [[self._mark(batch[place])] for place in there])
        hashes = {place: line["sha256"] for place, line in zip(there, lines, strict=True) if line}
        rows = dict(zip(hashes, self.store.images.find(list(hashes.values())), strict=True))
        return [rows.get(place) for place in range(len(batch))]

    def mark(self, candidate: Candidate) -> str:
        """What to remember of a file once it was read; "" if nothing would tell that it changed."""
        settled = candidate.stamp and candidate.changed_ms <= self.began_ms - SETTLED_MS
        return self._mark(candidate) if settled else ""

    def remember(self, hashes: dict[str, str]) -> None:
        """Record the SHA-256 of what was read, by mark, when its image is in the pool."""
        lines = [{"mark": mark, "sha256": sha256} for mark, sha256 in hashes.items() if mark]
        if lines:
            self.store.lines.add(SEEN_FILE, lines)

    def _mark(self, candidate: Candidate) -> str:
        told = "\0".join((self.source, candidate.name, candidate.stamp))
        return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
