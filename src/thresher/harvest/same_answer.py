"""Images that several addresses answered with: often a placeholder, such as "image not found"."""

from collections import defaultdict
from collections.abc import Iterable

from thresher.store.contract import Store
from thresher.store.kinds import SAME_ANSWER

COUNTED_MOST = 1_000
"""Addresses of an image that are counted anew; of more, only the further ones are added."""


def note_same_answers(answers: Iterable[tuple[int, str]], *, store: Store) -> set[int]:
    """Record the images that several addresses gave, with how many; returns the rows of those among the answers.

    `answers` are rows, and the addresses that gave them and were not known before; their aliases are stored already.
    """
    given: defaultdict[int, set[str]] = defaultdict(set)
    for row, address in answers:
        given[row].add(address)
    rows = list(given)
    lines = {
        row: line
        for row, line in zip(rows, store.lines.many(SAME_ANSWER, [[row] for row in rows]), strict=True)
        if line
    }
    told: dict[int, tuple[int, str]] = {}
    few = [row for row in rows if row not in lines or lines[row]["addresses"] < COUNTED_MOST]
    for row, aliases in store.images.aliases(few).items():
        urls = [alias.value for alias in aliases if alias.kind == "url"]
        told[row] = len(urls), min(urls, default="")
    for row, line in lines.items():
        told.setdefault(row, (line["addresses"] + len(given[row]), line["address"]))
    several = {row: {"addresses": count, "address": address} for row, (count, address) in told.items() if count > 1}
    for row, now in several.items():
        if row in lines:
            store.lines.change(SAME_ANSWER, [row], now)
    store.lines.add(SAME_ANSWER, [{"row": row, **now} for row, now in several.items() if row not in lines])
    return set(several)
