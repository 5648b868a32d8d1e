"""Batches of pixels for a backbone: read from the store and decoded into buffers that are used again.

Where a process has one core, it decodes a batch and then runs the graph: two threads would only take turns. Where the
graph leaves a core free (it runs on several at once, or on a GPU) or the bytes come from afar, a thread reads and
decodes ahead of it: decoders, products of matrices and runtimes all let go of the GIL.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice

import numpy as np

from thresher.errors import NotFound, NotReady, StoreDamaged, Undecodable
from thresher.learn.backbone import Backbone, How
from thresher.learn.backbone.runtimes import RUNTIMES
from thresher.learn.backbone.session import Pixels
from thresher.store.contract import Rows, Store, chunks

READ_AHEAD = 2  # batches decoded while the graph works
UNREADABLE = (Undecodable, StoreDamaged, NotFound, NotReady)

Batch = tuple[Rows, Pixels]
Each = Callable[[Callable[[int, Pixels], bool], Rows, Pixels], Iterator[bool]]


def batches(rows: Rows, store: Store, backbone: Backbone) -> Iterator[Batch]:
    """The rows whose images can be read, in order, and their pixels [n, side, side, 3], `how.batch` at most at once.

    The pixels are valid until the next batch is taken. What cannot be read or decoded is left out.
    """
    size, side = backbone.how.batch, backbone.side
    parts = list(chunks(rows, size))
    far = _far(rows, store)
    ahead = READ_AHEAD if far or _leaves_a_core(backbone.how) else 0
    buffers = np.empty((ahead + 1, size, side, side, 3), np.uint8)
    with ExitStack() as threads:
        each: Each = map
        if far:  # a far site gives a whole batch in the time of one picture
            each = threads.enter_context(ThreadPoolExecutor(size)).map
        decode = partial(_decoded, one=partial(_into, store=store, backbone=backbone), each=each)
        given = ((part, buffers[number % len(buffers)]) for number, part in enumerate(parts))
        if ahead:
            found = _ahead(decode, given, threads.enter_context(ThreadPoolExecutor(1)))
        else:
            found = (decode(part, buffer) for part, buffer in given)
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


def _ahead(
    decode: Callable[[Rows, Pixels], Batch], given: Iterator[Batch], thread: ThreadPoolExecutor
) -> Iterator[Batch]:
    """What `decode` makes of each, begun before it is asked for; a buffer is free once the next batch is taken."""
    waiting: list[Future[Batch]] = [thread.submit(decode, *one) for one in islice(given, READ_AHEAD)]
    while waiting:
        done = waiting.pop(0).result()
        waiting += [thread.submit(decode, *one) for one in islice(given, 1)]
        yield done


def _decoded(rows: Rows, buffer: Pixels, *, one: Callable[[int, Pixels], bool], each: Each) -> Batch:
    """The rows that could be decoded, and their pixels: the buffer itself, unless some could not."""
    good = np.fromiter(each(one, rows, buffer[: len(rows)]), np.bool_, len(rows))
    pixels = buffer[: len(rows)]
    return rows[good], pixels if good.all() else pixels[good]


def _into(row: int, place: Pixels, *, store: Store, backbone: Backbone) -> bool:
    """Decode an image to its place in a batch; False if it cannot be."""
    try:
        backbone.pixels(store.images.read(int(row)), out=place)
    except UNREADABLE:
        return False
    return True
