"""A turn scores the pool by the words of its category, and trains anew when these scores change."""

from pathlib import Path

import numpy as np
import pytest
from tests.filled import NAME
from tests.learn.test_added_backbones import add_to, wanted_of
from tests.learn.towers import two_towers
from tests.loop.people import everybody_answers, pool, small

from thresher.learn.text import describe
from thresher.loop.decision import decision
from thresher.loop.turn import turn
from thresher.records import Round, Says
from thresher.settings import Settings
from thresher.store.claims import TEXT, claims_in_force
from thresher.store.contract import Store

COUNT, WHITE_FROM = 40, 25


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    settings = small(settings, tmp_path).but(first_images=16, round_images=8, votes=1, votes_most=1)
    settings = settings.but(backbone="colours", cache=str(tmp_path / "cache"))
    add_to(settings, wanted_of(two_towers(tmp_path / "towers")))
    return settings


def turned(store: Store, settings: Settings, now_ms: int) -> Round | None:
    turn(NAME, store=store, settings=settings, now_ms=now_ms, seed=1)
    return store.rounds.latest(NAME, 1)


def test_words_that_are_given_or_changed_start_a_round_and_change_no_label(store: Store, settings: Settings) -> None:
    rows = pool(store, WHITE_FROM, COUNT)
    now_ms, last = 1, turned(store, settings, 1)
    while len(store.asks.open_rows(NAME, 1)) or last is None:
        everybody_answers(store, settings, lambda row: Says.YES if row in rows[WHITE_FROM:] else Says.NO, now_ms)
        now_ms, last = now_ms + 1, turned(store, settings, now_ms + 1)
    assert last.beside == ()
    labels = store.labels.held(NAME, 1)
    for text in ("a blue sea", "something red"):
        now_ms += 1
        describe(NAME, text, store=store, settings=settings, now_ms=now_ms)
        newest = turned(store, settings, now_ms)
        (claim,) = claims_in_force(NAME, store=store)
        assert (claim.name, claim.rows, claim.at_ms) == (TEXT, COUNT, now_ms)
        assert newest is not None
        assert (newest.at_ms, newest.beside) == (now_ms, (f"{TEXT} {claim.mark}",))
        assert np.isfinite(decision(NAME, store=store).scores).all()
    assert store.labels.held(NAME, 1) == labels
    describe(NAME, "", store=store, settings=settings, now_ms=now_ms)
    without = turned(store, settings, now_ms + 1)
    assert without is not None
    assert without.beside == ()
