"""Who resembles whom: each vector of a pool and its ten nearest, by the angle between standardised vectors.

The search is exact, so its time grows with the square of the pool: about two seconds for 10,000 images on two cores.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from thresher.compute.local import cores

if TYPE_CHECKING:
    from thresher.learn.vectors import Vectors

NEIGHBOURS = 10
DIRECTIONS = 128  # principal ones: what is beyond them is noise to an angle, and costs time
SAMPLE = 4096  # vectors that tell the principal directions
BLOCK = 256  # vectors compared with the whole pool at once
GROUP = 16  # similarities of which only the highest is looked at first

Matrix = NDArray[np.float32]
Graph = Any  # a scipy.sparse array; scipy ships no types


def neighbour_graph(vectors: "Vectors") -> Graph:
    """A sparse float32 matrix [N, N] whose rows are the shares that the neighbours have in an image; each sums to 1.

    Two images are joined when one is among the ten nearest of the other, in the measure of the cosine between them.
    """
    from scipy.sparse import csr_array, diags_array

    points = _directions(vectors)
    count, most = len(points), min(NEIGHBOURS, len(points) - 1)
    nearest = np.empty((count, most), np.int64)
    cosines = np.empty((count, most), np.float32)

    def find(start: int) -> None:
        block = slice(start, min(start + BLOCK, count))
        nearest[block], cosines[block] = _nearest(points, block, most)

    with _one_thread_each(), ThreadPoolExecutor(cores()) as pool:
        list(pool.map(find, range(0, count, BLOCK)))
    weights = np.maximum(cosines, 1e-6).ravel()  # an image like no other still has its neighbours' mean
    graph = csr_array((weights, (np.repeat(np.arange(count), most), nearest.ravel())), shape=(count, count))
    graph = graph.maximum(graph.T)
    return (diags_array(1 / np.asarray(graph.sum(axis=1)).ravel()) @ graph).astype(np.float32).tocsr()


def _directions(vectors: "Vectors") -> Matrix:
    """Every vector along the principal directions of the pool, at length 1."""
    from sklearn.utils.extmath import randomized_svd

    scale = vectors.scale
    sample = scale.apply(vectors.take(np.linspace(0, len(vectors) - 1, min(SAMPLE, len(vectors))).astype(np.int64)))
    wanted = min(DIRECTIONS, *sample.shape)
    _, _, turned = randomized_svd(sample, wanted, n_iter=2, random_state=0)
    back = turned.T.astype(np.float32)
    points = vectors.times(scale.factor[:, None] * back) - (scale.mean * scale.factor) @ back
    return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12), np.float32)


def _nearest(points: Matrix, block: slice, most: int) -> tuple[NDArray[np.int64], Matrix]:
    """The `most` nearest others of each point in a block, and their cosines.

    The highest of N lie within the groups of 16 that hold the highest maxima, so that only those are sorted out.
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


def _one_thread_each() -> Any:  # noqa: ANN401 -- threadpoolctl ships no types
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)
