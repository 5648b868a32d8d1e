"""How fast an assignment was answered: information for its review, never a reason to reject.

A person who looks takes about a second per image: 0.77 s in the median for clean photos in Geirhos' trials; more time
did not improve answers in SDOGS-10H. Below 0.4 s people mostly press keys without looking.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from thresher.records import Given

HASTY_SECONDS = 0.4
BLINK_SECONDS = 0.15  # shorter than any person sees and presses
BLINKS = 0.25  # share of answers that quick
ALIKE_LEAST = 20  # answers, all the same, before that is worth a word


@dataclass(frozen=True, slots=True)
class Pace:
    """The median seconds per image, and what is unusual about the answers, in words the worker may read."""

    seconds: float | None
    flags: tuple[str, ...] = ()


def pace(answers: Sequence[Given]) -> Pace:
    """The pace of an assignment's answers; no flags if nothing is unusual or nothing was answered."""
    if not answers:
        return Pace(None)
    seconds = median(given.seconds for given in answers)
    return Pace(seconds, tuple(words for odd, words in FLAGS if odd(answers, seconds)))


def _hasty(_: Sequence[Given], seconds: float) -> bool:
    return seconds < HASTY_SECONDS


def _blinking(answers: Sequence[Given], seconds: float) -> bool:
    blinks = sum(given.seconds < BLINK_SECONDS for given in answers)
    return seconds >= HASTY_SECONDS and blinks >= BLINKS * len(answers)


def _alike(answers: Sequence[Given], _: float) -> bool:
    return len(answers) >= ALIKE_LEAST and len({given.says for given in answers}) == 1


Odd = Callable[[Sequence[Given], float], bool]
FLAGS: tuple[tuple[Odd, str], ...] = (
    (_hasty, f"Half of the answers took less than {HASTY_SECONDS} seconds, quicker than most people can look."),
    (_blinking, f"Many answers took less than {BLINK_SECONDS} seconds, quicker than anybody can look."),
    (_alike, "Every answer was the same."),
)
