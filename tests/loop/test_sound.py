"""A certificate is computed from nothing that has changed since it was frozen or answered."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.filled import NAME
from tests.loop.people import pool, small, to_the_end

from thresher.errors import StoreDamaged
from thresher.loop import autopilot
from thresher.loop.decision import decision
from thresher.loop.ship import ship
from thresher.loop.snapshot import latest
from thresher.loop.turn import Turn
from thresher.records import Says, Targets
from thresher.settings import Settings
from thresher.store.check_seals import lines_of
from thresher.store.contract import Store
from thresher.store.directory.store import DirectoryStore
from thresher.store.frozen import ranking_column
from thresher.store.kinds import EVIDENCE, VOTE
from thresher.store.rounds import COPY, FROZEN
from thresher.verify import verify

COUNT, YES_FROM = 240, 160
PEOPLE = ("ann", "bob", "cyd", "dan")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return small(settings, tmp_path).but(votes=1, votes_most=1)


def says(row: int) -> Says:
    return Says.YES if row >= YES_FROM else Says.NO


@pytest.fixture
def certified(store: Store, settings: Settings) -> Store:
    """A category with a certificate."""
    pool(store, YES_FROM, COUNT)
    store.categories.aim(NAME, Targets(precision=0.9, recall=0.8, delta=0.1, method="certified"))
    assert to_the_end(store, settings, says, PEOPLE).state == "done"
    return store


def values(store: Store, name: str) -> Path:
    assert isinstance(store, DirectoryStore)
    return store.directory / "columns" / name.replace("/", "@") / "values"


def exchange_ranks(store: Store, sealed: bool = False) -> None:
    """Two ranks change places; `sealed`, with their checksums, as a program would write them."""
    name = ranking_column(NAME, 1)
    matrix, _ = store.columns.view(name)
    swapped = np.array(matrix[:2])[::-1].copy()
    if sealed:
        store.columns.write(name, np.arange(2), swapped)
        return
    path = values(store, name)
    content = path.read_bytes()
    path.write_bytes(swapped.tobytes() + content[16:])


def of_the_certificate(store: Store) -> tuple[object, ...]:
    category = store.categories.get(NAME)
    snapshot = latest(category, store=store)
    assert snapshot is not None
    return snapshot.ranking.tolist(), decision(NAME, store=store).basis.certified


def turn_a_vote(store: Store) -> None:
    line = next(one for one in votes(store) if one["epoch"])
    turned = {"says": "no" if line["says"] == "yes" else "yes"}
    store.transfer.amend(VOTE, NAME, [line[name] for name in VOTE.key_names], turned)


def votes(store: Store) -> list[dict[str, object]]:
    return list(lines_of(store.transfer, VOTE, NAME))


def delete_votes(store: Store) -> None:
    gone = [tuple(line[name] for name in VOTE.key_names) for line in votes(store) if line["epoch"]]
    store.transfer.forget(VOTE, NAME, gone[:40])


DAMAGES: dict[str, Callable[[Store], None]] = {
    "exchanged ranks": exchange_ranks,
    "exchanged ranks with their checksums": lambda store: exchange_ranks(store, sealed=True),
    "a turned vote": turn_a_vote,
    "deleted votes": delete_votes,
}


def test_a_changed_checksum_of_a_ranking_is_made_anew_and_the_ranking_stays(certified: Store) -> None:
    path = values(certified, ranking_column(NAME, 1)).with_name("sums")
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    before = of_the_certificate(certified)
    assert "its checksums have changed" in certified.check(mend=True).found[0]
    assert certified.check(mend=False).found == ()
    assert of_the_certificate(certified) == before


@pytest.mark.parametrize("name", DAMAGES)
def test_no_loop_and_no_release_goes_by_what_has_changed_and_a_repair_brings_the_certificate_back(
    name: str, certified: Store, settings: Settings, tmp_path: Path
) -> None:
    before = of_the_certificate(certified)
    assert certified.check(mend=False, every_byte=True).found == ()
    DAMAGES[name](certified)
    for work in (
        lambda: autopilot.run(NAME, store=certified, settings=settings),
        lambda: ship(NAME, tmp_path / "early", store=certified, now_ms=9),
    ):
        with pytest.raises(StoreDamaged) as told:
            work()
        assert told.value.next == "thresher check --mend"
    assert not (tmp_path / "early").exists()
    assert certified.check(mend=True, every_byte=True).sound
    assert of_the_certificate(certified) == before
    ship(NAME, tmp_path / "out", store=certified, now_ms=9)
    assert verify(tmp_path / "out").holds


def test_scores_that_changed_are_in_no_release(certified: Store, tmp_path: Path) -> None:
    newest = certified.rounds.latest(NAME, 1)
    assert newest is not None
    path = values(certified, newest.column)
    content = bytearray(path.read_bytes())
    content[40:44] = np.float32(99).tobytes()
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match="scores of 1 images") as told:
        ship(NAME, tmp_path / "out", store=certified, now_ms=9)
    assert told.value.next == "thresher check --mend"


@pytest.mark.parametrize("name", ["frozen state", "ranking without a copy"])
def test_what_was_frozen_and_cannot_be_made_anew_is_given_up_and_frozen_again(
    name: str, certified: Store, settings: Settings
) -> None:
    if name == "frozen state":
        names = [line["name"] for line in lines_of(certified.transfer, EVIDENCE, NAME)]
        change_evidence(certified, names.index(FROZEN))
    else:
        certified.lines.drop(EVIDENCE, [1, COPY], NAME)  # as an earlier version left it
        exchange_ranks(certified)
    report = certified.check(mend=True)
    assert any("the next run freezes anew" in line or "freezes the pool anew" in line for line in report.found)
    assert certified.check(mend=False).found == ()
    labels = len(certified.labels.held(NAME, 1))
    assert to_the_end(certified, settings, says, PEOPLE).state == "done"
    assert max(certified.rounds.epochs(NAME)) == 2
    assert len(certified.labels.held(NAME, 1)) >= labels


def change_evidence(store: Store, number: int) -> None:
    line = list(lines_of(store.transfer, EVIDENCE, NAME))[number]
    store.lines.change(EVIDENCE, [line["epoch"], line["name"]], {"data": b"{}"}, NAME)


def test_a_loop_of_all_categories_tells_the_damaged_one_and_goes_on_with_others(
    certified: Store, settings: Settings
) -> None:
    turn_a_vote(certified)
    heard: dict[str, Turn] = {}

    def hear(name: str, came_to: Turn) -> None:
        heard[name] = came_to

    autopilot.keep(store=certified, settings=settings, heard=hear, stop=lambda: bool(heard))
    assert heard[NAME].state == "damaged"
    assert "thresher check --mend" in heard[NAME].says
