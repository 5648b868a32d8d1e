"""When a round of training follows, and when none does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.filled import NAME, new_image
from tests.loop.people import everybody_answers, pool, small
from tests.loop.watched import Loop
from tests.site_for_tests import RunningSite, Site

from thresher.learn.embed import embed
from thresher.learn.known import has_learnt
from thresher.loop.turn import learn
from thresher.loop.watch import UNREAD_MS
from thresher.records import Alias, Counts, Label, NewImage, Origin, Purpose, Round, Says, Source, Targets, Thresholds
from thresher.settings import Settings
from thresher.store.contract import Store

COUNT, YES_FROM = 60, 30
START_MS = 1_000_000


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with RunningSite() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return small(settings, tmp_path).but(
        first_images=16, round_images=16, votes=1, votes_most=1, cache=str(tmp_path / "cache"), fetch_private=True
    )


def answered(store: Store, settings: Settings, yes: set[int], *, method: str) -> Loop:
    """A loop whose two annotators have answered all that it asks."""
    store.categories.aim(NAME, Targets(method=method))
    loop = Loop(store, settings)

    def says(row: int) -> Says:
        return Says.YES if row in yes else Says.NO

    for number in range(20):
        loop.rest(START_MS + number)
        sent = everybody_answers(store, settings, says, START_MS + number, ("ann", "bob"))
        if not sent:
            return loop
    raise AssertionError("it asks for ever")


def reference(url: str) -> NewImage:
    return replace(new_image(7_777), data=None, aliases=(Alias("url", url),))


@pytest.mark.parametrize(("method", "state"), [("cascade", "done"), ("adjudicated", "asking")])
def test_an_image_that_cannot_be_read_causes_no_round_and_one_when_it_can_be_read(
    store: Store, settings: Settings, site: Site, method: str, state: str
) -> None:
    rows = pool(store, YES_FROM, COUNT)
    (unread,) = store.images.put([reference(site.url("/status/404"))])
    store.categories.pool_add(NAME, [unread], Origin("test", "", "CC0", 1))
    loop = answered(store, settings, set(rows[YES_FROM:]), method=method)
    assert loop.watch.last(NAME).state == state
    rounds, later_ms = len(store.rounds.all(NAME)), START_MS + UNREAD_MS + 1_000
    assert loop.rest(later_ms) == 1  # it is tried again
    assert len(store.rounds.all(NAME)) == rounds
    store.images.put([reference(site.url("/picture/7777.jpg"))])
    assert loop.rest(later_ms + UNREAD_MS)
    assert len(store.rounds.all(NAME)) == rounds + 1
    assert not len(store.columns.missing(store.rounds.all(NAME)[-1].column, store.categories.pool(NAME)))


def test_labels_that_were_corrected_cause_a_round_although_their_number_is_the_same(
    store: Store, settings: Settings
) -> None:
    rows = pool(store, YES_FROM, COUNT)
    embed(store.categories.pool(NAME), store=store, settings=settings)

    def learnt(says: dict[int, Says]) -> Round:
        """The newest round of a turn, once the owner has labelled images so."""
        labels = [Label(row, one, Source.OWNER, Purpose.LEARN, 1, 1) for row, one in says.items()]
        store.labels.hold(NAME, labels)
        category = store.categories.get(NAME)
        made = learn(category, store=store, settings=settings, seed=len(says), now_ms=START_MS, report=None)
        assert made is not None
        return made

    first = learnt({row: Says.YES if row >= rows[YES_FROM] else Says.NO for row in rows[::3]})
    assert learnt({rows[3]: Says.NO}) == learnt({rows[1]: Says.UNSURE}) == first
    corrected = learnt({rows[0]: Says.YES, rows[-3]: Says.NO})
    assert (corrected.number, corrected.labels_yes, corrected.labels_no) == (2, first.labels_yes, first.labels_no)
    assert learnt({}) == corrected


def test_of_a_round_of_an_earlier_version_the_numbers_of_yes_and_no_are_compared(
    store: Store, settings: Settings
) -> None:
    rows = pool(store, YES_FROM, COUNT)
    store.labels.hold(NAME, [Label(row, Says.YES, Source.OWNER, Purpose.LEARN, 1, 1) for row in rows[:3]])
    store.labels.hold(NAME, [Label(rows[3], Says.NO, Source.OWNER, Purpose.LEARN, 1, 1)])
    held = store.labels.held(NAME, 1)
    old = Round(1, NAME, 1, "", "", Thresholds(0.0, 1.0), Counts(0, 0, 0), 3, 1, {}, "", 1, 0.0)
    assert has_learnt(old, held)
    assert not has_learnt(replace(old, labels_yes=2, labels_no=2), held)
    assert not has_learnt(replace(old, learnt="of others"), held)
