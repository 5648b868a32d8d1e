"""Batches of pixels for a backbone: read from the store and decoded into buffers that are used again.

The bytes of the next batches are always read beside the graph, because nobody knows how far away a store is: a database
or a folder on another machine takes milliseconds a picture, which cost no processor time. Where a process has one core,
it decodes a batch and then runs the graph: two threads would only take turns. Where the graph leaves a core free (it
runs on several at once, or on a GPU), a thread decodes ahead of it: decoders, products of matrices and runtimes all let
go of the GIL.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from thresher.errors import NotFound, NotReady, StoreDamaged, Undecodable
from thresher.learn.backbone import Backbone, How
from thresher.learn.backbone.runtimes import RUNTIMES
from thresher.learn.backbone.session import Pixels
from thresher.store.contract import Rows, Store, chunks

READ_AHEAD = 2  # batches read, and decoded, while the graph works
UNREADABLE = (Undecodable, StoreDamaged, NotFound, NotReady)

Batch = tuple[Rows, Pixels]
Each = Callable[[Callable[[int], bytes | None], list[int]], Iterator[bytes | None]]
T = TypeVar("T")


def batches(rows: Rows, store: Store, backbone: Backbone) -> Iterator[Batch]:
    """The rows whose images can be read, in order, and their pixels [n, side, side, 3], `how.batch` at most at once.

    The pixels are valid until the next batch is taken. What cannot be read or decoded is left out.
    """
    size, side = backbone.how.batch, backbone.side
    ahead = READ_AHEAD if _leaves_a_core(backbone.how) else 0
    buffers = np.empty((ahead + 1, size, side, side, 3), np.uint8)
    with ExitStack() as threads:
        # a far site gives a whole batch in the time of one picture
        each: Each = threads.enter_context(ThreadPoolExecutor(size)).map if _far(rows, store) else map
        parts = ((part,) for part in chunks(rows, size))
        readers = threads.enter_context(ThreadPoolExecutor(READ_AHEAD))
        read = _ahead(partial(_read, one=partial(_bytes_of, store=store), each=each), parts, readers)
        given = ((*some, buffers[number % len(buffers)]) for number, some in enumerate(read))
        decode = partial(_decoded, backbone=backbone)
        if ahead:
            found = _ahead(decode, given, threads.enter_context(ThreadPoolExecutor(1)))
        else:
            found = (decode(*one) for one in given)
        yield from (batch for batch in found if len(batch[0]))


def _leaves_a_core(how: How) -> bool:
    """Whether a core is idle while the graph runs."""
    return how.threads != 1 or RUNTIMES[how.runtime].extra == "gpu"


def _far(rows: Rows, store: Store) -> bool:
    """Whether some of these images are kept by reference."""
    try:
        return any(image.reference for image in store.images.many(rows))
    except NotFound:
        return False


def _ahead(make: Callable[..., T], given: Iterator[tuple[Any, ...]], threads: ThreadPoolExecutor) -> Iterator[T]:
    """What `make` makes of each, begun before it is asked for; a buffer is free once the next batch is taken."""
    waiting: list[Future[T]] = [threads.submit(make, *one) for one in islice(given, READ_AHEAD)]
    while waiting:
        done = waiting.pop(0).result()
        waiting += [threads.submit(make, *one) for one in islice(given, 1)]
        yield done


def _read(rows: Rows, *, one: Callable[[int], bytes | None], each: Each) -> tuple[Rows, list[bytes | None]]:
    """The rows, and the bytes of each."""
    return rows, list(each(one, rows.tolist()))


def _bytes_of(row: int, *, store: Store) -> bytes | None:
    """The bytes of an image; None if it cannot be read."""
    try:
        return store.images.read(row)
    except UNREADABLE:
        return None


def _decoded(rows: Rows, data: list[bytes | None], buffer: Pixels, *, backbone: Backbone) -> Batch:
    """The rows that could be decoded, and their pixels: the buffer itself, unless some could not."""
    pixels = buffer[: len(rows)]
    good = np.array([_into(one, place, backbone) for one, place in zip(data, pixels, strict=True)], np.bool_)
    return rows[good], pixels if good.all() else pixels[good]


def _into(data: bytes | None, place: Pixels, backbone: Backbone) -> bool:
    """Decode an image to its place in a batch; False if it cannot be."""
    if data is None:
        return False
    try:
        backbone.pixels(data, out=place)
    except UNREADABLE:
        return False
    return True
