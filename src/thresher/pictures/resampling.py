"""Pillow's resampling as products of small matrices, which take half of its time: the pixels differ by rounding only.

A resampling is two products, of the rows and of the columns, and their matrices are nearly empty: an output pixel is
made of a few neighbours (4 where a picture grows, more where it shrinks, so that nothing is skipped: antialiasing). So
the outputs are computed in groups, each from the inputs that it reaches. Source: Pillow 13.0.0, libImaging/Resample.c.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thresher.pictures.scratch import floats

GROUP = 8  # outputs computed at once: more waste products with zero, fewer waste calls
MOST_KEPT_BYTES = 1 << 24  # of plans, 0.02 to 0.3 MB each; pictures of one source come in a few sizes
CHANNELS = 3

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Box = tuple[float, float, float, float]


class _Part(NamedTuple):
    """A group of outputs of an axis, the inputs that they are made of, and the weight of each input in each output."""

    outputs: slice
    inputs: slice
    weights: Floats


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, and how far it reaches, in pixels."""

    bicubic: bool

    @property
    def reach(self) -> float:
        """How many pixels away an input still counts."""
        return 2.0 if self.bicubic else 1.0

    def __call__(self, away: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weights of inputs so many pixels away (bicubic: Keys 1981, equation 15)."""
        x = np.abs(away)
        if not self.bicubic:
            return np.maximum(0.0, 1.0 - x)
        near, far = (1.5 * x - 2.5) * x * x + 1.0, ((2.5 - 0.5 * x) * x - 4.0) * x + 2.0
        return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


BICUBIC, BILINEAR = Filter(bicubic=True), Filter(bicubic=False)


def resample(pixels: Bytes, *, box: Box, out: Bytes, by: Filter = BICUBIC) -> None:
    """Resample the part of `pixels` [h, w, 3] inside `box` (left, top, right, bottom) to the size of `out`, into it.

    `out` is contiguous. The box may begin and end between pixels, and lies within them.
    """
    high, wide = len(out), out.shape[1]
    left, top, right, bottom = box
    rows_first = _rows_first(pixels, wide, high)
    across, down = _axis(pixels.shape[1], left, right, wide, by), _axis(len(pixels), top, bottom, high, by)
    part = pixels[down.first : down.last, across.first : across.last]
    values = floats("values", len(part), part.shape[1] * CHANNELS)
    np.copyto(values.reshape(part.shape), part)
    columns, rows = _plan(across, CHANNELS), _plan(down, 1)
    if rows_first:
        between = _rounded(_by_rows(values, rows, high))
        made = _by_columns(between, columns, wide)
    else:
        between = _rounded(_by_columns(values, columns, wide))
        made = _by_rows(between, rows, high)
    np.copyto(out.reshape(high, -1), _bounded(made), casting="unsafe")


def _rows_first(pixels: Bytes, wide: int, high: int) -> bool:
    """Which of the two passes Pillow begins with. It rounds between them, so the order is seen."""
    less_high, less_wide = len(pixels) - high, pixels.shape[1] - wide
    return less_high > 0 and less_high > 2 * less_wide


def _by_rows(values: Floats, parts: tuple[_Part, ...], high: int) -> Floats:
    made = floats("rows", high, values.shape[1])
    for part in parts:
        np.matmul(part.weights, values[part.inputs], out=made[part.outputs])
    return made


def _by_columns(values: Floats, parts: tuple[_Part, ...], wide: int) -> Floats:
    made = floats("columns", len(values), wide * CHANNELS)
    for part in parts:
        np.matmul(values[:, part.inputs], part.weights, out=made[:, part.outputs])
    return made


def _rounded(values: Floats) -> Floats:
    """Whole numbers from 0 to 255, as Pillow keeps between the two passes; in place."""
    return np.floor(_bounded(values), out=values)


def _bounded(values: Floats) -> Floats:
    """Numbers that become whole ones from 0 to 255 once their fractions are cut off; in place."""
    np.clip(values, 0, 255, out=values)
    values += 0.5
    return values


@dataclass(frozen=True, slots=True)
class _Axis:
    """The pixels from `first` to `last` of an axis; of them what is from `start` to `end` becomes `size` outputs."""

    first: int
    last: int
    start: float
    end: float
    size: int
    by: Filter


def _axis(pixels: int, start: float, end: float, size: int, by: Filter) -> _Axis:
    """What of an axis is reached. Pictures of which the same is reached share a plan, however much was cut off."""
    reach = int(by.reach * max((end - start) / size, 1.0)) + 1
    first, last = max(0, int(start) - reach), min(pixels, int(np.ceil(end)) + reach)
    return _Axis(first, last, start - first, end - first, size, by)


def _plan(axis: _Axis, channels: int) -> tuple[_Part, ...]:
    return _plans.of(axis, channels)


class _Plans:
    """The plans that were used last, up to so many bytes; of all threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[tuple[_Axis, int], tuple[tuple[_Part, ...], int]] = OrderedDict()
        self.kept_bytes = 0

    def of(self, axis: _Axis, channels: int) -> tuple[_Part, ...]:
        """The plan of an axis, made if it is not kept."""
        key = (axis, channels)
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept[0]
        made = _parts(axis, channels)
        size = sum(part.weights.nbytes for part in made)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = (made, size)
                self.kept_bytes += size
            while self.kept_bytes > MOST_KEPT_BYTES:
                self.kept_bytes -= self._kept.popitem(last=False)[1][1]
        return made


_plans = _Plans()


def _parts(axis: _Axis, channels: int) -> tuple[_Part, ...]:
    """The groups of an axis; those of several channels, which lie beside each other, are multiplied from behind."""
    size = axis.size
    lows, weights = _weights(axis.last - axis.first, axis.start, axis.end, size, axis.by)
    firsts, matrices = _grouped(lows, weights, axis.last - axis.first)
    matrices = np.ascontiguousarray(matrices) if channels == 1 else _spread(matrices, channels)
    reached = matrices.shape[2] if channels == 1 else matrices.shape[1]
    made = []
    for number, first in enumerate((firsts * channels).tolist()):
        outputs = slice(number * GROUP * channels, min(size, (number + 1) * GROUP) * channels)
        count = outputs.stop - outputs.start  # fewer in the last group
        some = matrices[number, :count] if channels == 1 else matrices[number, :, :count]
        made.append(_Part(outputs, slice(first, first + reached), some))
    return tuple(made)


def _grouped(lows: NDArray[np.int64], weights: Floats, pixels: int) -> tuple[NDArray[np.int64], Floats]:
    """For each group its first input, and its matrix [GROUP, inputs], of the same number of inputs for all groups."""
    size, taps = weights.shape
    ends = lows[np.minimum(np.arange(0, size, GROUP) + GROUP, size) - 1]
    reached = min(pixels, int((ends - lows[::GROUP]).max()) + taps)
    firsts = np.minimum(lows[::GROUP], pixels - reached)
    group, place = np.divmod(np.arange(size), GROUP)
    inputs = (lows - firsts[group])[:, None] + np.arange(taps)
    matrices = np.zeros((len(firsts), GROUP, reached + taps), np.float32)  # at the edge, weights of 0 lie beyond it
    matrices[group[:, None], place[:, None], inputs] = weights
    return firsts, matrices[:, :, :reached]


def _spread(matrices: Floats, channels: int) -> Floats:
    """The same for channels that lie beside each other: matrices [inputs x channels, GROUP x channels]."""
    groups, _, reached = matrices.shape
    across = np.zeros((groups, reached, channels, GROUP, channels), np.float32)
    for channel in range(channels):
        across[:, :, channel, :, channel] = matrices.transpose(0, 2, 1)
    return across.reshape(groups, reached * channels, GROUP * channels)


def _weights(pixels: int, start: float, end: float, size: int, by: Filter) -> tuple[NDArray[np.int64], Floats]:
    """For each output its first input [size], and the weights of the inputs from there on [size, n], which sum to 1."""
    scale = (end - start) / size
    wider = max(scale, 1.0)
    middles = start + (np.arange(size) + 0.5) * scale
    lows = np.maximum(0, (middles - by.reach * wider + 0.5).astype(np.int64))
    highs = np.minimum(pixels, (middles + by.reach * wider + 0.5).astype(np.int64))
    places = lows[:, None] + np.arange(int((highs - lows).max()))
    found = by((places - middles[:, None] + 0.5) / wider)
    found[places >= highs[:, None]] = 0.0
    return lows, (found / found.sum(axis=1, keepdims=True)).astype(np.float32)
