"""The ONNX graph of EfficientNet-Lite, from its published weights.

EfficientNet (Tan and Le, 2019, table 1) without squeeze-and-excitation and with ReLU6 for swish, which is what "Lite"
means. Batch normalisation is folded into the convolutions. The stem, the head and the strides are the same in all of
Lite0 to Lite4; how many blocks a stage has and how wide they are is read from the weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[Any]]

STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)  # of the first block of each stage; the others have 1
NORM_EPSILON = 1e-3
PIXEL_MEAN, PIXEL_SCALE = 127.0, 128.0  # of the Lite family: (pixel - 127) / 128, all channels alike
FEATURES = 1280
OPSET, IR_VERSION = 17, 9  # read by ONNX Runtime from 1.14 on
GRAPH_REVISION = 1  # one more whenever the graph of the same weights changes: kept graphs are then built anew


def build_graph(weights: Weights, side: int) -> bytes:
    """A serialized ONNX model from pixels, uint8 RGB [batch, side, side, 3], to pooled features, float32 [batch, 1280].

    Raises KeyError when a tensor of the network is not among the weights.
    """
    network = _Network(weights)
    outputs: list[str] = []
    for layer in layers_of(weights):
        network.convolve(layer)
        if layer.adds is not None:
            network.node("Add", outputs[layer.adds])
        outputs.append(network.last)
    network.node("GlobalAveragePool")
    network.node("Flatten", gives="features")
    return serialized(network.nodes, network.constants, side)


def serialized(nodes: list[Any], constants: list[Any], side: int) -> bytes:
    """A checked ONNX model of nodes that lead from `pixels` to `features`."""
    import onnx  # here, for it is needed once a machine: the graph is kept

    graph = onnx.helper.make_graph(
        nodes,
        "efficientnet_lite",
        [onnx.helper.make_tensor_value_info("pixels", onnx.TensorProto.UINT8, ["batch", side, side, 3])],
        [onnx.helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, ["batch", FEATURES])],
        constants,
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution with the batch normalisation after it; `adds` is the place of an earlier layer it is added to."""

    kernel: str
    norm: str
    stride: int = 1
    groups: int = 1
    relu: bool = True
    adds: int | None = None

    def folded(self, weights: Weights) -> tuple[NDArray[Any], NDArray[Any]]:
        """Kernel [out, in, high, wide] and bias [out] with the normalisation folded in."""
        tensor = weights[self.kernel + ".weight"]
        scale = weights[self.norm + ".weight"] / np.sqrt(weights[self.norm + ".running_var"] + NORM_EPSILON)
        shift = weights[self.norm + ".bias"] - weights[self.norm + ".running_mean"] * scale
        return tensor * scale[:, None, None, None], shift


def layers_of(weights: Weights) -> list[Layer]:
    """The network as a chain: the stem, inverted bottlenecks, the head.

    A bottleneck widens by 1x1, convolves each channel separately, narrows by 1x1, and adds its input.
    """
    layers = [Layer("_conv_stem", "_bn0", stride=2)]
    block, stage, width = 0, -1, 0
    while (name := f"_blocks.{block}.") + "_project_conv.weight" in weights:
        narrow = weights[name + "_project_conv.weight"].shape[0]
        opens_stage = narrow != width
        stage, width = stage + opens_stage, narrow
        came_in = len(layers) - 1
        if name + "_expand_conv.weight" in weights:
            layers.append(Layer(name + "_expand_conv", name + "_bn0"))
        channels = weights[name + "_depthwise_conv.weight"].shape[0]
        stride = STAGE_STRIDES[stage] if opens_stage else 1
        layers.append(Layer(name + "_depthwise_conv", name + "_bn1", stride=stride, groups=channels))
        adds = None if opens_stage else came_in
        layers.append(Layer(name + "_project_conv", name + "_bn2", relu=False, adds=adds))
        block += 1
    return [*layers, Layer("_conv_head", "_bn1")]


class _Network:
    """A chain of nodes under construction; `last` is the name of the newest node's output."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.last = "pixels"
        self._zero = self._constant("zero", np.float32(0))
        self._six = self._constant("six", np.float32(6))
        self._prepare_pixels()

    def node(self, kind: str, *further: str, gives: str = "", **attributes: Any) -> None:  # noqa: ANN401 -- as ONNX has it
        """Add a node with the inputs `last` and then `further`; its output becomes `last`."""
        import onnx

        made = gives or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, [self.last, *further], [made], **attributes))
        self.last = made

    def convolve(self, layer: Layer) -> None:
        """Add a convolution, and its ReLU6 if it has one."""
        kernel, shift = layer.folded(self.weights)
        self.node(
            "Conv",
            self._constant(layer.kernel, kernel),
            self._constant(layer.norm + "@" + layer.kernel, shift),
            kernel_shape=kernel.shape[2:],
            strides=[layer.stride, layer.stride],
            group=layer.groups,
            auto_pad="SAME_UPPER",  # TensorFlow's padding, where these weights were trained
        )
        if layer.relu:
            self.node("Clip", self._zero, self._six)

    def _prepare_pixels(self) -> None:
        import onnx

        self.node("Cast", to=onnx.TensorProto.FLOAT)
        self.node("Sub", self._constant("pixel_mean", np.float32(PIXEL_MEAN)))
        self.node("Div", self._constant("pixel_scale", np.float32(PIXEL_SCALE)))
        self.node("Transpose", perm=[0, 3, 1, 2])

    def _constant(self, name: str, values: NDArray[Any] | np.float32) -> str:
        import onnx

        self.constants.append(onnx.numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name
