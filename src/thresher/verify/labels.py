"""The labels that a certificate depends on: first ones from the log, those of today from the evidence table."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thresher.verify.checks import Checks
from thresher.verify.frozen import Frozen
from thresher.verify.log import Log
from thresher.verify.pool import CODE_OF, Pool
from thresher.verify.reading import bad, read_table

NAME = "evidence.parquet"
COLUMNS = {
    "id": "string",
    "rank": "int64",
    "stratum": "string",
    "first": "string",
    "now": "string",
    "source": "string",
    "word": "string",
    "accept_draw": "int64",
    "reject_draw": "int64",
}
NO, YES, UNANSWERABLE = 0, 1, 2
TRUSTED = {"people": frozenset({"owner", "adjudicated"}), "owner": frozenset({"owner"})}


@dataclass(frozen=True, slots=True)
class Labels:
    """The evidence by rank, votes (words) by rank, labels of today by id; and the known yes that are left.

    `evidence` is the first label, 2 where that of today is another. `yes` and `unanswerable` are Y and U of the page.
    `strata` and `draws` are what the table says, to be compared.
    """

    evidence: dict[int, int]
    words: dict[int, int]
    now: dict[str, int]
    yes: int
    unanswerable: int
    strata: dict[int, str]
    draws: dict[str, dict[int, int]]

    def count(self, low: int, high: int, code: int) -> int:
        """How many ranks from `low` up to but not including `high` have this evidence."""
        return sum(low <= rank < high and found == code for rank, found in self.evidence.items())

    def lack(self, ranks: Iterable[int]) -> int:
        """How many of these ranks have no evidence."""
        return sum(rank not in self.evidence for rank in ranks)


def read_labels(directory: Path, frozen: Frozen, log: Log, pool: Pool, checks: Checks) -> Labels:
    """The labels of the evidence table, compared with log and pool. Raises BadInput if it is no such table."""
    path = directory / NAME
    rows = read_table(path, COLUMNS)
    if not all({*rows[name]} <= {None, *CODE_OF} for name in ("first", "now", "word")):
        raise bad("has a label that is none of yes, no, unsure.", path)
    now = {one: CODE_OF[word] for one, word in zip(rows["id"], rows["now"], strict=True) if word is not None}
    ranked = [(rank, at) for at, rank in enumerate(rows["rank"]) if rank is not None]
    known = [one for one, rank in zip(rows["id"], rows["rank"], strict=True) if rank is None]
    beyond = max([-1, *log.words, *log.answers])
    checks.that(beyond < frozen.ranks, f"the log speaks of rank {beyond}, of {frozen.ranks}")
    checks.that(len({*rows["id"]}) == len(rows["id"]), "an image is in the evidence twice")
    order = [rank for rank, _ in ranked]
    checks.that(order == sorted({*log.words, *log.answers}), "the evidence has not exactly the ranks of the log")
    checks.that(known == sorted(pool.known), "the evidence has not exactly the images known at the freeze")
    for rank, at in ranked:
        right = 0 <= rank < len(pool.ranking) and pool.ranking[rank] == rows["id"][at]
        checks.that(right, f"rank {rank} is another image in the evidence than in the pool")
        for name, column in ((log.answers, "first"), (log.words, "word")):
            same = CODE_OF.get(rows[column][at]) == name.get(rank)
            checks.that(same, f"rank {rank}: its {column} is {rows[column][at]}, and the log says another")
    for one, word in zip(rows["id"][len(ranked) :], rows["first"][len(ranked) :], strict=True):
        checks.that(CODE_OF.get(word) == pool.known.get(one), f"{one} was known as another at the freeze than {word}")
    return Labels(
        evidence={
            rank: code if now.get(pool.ranking[rank]) == code else UNANSWERABLE for rank, code in _within(log, pool)
        },
        words={rank: word for rank, word in log.words.items() if rank < len(pool.ranking)},
        now=now,
        yes=frozen.known_yes - sum(code == YES != now.get(one) for one, code in pool.known.items()),
        unanswerable=frozen.known_unanswerable
        + sum(code != UNANSWERABLE == now.get(one) for one, code in pool.known.items()),
        strata={rank: rows["stratum"][at] for rank, at in ranked},
        draws={name: _numbers(ranked, rows[f"{name}_draw"]) for name in ("accept", "reject")},
    )


def must_be_trusted(directory: Path, truth: str, checks: Checks) -> None:
    """Each label of today comes from a source that the certificate takes as the truth."""
    rows = read_table(directory / NAME, {name: COLUMNS[name] for name in ("id", "now", "source")})
    sources = {source for source, word in zip(rows["source"], rows["now"], strict=True) if word is not None}
    trusted = TRUSTED.get(truth, frozenset())
    checks.that(
        sources <= trusted,
        f"a label of the evidence is of a source that is not trusted: {sorted(map(str, sources - trusted))}",
    )


def _within(log: Log, pool: Pool) -> list[tuple[int, int]]:
    return [(rank, code) for rank, code in log.answers.items() if rank < len(pool.ranking)]


def _numbers(ranked: list[tuple[int, int]], column: list[Any]) -> dict[int, int]:
    """The draw numbers by rank."""
    return {rank: column[at] for rank, at in ranked if column[at] is not None}
