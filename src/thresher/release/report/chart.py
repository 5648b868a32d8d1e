"""The bounds on precision after each answer, as SVG: a band between the bounds, and the target as a dashed line."""

from collections.abc import Sequence
from typing import Final

from thresher.release.report.findings import Findings, percent

Path = Sequence[tuple[int, float, float]]
POINTS_MOST: Final = 240
WIDTHS: Final = {"wide": 640, "narrow": 320}
HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 240, 48, 16, 16, 40


def charts(found: Findings) -> str:
    """The chart twice, for wide and for narrow windows, so that its letters keep their size."""
    if len(found.path) < 2:
        return ""
    return "".join(_chart(found, kind, width) for kind, width in WIDTHS.items())


def _chart(found: Findings, kind: str, width: int) -> str:
    path = _fewer(found.path)
    most = path[-1][0]

    def x(answers: float) -> float:
        return LEFT + (width - LEFT - RIGHT) * answers / max(most, 1)

    def y(share: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share)

    lower = [(x(number), y(low)) for number, low, _ in path]
    upper = [(x(number), y(high)) for number, _, high in path]
    last, target = path[-1], found.precision.target
    parts = [
        f'<svg class="chart {kind}" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" role="img" ',
        f'aria-label="{_sentence(found)}">',
        *(_level(share, y(share), width) for share in (0.0, 0.5, 1.0)),
        f'<path class="band" d="{_line(lower)} L{_line(upper[::-1])[1:]} Z"/>',
        f'<path class="lower" d="{_line(lower)}"/>',
        f'<path class="target" d="M{LEFT} {y(target):.1f}H{width - RIGHT}"/>',
        f'<text class="told" x="{LEFT + 8}" y="{y(target) + 18:.1f}">target {percent(target)}</text>',
        _end(x(last[0]), y(last[1]), f"at least {percent(last[1])}"),
        f'<text class="axis" x="{LEFT}" y="{HEIGHT - 12}">0</text>',
        f'<text class="axis" text-anchor="end" x="{width - RIGHT}" y="{HEIGHT - 12}">{most:,} answers</text>',
        "</svg>",
    ]
    return "".join(parts)


def _level(share: float, at: float, width: int) -> str:
    line = f'<path class="grid" d="M{LEFT} {at:.1f}H{width - RIGHT}"/>'
    return f'{line}<text class="axis" text-anchor="end" x="{LEFT - 8}" y="{at + 4:.1f}">{percent(share)}</text>'


def _end(left: float, top: float, words: str) -> str:
    told = f'<text class="told strong" text-anchor="end" x="{left:.1f}" y="{top + 42:.1f}">{words}</text>'
    return f'<circle class="end" cx="{left:.1f}" cy="{top:.1f}" r="4"/>{told}'


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{left:.1f} {top:.1f}" for left, top in points)


def _sentence(found: Findings) -> str:
    number, low, high = found.path[-1]
    return (
        f"After {number:,} answers the precision lies between {percent(low)} and {percent(high, down=False)}; "
        f"the target is {percent(found.precision.target)}."
    )


def _fewer(path: Path) -> Path:
    """At most so many points as can be seen, the first and the last among them."""
    if len(path) <= POINTS_MOST:
        return path
    step = (len(path) - 1) / (POINTS_MOST - 1)
    return [path[round(number * step)] for number in range(POINTS_MOST)]
