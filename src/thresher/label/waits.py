"""What a category waits for: pictures, gold, people, its owner, the loop, or nothing."""

from collections import Counter

from thresher.records import OWNER_ONLY, Purpose, Says
from thresher.store.contract import Tally


def waits_for(
    name: str,
    tally: Tally,
    gold: Counter[Says],
    *,
    unknown: int,
    least: int,
    learned: bool,
    running: bool,
    answers_most: int | None = None,
) -> str:
    """What has to happen next for a category to get on, as a sentence for its owner."""
    if not tally.images:
        return f"pictures: run `thresher harvest {name} --folder ...`"
    scarce = min(gold[Says.YES], gold[Says.NO]) < least
    more_gold = (
        f"{least} yes and {least} no gold are needed ({gold[Says.YES]} and {gold[Says.NO]} are there): "
        "open the owner's task"
    )
    settled = learned and not unknown
    spent = answers_most is not None and tally.answers + tally.gold_answers + tally.owner_answers >= answers_most
    if scarce and not settled and not spent and (not gold.total() or _open(tally, Purpose.MINE_GOLD)):
        return more_gold
    if tally.tasks_open and asked_of_workers(tally):
        return f"{_count(tally.tasks_open, 'task')} {_verb(tally.tasks_open)} for workers"
    if undecided := _open(tally, Purpose.ADJUDICATE):
        return f"{_count(undecided, 'picture')} {_verb(undecided)} for the owner's word: open the owner's task"
    if settled:
        return f"nothing: run `thresher release {name}`"
    if spent:
        more = f"`thresher category aim {name} --answers N` allows more"
        return f"nothing: its budget of {answers_most:,} answers is spent; {more}" + (
            f", `thresher release {name}` takes what is decided" if learned else ""
        )
    if scarce:
        return more_gold
    return "the loop, which is at work" if running else f"the loop: run `thresher run {name}`"


def _open(tally: Tally, purpose: Purpose) -> int:
    return tally.asks_open.get(purpose.value, 0)


def asked_of_workers(tally: Tally) -> int:
    """Open asks that workers may be given, not the owner alone."""
    return sum(count for purpose, count in tally.asks_open.items() if purpose not in OWNER_ONLY)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _verb(count: int) -> str:
    return "waits" if count == 1 else "wait"
