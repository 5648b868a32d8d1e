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
    few = [row for row in rows if row not in lines or lines[row]["addresses"] < COUNTED_MOST]
    aliases = store.images.aliases(few)
    counts = {row: sum(alias.kind == "url" for alias in aliases[row]) for row in few}
    counts |= {row: line["addresses"] + len(given[row]) for row, line in lines.items() if row not in counts}
    for row, count in counts.items():
        told = {"addresses": count, "address": min(given[row])}
        if row in lines:
            store.lines.change(SAME_ANSWER, [row], told)
        elif count > 1:
            store.lines.add(SAME_ANSWER, [{"row": row, **told}])
    return {row for row, count in counts.items() if count > 1}
