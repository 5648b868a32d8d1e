"""The graph of EfficientNet-Lite in int8: weights with a scale for each channel, activations with one for each layer.

Nothing is calibrated on pictures. Batch normalisation holds the mean and the deviation of every channel before its
activation, as the network saw them in training, and from these come the ranges of the activations and what rounding
adds to each channel on average, which the bias takes back (Nagel et al. 2019, "Data-free quantization through weight
equalization and bias correction", sections 4.2 and 4.3). So the same weights make the same graph on every machine.
The kernels of a single channel, where rounding harms most, are rounded together: of all ways to round up and down the
one is taken that changes the output least, neighbouring inputs being alike.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.learn.backbone.efficientnet_lite import PIXEL_MEAN, PIXEL_SCALE, Layer, Weights, layers_of, serialized

GRAPH_REVISION = 1  # one more whenever the graph of the same weights changes: its vectors are of another kind then
SIX = 6.0
DEVIATIONS = 4.0  # from the mean of a channel to the end of a range; what lies beyond saturates
LEVELS = 255  # steps of an activation
MOST = 127  # of a weight
ALIKE = 0.85  # correlation of an activation with the one beside it
TRIALS = 8  # times that a kernel of many weights is gone through
STEPS = 2001  # of the sum that stands for the normal law

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """The mean and the variance of each channel of an activation [channels]."""

    mean: Floats
    variance: Floats

    def within(self) -> tuple[float, float]:
        """The range that its values are stored in."""
        reach = DEVIATIONS * np.sqrt(self.variance)
        return float((self.mean - reach).min()), float((self.mean + reach).max())


def build_int8_graph(weights: Weights, side: int, *, in_pairs: bool) -> bytes:
    """A serialized ONNX model from pixels, uint8 RGB [batch, side, side, 3], to pooled features, float32 [batch, 1280].

    It is written as QuantizeLinear and DequantizeLinear around each layer, which runtimes join with it. The sums of the
    last layer become float32 as they are, because their rounding would stand in the vectors. With `in_pairs` the first
    layer reads four pixels of a row as one and gives two results, which computes the same: ONNX Runtime takes half the
    time for it, OpenVINO a multiple. `side` is a multiple of 4 then. Raises KeyError when a tensor of the network is
    not among the weights.
    """
    network = _Quantized(side, in_pairs=in_pairs)
    outputs: list[tuple[str, Seen]] = []
    given = Seen(np.zeros(3), np.ones(3))
    layers = layers_of(weights)
    for layer in layers:
        kernel, bias = (np.asarray(made, np.float64) for made in layer.folded(weights))
        if layer is layers[-1]:
            network.end(layer, kernel, bias, given)
            break
        first = in_pairs and layer is layers[0]
        (network.begin if first else network.convolve)(layer, kernel, bias, given)
        gives = _before_activation(layer, weights)
        if layer.relu:
            network.quantize(0.0, min(SIX, gives.within()[1]), in_pairs=first)
            gives = _relu6(gives)
        else:
            network.quantize(*gives.within())
        if layer.adds is not None:
            name, other = outputs[layer.adds]
            network.node("Add", name)
            gives = Seen(gives.mean + other.mean, gives.variance + other.variance)
            network.quantize(*gives.within())
        outputs.append((network.last, gives))
        given = gives
    return serialized(network.nodes, network.constants, side)


def _before_activation(layer: Layer, weights: Weights) -> Seen:
    """What batch normalisation gives: a channel has the mean of its bias and the deviation of its weight."""
    return Seen(
        np.asarray(weights[layer.norm + ".bias"], np.float64),
        np.asarray(weights[layer.norm + ".weight"], np.float64) ** 2,
    )


def _relu6(given: Seen) -> Seen:
    """Mean and variance of normal values cut to 0 and 6."""
    at = np.linspace(-6, 6, STEPS)
    share = np.exp(-0.5 * at**2)
    share /= share.sum()
    values = np.clip(given.mean[:, None] + np.sqrt(given.variance)[:, None] * at, 0, SIX)
    mean = values @ share
    return Seen(mean, ((values - mean[:, None]) ** 2) @ share)


def _rounded(kernel: Floats) -> Floats:
    """A kernel in units of its channel's scale [out, in, high, wide], rounded to whole numbers."""
    if kernel.shape[1] > 1:
        return np.round(kernel)
    high, wide = kernel.shape[2:]
    flat = kernel.reshape(len(kernel), -1)
    places = np.stack(np.divmod(np.arange(high * wide), wide), axis=1)
    alike = ALIKE ** np.abs(places[:, None] - places[None]).sum(axis=2)  # the channel's variance would change no choice
    rounded = _best_of_all(flat, alike) if flat.shape[1] <= 9 else _best_in_turn(flat, alike)
    return rounded.reshape(kernel.shape)


def _best_of_all(flat: Floats, alike: Floats) -> Floats:
    """Rows [channels, n] rounded up or down, so that the error's variance is least: all 2**n ways are tried."""
    count = flat.shape[1]
    ways = ((np.arange(2**count)[:, None] >> np.arange(count)) & 1).astype(np.float64)
    rounded = np.empty_like(flat)
    for place, row in enumerate(flat):
        errors = np.floor(row) + ways - row
        rounded[place] = np.floor(row) + ways[((errors @ alike) * errors).sum(axis=1).argmin()]
    return rounded


def _best_in_turn(flat: Floats, alike: Floats) -> Floats:
    """The same for rows too long to try all ways: each number in turn moves to its other side if that helps."""
    rounded = np.round(flat)
    for _ in range(TRIALS):
        before = rounded.copy()
        for at in range(flat.shape[1]):
            error = rounded - flat
            step = np.where(error[:, at] > 0, -1.0, 1.0)
            gain = 2 * step * (error @ alike[at]) + alike[at, at]
            rounded[:, at] += np.where(gain < 0, step, 0.0)
        if (rounded == before).all():
            break
    return rounded


@dataclass(frozen=True, slots=True)
class _Whole:
    """A kernel in whole numbers, with the scale of each output channel, and a bias in the units of the outputs."""

    kernel: NDArray[np.int8]
    scales: NDArray[np.float32]
    bias: Floats


def _in_whole_numbers(layer: Layer, kernel: Floats, bias: Floats, given: Seen) -> _Whole:
    """Round a kernel; the bias takes back what rounding adds on average."""
    scales = np.maximum(np.abs(kernel).reshape(len(kernel), -1).max(axis=1) / MOST, 1e-12).astype(np.float32)
    wide = scales.astype(np.float64)[:, None, None, None]
    rounded = np.clip(_rounded(kernel / wide), -MOST, MOST)
    added = (rounded * wide - kernel).sum(axis=(2, 3))  # [out, in], or [channels, 1] where each is by itself
    bias = bias - (added[:, 0] * given.mean if layer.groups > 1 else added @ given.mean)
    return _Whole(rounded.astype(np.int8), scales, bias)


def _in_pairs(whole: _Whole) -> _Whole:
    """The stem for four pixels a place, [in 12], and two results a place, [out 64]: 3 x 2 instead of 3 x 3, stride 2.

    The kernels that need no copy of the picture read four channels at once, and three channels are none of them.
    """
    channels, colours, high, wide = whole.kernel.shape
    kernel = np.zeros((2, channels, high, 2, 4, colours), np.int8)
    for second, column in np.ndindex(2, wide):
        place, pixel = divmod(2 * second + column, 4)
        kernel[second, :, :, place, pixel] = whole.kernel[..., column].transpose(0, 2, 1)
    places = kernel.reshape(2 * channels, high, 2, 4 * colours)
    return _Whole(places.transpose(0, 3, 1, 2), np.tile(whole.scales, 2), np.tile(whole.bias, 2))


class _Quantized:
    """A chain of nodes under construction; `last` is the newest output, `_scale` the step of its values."""

    def __init__(self, side: int, *, in_pairs: bool) -> None:
        import onnx

        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.last = "pixels"
        self._side = side
        self._scale = 1 / PIXEL_SCALE
        self._make = onnx.helper.make_node
        self._stored = onnx.numpy_helper.from_array
        if in_pairs:
            self.node("Reshape", self.constant(np.array([-1, side, side // 4, 4 * 3])))
        self.node("Transpose", perm=[0, 3, 1, 2])
        # pixels are whole numbers already: their normalisation is a scale and a zero point, and loses nothing
        self.node("DequantizeLinear", self.constant(np.float32(self._scale)), self.constant(np.uint8(PIXEL_MEAN)))

    def constant(self, values: NDArray[Any] | np.generic) -> str:
        """Store values under a name of their own."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(self._stored(np.asarray(values), name))
        return name

    def node(self, kind: str, *further: str, gives: str = "", **attributes: Any) -> None:  # noqa: ANN401 -- as ONNX has it
        """Add a node with the inputs `last` and then `further`; its output becomes `last`."""
        made = gives or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self._make(kind, [self.last, *further], [made], **attributes))
        self.last = made

    def begin(self, layer: Layer, kernel: Floats, bias: Floats, given: Seen) -> None:
        """Add the stem for four pixels a place; TensorFlow pads an even side on the right and below only."""
        whole = _in_pairs(_in_whole_numbers(layer, kernel, bias, given))
        self._convolve(layer, whole, strides=[2, 1], pads=[0, 0, 1, 1])

    def convolve(self, layer: Layer, kernel: Floats, bias: Floats, given: Seen) -> None:
        """Add a convolution."""
        whole = _in_whole_numbers(layer, kernel, bias, given)
        self._convolve(layer, whole, strides=[layer.stride] * 2, group=layer.groups, auto_pad="SAME_UPPER")

    def end(self, layer: Layer, kernel: Floats, bias: Floats, given: Seen) -> None:
        """Add the head, a product of matrices whose sums are not rounded, and the mean over the picture."""
        whole = _in_whole_numbers(layer, kernel, bias, given)
        self.node("Transpose", perm=[0, 2, 3, 1])
        self.node("MatMul", self._whole(whole.kernel[:, :, 0, 0].T.copy(), whole.scales, layer.kernel, axis=1))
        self.node("Add", self.constant(whole.bias.astype(np.float32)))
        self.node("Clip", self.constant(np.float32(0)), self.constant(np.float32(SIX)))
        self.node("ReduceMean", axes=[1, 2], keepdims=0, gives="features")

    def _convolve(self, layer: Layer, whole: _Whole, **attributes: Any) -> None:  # noqa: ANN401 -- as ONNX has it
        steps = (whole.scales.astype(np.float64) * self._scale).astype(np.float32)
        bias = np.clip(np.round(whole.bias / steps.astype(np.float64)), -(2**31), 2**31 - 1).astype(np.int32)
        weight = self._whole(whole.kernel, whole.scales, layer.kernel)
        shift = self._whole(bias, steps, layer.norm + "@" + layer.kernel)
        self.node("Conv", weight, shift, kernel_shape=whole.kernel.shape[2:], **attributes)

    def _whole(self, values: NDArray[Any], scales: NDArray[np.float32], name: str, axis: int = 0) -> str:
        """Whole numbers with a scale for each output channel."""
        inputs = [self.constant(values), self.constant(scales), self.constant(np.zeros(len(scales), values.dtype))]
        self.nodes.append(self._make("DequantizeLinear", inputs, [name], axis=axis))
        return name

    def quantize(self, low: float, high: float, *, in_pairs: bool = False) -> None:
        """Store the last output in 8 bits, from `low` to `high`; values beyond saturate, which is what ReLU6 does.

        Results `in_pairs` are taken apart: in the memory of runtimes with channels last they lie so already.
        """
        low, high = min(low, 0.0), max(high, 0.0)
        scale = np.float32((high - low) / LEVELS)
        self._scale = float(scale)
        step, zero = self.constant(scale), self.constant(np.uint8(math.floor(-low / self._scale + 0.5)))
        self.node("QuantizeLinear", step, zero)
        if in_pairs:
            self.node("Transpose", perm=[0, 2, 3, 1])
            self.node("Reshape", self.constant(np.array([0, self._side // 2, self._side // 2, -1])))
            self.node("Transpose", perm=[0, 3, 1, 2])
        self.node("DequantizeLinear", step, zero)
