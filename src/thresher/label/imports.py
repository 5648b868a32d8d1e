"""Known answers from a file: gold that checks annotators, and labels that only train the classifier."""

from collections.abc import Sequence
from pathlib import Path

from thresher.label.gold import gold_of
from thresher.label.table import read_answers
from thresher.records import Label, Purpose, Source
from thresher.store.contract import Store


def import_gold(category: str, path: Path, *, store: Store, now_ms: int) -> int:
    """Take the owner's known answers from a table as labels and gold; returns how many images it names.

    Columns `image`, `file` or `url`, and `answer` (yes or no). If one line is wrong, nothing of the file is stored.
    Raises BadInput, BadLine.
    """
    labels = _labels(category, path, Source.OWNER, ("yes", "no"), store=store, now_ms=now_ms)
    version = store.categories.get(category).question.version
    known = {piece.row: piece for piece in store.labels.gold(category, version, retired=True)}
    gold = [gold_of(label, (), known.get(label.row)) for label in labels]
    store.labels.hold(category, labels)
    store.labels.gild(category, [piece for piece in gold if piece is not None])
    return len(labels)


def import_labels(category: str, path: Path, *, store: Store, now_ms: int) -> int:
    """Take labels from a table to train on, which check nobody; returns how many images it names.

    Columns as for `import_gold`; "unsure" is an answer too.
    """
    labels = _labels(category, path, Source.IMPORTED, ("yes", "no", "unsure"), store=store, now_ms=now_ms)
    store.labels.hold(category, labels)
    return len(labels)


def _labels(
    category: str, path: Path, source: Source, allowed: Sequence[str], *, store: Store, now_ms: int
) -> list[Label]:
    version = store.categories.get(category).question.version
    found = read_answers(path, category, allowed, store=store)
    return [Label(row, says, source, Purpose.IMPORT, version, now_ms) for row, says in found.items()]
