"""One certificate under examination: what was frozen, where the prover stopped, and the draws up to there."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from thresher.verify.checks import Checks
from thresher.verify.draws import shuffled
from thresher.verify.frozen import Frozen, Rung
from thresher.verify.labels import UNANSWERABLE, YES, Labels
from thresher.verify.log import Log
from thresher.verify.pool import Pool
from thresher.verify.slips import audits
from thresher.verify.statistics import Parts, evidence, floor, needed
from thresher.verify.values import Fields

CLOSE = 1e-6
Number = int | float


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the prover stopped: all that a verifier takes from the result. `given` is the result as it stands."""

    accepted: int
    rejected: int
    accept_drawn: int
    reject_drawn: int
    attempt: int
    accept_delta: float
    check_drawn: int
    given: Fields


def stop_of(value: object, frozen: Frozen, labels: Labels, checked: int) -> Stop:
    """Where the prover stopped; the owner has `checked` so many. Raises ValueError for what no procedure can reach."""
    given = Fields(value, "result")
    counts = Fields(given.get("counts"), "result.counts")
    most = len(labels.evidence)  # each draw has evidence: repeating more takes as long as the file's writer wants
    return Stop(
        accepted=given.whole("accepted", 0, frozen.ranks),
        rejected=given.whole("rejected", given.whole("accepted", 0, frozen.ranks), frozen.ranks),
        accept_drawn=counts.whole("accept_drawn", 0, most),
        reject_drawn=counts.whole("reject_drawn", 0, most),
        attempt=counts.whole("attempt", 0, len(frozen.ladder) - 1) if frozen.method == "adjudicated" else 0,
        accept_delta=counts.number("accept_delta", 0.0, 0.5),
        check_drawn=counts.whole("check_drawn", 0, checked) if frozen.check_delta > 0.0 else 0,
        given=given,
    )


@dataclass(slots=True)
class Case:
    """All that a method's calculation needs, and what it found: the figures and the draws of both audits."""

    frozen: Frozen
    labels: Labels
    log: Log
    stop: Stop
    pool: Pool
    checks: Checks
    figures: dict[str, Number] = field(default_factory=dict)
    draws: dict[str, list[int]] = field(default_factory=dict)

    def code(self, rank: int) -> int | None:
        """The evidence of a rank, if it has any."""
        return self.labels.evidence.get(rank)

    def now(self, rank: int) -> int | None:
        """The label of today of a rank, if it has one."""
        return self.labels.now.get(self.pool.ranking[rank])

    def drawn(self, urn: str, count: int, order: Iterator[int]) -> list[int]:
        """The draws of an urn up to where the prover stopped, each of which must have evidence."""
        ranks = self.draws[urn] = list(islice(order, count))
        self.checks.that(len(ranks) == count, f"the {urn} urn has {len(ranks)} draws, not {count}")
        lack = self.labels.lack(ranks)
        self.checks.that(not lack, f"{lack} draws of the {urn} urn, repeated from the seed, have no label")
        return ranks

    def order(self, stage: str, first: int, size: int) -> Iterator[int]:
        """The ranks first, first + 1, ... in the random order of a stage."""
        return (first + item for item in shuffled(self.frozen.seed, stage, size))

    def not_yes(self, ranks: list[int], below: Callable[[int], bool] = lambda _: True) -> int:
        """How many of these draws are bad for the accepted images."""
        return sum(below(rank) and self.code(rank) != YES for rank in ranks)

    def accepted_at(self, what: str, urn: tuple[int, int, int], bound: float, prior: Parts, delta: float) -> bool:
        """Whether "at most `bound` are bad" is accepted of an urn (size, drawn, bad); noted if it is not."""
        size, drawn, bad = urn
        found = evidence(size, drawn, bad, bound, prior)
        return self.checks.that(
            floor(bound) >= size or found >= needed(delta),
            f"{what}: {drawn} draws of {size}, {bad} of them bad, do not prove at most {bound:.2f} bad "
            f"(evidence {found:.3f}, needed {needed(delta):.3f})",
        )

    def spends(self, parts: float) -> None:
        """Check that the audits use no more of delta than their freeze may."""
        limit = audits(self.frozen)
        self.checks.that(
            parts <= limit * (1.0 + CLOSE),
            f"the audits use {parts:.6f} of delta, and freeze {self.frozen.epoch + 1} may use {limit:.6f}",
        )

    def logged(self, attempt: int, ranks: Iterable[int]) -> None:
        """Check that the log has the set whose audit this is, as it was when the audit began; its cut may differ."""
        digest, size = hashlib.sha256(), 0
        for rank in ranks:
            digest.update(rank.to_bytes(8, "big"))
            size += 1
        found = self.log.accepted.get(attempt)
        given = (found.size, found.sha256) if found else None
        self.checks.that(given == (size, digest.hexdigest()), "the audited set is not the one that was logged")

    def rung(self, rank: int) -> Rung | None:
        """The rung at a rank; noted if there is none."""
        found = next((rung for rung in self.frozen.ladder if rung.rank == rank), None)
        self.checks.that(found is not None, f"rank {rank} is no rung of the frozen ladder")
        return found


def missed_by(case: Case, rank: int) -> bool:
    """Whether a drawn rank counts as a missed yes of the cut."""
    code = case.code(rank)
    return code == UNANSWERABLE or (code == YES and rank >= case.stop.rejected)


def same(given: Any, found: Number) -> bool:  # noqa: ANN401 -- a value of JSON
    """Whether a value of a file is the number that was recomputed."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return False
    if isinstance(found, int):
        return bool(given == found)
    return abs(given - found) <= CLOSE * max(1.0, abs(given), abs(found))
