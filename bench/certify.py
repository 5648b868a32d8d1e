"""Claim: labels that somebody else made are certified, or refused, by fewer answers than a plan of fixed size takes.

**Simulated labels.** Labels of which 0, 0.5, 1, 3 and 6 % are wrong, at random places of a claim of 10,000 images, are
audited by the method `labels` for a precision of 0.95 at delta 0.05. Beside it stands labelling at random with a
Clopper-Pearson bound: draw n images, count c wrong ones, and say yes if the bound at delta does. Its user is granted to
know the true share: n is the smallest that says yes as often as the audit did (or 99 times of 100). It has all of
delta, where the audit has the 0.85 of a first freeze. For labels that are too wrong to be certified it is the plan for
3 %, all of which is labelled before it says no. `answers_vs_clopper_pearson` is the mean, over the four shares that can
be certified (0 % included, where the plan is the better one), of the audit's average answers divided by n.

**False certificates.** Labels with one wrong image more than the precision allows, and labels that miss one yes more
than the recall allows. What they may be is delta.

**Real labels**, with --data: each class of CIFAR-10N against the rest, its first vote a picture as the label; and the
vehicles that a head calls so which was trained on 1,000 pictures of tiny-vehicles, each picture taken for a detected
box. `thresher certify` shows the 20 labels with the lowest scores first. `errors_found_vs_cleanlab` is the wrong labels
that the whole of it finds until its verdict, divided by those at the top of cleanlab's ranking for as many answers, on
the same out-of-fold probabilities. The same answers spent on the lowest scores alone stand beside it.

    python bench/certify.py                                 a few minutes on one core
    python bench/certify.py --data DIR --work DIR           DIR of --data holds the tars and their CSV files
"""

import argparse
import time
from pathlib import Path

import numpy as np
from certifying.audits import BOTH, PROMISE, Labelled, Outcome, fixed_size, runs_of
from certifying.exactly import course, rules

from thresher.evidence import Promise

SIZE = (10_000, 10_000)  # claimed images, and others
SHARES = (0.0, 0.005, 0.01, 0.03, 0.06)
OFTEN_ENOUGH = 0.99
RUNS, RUNS_OF_REAL = 2_000, 50
MENDED = 500  # with `--doubtful 500`: for a user who wants the errors more than the verdict


def just_false(promise: Promise) -> tuple[int, int]:
    """How many are wrong and missed in labels that break the last target by one image, and keep the other by one."""
    wrong = int((1.0 - promise.precision) * SIZE[0] + 1e-9)
    if not promise.recall:
        return wrong + 1, 0
    return wrong, int((1.0 - promise.recall) / promise.recall * (SIZE[0] - wrong) + 1e-9) + 1


def tell_simulated(runs: int) -> dict[str, float]:
    """Labels with wrong ones at random places."""
    print(f"{SIZE[0]:,} claimed images, precision {PROMISE.precision:g}, delta {PROMISE.delta:g}, {runs:,} runs each")
    print("wrong    yes    answers  90 % need  fixed plan  ratio  least precision released")
    average: dict[float, float] = {}
    ratios: dict[float, float] = {}
    plan, judged = 0, rules(SIZE[0])
    for share in SHARES:
        done = list(runs_of(PROMISE, SIZE, round(share * SIZE[0]), 0, runs, seed=round(1e6 * share)))
        answers = np.array([one.answers for one in done], np.float64)
        often = float(np.mean([one.certified for one in done]))
        if share < 1.0 - PROMISE.precision:
            plan = fixed_size(share, min(often, OFTEN_ENOUGH))
        average[share], ratios[share] = float(answers.mean()), float(answers.mean()) / plan
        least = min((one.precision for one in done if one.certified), default=float("nan"))
        told = f"{average[share]:9.1f} {np.quantile(answers, 0.9):9.0f} {plan:10d} {ratios[share]:8.2f} {least:14.4f}"
        exact, certified, _ = course(SIZE[0], round(share * SIZE[0]), judged)
        print(f"{share:5.1%} {often:7.1%} {told}; exactly {exact:.1f} answers, yes {certified:.1%}", flush=True)
    certifiable = [ratios[share] for share in SHARES if share < 1.0 - PROMISE.precision]
    print(f"ratio to the plan: mean with 6 % too {np.mean(list(ratios.values())):.2f}, without 0 and 6 % ", end="")
    print(f"{np.mean(certifiable[1:]):.2f}")
    return {
        "answers_precision_95_at_0pct": average[0.0],
        "answers_precision_95_at_1pct": average[0.01],
        "answers_vs_clopper_pearson": float(np.mean(certifiable)),
    }


def tell_false(runs: int) -> dict[str, float]:
    """Labels that are just not good enough."""
    worst = 0.0
    for promise in (PROMISE, BOTH):
        done = list(runs_of(promise, SIZE, *just_false(promise), runs, seed=77))
        false, asked = sum(one.is_false(promise) for one in done), np.mean([one.answers for one in done])
        said = "recall" if promise.recall else "precision"
        if not promise.recall:
            chance = course(SIZE[0], just_false(promise)[0], rules(SIZE[0]))[1]
            print(f"precision just missed: the chance of a certificate is {chance:.4f} exactly")
        print(
            f"{said} just missed: {false} of {runs:,} certificates are false, {asked:.0f} answers on average",
            flush=True,
        )
        worst = max(worst, false / runs / promise.delta)
    return {"false_certificates_of_allowed": worst}


def tell_real(data: Path, work: Path, runs: int) -> dict[str, float]:
    """Labels of people and of a model, and the errors that are found in them."""
    from certifying.real import DOUBTFUL, by_cleanlab, certify, detections, lowest, votes

    random = np.random.default_rng(5)
    voted = votes(data, work)
    doubted = by_cleanlab(voted)
    print(f"{'labels':24} claimed  right   yes  answers  90 % need   found  lowest scores  cleanlab  precision  recall")
    ratios: dict[int, tuple[float, float]] = {}
    for doubtful in (DOUBTFUL, MENDED):
        found: list[tuple[float, float, float]] = []
        for labels in voted.each():
            done = [certify(labels, doubtful, random) for _ in range(runs)]
            wrong = np.cumsum(~labels.yes[doubted[labels.claimed[doubted]]])
            theirs = float(np.mean([wrong[one.answers - 1] for one in done]))
            alone = float(np.mean([lowest(labels, one.answers) for one in done]))
            found.append((float(np.mean([one.found for one in done])), alone, theirs))
            tell(f"{labels.name}, {doubtful} first", labels, done, f"{alone:14.1f} {theirs:9.1f}")
        ours, alone, theirs = np.sum(found, axis=0)
        ratios[doubtful] = ours / theirs, alone / theirs
    for labels in detections(data, work):
        for doubtful in (0, DOUBTFUL):
            done = [certify(labels, doubtful, random) for _ in range(runs)]
            alone = float(np.mean([lowest(labels, one.answers) for one in done]))
            tell(f"{labels.name}, {doubtful} first", labels, done, f"{alone:14.1f} {'':9}")
    for doubtful, (ours, alone) in ratios.items():
        told = f"{ours:.2f} of cleanlab's for as many answers; {alone:.2f} by the lowest scores alone"
        print(f"errors found in votes, {doubtful} first: {told}")
    return {"errors_found_vs_cleanlab": ratios[DOUBTFUL][0]}


def tell(name: str, labels: Labelled, done: list[Outcome], others: str) -> None:
    """One row."""
    answers = [one.answers for one in done]
    said = np.mean([one.certified for one in done])
    found, precision, recall = (
        np.mean([getattr(one, what) for one in done]) for what in ("found", "precision", "recall")
    )
    counted = f"{labels.claimed.sum():7,d} {labels.yes[labels.claimed].mean():6.1%} {said:5.0%} {np.mean(answers):8.1f}"
    print(
        f"{name:24} {counted} {np.quantile(answers, 0.9):10.0f} {found:7.1f} {others} {precision:10.4f} {recall:7.3f}"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=RUNS, help="audits of each kind of simulated labels")
    options.add_argument("--data", type=Path, help="a folder of tars of pictures; left out: simulated labels only")
    options.add_argument("--work", type=Path, default=Path("certify-work"), help="where embedded pictures are kept")
    given, started = options.parse_args(), time.perf_counter()
    ratios = tell_simulated(given.runs) | tell_false(given.runs)
    if given.data:
        ratios |= tell_real(given.data, given.work, min(given.runs, RUNS_OF_REAL))
    print(f"took {time.perf_counter() - started:.0f} s")
    for name, value in ratios.items():
        print(f"RATIO {name} {value:.2f}")


if __name__ == "__main__":
    main()
