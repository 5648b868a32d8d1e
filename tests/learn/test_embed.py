"""Pictures become vectors once, whatever is damaged, killed or asked twice."""

import hashlib
import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.filled import fill, new_image
from tests.learn.graphs import mean_graph
from tests.pictures_for_tests import picture

from thresher.compute.local import Local
from thresher.errors import BadInput, BadSetting
from thresher.learn.backbone import How, open_backbone
from thresher.learn.embed import EmbedJob, _results, column, column_when_new, columns, embed
from thresher.learn.vectors import embedded
from thresher.pictures import model_pixels
from thresher.records import NewImage, Progress
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Rows, Store


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """One process and a small graph: the mean of each channel at 32 pixels."""
    graph = mean_graph(tmp_path / "mean.onnx", ["n", 3, 32, 32])
    return settings.but(backbone=str(graph), processes=1, cache=str(tmp_path / "cache"))


def rows_of(count: int, store: Store) -> Rows:
    return np.array(fill(store, count), np.int64)


def test_every_picture_gets_the_vector_of_its_pixels(store: Store, settings: Settings) -> None:
    rows = rows_of(20, store)
    assert embed(rows, store=store, settings=settings) == 20
    vectors = embedded(settings, rows, store=store)
    backbone = open_backbone(settings.backbone, cache=Path(settings.cache))
    pixels = np.stack([model_pixels(store.images.read(int(row)), side=32) for row in rows])
    assert vectors.rows is not None
    assert vectors.rows.tolist() == rows.tolist()
    assert np.abs(vectors.take(np.arange(20)) - backbone.embed(pixels)).max() < 2e-3


def test_the_default_backbone_embeds(store: Store, settings: Settings, tmp_path: Path) -> None:
    settings = settings.but(backbone="efficientnet-lite0")
    rows = rows_of(3, store)
    assert embed(rows, store=store, settings=settings) == 3
    matrix, present = store.columns.view(column(settings, store))
    assert matrix.dtype == np.float16
    assert matrix.shape == (3, 1280)
    assert present.all()
    assert np.abs(matrix.astype(np.float32)).sum(axis=1).min() > 1


def test_nothing_is_embedded_twice_and_categories_share(store: Store, settings: Settings) -> None:
    rows = rows_of(12, store)
    assert embed(rows[:8], store=store, settings=settings) == 8
    assert embed(rows[4:], store=store, settings=settings) == 4
    assert embed(rows, store=store, settings=settings) == 0


def test_two_backbones_make_two_columns_that_are_read_side_by_side(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    other = mean_graph(tmp_path / "other.onnx", ["n", 48, 48, 3])
    joined = settings.but(backbone=f"{settings.backbone}+{other}")
    rows = rows_of(5, store)
    embed(rows, store=store, settings=settings)
    assert embed(rows, store=store, settings=joined) == 5  # only what the second one lacks
    both = embedded(joined, rows, store=store)
    assert both.width == 6
    first, second = (store.columns.view(name)[0][rows] for name in columns(joined, store))
    assert (both.take(np.arange(5)) == np.concatenate([first, second], axis=1)).all()
    with pytest.raises(ValueError, match="too many values"):
        column_when_new(joined)


def broken(data: bytes) -> NewImage:
    return NewImage(hashlib.sha256(data).hexdigest(), data, 64, 48, "jpeg", 1, "", len(data))


def test_a_picture_that_cannot_be_decoded_stays_missing_and_stops_nothing(store: Store, settings: Settings) -> None:
    rows = rows_of(10, store)
    bad = store.images.put([broken(b"no picture"), broken(picture(3)[:200])])
    everything = np.sort(np.append(rows, bad)).astype(np.int64)
    heard: list[Progress] = []
    assert embed(everything, store=store, settings=settings, report=heard.append) == 10
    assert store.columns.missing(column_when_new(settings), everything).tolist() == sorted(bad)
    assert (heard[-1].done, heard[-1].total) == (12, 12)
    assert embed(everything, store=store, settings=settings) == 0  # tried again, and again no error


def test_a_graph_that_gives_no_numbers_is_named_and_the_pictures_stay_missing(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    settings = settings.but(
        backbone=str(mean_graph(tmp_path / "nan.onnx", ["n", 3, 32, 32], mean="0,0,0", std="0,1,1"))
    )
    rows = rows_of(3, store)
    with np.errstate(all="ignore"), pytest.raises(BadInput, match=r"nan\.onnx: its vectors are not numbers"):
        embed(rows, store=store, settings=settings)
    assert len(store.columns.missing(column_when_new(settings), rows)) == 3


def test_progress_rises_to_the_total(store: Store, settings: Settings) -> None:
    heard: list[Progress] = []
    embed(rows_of(30, store), store=store, settings=settings, report=heard.append)
    assert [tick.done for tick in heard] == sorted(tick.done for tick in heard)
    assert {(tick.stage, tick.total, tick.unit) for tick in heard} == {("embed", 30, "images")}
    assert heard[-1].done == 30
    assert len(heard) >= 3


def test_it_ends_early_when_told_and_goes_on_where_it_was(store: Store, settings: Settings) -> None:
    rows = rows_of(40, store)
    heard: list[Progress] = []
    some = embed(rows, store=store, settings=settings, report=heard.append, stop=lambda: len(heard) >= 2)
    assert 0 < some < 40
    assert embed(rows, store=store, settings=settings) == 40 - some


def test_processes_share_the_work(store: Store, settings: Settings) -> None:
    rows = rows_of(40, store)
    assert embed(rows, store=store, settings=settings.but(processes=2)) == 40
    assert not len(store.columns.missing(column_when_new(settings), rows))


def test_an_unknown_compute_is_told_before_any_work(store: Store, settings: Settings) -> None:
    with pytest.raises(BadSetting, match="unknown compute 'abacus'"):
        embed(rows_of(3, store), store=store, settings=settings.but(compute="abacus"))


def embed_all(place: str, settings: Settings) -> None:
    store = open_store(place, settings)
    embed(np.arange(store.images.top()), store=store, settings=settings)


def test_an_embedding_that_is_killed_goes_on_without_a_loss(store: Store, settings: Settings) -> None:
    rows = rows_of(300, store)
    name = column_when_new(settings)
    store.columns.create(name, 3)
    process = multiprocessing.get_context("spawn").Process(target=embed_all, args=(store.place, settings))
    process.start()
    deadline = time.monotonic() + 60
    while len(store.columns.missing(name, rows)) == 300 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    left = store.columns.missing(name, rows)
    assert embed(rows, store=store, settings=settings) == len(left)
    found = embedded(settings, rows, store=store).take(np.arange(300))
    backbone = open_backbone(settings.backbone, cache=Path(settings.cache))
    pixels = np.stack([model_pixels(store.images.read(int(row)), side=32) for row in rows])
    assert np.abs(found - backbone.embed(pixels)).max() < 2e-3


@dataclass
class KilledBy(EmbedJob):
    """An embedding whose process dies on one row, as by a decoder that crashes."""

    row: int = -1

    def __call__(self, rows: Rows) -> int | None:
        if self.row in rows:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(rows)


def test_a_picture_that_kills_its_process_is_left_out_alone(store: Store, settings: Settings) -> None:
    rows = rows_of(12, store)
    name = column_when_new(settings)
    store.columns.create(name, 3)
    job = KilledBy(store.place, settings, settings.backbone, Path(settings.cache), How(threads=1), row=int(rows[5]))
    results = list(_results(job, [rows[:4], rows[4:8], rows[8:]], Local(2), Local(2), lambda: False))
    assert (sum(tried for tried, _ in results), sum(made for _, made in results)) == (12, 11)
    assert store.columns.missing(name, rows).tolist() == [rows[5]]


def test_an_unknown_backbone_is_named_before_any_work(store: Store, settings: Settings) -> None:
    with pytest.raises(BadInput, match="resnet50"):
        embed(rows_of(2, store), store=store, settings=settings.but(backbone="resnet50"))


def test_a_picture_is_embedded_upright(store: Store, settings: Settings, tmp_path: Path) -> None:
    lying = new_image(7)
    data = picture(7, orientation=6)
    store.images.put([lying, broken(data)])
    settings = settings.but(backbone=str(mean_graph(tmp_path / "corner.onnx", ["n", 32, 32, 3], keep="tokens")))
    assert embed(np.array([0, 1]), store=store, settings=settings) == 2
    pixels = np.stack([model_pixels(store.images.read(row), side=32) for row in (0, 1)])
    wanted = open_backbone(settings.backbone, cache=tmp_path).embed(pixels)
    found = embedded(settings, np.array([0, 1]), store=store).take(np.arange(2))
    assert np.abs(found - wanted).max() < 2e-3
    assert np.abs(found[0] - found[1]).max() > 0.1
