"""A pool that a promise can be made of, its people, and what comes of it; for the tests of promises."""

from collections.abc import Callable
from pathlib import Path

from tests.filled import NAME
from tests.loop.people import small, to_the_end

from thresher.evidence import Certified
from thresher.loop.snapshot import Snapshot, in_force
from thresher.loop.turn import Turn
from thresher.records import Says, Targets
from thresher.settings import Settings
from thresher.store.contract import Store

COUNT, YES_FROM = 260, 170
PEOPLE = ("ann", "bob", "cyd", "dan", "eve")


def rounds_of_two(settings: Settings, folder: Path) -> Settings:
    """Two votes a picture, and audits of at most 80."""
    return small(settings, folder).but(votes=2, votes_most=2, audit_images=80)


def says(row: int) -> Says:
    return Says.YES if row >= YES_FROM else Says.NO


def aim(store: Store, method: str, answers: int | None = None, truth: str = "people") -> None:
    store.categories.aim(NAME, Targets(0.85, 0.8, 0.1, answers, method, truth))


def run(store: Store, settings: Settings, *, take: Callable[[int], Turn] | None = None) -> Turn:
    return to_the_end(store, settings, says, PEOPLE, take)


def frozen_now(store: Store) -> Snapshot:
    snapshot = in_force(store.categories.get(NAME), COUNT, store=store)
    assert snapshot is not None
    return snapshot


def certificate(store: Store) -> Certified:
    step = frozen_now(store).step({label.row: label for label in store.labels.held(NAME, 1)})
    assert isinstance(step, Certified)
    return step
