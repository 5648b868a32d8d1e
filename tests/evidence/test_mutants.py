"""Each constant that soundness rests on, changed a little, breaks a number of numbers.py.

A simulation of 240 runs does not see a bound that is 25 % too wide. These numbers are exact, so they see 5 %.
"""

import sys
import types
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.evidence.numbers import CHANCES, CLOSE, LEDGERS

from thresher.evidence import (
    adjudicated,
    certify,
    check,
    corrections,
    labels,
    martingale,
    methods,
    noise,
    plan,
    precision,
    recall,
    urns,
)


@dataclass(frozen=True)
class Mutant:
    """A change of the source of a module: `old` becomes `new`; `caught` names the numbers that break."""

    module: types.ModuleType
    old: str
    new: str
    caught: str


MUTANTS: dict[str, Mutant] = {
    "bound of no 5 % too wide": Mutant(
        plan,
        "(1.0 - promise.precision) * np.asarray(base",
        "1.05 * (1.0 - promise.precision) * np.asarray(base",
        "precision of both",
    ),
    "bound of missed yes 5 % too wide": Mutant(
        plan, "odds * promise.precision", "1.05 * odds * promise.precision", "recall of both"
    ),
    "without the factor p": Mutant(plan, "odds * promise.precision", "odds", "recall of both"),
    "1/r for (1-r)/r": Mutant(
        plan, "odds = (1.0 - promise.recall)", "odds = (1.05 - promise.recall)", "recall of both"
    ),
    "suspicion two beyond the bound": Mutant(martingale, "0.0) + 1.0, prior)", "0.0) + 2.0, prior)", "one urn"),
    "bounds rounded up": Mutant(
        martingale,
        "return np.floor(np.asarray(bound, np.float64) + SLACK)",
        "return np.ceil(np.asarray(bound, np.float64) - SLACK)",
        "precision of both",
    ),
    "whole numbers one too large": Mutant(martingale, "np.float64) + SLACK)", "np.float64) + SLACK) + 1", "one urn"),
    "threshold of 1.1 delta": Mutant(
        martingale, "ROUNDING - np.log(np.asarray(delta", "ROUNDING - np.log(1.1 * np.asarray(delta", "freezes"
    ),
    "threshold of 1.25 delta": Mutant(
        martingale, "ROUNDING - np.log(np.asarray(delta", "ROUNDING - np.log(1.25 * np.asarray(delta", "one urn"
    ),
    "prior that weighs 1.2": Mutant(martingale, "Prior(((0.95, 1.0,", "Prior(((1.15, 1.0,", "one urn"),
    "impossible suspicions rejected": Mutant(
        martingale,
        "return np.where((suspicion > own_estimate) & (suspicion > hits), evidence, -np.inf)",
        "return evidence",
        "one urn",
    ),
    "upper limit one too low": Mutant(martingale, "    return low\n", "    return low - 1\n", "upper limit"),
    "first freeze spends 0.9": Mutant(plan, "0.85 if epoch == 0", "0.9 if epoch == 0", "freezes"),
    "later freezes spend 0.2": Mutant(plan, "else 0.15 * 2.0", "else 0.2 * 2.0", "freezes"),
    "later freezes halve too late": Mutant(plan, "2.0**-epoch)", "2.0**(1 - epoch))", "freezes"),
    "no delta set aside for slips": Mutant(noise, "else (1.0 - NOISE_SHARE) * delta", "else delta", "ladders"),
    "five parts for six events": Mutant(noise, "PARTS = 6", "PARTS = 5", "slips"),
    "rate limit of a beta one too low": Mutant(
        noise, "betaincinv(missed + 1, shown - missed,", "betaincinv(max(missed, 0.5), shown - missed + 1,", "slips"
    ),
    "rate limit at twice its part": Mutant(
        noise, "shown - missed, 1.0 - delta)", "shown - missed, 1.0 - 2 * delta)", "slips"
    ),
    "one more detected": Mutant(
        noise, "1.0 - rate), 0.0) - 1.0, np.float64)", "1.0 - rate), 0.0), np.float64)", "slips"
    ),
    "one more bad item to detect": Mutant(noise, "whole(allowed) + 1.0, 0.0)", "whole(allowed) + 2.0, 0.0)", "slips"),
    "one slip too few": Mutant(
        noise, "float(quantile(1.0 - part, labels, rate))", "float(quantile(1.0 - part, labels, rate)) - 1.0", "slips"
    ),
    "slips of single labels forgotten": Mutant(
        noise,
        "detectable(np.asarray(bound) - wrong, slips.yes_as_no",
        "detectable(np.asarray(bound), slips.yes_as_no",
        "slips",
    ),
    "labels counted when it suits": Mutant(
        noise, "quantile(1.0 - part / STEPS, ends, rate)", "quantile(1.0 - part, ends, rate)", "slips of both"
    ),
    "slips among yes at half the logarithm": Mutant(
        noise, "log = np.log(2.0 / slips.part)", "log = 0.4 * np.log(2.0 / slips.part)", "slips of both"
    ),
    "refuted draws that share too much": Mutant(noise, "REFUTED = ((4, 0.9)", "REFUTED = ((4, 0.95)", "slips of both"),
    "refuted draws not counted": Mutant(
        noise,
        "np.searchsorted(most, np.asarray(refuted",
        "np.searchsorted(most, -1 + np.asarray(refuted",
        "slips of both",
    ),
    "attempts of the check that share too much": Mutant(
        check, "FIRST_SHARE, LATER_SHARE = 0.8", "FIRST_SHARE, LATER_SHARE = 0.85", "ladders"
    ),
    "a check that allows 5 % more": Mutant(
        check,
        "float(may_be_false(frozen.promise, len(found)))",
        "1.05 * float(may_be_false(frozen.promise, len(found)))",
        "the owner's check",
    ),
    "later attempts of the check halve too late": Mutant(
        check, "LATER_SHARE * 2.0**-attempt)", "LATER_SHARE * 2.0 ** (1 - attempt))", "ladders"
    ),
    "slips that use the delta of the check": Mutant(
        plan, "frozen.epoch) - frozen.check_delta", "frozen.epoch)", "ladders"
    ),
    "wrong ones counted up to the step before": Mutant(
        noise,
        "place = np.searchsorted(ends, count)",
        "place = np.maximum(np.searchsorted(ends, count) - 1, 0)",
        "slips of both",
    ),
    "one more detected of a sequence": Mutant(
        noise, "rate, part), earlier) - 1.0, np.float64)", "rate, part), earlier), np.float64)", "slips by word"
    ),
    "one more bad item of a sequence to detect": Mutant(
        noise, "np.maximum(whole(allowed), -1.0) + 1.0", "np.maximum(whole(allowed), -1.0) + 2.0", "slips by word"
    ),
    "half of the undetected forgotten at a step": Mutant(
        noise, "[0.0], ends - wrong_among(ends", "[0.0], ends - 0.5 * wrong_among(ends", "slips by word"
    ),
    "half of the undetected forgotten": Mutant(
        noise, "np.maximum(fewest - wrong_among(fewest", "np.maximum(fewest - 0.5 * wrong_among(fewest", "slips by word"
    ),
    "wrong labels of the middle forgotten": Mutant(
        plan,
        "np.asarray(bound, np.float64) - wrong, slips.no_as_yes",
        "np.asarray(bound, np.float64), slips.no_as_yes",
        "slips by word",
    ),
    "yes without a word all right": Mutant(plan, "slips.part) + wordless", "slips.part)", "slips by word"),
    "no slips among the accepted yes": Mutant(
        plan,
        "missed_beyond_labels(slips, bound, promise.precision * np",
        "missed_beyond_labels(slips, bound, 0.0 * np",
        "slips by word",
    ),
    "slips that grow faster than what may be missed": Mutant(
        noise, "np.where((slope <= 1.0 - recall) & (", "np.where((slope <= 1.0) & (", "slips by word"
    ),
    "a ratio turned upside down": Mutant(martingale, "average - likelihood)", "likelihood - average)", "one urn"),
    "a threshold without the logarithm": Mutant(
        martingale, "return ROUNDING - np.log(np.asarray(delta, np.float64))", "return 0.5 / np.sqrt(delta)", "one urn"
    ),
    "labels of the middle taken as they are": Mutant(
        plan, "(slips, false, labels, len(", "(slips, false, 0, len(", "slips of certified"
    ),
    "all rungs with the same part": Mutant(plan, "labels, len(frozen.ladder))", "labels, 1)", "slips of certified"),
    "yes that the audit refutes are not missed": Mutant(
        plan, "missed - refuted / recall, yes", "missed, yes", "slips of certified"
    ),
    "yes of the middle do not slip": Mutant(
        plan, "yes = base - np.minimum(rung, frozen.reject_from)", "yes = 0.0 * base", "slips of certified"
    ),
    "a known yes that is none any more": Mutant(
        corrections, "known_lost=len(was_yes - is_yes)", "known_lost=0", "corrections"
    ),
    "a known image that nobody can answer any more": Mutant(
        corrections, "known_open=sum(1 for _ in opened)", "known_open=0", "corrections"
    ),
    "a known label that is gone": Mutant(
        corrections, "today.get(row, Code.UNANSWERABLE) == Code", "today.get(row, Code.NO) == Code", "corrections"
    ),
    "a draw that was yes": Mutant(
        corrections,
        "yes_lost=sum(code == Code.YES for code, _",
        "yes_lost=sum(code == Code.NO for code, _",
        "corrections",
    ),
    "a draw that is no no any more": Mutant(
        corrections, "open=sum(code != Code.NO for _, code", "open=sum(code == Code.YES for _, code", "corrections"
    ),
    "a corrected draw counts as it is today": Mutant(
        corrections, "code if now.get(rank) == code else int(Code.UNANSWERABLE)", "now.get(rank, code)", "corrections"
    ),
    "no delta kept for the check": Mutant(methods, "delta = spent - check_delta", "delta = spent", "ladders"),
    "both audits with gold take the same delta": Mutant(
        certify, "(1.0 - EMERGENCY - spent_by_all) * delta)\n", "(1.0 - EMERGENCY) * delta)\n", "ladders"
    ),
    "rungs that share too much": Mutant(certify, "SHARES = (0.70,", "SHARES = (0.90,", "ladders"),
    "spent shares not counted": Mutant(certify, "spent += used * share", "spent = used * share", "ladders"),
    "no delta left for the last rung": Mutant(
        certify,
        "(1.0 - EMERGENCY - spent) * delta))\n        spent",
        "(1.0 - spent) * delta))\n        spent",
        "ladders",
    ),
    "attempts that share too much": Mutant(adjudicated, "ATTEMPTS = (0.7,", "ATTEMPTS = (0.8,", "ladders"),
    "the reject audit takes all of delta": Mutant(
        adjudicated, "share * accept, delta - accept)", "share * accept, delta)", "ladders"
    ),
    "the main chain takes all of delta": Mutant(
        precision, "Rung(rank, (1.0 - SPARE) * delta, delta)", "Rung(rank, delta, delta)", "ladders"
    ),
    "both audits of recall take all of delta": Mutant(recall, "(1.0 - ACCEPT_SHARE) * delta)", "delta)", "ladders"),
    "a yes at the cut is not missed": Mutant(
        urns,
        "len(self.bad) - np.searchsorted(self.bad, np.asarray(cut))",
        "len(self.bad) - np.searchsorted(self.bad, np.asarray(cut), 'right')",
        "recall of both",
    ),
    "a no right below the rung is none": Mutant(
        urns,
        "return np.searchsorted(self.bad, np.asarray(cut))",
        "return np.searchsorted(self.bad, np.asarray(cut) - 1)",
        "precision of both",
    ),
    "unanswerable where it is ranked": Mutant(
        certify,
        "np.where(codes == Code.YES, ranks, beyond)",
        "np.where(codes == Code.YES, ranks, ranks)",
        "recall of both",
    ),
    "unanswerable is no missed yes": Mutant(
        certify, "places[codes != Code.NO]", "places[codes == Code.YES]", "recall of both"
    ),
    "unanswerable is no no": Mutant(
        certify, "want.ranks[codes != Code.YES])", "want.ranks[codes == Code.NO])", "precision of both"
    ),
    "known unanswerable images forgotten": Mutant(
        plan, "lost = frozen.known_unanswerable + ", "lost = 0 + ", "recall of both"
    ),
    "people's no is no missed yes": Mutant(
        adjudicated, "lost = open_ | ~(said_yes | np.isin(ranks, self.open))", "lost = open_", "words"
    ),
    "a draw without a word is none": Mutant(
        adjudicated,
        "lost = open_ | ~(said_yes | np.isin(ranks, self.open))",
        "lost = open_ | (np.isin(ranks, self.words.ranks(Code.NO)) & ~np.isin(ranks, self.singles))",
        "words",
    ),
    "rungs with the bound of the next": Mutant(
        precision, "frozen.known_yes + found + rank)", "frozen.known_yes + found + 1.05 * rank)", "rungs"
    ),
    "a rung above one that was never accepted": Mutant(
        precision, "int(np.logical_and.accumulate(self.ever).sum())", "int(self.ever.sum())", "chain"
    ),
    "the sure yes are not reduced": Mutant(recall, "rung.rank - false\n", "rung.rank\n", "recall alone"),
    "missed yes of recall 5 % too many": Mutant(
        recall, "odds * sure_yes - frozen", "1.05 * odds * sure_yes - frozen", "recall alone"
    ),
    "wrong labels 5 % too many": Mutant(
        labels,
        "float(may_be_false(promise, base)), missed",
        "1.05 * float(may_be_false(promise, base)), missed",
        "labels",
    ),
    "missed yes of labels 5 % too many": Mutant(
        labels,
        "missed = float(may_be_missed(promise, base))",
        "missed = 1.05 * float(may_be_missed(promise, base))",
        "labels",
    ),
    "images of labels that nobody can answer forgotten": Mutant(
        labels, "base)) - unanswerable if", "base)) if", "labels"
    ),
    "unanswerable is a claimed yes": Mutant(labels, "ranks[codes != self.good]", "ranks[codes == Code.NO]", "labels"),
    "audits of labels that take twice their delta": Mutant(
        labels, "self.bound, urn.prior, self.delta))", "self.bound, urn.prior, 2.0 * self.delta))", "labels"
    ),
    "a prior of labels that weighs 1.3": Mutant(labels, "_part(0.87, clean", "_part(1.17, clean", "labels"),
    "a freeze of labels that takes all of delta": Mutant(
        labels, "Rung(claimed, given.delta, given", "Rung(claimed, given.promise.delta, given", "ladders"
    ),
}


def mutate(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the changed source in a module of its own, and put all that it defines in the place of what there was."""
    source = Path(str(mutant.module.__file__)).read_text()
    assert source.count(mutant.old) == 1, "the source has changed: name the line anew"
    changed = types.ModuleType(mutant.module.__name__)
    monkeypatch.setitem(sys.modules, f"{mutant.module.__name__} mutated", changed)
    exec(compile(source.replace(mutant.old, mutant.new), mutant.module.__file__ or "", "exec"), changed.__dict__)
    before = dict(vars(mutant.module))
    here = ("thresher.evidence", "tests.evidence.exact", "tests.evidence.numbers")
    for room in [module for name, module in sys.modules.items() if name.startswith(here)]:
        for name, value in vars(room).copy().items():
            there = before.get(name)
            ours = name.isupper() or getattr(there, "__module__", "") == mutant.module.__name__
            if there is not None and value is there and ours and name in vars(changed):
                monkeypatch.setattr(room, name, vars(changed)[name])
    for name, method in methods.METHODS.items():
        if method.fix.__module__ == mutant.module.__name__:
            monkeypatch.setitem(methods.METHODS, name, replace(method, fix=vars(changed)[method.fix.__name__]))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = MUTANTS[name]
    numbers = {**CHANCES, **LEDGERS}[mutant.caught]
    mutate(mutant, monkeypatch)
    assert any(number > most * (1 + CLOSE) for number, most in numbers())
