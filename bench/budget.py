"""Claim: a budget of answers is kept, gold is a small part of it, and `plan` says in advance what a promise takes.

Each run is the product's own loop on a real store: people of the pinned crowd (workforce/crowd.py), of one that errs
twice as often and of one in which three in ten are hasty take, answer and send assignments in simulated time. Budgets
are divided among every method; the promises are also kept without a budget, and planned at four moments.

    python bench/budget.py --results runs.json                  the whole grid; runs found there are not run again
    python bench/budget.py --data DIR --work DIR --pools any_vehicle hat --sizes 701 4000
    python bench/budget.py --short                              one small run of each kind

`over_budget_runs` counts the runs that took more answers than they had; `gold_share` is the share of answers on gold,
of all runs together (people's answers: the owner sees none); `plan_covers_80` the share of plans whose 80 % range held
the answers that it took from then on to the certificate.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
from budgeting.crowds import CROWDS
from budgeting.pools import HEADS, known_kinds
from budgeting.run import MOMENTS, Task, one
from selecting.pools import REAL, embedded
from threadpoolctl import threadpool_limits

from thresher.compute import cores
from thresher.loop.ways import WAYS

BUDGETS = (300, 800, 1500, 3000)
SIZES = (250, 701, 4000)
PROMISES = tuple(name for name, way in WAYS.items() if way.precision and way.recall)
Found = dict[str, Any]
Cell = Callable[[Task], str]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=1, help="seeds of each cell")
    options.add_argument("--pools", nargs="*", default=list(HEADS), choices=known_kinds(), help="kinds of pools")
    options.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    options.add_argument("--budgets", nargs="*", type=int, default=list(BUDGETS))
    options.add_argument("--methods", nargs="*", default=list(WAYS), choices=list(WAYS))
    options.add_argument("--crowds", nargs="*", default=list(CROWDS), choices=list(CROWDS))
    options.add_argument("--plans-only", action="store_true", help="without budgets: how far plans were right")
    options.add_argument("--budgets-only", action="store_true", help="without the runs that no budget ends")
    options.add_argument("--data", type=Path, help="the tars of bench/selection.py, for its pools")
    options.add_argument("--work", type=Path, default=Path("selection-work"), help="where embedded pictures are kept")
    options.add_argument("--processes", type=int, default=cores())
    options.add_argument("--results", type=Path, help="keep every run here as JSON; runs found there are not run again")
    options.add_argument("--short", action="store_true", help="a few small runs: seconds")
    given = options.parse_args()
    tasks = short() if given.short else grid(given)
    for name in sorted({REAL[task.kind].data for task in tasks if task.kind in REAL}):
        embedded(given.data, given.work, name)
    found = gather(given, tasks)
    tell_budgets([(task, run) for task, run in found if task.answers is not None])
    tell_plans([(task, run) for task, run in found if task.answers is None])


def grid(given: argparse.Namespace) -> list[Task]:
    """Every cell: the kind of pool changes with the seed and the cell, so that a run more is another pool."""
    tasks = []
    for seed in range(given.runs):
        for size in given.sizes:
            for crowd in given.crowds:
                for at, method in enumerate(given.methods):
                    budgets: list[int | None] = [] if given.plans_only else [*given.budgets]
                    for place, answers in enumerate(budgets):
                        kind = given.pools[(seed + at + place) % len(given.pools)]
                        tasks.append(Task(kind, size, method, answers, crowd, seed))
                    if method in PROMISES and not given.budgets_only:
                        tasks += [Task(kind, size, method, None, crowd, seed) for kind in given.pools]
    return tasks


def short() -> list[Task]:
    """A budget, small and large, and a promise without one, on small pools."""
    return [
        Task("strong", 250, "cascade", 300, "pinned", 0),
        Task("middling", 250, "precision", 800, "pinned", 0),
        Task("strong", 250, "certified", 800, "hasty", 0),
        Task("strong", 250, "certified", None, "pinned", 0),
    ]


def gather(given: argparse.Namespace, tasks: Sequence[Task]) -> list[tuple[Task, Found]]:
    """Every run; the kept ones are read, the others are made by as many processes as there are."""
    kept: dict[str, Found] = {}
    if given.results and given.results.exists():
        kept = json.loads(given.results.read_text())
    wanted = [task for task in tasks if task.key not in kept]
    began = time.monotonic()
    with ProcessPoolExecutor(given.processes) as processes:
        running = {processes.submit(on_one_core, task, given.data, given.work): task for task in wanted}
        for done, future in enumerate(as_completed(running), 1):
            task = running[future]
            kept[task.key] = future.result()
            if given.results:
                given.results.write_text(json.dumps(kept, indent=0))
            print(f"{done}/{len(wanted)} {task.key} ({time.monotonic() - began:,.0f} s)", flush=True)
    return [(task, kept[task.key]) for task in tasks]


def on_one_core(task: Task, data: Path | None, work: Path) -> Found:
    """A run on one core."""
    with threadpool_limits(1):
        return one(task, data, work)


def tell_budgets(runs: Sequence[tuple[Task, Found]]) -> None:
    if not runs:
        return
    print(f"\n{'':22}{'runs':>6}{'over':>6}{'most over':>11}{'gold':>7}{'rejected':>10}{'certified':>11}{'false':>7}")
    cells: dict[str, Cell] = {
        "budget": lambda task: f"{task.answers:,}",
        "images": lambda task: f"{task.size:,}",
        "method": lambda task: task.method,
        "crowd": lambda task: task.crowd,
        "pool": lambda task: task.kind,
    }
    for name, of in cells.items():
        by: dict[str, list[tuple[Task, Found]]] = defaultdict(list)
        for task, run in runs:
            by[of(task)].append((task, run))
        for value, some in by.items():
            over = [run["answers"] / task.answers for task, run in some if task.answers and is_over(task, run)]
            most = f"{max(over) - 1:+.0%}" if over else ""
            print(
                f"{name:7} {value:14}{len(some):>6}{len(over):>6}{most:>11}{gold_share(some):>7.1%}"
                f"{part(some, 'rejected'):>10.1%}{sum(run['certified'] for _, run in some):>11}"
                f"{sum(is_false(task, run) for task, run in some):>7}"
            )
    states: dict[str, int] = defaultdict(int)
    for _, run in runs:
        states["certified" if run["certified"] else run["state"]] += 1
    print("ended: " + ", ".join(f"{state} {count}" for state, count in sorted(states.items())))
    print(f"RATIO over_budget_runs {sum(is_over(task, run) for task, run in runs)}")
    print(f"RATIO gold_share {gold_share(runs):.3f}")


def is_over(task: Task, run: Found) -> bool:
    return task.answers is not None and run["answers"] > task.answers


def is_false(task: Task, run: Found) -> bool:
    """Whether it is certified and what was promised is not so; adjudication errs too."""
    if not run["certified"]:
        return False
    way = WAYS[task.method]
    return (way.precision and run["precision"] < 0.95) or (way.recall and run["recall"] < 0.90)


def gold_share(runs: Sequence[tuple[Task, Found]]) -> float:
    return part(runs, "gold")


def part(runs: Sequence[tuple[Task, Found]], of: str) -> float:
    return sum(run[of] for _, run in runs) / max(sum(run["answers"] for _, run in runs), 1)


def tell_plans(runs: Sequence[tuple[Task, Found]]) -> None:
    """How often a range held what it took; a run that ended otherwise says nothing about its plans."""
    ended = [(task, run) for task, run in runs if run["certified"]]
    if not ended:
        return
    print(f"\nplans of {len(ended)} runs of {len(runs)} that ended in a certificate: share in the 80 % range")
    print(f"{'':38}{'plans':>6}{'inside':>8}{'below':>7}{'above':>7}{'took/expected':>15}{'high/low':>10}")
    cells: dict[str, Callable[[Task, Found], str]] = {
        "moment": lambda _, plan: plan["moment"],
        "images": lambda task, _: f"{task.size:,}",
        "method": lambda task, _: task.method,
        "crowd": lambda task, _: task.crowd,
        "pool": lambda task, _: task.kind,
    }
    plans = [(task, run, plan) for task, run in ended for plan in run["plans"]]
    for name, of in cells.items():
        by: dict[str, list[tuple[Found, Found]]] = defaultdict(list)
        for task, run, plan in plans:
            by[of(task, plan)].append((run, plan))
        order = [one for one in MOMENTS if one in by] if name == "moment" else list(by)
        for value in order:
            print(f"{name:7} {value:30}{covered(by[value])}")
    inside = [within(run, plan) == 0 for _, run, plan in plans]
    print(f"RATIO plan_covers_80 {np.mean(inside):.3f}")


def covered(plans: Sequence[tuple[Found, Found]]) -> str:
    """One line: how many plans, the shares inside, below and above, and how wide the range is."""
    sides = [within(run, plan) for run, plan in plans]
    took = [(run["answers"] - plan["before"]) / max(plan["expected"], 1) for run, plan in plans]
    wide = [plan["high"] / max(plan["low"], 1) for _, plan in plans]
    return (
        f"{len(plans):>6}{sides.count(0) / len(sides):>8.2f}{sides.count(-1) / len(sides):>7.2f}"
        f"{sides.count(1) / len(sides):>7.2f}{np.median(took):>15.2f}{np.median(wide):>10.2f}"
    )


def within(run: Found, plan: Mapping[str, Any]) -> int:
    """0 if the answers from then on were in the range, -1 if there were fewer, 1 if more."""
    took = run["answers"] - plan["before"]
    if plan["low"] <= took <= plan["high"]:
        return 0
    return -1 if took < plan["low"] else 1


if __name__ == "__main__":
    main()
