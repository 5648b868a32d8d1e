"""The figure of bench/selection.py: answers by pool and method, on one logarithmic axis."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

from selecting.outcome import Outcome

mpl.use("Agg")
INK, PAPER, QUIET = "#16202a", "#fbfaf7", "#64748b"
DELTA = 0.05
# name in the runs: how it is told, its colour and its mark
SHOWN = {
    "thresher": ("thresher", "#0b7285", "o"),
    "BARGAIN_PR": ("BARGAIN_PR", "#c2410c", "s"),
    "SUPG": ("SUPG, best budget", "#64748b", "^"),
    "LSUN cascade": ("LSUN cascade", "#b7791f", "x"),
}


def draw(runs: Mapping[str, Mapping[str, Sequence[Outcome]]], floors: Mapping[str, int], to: Path) -> None:
    """Write `to`.svg and `to`.png."""
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "thresher"  # the same runs, the same file
    figure, axes = plt.subplots(figsize=(9, 0.6 * len(runs) + 1.6), facecolor=PAPER)
    axes.set_facecolor(PAPER)
    for place, (pool, methods) in enumerate(runs.items()):
        axes.axhline(place, color="#dedbd3", linewidth=0.8, zorder=0)
        axes.plot([floors[pool]], [place], marker="|", markersize=16, color=INK, linestyle="none")
        for name, (told, colour, mark) in SHOWN.items():
            of = best(methods) if name == "SUPG" else methods[name]
            answers = sum(run.answers for run in of) / len(of)
            axes.plot([answers], [place], marker=mark, markersize=8, color=colour, linestyle="none", label=told)
    axes.set_yticks(range(len(runs)), [pool.replace("_", " ") for pool in runs])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("answers, learning included (mean of the runs; the bar is the floor of any method)", color=INK)
    axes.tick_params(colors=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    told = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(told.values(), told.keys(), loc="upper center", bbox_to_anchor=(0.45, 1.14), ncols=4, frameon=False)
    figure.tight_layout()
    figure.savefig(to.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(to.with_suffix(".png"), dpi=160)


def best(methods: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
    """SUPG with the budget that cost least, chosen in hindsight."""
    budgets = [of for name, of in methods.items() if name.startswith("SUPG ")]
    return min(budgets, key=lambda of: sum(run.answers for run in of))
