"""A whole workspace in one MongoDB database: the parts on one connection."""

from collections.abc import Callable, Collection
from functools import partial

from thresher.records import NewImage
from thresher.settings import Settings, cache_directory
from thresher.store.contract import PARTS, Part, Recovered, Report
from thresher.store.findings import Findings
from thresher.store.kinds import KINDS
from thresher.store.mongo import schema
from thresher.store.mongo.asks import MongoAsks
from thresher.store.mongo.categories import MongoCategories
from thresher.store.mongo.check import check
from thresher.store.mongo.columns import MongoColumns
from thresher.store.mongo.failures import explained
from thresher.store.mongo.images import MongoImages
from thresher.store.mongo.labels import MongoLabels
from thresher.store.mongo.lines import MongoLines
from thresher.store.mongo.link import Link
from thresher.store.mongo.numbers import WORKSPACE, move
from thresher.store.mongo.recover import recover
from thresher.store.mongo.renderings import MongoRenderings
from thresher.store.mongo.sessions import SessionNotes
from thresher.store.mongo.transfer import MongoTransfer
from thresher.store.mongo.work import MongoWork
from thresher.store.opened import OpenedStore
from thresher.store.shapes import Kinds


class MongoStore(OpenedStore):
    """A workspace in a MongoDB database."""

    def __init__(
        self, place: str, settings: Settings, *, create: bool = False, recover: bool = False, kinds: Kinds = KINDS
    ) -> None:
        self.settings = settings
        self.kinds = kinds
        self.link = Link(place)
        try:
            self.link.greet()
            with explained(self.link.shown):
                self._workspace = schema.open_workspace(self.link, kinds, create=create, recover=recover)
                here = cache_directory(settings)
                self.link.attend(SessionNotes(here / "sessions" / self._workspace["identity"]))
        except BaseException:
            self.link.close()
            raise
        self.cache = here / "columns" / self._workspace["identity"]
        super().__init__(MongoLines(self.link))
        self.images = MongoImages(self.link)
        self.renderings = MongoRenderings(self.link)
        self.categories = MongoCategories(self.link)
        self.labels = MongoLabels(self.link)
        self.asks = MongoAsks(self.link)
        self.work = MongoWork(self.link)
        self.parts = MongoColumns(self.link, self.cache, self.images.top)
        self.columns = self.parts
        self.transfer = MongoTransfer(self.link, self._workspace, kinds)

    @property
    def place(self) -> str:
        return self.link.place

    def secret(self) -> bytes:
        return bytes(self._workspace["secret"])

    def _compare(self, findings: Findings) -> None:
        with explained(self.link.shown):
            check(self.parts, self.images.count(), self.kinds, findings)

    def recover(self, admit: Callable[[bytes], NewImage | None], *, report: Report | None = None) -> Recovered:
        with explained(self.link.shown):
            done = recover(self.link, self.images, self.kinds, admit, report)
            self._move(PARTS)
            return done

    def _move(self, parts: Collection[Part]) -> None:
        move(self.link, WORKSPACE, parts)

    def close(self) -> None:
        self.link.close()

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the place only; the other process opens the workspace itself."""
        return (partial(MongoStore, kinds=self.kinds), (self.place, self.settings))
