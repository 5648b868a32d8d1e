"""A release's proof beside its evidence: what was forged, refuted or left out does not hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.filled import NAME
from tests.loop.people import pool
from tests.loop.promised import COUNT, YES_FROM, aim, frozen_now, rounds_of_two, run, says

from thresher.errors import BadInput
from thresher.loop.ship import ship
from thresher.loop.snapshot import holds
from thresher.loop.ways import PROVEN
from thresher.records import Label, Purpose, Says, Source
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import verify


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path)


@pytest.fixture
def rows(store: Store) -> list[int]:
    return pool(store, YES_FROM, COUNT)


def forged(directory: Path, change: Callable[[list[dict[str, Any]]], None]) -> tuple[str, ...]:
    path = directory / "evidence.parquet"
    table = pq.read_table(path)
    pieces = table.to_pylist()
    change(pieces)
    pq.write_table(pa.Table.from_pylist(pieces, schema=table.schema), path)
    wrong = verify(directory).wrong
    pq.write_table(table, path)
    return wrong


@pytest.mark.parametrize("method", PROVEN)
def test_forged_evidence_does_not_hold(
    method: str, store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    aim(store, method)
    run(store, settings)
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    assert verify(tmp_path / "out").wrong == ()

    def all_refuted(pieces: list[dict[str, Any]]) -> None:
        for piece in pieces:
            if piece["accept_draw"] is not None and piece["now"] == "yes":
                piece["now"] = "no"

    def one_left_out(pieces: list[dict[str, Any]]) -> None:
        pieces.remove(next(p for p in pieces if p["accept_draw"] is not None or p["reject_draw"] is not None))

    def a_consensus(pieces: list[dict[str, Any]]) -> None:
        next(p for p in pieces if p["now"])["source"] = "consensus"

    for change in (all_refuted, one_left_out, a_consensus):
        assert forged(tmp_path / "out", change)
    path = tmp_path / "out" / "certificate.json"
    claimed = json.loads(path.read_text())
    for name in ("epoch", "words", "method", "truth"):
        path.write_text(json.dumps(claimed | {name: "another"}))
        assert verify(tmp_path / "out").wrong
    path.write_text(json.dumps(claimed))
    assert verify(tmp_path / "out").wrong == ()


def test_a_release_that_gives_out_what_people_refuted_does_not_hold(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    aim(store, "certified")
    run(store, settings)
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    pieces = pq.read_table(tmp_path / "out" / "evidence.parquet").to_pylist()
    refuted = next(piece["id"] for piece in pieces if piece["rank"] is not None and piece["now"] == "no")
    table = pq.read_table(tmp_path / "out" / "images.parquet")
    lines = table.to_pylist()
    swapped = next(line for line in lines if line["decision"] == "yes" and line["similar_to"] is None)
    swapped["decision"] = "no"
    next(line for line in lines if line["id"] == refuted)["decision"] = "yes"
    pq.write_table(pa.Table.from_pylist(lines, schema=table.schema), tmp_path / "out" / "images.parquet")
    assert any("labelled no or unsure" in wrong for wrong in verify(tmp_path / "out").wrong)
    evidence = tmp_path / "out" / "evidence.parquet"
    pq.write_table(pq.read_table(evidence).drop_columns(["rank"]), evidence)
    with pytest.raises(BadInput, match=r"evidence\.parquet"):
        verify(tmp_path / "out")


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
