"""What a category is waiting for: images, gold, annotators, its owner, the loop, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from thresher.records import OWNER_ONLY, Purpose, Says
from thresher.store.contract import Tally


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts about a category that determine its next step.

    `gold` counts each answer, of which `gold_least` are needed. `learned`: the question has a round. `done`: nothing
    more has to be decided. `refused` says why there is no certificate, `spent` is the budget of answers if it is used
    up, and `running` says whether the loop is running.
    """

    tally: Tally
    gold: Mapping[Says, int] = field(default_factory=dict)
    gold_least: int = 0
    learned: bool = False
    done: bool = False
    refused: str = ""
    spent: int | None = None
    running: bool = False

    @property
    def gold_is_scarce(self) -> bool:
        """Whether there is too little gold for the gate to reject anyone."""
        return min(self.gold.get(Says.YES, 0), self.gold.get(Says.NO, 0)) < self.gold_least


def waits_for(name: str, standing: Standing) -> str:
    """What has to happen next for a category to make progress, as a phrase for its owner."""
    tally = standing.tally
    if not tally.images:
        return f"images: run `thresher harvest {name} --folder ...`"
    ended = standing.done or bool(standing.refused) or standing.spent is not None
    if standing.gold_is_scarce and not ended and (not any(standing.gold.values()) or _open(tally, Purpose.MINE_GOLD)):
        return _more_gold(standing)
    if tally.tasks_open and asked_of_workers(tally):
        return f"annotators: {_count(tally.tasks_open, 'task')} {_is(tally.tasks_open)} open"
    if undecided := _open(tally, Purpose.ADJUDICATE):
        return f"the owner to decide {_count(undecided, 'image')}: open the owner's task"
    if ended:
        return _nothing(name, standing)
    if standing.gold_is_scarce:
        return _more_gold(standing)
    return "the loop, which is running" if standing.running else f"the loop: run `thresher run {name}`"


def _more_gold(standing: Standing) -> str:
    least, yes, no = standing.gold_least, standing.gold.get(Says.YES, 0), standing.gold.get(Says.NO, 0)
    return f"more gold (needed: {least} yes and {least} no; there are {yes} and {no}): open the owner's task"


def _nothing(name: str, standing: Standing) -> str:
    if standing.done:
        return f"nothing: run `thresher release {name}`"
    if standing.refused:
        return f"nothing: not certified, because {standing.refused}"
    more = f"`thresher category aim {name} --answers N` raises it"
    rest = f", `thresher release {name}` exports what is decided" if standing.learned else ""
    return f"nothing: its budget of {standing.spent:,} answers is spent; {more}{rest}"


def _open(tally: Tally, purpose: Purpose) -> int:
    return tally.asks_open.get(purpose.value, 0)


def asked_of_workers(tally: Tally) -> int:
    """The number of open asks that annotators may answer, without those for the owner alone."""
    return sum(count for purpose, count in tally.asks_open.items() if purpose not in OWNER_ONLY)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
