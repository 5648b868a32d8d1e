"""The labels that a certificate depends on: first ones from the log, those of today from the evidence table."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thresher.verify.checks import Checks
from thresher.verify.frozen import Frozen
from thresher.verify.log import Log
from thresher.verify.pool import CODE_OF, Pool, is_id
from thresher.verify.reading import read_table, wrong

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

    `evidence` is the first label, 2 where that of today is another; `owners` are the ranks whose label of today is the
    owner's, `held_back` the known units that the owner's check does not cover. `yes` and `unanswerable` are Y and U of
    the page. `strata` and `draws` are what the table says.
    """

    evidence: dict[int, int]
    words: dict[int, int]
    now: dict[str, int]
    owners: set[int]
    held_back: set[str]
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
    """The labels of the evidence table, compared with log and pool. Raises BadInput, or Wrong for another table."""
    path = directory / NAME
    rows = read_table(path, COLUMNS)
    if not all(map(is_id, rows["id"])):
        raise wrong("has an id that is no SHA-256", path)
    if not all({*rows[name]} <= {None, *CODE_OF} for name in ("first", "now", "word")):
        raise wrong("has a label that is none of yes, no, unsure", path)
    now = {one: CODE_OF[word] for one, word in zip(rows["id"], rows["now"], strict=True) if word is not None}
    ranked = [(rank, at) for at, rank in enumerate(rows["rank"]) if rank is not None]
    known = [one for one, rank in zip(rows["id"], rows["rank"], strict=True) if rank is None]
    beyond = max([-1, *log.words, *log.answers])
    checks.that(beyond < frozen.ranks, f"the log speaks of rank {beyond}, of {frozen.ranks}")
    checks.that(len({*rows["id"]}) == len(rows["id"]), "an image is in the evidence twice")
    order = [rank for rank, _ in ranked]
    checks.that(order == sorted({*log.words, *log.answers}), "the evidence has not exactly the ranks of the log")
    checks.that(known == sorted(known) and pool.labels.keys() <= {*known}, "a known image is not in the evidence")
    copies = {one for one, unit in pool.unit_of.items() if unit != one}
    checks.that({*known} <= pool.known.keys() | copies, "an image without a rank is in the evidence, and no copy")
    for rank, at in ranked:
        right = 0 <= rank < len(pool.ranking) and pool.ranking[rank] == rows["id"][at]
        checks.that(right, f"rank {rank} is another image in the evidence than in the pool")
        for name, column in ((log.answers, "first"), (log.words, "word")):
            same = CODE_OF.get(rows[column][at]) == name.get(rank)
            checks.that(same, f"rank {rank}: its {column} is {rows[column][at]}, and the log says another")
    for one, word in zip(rows["id"][len(ranked) :], rows["first"][len(ranked) :], strict=True):
        checks.that(word == pool.labels.get(one), f"{one} was known as another at the freeze than {word}")
    first = {rank: code for rank, code in log.answers.items() if rank < len(pool.ranking)}
    corrected = {rank for rank, code in first.items() if now.get(pool.ranking[rank]) != code}
    sources = dict(zip(rows["id"], rows["source"], strict=True))
    held_back = {
        one
        for one, code in pool.known.items()
        if frozen.check_delta > 0.0 and code != YES and now.get(one) == YES and sources[one] != "owner"
    }
    counted = now | dict.fromkeys(held_back, UNANSWERABLE)
    yes, unanswerable = _left(pool, counted, {rank: first[rank] for rank in corrected})
    return Labels(
        evidence={rank: UNANSWERABLE if rank in corrected else code for rank, code in first.items()},
        words={rank: word for rank, word in log.words.items() if rank < len(pool.ranking)},
        now=now,
        owners={rank for rank, at in ranked if rows["source"][at] == "owner" and rows["now"][at] is not None},
        held_back=held_back,
        yes=frozen.known_yes - yes,
        unanswerable=frozen.known_unanswerable + unanswerable,
        strata={rank: rows["stratum"][at] for rank, at in ranked},
        draws={name: _numbers(ranked, rows[f"{name}_draw"]) for name in ("accept", "reject")},
    )


def _left(pool: Pool, now: dict[str, int], corrected: dict[int, int]) -> tuple[int, int]:
    """How many yes corrections took away, and how many images they made unanswerable, known and ranked together."""
    lost = sum(code == YES and now.get(one) != YES for one, code in pool.known.items())
    opened = sum(code != UNANSWERABLE and now.get(one, 2) == UNANSWERABLE for one, code in pool.known.items())
    yes_lost = sum(code == YES for code in corrected.values())
    not_no = sum(now.get(pool.ranking[rank]) != NO for rank in corrected)
    return lost + yes_lost, opened + not_no


def must_be_trusted(directory: Path, truth: str, checks: Checks) -> None:
    """Each label of today comes from a source that the certificate takes as the truth."""
    rows = read_table(directory / NAME, {name: COLUMNS[name] for name in ("id", "now", "source")})
    sources = {source for source, word in zip(rows["source"], rows["now"], strict=True) if word is not None}
    without = any(source is not None and word is None for source, word in zip(rows["source"], rows["now"], strict=True))
    checks.that(not without, "the evidence has a source where there is no label of today")
    trusted = TRUSTED.get(truth, frozenset())
    checks.that(
        sources <= trusted,
        f"a label of the evidence is of a source that is not trusted: {sorted(map(str, sources - trusted))}",
    )


def _numbers(ranked: list[tuple[int, int]], column: list[Any]) -> dict[int, int]:
    """The draw numbers by rank."""
    return {rank: column[at] for rank, at in ranked if column[at] is not None}
