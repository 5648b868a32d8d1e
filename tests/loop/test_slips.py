"""Errors of adjudication that gold shows, from the answers to the verified release."""

from pathlib import Path

import pytest
from tests.filled import NAME
from tests.loop.people import pool
from tests.loop.promised import COUNT, YES_FROM, aim, certificate, frozen_now, rounds_of_two, run

from thresher.evidence import Gold
from thresher.loop import purse
from thresher.loop.ship import ship
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import Verdict, verify


def test_a_certificate_that_allows_for_errors_says_so_and_is_verified(
    store: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool(store, YES_FROM, COUNT)
    shown = Gold(4000, 2, 4000, 1, 1200)
    monkeypatch.setattr(purse, "gold_of", lambda *_, **__: shown)
    aim(store, "certified")
    came_to = run(store, rounds_of_two(settings, tmp_path))
    assert came_to.state == "done", came_to.says
    assert frozen_now(store).frozen.gold == shown
    assert "as measured on 4,000 and 4,000 gold images, 1,200 of them drawn at random by earlier audits" in came_to.says
    assert certificate(store).counts["yes_missed_rate"] > 2 / 4000
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    assert verify(tmp_path / "out") == Verdict(True, came_to.says, ())
