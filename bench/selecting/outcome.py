"""How a run ended."""

from dataclasses import dataclass, field

import numpy as np

from selecting.pools import Bools


@dataclass(frozen=True)
class Outcome:
    """Answers in all, images delivered, the quality of these; answers by purpose where they are told."""

    answers: int
    delivered: int
    precision: float
    recall: float
    parts: dict[str, int] = field(default_factory=dict)


def judged(yes: Bools, delivered: Bools, answers: int, parts: dict[str, int] | None = None) -> Outcome:
    """The outcome of a delivered set; an empty one is precise."""
    right, size = int((yes & delivered).sum()), int(delivered.sum())
    return Outcome(answers, size, right / size if size else 1.0, right / max(int(np.sum(yes)), 1), parts or {})
