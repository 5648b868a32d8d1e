"""The graph of nearest neighbours: each vector of a pool and its ten nearest, by the angle of standardised vectors.

The search is exact, so its time grows with the square of the pool: about two seconds for 10,000 images on two cores.
The result is cached in a file, because the next round needs the same graph of the same pool.
"""

import hashlib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.compute import cores
from thresher.learn.kept import whole_file
from thresher.learn.threads import one_thread, one_thread_for_few
from thresher.learn.vectors import Vectors

NEIGHBOURS = 10
DIRECTIONS = 128  # principal ones: what is beyond them is noise to an angle, and costs time
SAMPLE = 4096  # vectors that tell the principal directions
BLOCK = 256  # vectors compared with the whole pool at once
GROUP = 16  # similarities of which only the highest is looked at first

Matrix = NDArray[np.float32]
Graph = Any  # a scipy.sparse array; scipy ships no types


def neighbour_graph(vectors: Vectors) -> Graph:
    """A sparse float32 matrix [N, N]: row i has the weights of image i's neighbours, which sum to 1.

    Two images are joined when one is among the ten nearest of the other, by cosine similarity. The vectors'
    `graph_file` is a cache; it is used if it belongs to these vectors and replaced if it does not.
    """
    from scipy.sparse import csr_array, diags_array

    nearest, cosines = _kept(vectors.graph_file, vectors) if vectors.graph_file else _search(vectors)
    count, most = nearest.shape
    weights = np.maximum(cosines, 1e-6).ravel()  # an image like no other still has its neighbours' mean
    graph = csr_array((weights, (np.repeat(np.arange(count), most), nearest.ravel())), shape=(count, count))
    graph = graph.maximum(graph.T)
    return (diags_array(1 / np.asarray(graph.sum(axis=1)).ravel()) @ graph).astype(np.float32).tocsr()


def _kept(path: Path, vectors: Vectors) -> tuple[NDArray[np.int64], Matrix]:
    """The nearest neighbours from the cache file, or computed now and stored there."""
    mark = _mark_of(vectors)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            if str(found["mark"]) == mark:
                return found["nearest"], found["cosines"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # not there yet, or damaged: it is only a cache
    nearest, cosines = _search(vectors)
    with whole_file(path) as kept:
        np.savez(kept, mark=np.array(mark), nearest=nearest, cosines=cosines)
    return nearest, cosines


def _mark_of(vectors: Vectors) -> str:
    """A hash of the rows the vectors belong to, and of some of the vectors."""
    some = vectors.take(np.unique(np.linspace(0, len(vectors) - 1, min(64, len(vectors))).astype(np.int64)))
    rows = np.arange(len(vectors)) if vectors.rows is None else vectors.rows
    return hashlib.sha256(rows.astype(np.int64).tobytes() + some.tobytes()).hexdigest()


def _search(vectors: Vectors) -> tuple[NDArray[np.int64], Matrix]:
    """The nearest others [N, 10] of every vector, and their cosine similarities."""
    with one_thread_for_few(len(vectors)):
        points = _directions(vectors)
    count, most = len(points), min(NEIGHBOURS, len(points) - 1)
    nearest = np.empty((count, most), np.int64)
    cosines = np.empty((count, most), np.float32)

    def find(start: int) -> None:
        block = slice(start, min(start + BLOCK, count))
        nearest[block], cosines[block] = _nearest(points, block, most)

    with one_thread(), ThreadPoolExecutor(cores()) as pool:
        list(pool.map(find, range(0, count, BLOCK)))
    return nearest, cosines


def _directions(vectors: Vectors) -> Matrix:
    """Every vector projected on the principal components of the pool, at length 1."""
    from sklearn.utils.extmath import randomized_svd

    scale = vectors.scale
    sample = scale.apply(vectors.take(np.linspace(0, len(vectors) - 1, min(SAMPLE, len(vectors))).astype(np.int64)))
    wanted = min(DIRECTIONS, *sample.shape)
    _, _, turned = randomized_svd(sample, wanted, n_iter=2, random_state=0)
    back = turned.T.astype(np.float32)
    points = vectors.times(scale.factor[:, None] * back) - (scale.mean * scale.factor) @ back
    return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12), np.float32)


def _nearest(points: Matrix, block: slice, most: int) -> tuple[NDArray[np.int64], Matrix]:
    """The `most` nearest others of each vector in a block, and their cosine similarities.

    The highest of N are in the groups of 16 with the highest maxima, so only those groups are sorted.
    """
    count = len(points)
    size = block.stop - block.start
    groups = -(-count // GROUP)
    alike = np.full((size, groups * GROUP), -2, np.float32)
    alike[:, :count] = points[block] @ points.T
    alike[np.arange(size), np.arange(block.start, block.stop)] = -2  # itself
    grouped = alike.reshape(size, groups, GROUP)
    best = grouped.max(axis=2)
    chosen = np.argpartition(best, max(groups - most, 0), axis=1)[:, -most:]
    members = (chosen[:, :, None] * GROUP + np.arange(GROUP)).reshape(size, -1)
    found = np.take_along_axis(alike, members, axis=1)
    order = np.argpartition(found, found.shape[1] - most, axis=1)[:, -most:]
    return np.take_along_axis(members, order, axis=1), np.take_along_axis(found, order, axis=1)
