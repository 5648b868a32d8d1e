"""Pixels reach a graph in batches, in buffers that are used again, and never those of another batch."""

import hashlib
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from tests.filled import fill
from tests.learn.graphs import mean_graph
from tests.pictures_for_tests import picture

from thresher.learn.backbone import Backbone, How, open_backbone
from thresher.learn.batches import READ_AHEAD, batches
from thresher.pictures import model_pixels
from thresher.records import NewImage
from thresher.store.contract import Store

SIDE, BATCH = 32, 4


def opened(tmp_path: Path, threads: int) -> Backbone:
    graph = mean_graph(tmp_path / "mean.onnx", ["n", SIDE, SIDE, 3])
    return open_backbone(str(graph), cache=tmp_path, how=How(threads=threads, batch=BATCH))


@pytest.mark.parametrize("threads", [1, 2])
def test_each_batch_has_the_pixels_of_its_rows(store: Store, tmp_path: Path, threads: int) -> None:
    rows = fill(store, 23)
    no_picture = b"no picture"
    name = hashlib.sha256(no_picture).hexdigest()
    bad = store.images.put([NewImage(name, no_picture, 64, 48, "jpeg", 1, "", len(no_picture))])
    asked = np.array([*rows[:6], *bad, *rows[6:]], np.int64)
    read = []
    for some, pixels in batches(asked, store, opened(tmp_path, threads)):
        assert len(some) == len(pixels) <= BATCH
        for row, shown in zip(some, pixels, strict=True):
            assert (shown == model_pixels(store.images.read(int(row)), side=SIDE)).all()
        read += some.tolist()
    assert read == rows


def test_a_batch_is_not_overwritten_by_those_that_are_decoded_ahead_of_it(store: Store, tmp_path: Path) -> None:
    rows = np.array(fill(store, 9 * BATCH), np.int64)
    shown = [pixels for _, pixels in batches(rows, store, opened(tmp_path, 2))]
    for at in range(len(shown) - READ_AHEAD):
        for one, other in combinations(shown[at : at + READ_AHEAD + 1], 2):
            assert not np.shares_memory(one, other)
    assert np.shares_memory(shown[0], shown[READ_AHEAD + 1])  # used again


def test_a_slow_store_is_read_while_the_graph_works(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, read = np.array(fill(store, 5 * BATCH), np.int64), store.images.read
    waited: list[float] = []

    def slowly(row: int) -> bytes:
        time.sleep(0.02)
        return read(row)

    monkeypatch.setattr(store.images, "read", slowly)
    asked = time.perf_counter()
    for _ in batches(rows, store, opened(tmp_path, 1)):
        waited.append(time.perf_counter() - asked)
        time.sleep(0.2)  # the graph: as long as reading takes, twice over
        asked = time.perf_counter()
    assert min(waited[1:]) < 0.04  # of a batch of 80 ms


def test_pictures_of_which_none_can_be_read_make_no_batch(store: Store, tmp_path: Path) -> None:
    cut = picture(3)[:200]
    rows = store.images.put([NewImage(hashlib.sha256(cut).hexdigest(), cut, 64, 48, "jpeg", 1, "", len(cut))])
    assert list(batches(np.array(rows, np.int64), store, opened(tmp_path, 1))) == []
