"""The figures of docs/how-it-decides.md, from the code itself; no data is needed.

python bench/explain.py --to docs/figures
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from thresher.evidence import Promise, floor
from thresher.evidence.martingale import log_evidence, prior_for, threshold

mpl.use("Agg")
mpl.rcParams["svg.hashsalt"] = "thresher"  # the same figure, the same file
YES, NO, AUDIT, GREY = "#0c8599", "#d9480f", "#b08900", "#868e96"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--to", type=Path, default=Path("docs/figures"))
    to = options.parse_args().to
    to.mkdir(parents=True, exist_ok=True)
    for name, draw in {"ranking": ranking, "evidence": evidence, "floor": floors}.items():
        figure = draw()
        for ending in ("svg", "png"):
            figure.savefig(to / f"{name}.{ending}", dpi=120, metadata={"Date": None} if ending == "svg" else None)
        plt.close(figure)
        print(to / name)


def ranking() -> Figure:
    """A ranked pool: accepted, middle, rejected, and where the draws fall."""
    rng = np.random.default_rng(4)
    ranks = np.arange(1000)
    share = 1 / (1 + np.exp((ranks - 300) / 45))
    figure, axes = plt.subplots(figsize=(7, 2.9), layout="constrained")
    axes.plot(ranks, share, color="black", linewidth=1.2)
    for low, high, colour, words in (
        (0, 170, YES, "accepted"),
        (170, 470, GREY, "middle:\npeople answer"),
        (470, 1000, NO, "rejected"),
    ):
        axes.axvspan(low, high, color=colour, alpha=0.13, linewidth=0)
        axes.text((low + high) / 2 + 60 * (low == 170), 0.72, words, ha="center", color=colour)
    for low, high, count in ((0, 170, 25), (170, 1000, 60)):
        axes.plot(rng.choice(np.arange(low, high), count, replace=False), np.full(count, -0.08), "|", color=AUDIT)
    axes.text(1000, -0.2, "draws of the audits", ha="right", color=AUDIT)
    axes.set(xlabel="rank by score", ylabel="chance of a yes", ylim=(-0.26, 1.05), xlim=(0, 1000))
    return figure


def evidence() -> Figure:
    """The evidence of audits whose urn is well inside its bound, and of some that break it by one."""
    size, bound, most = 2000, 40, 400
    prior, drawn = prior_for(bound / size), np.arange(1, most + 1)
    figure, axes = plt.subplots(figsize=(7, 2.9), layout="constrained")
    for bad, colour, words in ((8, YES, "8 bad: the claim is true"), (41, NO, "41 bad: it is just false")):
        for seed in range(12):
            urn = np.zeros(size, np.int64)
            urn[np.random.default_rng([bad, seed]).choice(size, bad, replace=False)] = 1
            found = log_evidence(size, drawn, np.cumsum(urn[:most]), bound + 1, prior)
            found = np.where(np.isfinite(found), found, np.nan)
            axes.plot(drawn, found, color=colour, alpha=0.6, linewidth=0.8, label=words if seed == 0 else None)
    axes.axhline(float(threshold(0.05)), color="black", linewidth=1, linestyle="--")
    axes.text(0, float(threshold(0.05)) + 0.2, "ln(1/delta), delta = 0.05")
    axes.set(xlabel="draws from an urn of 2,000", ylabel='ln M("more than 40 bad")', ylim=(-6, 8))
    axes.legend(loc="lower left", frameon=False)
    return figure


def floors() -> Figure:
    """The fewest answers that any method takes, by the share of yes."""
    share = np.geomspace(0.001, 0.6, 80)
    figure, axes = plt.subplots(figsize=(7, 2.9), layout="constrained")
    for recall, colour in ((0.8, YES), (0.9, "black"), (0.95, NO)):
        least = [floor(Promise(0.95, recall, 0.05), 1e6, 1e6 * part) for part in share]
        axes.loglog(share, least, color=colour, label=f"recall {recall:g}")
    axes.set(xlabel="share of yes in the pool", ylabel="answers, at least")
    axes.set_xticks([0.001, 0.01, 0.1, 0.3], ["0.1 %", "1 %", "10 %", "30 %"])
    axes.legend(frameon=False)
    return figure


if __name__ == "__main__":
    main()
