"""Embeds a tar of pictures with the build of thresher that is importable, once for each line that it is sent.

    PYTHONPATH=CHECKOUT/src python bench/embedding/build.py PLACE TAR ARITHMETIC

Each answer is a line of JSON: images, seconds, and processor seconds with those of the processes that were started.
When its input ends, it writes the vectors and the hashes of their images to PLACE/vectors.npz.
"""

import inspect
import json
import resource
import sys
import time
from pathlib import Path

NAME = "bench"


def main() -> None:
    # here, because each process that embeds imports this file too
    import numpy as np

    from thresher.harvest import harvest
    from thresher.harvest.sources.tar import from_tar
    from thresher.learn.embed import column, embed
    from thresher.records import Category, Question
    from thresher.settings import read_settings
    from thresher.store import open_store

    place, tar, arithmetic = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    settings = read_settings(place, {})
    if hasattr(settings, "arithmetic"):  # the build before has no such setting
        settings = settings.but(arithmetic=arithmetic)
    store = open_store(place / "workspace", settings, create=True)
    store.categories.create(Category(NAME, Question(1, "Is it?")))
    harvest(NAME, from_tar(tar), store=store, settings=settings, now_ms=1)
    rows = store.categories.pool(NAME)
    embed(rows[:1], store=store, settings=settings)  # builds the graph, and chooses a runtime
    # in today's build it may depend on the vectors that the store has
    name = column(settings, store) if "store" in inspect.signature(column).parameters else column(settings)
    print(json.dumps({"column": name}), flush=True)
    for _ in sys.stdin:
        store.columns.drop(name)
        processor, began = processor_seconds(), time.perf_counter()
        made = embed(rows, store=store, settings=settings)
        took = time.perf_counter() - began
        told = {"images": made, "seconds": took, "processor_seconds": processor_seconds() - processor}
        print(json.dumps(told), flush=True)
    matrix, _ = store.columns.view(name)
    hashes = [image.sha256 for image in store.images.many(rows)]
    np.savez(place / "vectors.npz", names=hashes, vectors=np.asarray(matrix[rows], np.float32))
    store.close()


def processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


if __name__ == "__main__":
    main()
