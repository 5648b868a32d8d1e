"""A pool's pictures over HTTP: page by page, with their decisions, and small."""

import io

import pytest
from PIL import Image
from tests.server.conftest import Clock
from tests.server.people import Pool, add_round
from tests.serving import Served

from thresher.client import WorkerClient
from thresher.records import Decision, Label, Purpose, Says, Source
from thresher.server.wire import Picture
from thresher.store.contract import Store
from thresher.workforce.links import Links


def all_pictures(server: Served, decision: Decision | None, limit: int) -> list[Picture]:
    """Every page, one after the other."""
    found: list[Picture] = []
    after: int | None = None
    for _ in range(1000):
        page = server.console.pictures("car", decision=decision, after=after, limit=limit)
        assert len(page.pictures) <= limit
        found += page.pictures
        after = page.after
        if after is None:
            return found
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("limit", [1, 3, 8, 50])
def test_pages_of_a_decision_hold_each_of_its_pictures_once(
    server: Served, store: Store, pool: Pool, limit: int
) -> None:
    add_round(store, pool)
    whole = all_pictures(server, None, limit)
    assert [picture.row for picture in whole] == pool.rows
    split = {decision: [picture.row for picture in all_pictures(server, decision, limit)] for decision in Decision}
    assert {decision: len(rows) for decision, rows in split.items()} == {"yes": 8, "no": 8, "unknown": 16}
    assert sorted(row for rows in split.values() for row in rows) == pool.rows
    for picture in whole:
        assert picture.decision is not None
        assert picture.row in split[picture.decision]
        assert picture.score == pool.rows.index(picture.row)


def test_a_label_wins_over_a_score_in_the_pages_too(server: Served, store: Store, pool: Pool) -> None:
    add_round(store, pool)
    store.labels.hold("car", [Label(pool.rows[0], Says.YES, Source.OWNER, Purpose.LEARN, 1, 1)])
    first = server.console.pictures("car", limit=1).pictures[0]
    assert (first.decision, first.label, first.source) == (Decision.YES, Says.YES, "owner")
    assert first.row in [picture.row for picture in all_pictures(server, Decision.YES, 50)]


def test_before_a_round_everything_without_a_label_is_unknown(server: Served) -> None:
    page = server.console.pictures("car", limit=5)
    assert {picture.score for picture in page.pictures} == {None}
    assert len(all_pictures(server, Decision.UNKNOWN, 7)) == 32


def test_a_picture_is_named_by_its_file_and_shown_small(server: Served, pool: Pool, store: Store) -> None:
    picture = server.console.pictures("car", limit=1).pictures[0]
    assert (picture.file, picture.width, picture.height) == ("car/0000.jpg", 64, 48)
    assert picture.sha256 == store.images.get(pool.rows[0]).sha256
    answer = server.http.get(picture.thumbnail)  # no token: the address is the permission
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert shown.size == (64, 48)
    assert server.console.pictures("car", limit=1).pictures[0].thumbnail == picture.thumbnail


def test_a_thumbnails_address_ends_and_cannot_be_made_up(
    server: Served, worker: WorkerClient, clock: Clock, store: Store
) -> None:
    address = server.console.pictures("car", limit=1).pictures[0].thumbnail
    work = worker.deal("car")
    assert work is not None
    workers_key = work.pictures[0].rpartition("/")[2]
    for wrong in (workers_key, "0.9999999999999", "x", "..%2f..%2fcatalog.sqlite", "%2e%2e"):
        assert server.http.get(f"/api/console/thumbnails/{wrong}").status_code in (401, 404)
    beyond = Links(store.secret()).thumbnail(10**6, 2**50)
    assert server.http.get(f"/api/console/thumbnails/{beyond}").status_code == 404
    clock.pass_minutes(60 * 24 * 2)
    assert server.http.get(address).status_code == 410


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "after=-1", "after=1e30", "decision=maybe"])
def test_a_page_that_cannot_be_is_refused(server: Served, query: str) -> None:
    answer = server.http.get(
        f"/api/console/categories/car/pictures?{query}",
        headers={"Authorization": f"Bearer {server.token}"},
    )
    assert answer.status_code == 422
    assert answer.json()["where"] == f"query: {query.partition('=')[0]}"


def test_a_page_beyond_the_last_is_empty(server: Served) -> None:
    assert server.console.pictures("car", after=2**53 - 1).pictures == []
    assert server.console.tasks("car", after=2**53 - 1) == []
    assert server.console.refusals("car", after=2**53 - 1).refusals == []
