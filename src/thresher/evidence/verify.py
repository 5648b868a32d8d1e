"""Check a certificate from its file and the log of its labels, without the workspace and without the planner.

The draws are repeated from the seed and compared with the log; the labels are counted again; bounds and evidence are
recomputed by a second implementation in plain floats. Nothing here depends on how the plan was made, because any plan
is valid. So a certificate can still be checked after the planner has changed.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from thresher.evidence.adjudicated import ATTEMPTS
from thresher.evidence.log import NONE, Row, accept_order, accepted_set, read_certificate, reject_order
from thresher.evidence.martingale import SLACK, Prior, most
from thresher.evidence.noise import audit_delta, false_bound, missed_bound, slipped, slips_of, undetected
from thresher.evidence.plan import spend
from thresher.evidence.releasing import released
from thresher.evidence.state import Certified, Code, Frozen, State

CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a certificate holds, and every check as a sentence, failed ones marked with NO."""

    holds: bool
    checks: tuple[str, ...]


@dataclass(slots=True)
class _Log:
    """The certificate, its labels by rank, and the checks so far."""

    frozen: Frozen
    certified: Certified
    rows: Mapping[int, Row]
    holds: bool = True
    lines: list[str] = field(default_factory=list)

    def check(self, fact: bool, words: str) -> None:
        self.holds = self.holds and fact
        self.lines.append(f"{'yes' if fact else 'NO '}  {words}")

    def code(self, rank: int) -> int:
        row = self.rows.get(rank)
        return NONE if row is None else row.code

    def said(self) -> dict[int, int]:
        return {rank: row.said for rank, row in self.rows.items() if row.said != NONE}

    def count(self, low: int, high: int, code: int) -> int:
        return sum(low <= rank < high and row.code == code for rank, row in self.rows.items())

    def number(self, name: str) -> float:
        return float(self.certified.counts[name])


def verify(certificate: Mapping[str, Any], rows: Iterable[Row]) -> Verified:
    """Whether the log proves what the certificate says. Raises ValueError for a file that is no certificate."""
    frozen, certified = read_certificate(certificate)
    if frozen.method not in CHECKS:
        raise ValueError(f"unknown method {frozen.method!r}")
    listed = list(rows)
    log = _Log(frozen, certified, {row.rank: row for row in listed})
    log.check(len(log.rows) == len(listed), f"each of the {len(listed):,} ranks in the log is there once")
    log.check(all(0 <= rank < frozen.ranks for rank in log.rows), "all of them are ranks of the frozen ranking")
    log.check(certified.delta == frozen.promise.delta, "the delta of the claim equals the frozen delta")
    drawn = max(int(log.number("accept_drawn")), int(log.number("reject_drawn")))
    if drawn > 2 * len(listed) + 1000:  # repeating so many draws takes as long as whoever wrote the file wants
        log.check(False, f"the log has {len(listed):,} labels, and {drawn:,} draws were made")
        return Verified(log.holds, tuple(log.lines))
    CHECKS[frozen.method](log)
    _drawn_in_order(log)
    _delivered(log)
    return Verified(log.holds, tuple(log.lines))


def evidence(size: int, drawn: int, bad: int, bound: float, prior: Prior) -> float:
    """ln of the prior-posterior ratio against floor(bound) + 1 bad items (martingale.py), term by term."""
    suspected = math.floor(bound + SLACK) + 1
    if bound < -SLACK or suspected <= bad or suspected * drawn <= bad * size:
        return -math.inf
    if size - suspected < drawn - bad:
        return math.inf
    likelihood = _falling(suspected, bad) + _falling(size - suspected, drawn - bad) - _falling(size, drawn)
    terms = [
        math.log(weight) + _beta(a + bad, b + drawn - bad) - _beta(a, b) for weight, a, b in prior.parts if weight > 0
    ]
    top = max(terms)
    return top + math.log(sum(math.exp(term - top) for term in terms)) - likelihood


def _falling(items: int, count: int) -> float:
    return math.lgamma(items + 1) - math.lgamma(items - count + 1)


def _beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _accepted(log: _Log, what: str, urn: tuple[int, int, int], bound: float, prior: Prior, delta: float) -> None:
    """Check "at most `bound` are bad" of an urn (size, drawn, bad)."""
    size, drawn, bad = urn
    found = math.inf if size <= math.floor(bound + SLACK) else evidence(size, drawn, bad, bound, prior)
    needed = math.log(1.0 / delta) if delta > 0 else math.inf
    log.check(
        found >= needed,
        f"{what}: {drawn} draws from {size:,} ranks, {bad} of them bad, prove at most {bound:.2f} bad ranks "
        f"(evidence {found:.3f}, needed {needed:.3f})",
    )


def _drawn_in_order(log: _Log) -> None:
    """Every draw up to the last is in the log, has a label, and carries its number."""
    frozen, certified = log.frozen, log.certified
    orders = {
        "accept": (accept_order(frozen, certified, log.said()), [row.accept_draw for row in log.rows.values()]),
        "reject": (reject_order(frozen, certified), [row.reject_draw for row in log.rows.values()]),
    }
    for name, (order, numbers) in orders.items():
        whole = len(order) == int(certified.counts[f"{name}_drawn"]) and all(log.code(rank) != NONE for rank in order)
        log.check(whole, f"all {len(order):,} draws of the {name} audit, repeated from the seed, have a label")
        named = sum(number != NONE for number in numbers)
        in_place = all(getattr(log.rows.get(r), f"{name}_draw", NONE) == draw for draw, r in enumerate(order))
        log.check(in_place and named == len(order), f"the log gives the draws of the {name} audit the same numbers")


def _delivered(log: _Log) -> None:
    answers = {rank: row.code for rank, row in log.rows.items() if row.code != NONE}
    delivered = log.frozen.known_yes + len(released(log.certified, State(log.frozen, answers, log.said())))
    log.check(delivered == log.certified.delivered, f"{delivered:,} images are released")


def _spends(log: _Log, parts: float, what: str) -> None:
    limit = audit_delta(spend(log.frozen.promise.delta, log.frozen.epoch), log.frozen.gold)
    log.check(
        parts <= limit * (1 + CLOSE),
        f"{what} use {parts:.5f} of delta; freeze number {log.frozen.epoch + 1} may use {limit:.5f}",
    )


def _accept_bad(log: _Log, below: int) -> int:
    drawn = accept_order(log.frozen, log.certified, log.said())
    return sum(rank < below and log.code(rank) != Code.YES for rank in drawn)


def _check_both(log: _Log) -> None:
    """certify.py: (A) and (R) hold for the rung and the cut, and the middle is labelled."""
    frozen, certified, promise = log.frozen, log.certified, log.frozen.promise
    rung = next((step for step in frozen.ladder if step.rank == certified.accepted), None)
    log.check(rung is not None, f"rank {certified.accepted} is a rung of the frozen ladder")
    if rung is None:
        return
    above, worst = 0.0, 0.0
    live = [step for step in frozen.ladder if step.rank >= frozen.reject_from]
    emergency = sum(step.reject_delta for step in frozen.ladder if step.rank < frozen.reject_from)
    for step in live:
        worst, above = max(worst, above + step.reject_delta), above + step.accept_delta
    _spends(log, max(worst, above) + emergency, "the ladder's audits")
    middle = range(certified.accepted, certified.rejected)
    log.check(all(log.code(rank) != NONE for rank in middle), f"all {len(middle):,} ranks of the middle have a label")
    yes = log.count(certified.accepted, certified.rejected, Code.YES)
    base = frozen.known_yes + certified.accepted + yes
    false = (1 - promise.precision) * base
    urn = (frozen.ladder[0].rank, int(log.number("accept_drawn")), _accept_bad(log, certified.accepted))
    if certified.accepted > math.floor(false + SLACK):
        _accepted(log, "precision", urn, false, frozen.accept_prior, rung.accept_delta)
    lost = frozen.known_unanswerable + log.count(certified.accepted, frozen.reject_from, Code.UNANSWERABLE)
    missed = (1 - promise.recall) / promise.recall * promise.precision * base - lost
    drawn = reject_order(frozen, certified)
    bad = sum(
        (log.code(rank) == Code.YES and rank >= certified.rejected) or log.code(rank) == Code.UNANSWERABLE
        for rank in drawn
    )
    beyond = range(certified.rejected, frozen.ranks)
    unseen = len(beyond) - sum(rank >= certified.rejected for rank in log.rows)
    most_missed = unseen + log.count(certified.rejected, frozen.ranks, Code.YES)
    most_missed += log.count(frozen.reject_from, frozen.ranks, Code.UNANSWERABLE)
    if most_missed <= math.floor(missed + SLACK):
        log.check(True, f"recall: at most {most_missed} yes are missed, by count; {missed:.2f} are allowed")
    else:
        size = frozen.ranks - frozen.reject_from
        _accepted(log, "recall", (size, len(drawn), bad), missed, frozen.reject_prior, rung.reject_delta)


def _check_precision(log: _Log) -> None:
    """precision.py: the delivered rung and every rung below it in its chain were accepted at some moment."""
    frozen, certified = log.frozen, log.certified
    slips = slips_of(frozen.gold, spend(frozen.promise.delta, frozen.epoch))
    delta = log.number("accept_delta")
    chain = sorted(
        rung.rank for rung in frozen.ladder if rung.accept_delta == delta and rung.rank <= certified.accepted
    )
    log.check(bool(chain) and chain[-1] == certified.accepted, f"rank {certified.accepted} is a rung of the ladder")
    _spends(log, sum({rung.accept_delta for rung in frozen.ladder}), "the chains")
    top = frozen.ladder[0].rank if frozen.ladder else 0
    first = range(top, top + frozen.looks)
    looked = all(log.code(rank) != NONE for rank in first) and (frozen.gold is None or not first)
    log.check(looked, f"all {len(first):,} ranks that are labelled before the draws have a label")
    sure = frozen.known_yes + log.count(first.start, first.stop, Code.YES)
    order = accept_order(frozen, certified, {})
    for rank in chain:
        bound = (1 - frozen.promise.precision) * (sure + rank)
        bound = float(false_bound(slips, bound, frozen.adjudicated))
        bad, best = 0, math.inf if rank <= math.floor(bound + SLACK) else -math.inf
        for drawn, place in enumerate((place for place in order if place < rank), 1):
            bad += log.code(place) != Code.YES
            best = max(best, evidence(rank, drawn, bad, bound, frozen.accept_prior))
        log.check(
            best >= math.log(1 / delta), f"rung {rank}: the draws prove at most {bound:.2f} no (evidence {best:.3f})"
        )
    found = log.count(certified.accepted, frozen.ranks, Code.YES) if frozen.gold is None else 0
    bad = sum(log.code(rank) != Code.NO for rank in reject_order(frozen, certified))
    size, drawn = frozen.ranks - certified.accepted, int(log.number("reject_drawn"))
    missed = max(most(size, drawn, bad, frozen.reject_prior, log.number("reject_delta")) - found, 0)
    right = frozen.promise.precision * certified.delivered
    recall = right / max(right + missed + frozen.known_unanswerable, 1.0)
    log.check(log.number("recall_at_least") <= recall + SLACK, f"a recall of {recall:.4f} is proven, no more reported")


def _check_recall(log: _Log) -> None:
    """recall.py: the no below the rung are bounded, and with them the yes beyond the cut."""
    frozen, certified, rung = log.frozen, log.certified, log.frozen.ladder[0]
    slips = slips_of(frozen.gold, spend(frozen.promise.delta, frozen.epoch))
    _spends(log, rung.accept_delta + rung.reject_delta, "the two audits")
    log.check(certified.accepted >= rung.rank, "the accepted part includes all ranks below the rung")
    drawn = int(log.number("accept_drawn"))
    detected = most(rung.rank, drawn, _accept_bad(log, rung.rank), frozen.accept_prior, rung.accept_delta)
    false = min(undetected(detected, slips.no_as_yes, slips.part), rung.rank)
    known = max(frozen.known_yes - slipped(frozen.adjudicated, slips.no_as_yes, slips.part), 0.0)
    sure_yes = known + rung.rank - false
    odds = (1 - frozen.promise.recall) / frozen.promise.recall
    reported = log.number("precision_at_least")
    log.check(
        reported * certified.delivered <= max(sure_yes, 0) + CLOSE, f"the reported precision {reported:.4f} is proven"
    )
    bound = float(missed_bound(slips, odds * sure_yes - frozen.known_unanswerable, frozen.adjudicated))
    order = reject_order(frozen, certified)
    bad = sum(
        (log.code(rank) == Code.YES and rank >= certified.accepted) or log.code(rank) == Code.UNANSWERABLE
        for rank in order
    )
    size = frozen.ranks - rung.rank
    _accepted(log, "recall", (size, len(order), bad), bound, frozen.reject_prior, rung.reject_delta)


def _check_adjudicated(log: _Log) -> None:
    """adjudicated.py: the audits of the accepted set and of the rejected ranks hold, and the middle has votes."""
    frozen, certified, promise = log.frozen, log.certified, log.frozen.promise
    attempt = int(log.number("attempt"))
    slips = slips_of(frozen.gold, spend(promise.delta, frozen.epoch), ATTEMPTS[attempt])
    rung = frozen.ladder[attempt] if attempt < len(frozen.ladder) else None
    log.check(
        rung is not None and rung.rank == certified.accepted,
        f"rank {certified.accepted} is the rung of attempt {attempt + 1}",
    )
    if rung is None:
        return
    _spends(
        log, sum(step.accept_delta for step in frozen.ladder) + rung.reject_delta, "the attempts and the reject audit"
    )
    said, top, cut = log.said(), frozen.reject_from, certified.rejected
    single = {r for r in range(rung.rank, cut) if r < top or said.get(r, NONE) in (NONE, Code.UNANSWERABLE)}
    log.check(
        all(log.code(r) != NONE for r in single), f"all {len(single):,} ranks on which votes disagree are adjudicated"
    )
    yes = sum(said.get(r) == Code.YES for r in range(top, cut)) + sum(log.code(r) == Code.YES for r in single)
    base = frozen.known_yes + rung.rank + yes
    labels = frozen.adjudicated + len(single)
    false = float(false_bound(slips, (1 - promise.precision) * base, labels))
    accepted = accepted_set(frozen, certified, said)
    drawn = accept_order(frozen, certified, said)
    bad = sum(log.code(rank) != Code.YES for rank in drawn)
    _accepted(log, "precision", (len(accepted), len(drawn), bad), false, frozen.accept_prior, rung.accept_delta)
    lost = frozen.known_unanswerable + sum(log.code(r) == Code.UNANSWERABLE for r in range(rung.rank, top))
    missed = (1 - promise.recall) / promise.recall * promise.precision * base - lost
    missed = float(missed_bound(slips, missed, labels))
    order = reject_order(frozen, certified)
    bad = sum(
        log.code(r) == Code.UNANSWERABLE
        or (log.code(r) == Code.YES and (r >= cut or said.get(r, NONE) in (Code.NO, NONE)))
        for r in order
    )
    size = frozen.ranks - top
    _accepted(log, "recall", (size, len(order), bad), missed, frozen.reject_prior, rung.reject_delta)


CHECKS: dict[str, Callable[[_Log], None]] = {
    "certified": _check_both,
    "precision": _check_precision,
    "recall": _check_recall,
    "adjudicated": _check_adjudicated,
}
