"""The two figures of bench/store.py: images a second written and read, against the number of images."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from stores import KINDS
from stores.cell import Cell

INK, PAPER, GRID = "#16202a", "#fbfaf7", "#dfdcd4"
# ours stand out, the limit is dashed, the others are told apart by their own words at the line's end
COLOURS = {
    "directory": "#0b7285",
    "mongodb": "#b7791f",
    "append": INK,
    "lmdb": "#c2410c",
    "files": "#64748b",
    "rawmongo": "#8f6a2a",
    "postgres": "#475569",
    "redis": "#94a3b8",
}
MARKS = {
    "directory": "o",
    "mongodb": "s",
    "append": "",
    "lmdb": "^",
    "files": "v",
    "rawmongo": "D",
    "postgres": "P",
    "redis": "X",
}
CLOSEST = 0.045
"""How near two words may stand, as a share of the axis."""


def draw(found: Sequence[Cell], folder: Path) -> None:
    """Write store-write and store-read as PNG and SVG."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    mpl.rcParams.update(
        {
            "font.family": "sans-serif", "font.size": 10, "svg.fonttype": "none", "svg.hashsalt": "thresher",
            "axes.edgecolor": INK, "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
            "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER,
        }
    )  # fmt: skip
    processes = sorted({cell.processes for cell in found})
    for what, title in (
        ("write", "Images written a second, flushed at the end"),
        ("read", "Images read a second, at random"),
    ):
        figure, panels = plt.subplots(
            1, len(processes), figsize=(4.6 * len(processes), 4.4), sharey=True, squeeze=False
        )
        top = 1.08 * max(getattr(cell, what) for cell in found if cell.kind in COLOURS)
        for panel, number in zip(panels[0], processes, strict=True):
            _panel(panel, [cell for cell in found if cell.processes == number], what, top)
            panel.set_title(f"{number} process{'es' if number > 1 else ''}", loc="left")
        panels[0][0].set_ylim(0, top)
        figure.suptitle(title, x=0.01, ha="left", weight="bold")
        figure.tight_layout()
        for ending in ("png", "svg"):
            figure.savefig(
                folder / f"store-{what}.{ending}", dpi=110, metadata={"Date": None} if ending == "svg" else None
            )
        plt.close(figure)


def _panel(panel: Any, found: Sequence[Cell], what: str, top: float) -> None:  # noqa: ANN401 -- matplotlib's axes
    counts = sorted({cell.count for cell in found})
    ends: list[tuple[float, int, str]] = []
    for kind, colour in COLOURS.items():
        points = []
        for count in counts:
            values = [getattr(cell, what) for cell in found if cell.kind == kind and cell.count == count]
            if any(values):
                points.append((count, statistics.median(value for value in values if value)))
        if points:
            style = "--" if kind == "append" else "-"
            width = 2.4 if kind in ("directory", "mongodb") else 1.2
            panel.plot(
                *zip(*points, strict=True), style, marker=MARKS[kind], color=colour, linewidth=width, markersize=5
            )
            ends.append((points[-1][1], points[-1][0], kind))
    panel.set_xscale("log")
    panel.set_xticks(counts, [f"{count:,}" for count in counts])
    panel.minorticks_off()
    panel.set_xlim(counts[0] * 0.8, counts[-1] * 9)
    panel.set_xlabel("images")
    panel.yaxis.set_major_formatter(mpl.ticker.StrMethodFormatter("{x:,.0f}"))
    panel.grid(axis="y", color=GRID, linewidth=0.8)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    _words(panel, ends, top)


def _words(panel: Any, ends: Sequence[tuple[float, int, str]], top: float) -> None:  # noqa: ANN401 -- as above
    """The name of each line at its end, moved up where two would stand on each other."""
    above: dict[int, float] = {}
    for value, count, kind in sorted(ends):
        at = above[count] = max(value, above.get(count, -1.0) + CLOSEST * top)
        panel.text(count * 1.25, at, KINDS[kind].label, color=COLOURS[kind], va="center", fontsize=8.5)
