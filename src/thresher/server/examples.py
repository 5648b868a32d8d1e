"""The known images that explain a question: never gold, never like an image of the assignment they are shown with."""

import numpy as np

from thresher.records import TRUSTED, Assignment, Label, Says, Source
from thresher.store.contract import Store

EACH = 3
SURE = 0.99


def examples_for(assignment: Assignment, *, store: Store, each: int = EACH) -> list[Label]:
    """Up to `each` known yes and as many known no: first the owner's labels, then those all annotators agree on.

    Gold is left out, retired or not, because it would reveal what workers are checked by; so is any image whose similar
    group is in the assignment or is gold.
    """
    category, version = assignment.category, assignment.version
    hidden = {place.row for place in assignment.dealt}
    hidden |= {gold.row for gold in store.labels.gold(category, version, retired=True)}
    known = [label for label in store.labels.held(category, version) if _sure(label) and label.row not in hidden]
    known.sort(key=lambda label: (label.source not in TRUSTED["people"], -label.posterior, label.row))
    picked = [label for says in (Says.YES, Says.NO) for label in _of(known, says)[: 4 * each]]
    if not picked:
        return []
    hidden_groups = set(store.images.similar(np.array(sorted(hidden), dtype=np.int64)).tolist())
    groups = store.images.similar(np.array([label.row for label in picked], dtype=np.int64)).tolist()
    apart = [label for label, group in zip(picked, groups, strict=True) if group not in hidden_groups]
    return [label for says in (Says.YES, Says.NO) for label in _of(apart, says)[:each]]


def _sure(label: Label) -> bool:
    return label.source in TRUSTED["people"] or (label.source is Source.CONSENSUS and label.posterior >= SURE)


def _of(labels: list[Label], says: Says) -> list[Label]:
    return [label for label in labels if label.says is says]
