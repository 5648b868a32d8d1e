"""The contract of every store, one sentence per call; tests/contract/ runs the same tests on every store.

A store is opened by `thresher.store.open_store(place, settings)`: one object with a part for each topic. All calls are
synchronous and safe from any thread and any number of processes (docs/decisions/0002-one-synchronous-store.md).
Times are passed in UTC milliseconds by the caller, so that a test can control the clock. Arrays of rows are int64,
ascending when they are returned. Data of a call that has returned survives `kill -9`.
"""

from thresher.store.contract.asks import Asks
from thresher.store.contract.categories import PARTS, Categories, Mark, Part, Tally
from thresher.store.contract.columns import Columns
from thresher.store.contract.common import Report, Rows, chunks
from thresher.store.contract.images import Images, Renderings
from thresher.store.contract.jobs import Jobs, Servers
from thresher.store.contract.labels import Held, Labels, as_held
from thresher.store.contract.lines import Lines
from thresher.store.contract.people import People
from thresher.store.contract.rounds import Rounds
from thresher.store.contract.store import CheckReport, Recovered, Store, as_category, every_assignment
from thresher.store.contract.transfer import Transfer
from thresher.store.contract.work import UNBOUNDED, Bounds, Work

__all__ = [
    "PARTS",
    "UNBOUNDED",
    "Asks",
    "Bounds",
    "Categories",
    "CheckReport",
    "Columns",
    "Held",
    "Images",
    "Jobs",
    "Labels",
    "Lines",
    "Mark",
    "Part",
    "People",
    "Recovered",
    "Renderings",
    "Report",
    "Rounds",
    "Rows",
    "Servers",
    "Store",
    "Tally",
    "Transfer",
    "Work",
    "as_category",
    "as_held",
    "chunks",
    "every_assignment",
]
