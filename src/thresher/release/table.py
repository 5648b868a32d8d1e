"""The whole pool as one Parquet table: one row per image, decided or not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from thresher.records import Alias, Label, Progress, Says, Vote
from thresher.release.plan import CODES, Chosen
from thresher.store.contract import Report, Rows, Store, chunks

CHUNK = 5_000


def write_table(
    chosen: Chosen, to: Path, *, store: Store, report: Report | None, stop: Callable[[], bool]
) -> dict[str, int]:
    """Write `images.parquet`: id, names, size, score, decision, votes and label of every image of the pool.

    `inherited` tells which were decided by what was said of a copy (`similar_to`, or one that is a copy of them).
    """
    import pyarrow as pa  # here: a heavy library that only this file owns
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("id", pa.string()),
            ("alias", pa.string()),
            ("url", pa.string()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("score", pa.float32()),
            ("decision", pa.string()),
            ("votes", pa.int32()),
            ("votes_yes", pa.int32()),
            ("votes_no", pa.int32()),
            ("label", pa.string()),
            ("label_source", pa.string()),
            ("label_purpose", pa.string()),
            ("similar_to", pa.string()),
            ("inherited", pa.bool_()),
            ("source", pa.string()),
            ("licence", pa.string()),
            ("query", pa.string()),
            ("round", pa.int32()),
        ]
    )
    part = to / ".images.parquet.part"
    done = 0
    with pq.ParquetWriter(part, schema, compression="zstd") as writer:
        for columns in _chunks(chosen, store):
            writer.write_table(pa.table(columns, schema=schema))
            done += len(columns["id"])
            if report:
                report(Progress("release: table", done, len(chosen.rows)))
            if stop():
                raise KeyboardInterrupt
    part.replace(to / "images.parquet")
    return {"rows": done}


def _chunks(chosen: Chosen, store: Store) -> Iterator[dict[str, list[Any]]]:
    votes: dict[int, list[Vote]] = {}
    for vote in store.labels.votes(chosen.category, chosen.version):
        votes.setdefault(vote.row, []).append(vote)
    held = store.labels.held(chosen.category, chosen.version) if chosen.held is None else chosen.held
    labels = {label.row: label for label in held}
    place = {int(row): index for index, row in enumerate(chosen.rows)}
    for rows in chunks(chosen.rows, CHUNK):
        yield _columns(rows, chosen, place, votes, labels, store)


def _columns(
    rows: Rows,
    chosen: Chosen,
    place: dict[int, int],
    votes: dict[int, list[Vote]],
    labels: dict[int, Label],
    store: Store,
) -> dict[str, list[Any]]:
    images = store.images.many(rows)
    aliases = store.images.aliases(rows)
    origins = store.categories.origins(chosen.category, rows)
    held = [labels.get(image.row) for image in images]
    cast = [votes.get(image.row, []) for image in images]
    at = [place[image.row] for image in images]
    scores = [float(chosen.scores[index]) for index in at]
    originals = store.images.many(chosen.similar[at])
    return {
        "id": [image.sha256 for image in images],
        "alias": [_named(aliases.get(image.row, ()), "file", "id") for image in images],
        "url": [_named(aliases.get(image.row, ()), "url") for image in images],
        "width": [image.width for image in images],
        "height": [image.height for image in images],
        "score": [None if np.isnan(score) else score for score in scores],
        "decision": [CODES[int(chosen.codes[index])].value for index in at],
        "votes": [len(v) for v in cast],
        "votes_yes": [sum(vote.says is Says.YES for vote in v) for v in cast],
        "votes_no": [sum(vote.says is Says.NO for vote in v) for v in cast],
        "label": [label.says.value if label else None for label in held],
        "label_source": [label.source.value if label else None for label in held],
        "label_purpose": [label.purpose.value if label else None for label in held],
        "similar_to": [
            None if original.row == image.row else original.sha256
            for image, original in zip(images, originals, strict=True)
        ],
        "inherited": chosen.inherited[at].tolist(),
        "source": [origin.source for origin in origins],
        "licence": [origin.licence or None for origin in origins],
        "query": [origin.query or None for origin in origins],
        "round": [chosen.round or None] * len(images),
    }


def _named(aliases: tuple[Alias, ...], *kinds: str) -> str | None:
    return next((alias.value for kind in kinds for alias in aliases if alias.kind == kind), None)
