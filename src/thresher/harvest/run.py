"""One harvest under way: what it need not read, what it stores, and its counts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from thresher.harvest.admit import Verdict
from thresher.harvest.candidates import Candidate, Source, batches
from thresher.harvest.companions import without_companions
from thresher.harvest.counts import Harvested
from thresher.harvest.known import Known
from thresher.harvest.same_answer import note_same_answers
from thresher.harvest.similar import Compared, put_in_groups
from thresher.records import NewImage, Origin, Progress, Refusal
from thresher.store.contract import Report, Store

LOOK_UP = 500
"""Names looked up at once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A candidate that was read: its `mark` (known.py), and the rows that had its name before this harvest."""

    mark: str
    rows_before: frozenset[int]


@dataclass
class Run:
    """One harvest: its destination, and its counts."""

    category: str
    source: Source
    store: Store
    origin: Origin
    report: Report | None
    stop: Callable[[], bool] | None
    new: int = 0
    known: int = 0
    refused: int = 0
    replaced: int = 0
    same_answers: set[int] = field(default_factory=set)
    beside: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.top = self.store.images.top()
        """Rows from here on were added after the harvest began."""
        self.files = Known(self.source.name, store=self.store, began_ms=self.origin.at_ms)
        self.same = Compared(self.store)
        self._named_before: dict[str, frozenset[int]] = {}

    def unknown(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """Skip what is in the pool, and add what the workspace has from elsewhere, without reading either."""
        for batch in batches(self._counted(candidates), count=LOOK_UP, weigh=lambda one: len(one.data or b"")):
            if self.stop is not None and self.stop():
                return
            passed = self._passed(batch)
            if any(passed):
                self.tell()
            yield from (candidate for candidate, known in zip(batch, passed, strict=True) if not known)

    def _counted(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        for candidate in candidates if self.source.remote else without_companions(candidates):
            if candidate.beside:
                self.beside[candidate.beside] += 1
            else:
                yield candidate

    def _passed(self, batch: list[Candidate]) -> list[bool]:
        """The candidates that need not be read: counted and, if the pool lacks them, added to it."""
        found: list[int | None] = [None] * len(batch)
        if not self.source.again:
            # a URL names the same picture in every category, and so does a file that has not changed
            remote = self.source.remote
            found = self.store.images.find([one.name for one in batch]) if remote else self.files.rows(batch)
        there = {row: one.name for one, row in zip(batch, found, strict=True) if row is not None}
        new = self._add(there) if there else 0
        self.new += new
        self.known += sum(row is not None for row in found) - new
        if self.top and (self.source.again or not self.source.remote):
            self._note_names([one.name for one, row in zip(batch, found, strict=True) if row is None])
        return [row is not None for row in found]

    def _add(self, names: dict[int, str]) -> int:
        """Add rows to the pool; returns how many were new."""
        queries = list(names.values()) if self.source.remote else ()
        return self.store.categories.pool_add(self.category, list(names), self.origin, queries)

    def _note_names(self, names: Sequence[str]) -> None:
        """Note the images that an earlier harvest took under these names: of files, from this source.

        Another folder may have a file of the same name. Images that this run added do not count: a tar may have two
        members of the same name.
        """
        found = self.store.categories.find(self.category, names)
        rows = sorted({row for some in found for row in some if row < self.top})
        origins = zip(rows, self.store.categories.origins(self.category, rows), strict=True)
        ours = {row for row, origin in origins if self.source.remote or origin.source == self.source.name}
        for name, some in zip(names, found, strict=True):
            if before := ours.intersection(some):
                self._named_before[name] = frozenset(before)

    def asked(self, candidate: Candidate) -> Asked:
        """What must be known of a candidate when it has been read."""
        # taken out, for there may be millions; of two members of one name the first has it
        return Asked(self.files.mark(candidate), self._named_before.pop(candidate.name, frozenset()))

    def keep(self, asked: Sequence[Asked], verdicts: Sequence[Verdict]) -> None:
        """Store admitted images, then add them to the pool; after a kill in between, the next run adds them."""
        admitted = [(one, image) for one, image in zip(asked, verdicts, strict=True) if isinstance(image, NewImage)]
        refusals = [verdict for verdict in verdicts if isinstance(verdict, Refusal)]
        if admitted:
            rows = put_in_groups([image for _, image in admitted], store=self.store, same=self.same)
            stored = [(row, *one) for row, one in zip(rows, admitted, strict=True)]
            new = self._add({row: image.aliases[0].value for row, _, image in stored})
            self.new += new
            self.known += len(stored) - new
            self._note(stored)
        if refusals:
            self.store.categories.refuse(self.category, refusals)
            self.refused += len(refusals)
        self.tell()

    def _note(self, stored: Sequence[tuple[int, Asked, NewImage]]) -> None:
        """Note what was read, which names stand for another image now, and which addresses gave the same."""
        if self.source.remote:
            answers = ((row, image.aliases[0].value) for row, one, image in stored if row not in one.rows_before)
            self.same_answers |= note_same_answers(answers, store=self.store)
        else:
            self.files.remember({one.mark: image.sha256 for _, one, image in stored})
        self.replaced += sum(bool(one.rows_before) and row not in one.rows_before for row, one, _ in stored)

    def came_to(self) -> Harvested:
        """The counts so far."""
        return Harvested(
            self.new,
            self.known,
            self.refused,
            self.new + self.known + self.refused,
            self.replaced,
            len(self.same_answers),
            dict(self.beside),
        )

    def tell(self, *, ended: bool = False) -> None:
        """Report progress; a total that was estimated is known at the end."""
        if self.report is not None:
            done = self.came_to().seen
            self.report(Progress("harvest", done, done if ended else max(self.source.expected(), done), "images"))
