"""Whether a turn of a loop is due: something that it reads was changed, or a time has come at which it does more.

As long as neither is so, the last turn stands and another one would find nothing new. What a turn reads, and who moves
which part of the mark, is in store/contract/categories.py; docs/decisions/0033-a-change-mark.md has the reasons.
"""

from dataclasses import dataclass, field

from thresher.errors import NotFound
from thresher.label.patience import Patience
from thresher.label.remembered import Memory
from thresher.learn.embed import columns
from thresher.loop.turn import Turn
from thresher.loop.ways import way_of
from thresher.settings import Settings
from thresher.store.contract import Mark, Store

UNREAD_MS = 300_000
"""How long after a turn the images are tried again that it could not read: their site may answer by then."""
DAMAGED_MS = 60_000
"""How long after a turn what was damaged is looked at again: a file may have been put back by hand."""

WHOLE_MS = 900_000
"""How long what is remembered is gone by: then a turn reads everything, in case a move of the mark was lost."""


@dataclass
class _Kept:
    """What is kept of one category since some time: the mark before its last turn, that turn, and when it was made."""

    since_ms: int
    memory: Memory = field(default_factory=Memory)
    patience: Patience = field(default_factory=Patience)
    mark: Mark | None = None
    came_to: Turn | None = None
    at_ms: int = 0
    again_ms: int | None = None


class Watch:
    """The loops that one process repeats: the last turn of each, and whether another is due.

    A process that starts knows nothing, so its first turn is always due: so settings that changed take effect. Every
    15 minutes it forgets all it knows, so that whatever moved no mark, by a fault, is seen then at the latest.
    """

    def __init__(self, *, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._kept: dict[str, _Kept] = {}

    def due(self, name: str, mark: Mark, at_ms: int) -> bool:
        """Whether a turn is due at a time, by the mark that the category has then; not while its last turn stands."""
        kept = self._of(name, at_ms)
        if at_ms >= kept.since_ms + WHOLE_MS:
            kept = self._kept[name] = _Kept(at_ms)
        if kept.mark is None or kept.came_to is None or mark.turn != kept.mark.turn:
            return True
        if 0 < mark.wakes_ms <= at_ms:
            return True
        if kept.again_ms is None:  # once, when a loop has come to rest
            kept.again_ms = self._again_ms(name, kept.came_to, kept)
        return 0 < kept.again_ms <= at_ms

    def made(self, name: str, mark: Mark, came_to: Turn, at_ms: int) -> Turn:
        """Keep a turn that was made at a time; returns the turn.

        The mark is that from before the turn, so that what changed during the turn makes another one due.
        """
        kept = self._of(name, at_ms)
        kept.mark, kept.came_to, kept.at_ms, kept.again_ms = mark, came_to, at_ms, None
        return came_to

    def last(self, name: str) -> Turn:
        """The last turn of a category."""
        came_to = self._kept[name].came_to
        assert came_to is not None  # noqa: S101 -- asked only where one was kept
        return came_to

    def memory(self, name: str) -> Memory:
        """What a turn that is due hands to the functions of `label`."""
        return self._kept[name].memory

    def _of(self, name: str, at_ms: int) -> _Kept:
        return self._kept.setdefault(name, _Kept(at_ms))

    def _again_ms(self, name: str, came_to: Turn, kept: _Kept) -> int:
        """The first time after the last turn at which another one does more, although nothing changed; 0 for never."""
        if came_to.state == "damaged":
            return kept.at_ms + DAMAGED_MS
        ends = kept.patience.ends_ms(name, after_ms=kept.at_ms, store=self._store, settings=self._settings)
        times = [kept.at_ms + UNREAD_MS] if self._lacks_vectors(name) else []
        return min([*times, *([] if ends is None else [ends])], default=0)

    def _lacks_vectors(self, name: str) -> bool:
        """Whether images of the pool could not be embedded, although the loop needs their vectors."""
        if way_of(self._store.categories.get(name).targets.method).given:
            return False
        pool, there = self._store.categories.pool(name), set(self._store.columns.names())
        wanted = [one for one in columns(self._settings, self._store) if one in there]
        try:
            return any(len(self._store.columns.missing(one, pool)) for one in wanted)
        except NotFound:  # deleted just now
            return True
