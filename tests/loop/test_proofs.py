"""A release's proof beside its evidence: what was forged, refuted or left out does not hold."""

from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.filled import NAME
from tests.loop.people import pool
from tests.loop.promised import COUNT, YES_FROM, aim, frozen_now, rounds_of_two, run, says
from tests.verify.tampering import Release, Row

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


@pytest.mark.parametrize("method", PROVEN)
def test_forged_evidence_does_not_hold(
    method: str, store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    aim(store, method)
    run(store, settings)
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    assert verify(tmp_path / "out").wrong == ()

    def all_refuted(pieces: list[Row]) -> None:
        for piece in pieces:
            if piece["accept_draw"] is not None and piece["now"] == "yes":
                piece["now"] = "no"

    def one_left_out(pieces: list[Row]) -> None:
        pieces.remove(next(p for p in pieces if p["accept_draw"] is not None or p["reject_draw"] is not None))

    def a_consensus(pieces: list[Row]) -> None:
        next(p for p in pieces if p["now"])["source"] = "consensus"

    forged = Release(tmp_path / "out", method, b"")
    evidence, certificate = (forged.path(name).read_bytes() for name in ("evidence.parquet", "certificate.json"))
    for change in (all_refuted, one_left_out, a_consensus):
        forged.table("evidence.parquet", change)
        forged.seal()
        assert verify(tmp_path / "out").wrong
        forged.path("evidence.parquet").write_bytes(evidence)
    for name in ("epoch", "words", "method", "truth"):
        forged.json("certificate.json", partial(dict.update, **{name: "another"}))
        forged.seal()
        assert verify(tmp_path / "out").wrong
        forged.path("certificate.json").write_bytes(certificate)
    forged.seal()
    assert verify(tmp_path / "out").wrong == ()


def test_a_release_that_gives_out_what_people_refuted_does_not_hold(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    aim(store, "certified")
    run(store, settings)
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    forged = Release(tmp_path / "out", "certified", b"")
    pieces = forged.rows("evidence.parquet")
    refuted = next(piece["id"] for piece in pieces if piece["rank"] is not None and piece["now"] == "no")

    def swap(lines: list[Row]) -> None:
        next(line for line in lines if line["decision"] == "yes" and line["similar_to"] is None)["decision"] = "no"
        next(line for line in lines if line["id"] == refuted)["decision"] = "yes"

    forged.table("images.parquet", swap)
    forged.seal()
    assert verify(tmp_path / "out").wrong
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
