"""The joint certificate where annotators err: cheap votes build the set, adjudicated labels audit it.

The votes of people act as one more classifier. Votes known at the freeze are part of the ranking: images they called
yes are at the top, images they called no are the last ranks and are never asked about again. A rung h is fixed; people
then vote on the middle, from h to a cut l. Released are the ranks below h and the middle images with a yes vote;
rejected are the ranks from l on and the middle images with a no vote. Ground truth is the adjudicated answer, and every
audit label is adjudicated.

The word of a rank from h on is the answer of the first people who are asked about it, none of them by an audit of this
freeze: yes or no if they agree, else open. It counts if it came before the label of its rank. A rank below the cut is
adjudicated (a single) and decided by its label if its word is open, or if it has none because its label came first.

Words that nobody was asked for yet are fixed numbers too, only unknown: let, over them all,

    F(l)  missed yes: those at ranks from l on, and those between h and l whose word is no.

F falls with l as the plain one does (certify.py), and one urn over the ranks from h on carries its evidence: a drawn
yes is bad for every cut up to its rank, and for every cut if its word is no, or if it has none. The accepted set is
audited last, when it is known, by an urn of its own; T(l) = base - E counts its yes, those of singles and the known.

Theorem. A false pair is accepted with probability at most (sum of accept_deltas) + reject_delta (+ the share that
noise.py takes where there is gold), whatever decides what is drawn, who is asked for a word and when to stop.

Proof. Given all that led to it, the accepted set is fixed before its urn is drawn: but for accept_delta, E <= (1-p)
base. Then T(l) >= p base. Let l1 be the largest cut with F(l1) + u > (1-r) P. If a pair with the cut l has too little
recall, its missed yes m have m + u > (1-r) P. No single is missed: m <= F(l), so l <= l1. T(l) = P - m - u < r P, the
bound that was accepted, (1-r)/r p base - u <= (1-r)/r T(l) - u, is below (1-r) P - u, and so below F(l1). What
counted as bad for l were all its bad draws and perhaps more, those of l1 among them; so by fact 3 of martingale.py that
bound would have been accepted for l1 too, and M at F(l1) has reached 1/reject_delta. []

The proof needs words that are the same numbers whether a rank is drawn or not: or else the draws say nothing of the
ranks that were not drawn. So no vote and no label of an audit serves as a word: contested images would have words that
agree with their labels where they were drawn, and others where they were not. Nor is a word asked for after the
adjudication: contested images can use up everybody, and then drawn ones would be open where others are not. So a drawn
rank gets its word first and then its label, by others; if its label comes first nevertheless (nobody is left for the
word, the owner answered on their own), the draw counts as bad for every cut. An open word needs no such care: drawn or
not it was open before the label, and a yes there is missed at the cuts up to its rank only, as F has it. Drawn ranks
far beyond the cut that is planned are not asked for their words (`_hear_first`): a yes there is bad anyway, unless the
cut grows beyond it.

When the accepted set fails, the next rung is tried: the ranks between the two rungs (a slab) are adjudicated, the new
set gets a new urn and the next accept_delta; F and l1 stay the same, as an image below the first rung that nobody can
answer counts as a no (those of a slab are also subtracted from the bound of the rejected, which only makes it
stricter). The deltas of the two audits add up here, because the accepted set depends on the draws of the other audit.
Where there is gold, each attempt also gets its share of the delta that is reserved for adjudication errors (slips), at
the rates that gold gives. As in certify.py let a be the label that adjudication has given or would give to an image; E
counts the no of the accepted set, W the no called yes among the known and the singles, Y the yes of the accepted set
that a does not call yes, and V all yes of the pool that it does not call yes. With b = (1-p) base - wrong(m) - (the yes
among singles that lie beyond the first rung and have no word) and C = (1-r)/r p base - u, the audits accept

    (A)  q(floor(b) + 1) - 1  bad items of the accepted set (noise.detectable_among),
    (R)  C - v(p base + C)    bad draws of the reject urn (noise.missed_beyond_labels).

  Precision. The set ends at a cut that was chosen by labels. So q bounds what a detects of the first k no for all k at
  once, in the order of the ranks below the rung, then of those with the word yes; and wrong(m) the slips among the
  known and the singles by rank, for all cuts at once: which ranks are singles is fixed, but for those without a word.
  These came by the labels, and each of their yes counts as a slip. So E + W + Y <= (1-p) base but for accept_delta and
  this attempt's parts: q rises by at most 1 a step. What leaves the set is no, or counted by Y.
  Recall. T(l), the yes that a calls yes among the known, the singles and the accepted set, is base - E - W - Y, at
  least p base; all of them are released. With D(l) the yes that a calls yes among F(l), P = T + D + V + u, so at most
  G(l) + u are missed, G = D + V. G falls with l, T grows. Let l1 be the largest cut with G(l1) + u > (1-r) P; a, and so
  l1, is the same for every rung. If recall is missed, l <= l1 and G(l1) > (1-r)/r T(l1) - u = C + (1-r)/r s with s =
  T(l1) - p base >= 0. V <= v(T + D + V), whose slope is below 1, so D(l1) > C + (1-r)/r s - v(p base + C + s/r), and v
  rises by at most 1-r a step, as (R) demands: D(l1) > C - v(p base + C). By fact 3, (R) was accepted for l1 too, with a
  bound below the truth. A yes that an audit wrongly refutes is in V, wherever it lies. []

Corrections of labels after the freeze (state.py) can move the cut, the singles and the slabs, and with them the
accepted set, after it was drawn from. So each set is logged before its first draw, and an attempt counts for that set
only: another one uses the attempt up, and the next rung is tried with an urn and a delta of its own. All draws of an
attempt are then of one set, fixed before them, as the proof needs; and each attempt's delta is spent once, whatever is
corrected and how often. The reject urn, the words and l1 are not moved: they were fixed at the freeze.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from thresher.evidence.certify import STEPS, draws
from thresher.evidence.curve import Curve
from thresher.evidence.martingale import at_most, log_evidence_beyond, prior_for
from thresher.evidence.noise import Slips, slips_of
from thresher.evidence.plan import (
    Cut,
    Table,
    careful,
    cheapest,
    delta_of,
    draws_ahead,
    false_by_word,
    may_be_false,
    may_be_missed,
    missed_by_word,
    sketch,
)
from thresher.evidence.state import (
    Answers,
    Asking,
    Begun,
    Certified,
    Code,
    Frozen,
    Procedure,
    Ranks,
    Refused,
    Rung,
    Want,
)
from thresher.evidence.terms import Fixed, Given
from thresher.evidence.urns import Known, Urn
from thresher.records import Purpose

ATTEMPTS = (0.7, 0.2, 0.06, 0.03, 0.01)  # of the accept audits' delta, for one rung after the other
LEAST_DRAWS = 30  # before a rung is given up
RESTART = 200.0  # rough cost, in answers, of auditing a new set
# drawn ranks are asked about for their words up to where the middle may still grow to:
REACH = 2.0  # times the middle planned now,
REACH_LEAST = 0.05  # or this part of the ranks beyond the rung
LEFT = 0.25  # of the errors that the targets allow; gold that leaves less, and need not, says too little


def bears_by_word(given: Given) -> bool:
    """Whether the bounds that gold gives are used: they are, unless gold is too little to say anything.

    That is so if the upper bounds of the error rates leave less than `LEFT` of what the targets allow, but not the
    lower ones. Then adjudicated answers are taken as the truth, and the certificate says so.
    """
    return _left(given, given.slips) >= LEFT or _left(given, given.slips.least) < LEFT


def _left(given: Given, slips: Slips) -> float:
    """The share of the allowed errors that is left when slips are counted; the smaller of both audits."""
    base = _planned(given)[1]
    false, missed = float(may_be_false(given.promise, base)), float(may_be_missed(given.promise, base))
    labels = (given.pool.adjudicated, 0)
    return min(
        float(false_by_word(slips, false, labels)) / false,
        float(missed_by_word(slips, missed, base, given.promise)) / missed,
    )


def _planned(given: Given) -> tuple[int, float]:
    """The first rung, and how many images the plan accepts."""
    pool, curve = given.pool, given.curve
    plan = sketch(curve, pool.known_yes, given.promise, delta=given.delta)
    top = min(plan.accepted, given.ranks - pool.said_no)
    return top, pool.known_yes + top + max(float(curve.before(plan.rejected) - curve.before(top)), 1.0)


def fix_adjudicated(given: Given) -> Fixed:
    """The first rung, and the rungs to fall back on."""
    delta, (top, base) = given.delta, _planned(given)
    accept = (0.5 if given.ranks < 4 * top else 0.2) * delta
    side = min(top, 0.6 * (given.ranks - top))
    places = sorted({round(top - step * side) for step in STEPS} | {0}, reverse=True)
    false, missed = float(may_be_false(given.promise, base)), float(may_be_missed(given.promise, base))
    if given.slips.part:
        missed = max(float(missed_by_word(given.slips, missed, base, given.promise)), 1.0)
    return Fixed(
        ladder=tuple(
            Rung(place, share * accept, delta - accept) for place, share in zip(places, ATTEMPTS, strict=False)
        ),
        reject_from=top,
        accept_prior=prior_for(min(false / max(top, 1), 1.0)),
        reject_prior=prior_for(min(missed / max(given.ranks - top, 1), 1.0)),
    )


@dataclass(slots=True)
class _Desk:
    """The labels so far: the reject urn, people's clear words, adjudicated labels (`sure`), and the attempt.

    `words` also holds the labels of `singles`, ranks that were adjudicated as they have no clear word; `open` are the
    ranks on whose word people disagreed.
    """

    frozen: Frozen
    curve: Curve
    slips: Slips
    urn: Urn
    words: Known
    sure: Known
    singles: Ranks
    open: Ranks
    drawn: Ranks
    attempt: int = 0

    @property
    def rung(self) -> Rung:
        return self.frozen.ladder[self.attempt]

    def table(self) -> Table:
        """The state as the planner needs it: one rung, people's votes, and the draws that these make bad."""
        frozen, ranks = self.frozen, self.drawn
        yes, open_ = np.isin(ranks, self.sure.ranks(Code.YES)), np.isin(ranks, self.sure.ranks(Code.UNANSWERABLE))
        said_yes = np.isin(ranks, self.words.ranks(Code.YES)) & ~np.isin(ranks, self.singles)
        lost = open_ | ~(said_yes | np.isin(ranks, self.open))
        self.urn.bad = np.sort(np.where(lost, frozen.ranks, ranks)[yes | open_])
        accept = Urn(frozen.seed, "planning", 0, self.rung.rank, frozen.accept_prior)
        adjudicated = frozen.adjudicated + len(self.singles)
        only = replace(frozen, ladder=(self.rung,))
        wordless = self.wordless(self.rung.rank, frozen.ranks)
        return Table(only, self.curve, accept, self.urn, self.words, True, self.slips, adjudicated, wordless)

    def wordless(self, rung: int, cut: int) -> int:
        """The yes among the singles that have no word although they lie beyond the first rung: it came too late."""
        if self.frozen.gold is None:
            return 0
        first = max(rung, self.frozen.reject_from)
        alone = np.setdiff1d(self.singles[(self.singles >= first) & (self.singles < cut)], self.open)
        return int(np.isin(alone, self.sure.ranks(Code.YES)).sum())


def certify_adjudicated(frozen: Frozen) -> Procedure:
    """For one rung after the other: first prove what is rejected, then audit what is accepted."""
    delta = delta_of(frozen)
    urn = Urn(frozen.seed, "reject", frozen.reject_from, frozen.ranks - frozen.reject_from, frozen.reject_prior)
    none = np.zeros(0, np.int64)
    desk = _Desk(
        frozen, Curve(frozen.curve), slips_of(frozen.gold, delta, ATTEMPTS[0]), urn, Known(), Known(), none, none, none
    )
    for attempt, rung in enumerate(frozen.ladder):
        desk.attempt, desk.slips = attempt, slips_of(frozen.gold, delta, ATTEMPTS[attempt])
        yield from _adjudicate(desk, np.setdiff1d(np.arange(rung.rank, frozen.reject_from), desk.singles))
        cut = yield from _settle(desk)
        if cut is None:
            return _refused(desk, "the rejected images contain more yes than the recall target allows")
        audit = yield from _audit(desk, cut)
        if audit.holds:
            return _certified(desk, cut, audit)
    return _refused(desk, "the accepted images contain more no than the precision target allows, at every rung tried")


def _adjudicate(desk: _Desk, ranks: Ranks) -> Generator[Asking, Answers, None]:
    """Ask for the adjudicated labels of single ranks; they then count as adjudicated."""
    if not len(ranks):
        return
    (codes,) = yield (Want(Purpose.MIDDLE, ranks),), len(ranks)
    desk.sure.take(ranks, codes)
    desk.words.take(ranks, codes)
    desk.singles = np.union1d(desk.singles, ranks)


def _settle(desk: _Desk) -> Generator[Asking, Answers, Cut | None]:
    """Draw from the rejected ranks and ask for votes on the middle until the reject audit accepts a cut."""
    frozen = desk.frozen
    while True:
        table = desk.table()
        cut = cheapest(table)
        ahead = round(cut.ahead) if np.isfinite(cut.ahead) else cut.middle
        unheard = desk.words.unknown(frozen.reject_from, cut.rejected)
        if cut.reject_holds and not len(unheard):
            return cut
        if not cut.reject_holds and desk.urn.left:
            want = draws(
                desk.urn, int(desk.urn.bad_from(cut.rejected)), cut.reject_bound, desk.rung.reject_delta, frozen
            )
            want = yield from _hear_first(desk, want, cut, ahead)
            (codes,) = yield (want,), ahead
            desk.sure.take(want.ranks, codes)
            desk.urn.take(len(codes), want.ranks[:0])
            desk.drawn = np.concatenate([desk.drawn, want.ranks])
        elif len(unheard):
            yield from _adjudicate(desk, (yield from _hear(desk, unheard, ahead)))
        else:
            return None


def _hear_first(desk: _Desk, want: Want, cut: Cut, ahead: int) -> Generator[Asking, Answers, Want]:
    """Ask for the words of draws that the cut may still pass, before they are adjudicated.

    Returns the draws; in advance only those may be asked for that lack no word.
    """
    first, last = desk.frozen.reject_from, desk.frozen.ranks - desk.frozen.said_no
    reach = min(first + round(max(REACH * (cut.rejected - first), REACH_LEAST * (last - first))), last)
    yield from _hear(desk, want.ranks[want.ranks < reach], ahead)
    lacks = (want.further < reach) & ~np.isin(want.further, np.concatenate([desk.words.ranks(), desk.open]))
    return replace(want, further=want.further[: int(np.argmax(lacks)) if lacks.any() else None])


def _hear(desk: _Desk, ranks: Ranks, ahead: int) -> Generator[Asking, Answers, Ranks]:
    """Ask people for the words that are missing; the ranks that have no clear one."""
    unheard = ranks[~np.isin(ranks, desk.words.ranks())]
    if not len(unheard):
        return unheard
    (codes,) = yield (Want(Purpose.MIDDLE, unheard, sure=False),), ahead
    clear = np.isin(codes, (Code.NO, Code.YES))
    desk.words.take(unheard[clear], codes[clear])
    desk.open = np.union1d(desk.open, unheard[codes == Code.UNANSWERABLE])
    return unheard[~clear]


@dataclass(frozen=True, slots=True)
class _Audit:
    """The result of the audit of the accepted set."""

    holds: bool
    accepted: Ranks
    drawn: int
    bad: int


def accepted_ranks(rung: int, cut: int, called_yes: Ranks) -> Ranks:
    """The accepted set: the ranks below the rung (by score), and the middle images with a yes vote."""
    middle = called_yes[(called_yes >= rung) & (called_yes < cut)]
    return np.concatenate([np.arange(rung, dtype=np.int64), middle])


def _audit(desk: _Desk, cut: Cut) -> Generator[Asking, Answers, _Audit]:
    """Draw from the accepted set until its bound is proven, or until the next rung costs less."""
    frozen, rung, bound = desk.frozen, desk.rung, cut.accept_bound
    called_yes = np.setdiff1d(desk.words.ranks(Code.YES), desk.singles)
    accepted = accepted_ranks(rung.rank, cut.rejected, called_yes)
    urn = Urn(frozen.seed, f"accept|{desk.attempt}", 0, len(accepted), frozen.accept_prior)
    begun = Begun(desk.attempt, cut.rejected, np.sort(accepted))
    (another,) = yield (Want(Purpose.AUDIT_PRECISION, accepted[:0], begins=begun),), round(RESTART)
    if len(another):  # a correction has changed the set since its first draw
        return _Audit(False, accepted, 0, 0)
    slab = rung.rank - (frozen.ladder[desk.attempt + 1].rank if desk.attempt + 1 < len(frozen.ladder) else 0)
    while not at_most(urn.size, urn.drawn, len(urn.bad), bound, urn.prior, rung.accept_delta):
        share = careful(len(urn.bad), urn.drawn, max(0.3 * bound / max(urn.size, 1), 1e-9), 1.0)
        evidence = log_evidence_beyond(urn.size, urn.drawn, len(urn.bad), bound, urn.prior)
        ahead = float(draws_ahead(urn.size, urn.drawn, share, bound, evidence, rung.accept_delta))
        if not urn.left or (urn.drawn >= LEAST_DRAWS and ahead > 2.0 * slab + RESTART):
            return _Audit(False, accepted, urn.drawn, len(urn.bad))
        want = draws(urn, len(urn.bad), bound, rung.accept_delta, frozen)
        ranks = accepted[want.ranks]
        (codes,) = yield (Want(Purpose.AUDIT_PRECISION, ranks, first_draw=urn.drawn),), round(min(ahead, urn.left))
        desk.sure.take(ranks, codes)
        urn.take(len(codes), want.ranks[codes != Code.YES])
    return _Audit(True, accepted, urn.drawn, len(urn.bad))


def _below(desk: _Desk, cut: Cut) -> tuple[int, float, float]:
    """How many singles are below the cut, and the bounds of the two audits with no others (docs/certificate-format.md).

    The planner counts all singles, those of earlier cuts too: what it has proven was stricter.
    """
    frozen, rung = desk.frozen, desk.rung.rank
    singles = int(((desk.singles >= rung) & (desk.singles < cut.rejected)).sum())
    base = frozen.known_yes + rung + int(desk.words.between(rung, cut.rejected, Code.YES))
    lost = frozen.known_unanswerable + int(desk.words.between(rung, frozen.reject_from, Code.UNANSWERABLE))
    false, missed = may_be_false(frozen.promise, base), may_be_missed(frozen.promise, base) - lost
    if desk.slips.part:
        labels = (frozen.adjudicated + singles, desk.wordless(rung, cut.rejected))
        false = false_by_word(desk.slips, false, labels)
        missed = missed_by_word(desk.slips, missed, base, frozen.promise)
    return singles, float(false), float(missed)


def _certified(desk: _Desk, cut: Cut, audit: _Audit) -> Certified:
    singles, accept_bound, reject_bound = _below(desk, cut)
    frozen, rung, promise = desk.frozen, desk.rung, desk.frozen.promise
    refuted = np.concatenate([desk.sure.ranks(Code.NO), desk.sure.ranks(Code.UNANSWERABLE)])
    found = desk.sure.ranks(Code.YES)
    if frozen.gold is not None:  # `slipped` covers single ranks only: a yes that an audit drew may be an error
        found = np.intersect1d(found, desk.singles)
    released = np.union1d(np.setdiff1d(audit.accepted, refuted), found)
    delivered = frozen.known_yes + len(released)
    return Certified(
        precision=promise.precision,
        recall=promise.recall,
        delta=promise.delta,
        accepted=rung.rank,
        rejected=cut.rejected,
        delivered=delivered,
        asked=len(desk.words) + len(desk.sure) - len(desk.singles),
        counts={
            "attempt": desk.attempt,
            "singles": singles,
            "accept_size": len(audit.accepted),
            "accept_drawn": audit.drawn,
            "accept_bad": audit.bad,
            "accept_bound": accept_bound,
            "accept_delta": rung.accept_delta,
            "reject_drawn": desk.urn.drawn,
            "reject_bad": int(desk.urn.bad_from(cut.rejected)),
            "reject_bound": reject_bound,
            "reject_delta": rung.reject_delta,
            "yes_missed_rate": desk.slips.yes_as_no,
            "no_missed_rate": desk.slips.no_as_yes,
        },
    )


def _refused(desk: _Desk, why: str) -> Refused:
    return Refused(
        why=why,
        take="more votes an image (setting votes), then a new freeze, trained on these labels; or lower targets",
        asked=len(desk.words) + len(desk.sure) - len(desk.singles),
    )
