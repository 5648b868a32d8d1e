"""Labels that come after the freeze join a release and its proof alike; tests/verify damages releases."""

from pathlib import Path

import pytest
from tests.filled import NAME
from tests.loop.people import pool
from tests.loop.promised import COUNT, YES_FROM, aim, frozen_now, rounds_of_two, run, says

from thresher.loop.ship import ship
from thresher.loop.snapshot import holds
from thresher.loop.ways import PROVEN
from thresher.records import Label, Progress, Purpose, Says, Source
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import verify


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path)


@pytest.fixture
def rows(store: Store) -> list[int]:
    return pool(store, YES_FROM, COUNT)


@pytest.mark.parametrize("method", PROVEN)
def test_answers_to_learn_that_come_after_the_freeze_join_the_release_and_its_proof(
    method: str, store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    """A task dealt before the freeze may come back when all is certified: a yes joins, a no leaves."""
    aim(store, method)
    came_to = run(store, settings)
    snapshot = frozen_now(store)
    known = {label.row for label in store.labels.held(NAME, 1) if holds(label, "people")}
    late = [row for row in snapshot.ranking.tolist() if row not in known]
    late = [*late[:3], *[row for row in late if says(row) is Says.YES][-3:], *late[-3:]]
    store.labels.hold(NAME, [Label(row, says(row), Source.OWNER, Purpose.LEARN, 1, 9) for row in dict.fromkeys(late)])
    made = ship(NAME, tmp_path / "out", store=store, now_ms=9)
    verdict = verify(tmp_path / "out")
    assert verdict.holds, verdict.wrong
    assert str(made.certificate["words"]) == verdict.claim
    assert came_to.state == "done"


def test_a_label_that_comes_while_the_files_are_written_waits_for_the_next_release(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    """Servers go on while a release is written: its files must speak of one moment."""
    aim(store, "certified")
    run(store, settings)
    known = {label.row for label in store.labels.held(NAME, 1) if holds(label, "people")}
    free = [row for row in frozen_now(store).ranking.tolist() if row not in known]

    def meanwhile(_: Progress) -> None:
        late = [Label(row, Says.NO, Source.OWNER, Purpose.LEARN, 1, 9) for row in (free[0], free[-1])]
        store.labels.hold(NAME, late)

    ship(NAME, tmp_path / "out", store=store, now_ms=9, report=meanwhile)
    verdict = verify(tmp_path / "out")
    assert verdict.holds, verdict.wrong
