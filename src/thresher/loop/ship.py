"""From a decided category to a release: what is decided now, with the claim that can be made of it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from thresher.errors import NotReady
from thresher.learn.decide import Decided, decide
from thresher.records import Category, Release
from thresher.release import FORMATS, Chosen
from thresher.release import release as write_release
from thresher.store.contract import Report, Store


def ship(
    name: str,
    to: Path,
    *,
    store: Store,
    now_ms: int,
    formats: Sequence[str] = (),
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Release:
    """Release a category as it is decided now. Raises NotReady before its first round."""
    return write_release(
        chosen(name, store=store),
        to,
        store=store,
        now_ms=now_ms,
        formats=tuple(formats) or tuple(FORMATS),
        report=report,
        stop=stop,
    )


def chosen(name: str, *, store: Store) -> Chosen:
    """What a release of this category would hold now."""
    category = store.categories.get(name)
    decided = decide(name, store=store)
    if decided.round is None:
        raise NotReady(f"{name} has no round yet.", next=f"thresher run {name}")
    return Chosen(
        category=name,
        version=category.question.version,
        question=category.question.text,
        round=decided.round.number,
        rows=decided.rows,
        codes=decided.codes,
        scores=decided.scores,
        certificate=no_certificate(category, decided),
    )


def no_certificate(category: Category, decided: Decided) -> dict[str, Any]:
    """What is said of a set that a cascade decided: its thresholds, and that they prove nothing."""
    assert decided.round is not None  # noqa: S101 -- chosen() has refused this
    return {
        "certified": False,
        "method": category.targets.method,
        "words": "No certificate: the thresholds were chosen on held-out answers, which proves nothing of the pool.",
        "targets": {"precision": category.targets.precision, "recall": category.targets.recall},
        "thresholds": {"lower": decided.round.thresholds.lower, "upper": decided.round.thresholds.upper},
        "held_out": dict(decided.round.measures),
        "counts": {
            "yes": int((decided.codes == 1).sum()),
            "no": int((decided.codes == 0).sum()),
            "unknown": int((decided.codes == -1).sum()),
        },
    }
