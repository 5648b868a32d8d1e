"""OpenVINO, the extra `openvino`: it runs an ONNX graph faster on many processors of Intel and AMD.

It runs in bfloat16 by itself where the processor can, so every graph is compiled with the arithmetic named. Its
package brings `openvino_telemetry`, which is never imported here: only the package's own tools import it.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.compute import cores
from thresher.errors import Missing
from thresher.learn.backbone.onnx_runtime import as_bad_input
from thresher.learn.backbone.processor import has_int8

INSTALL = 'pip install "thresher[openvino]"'
HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}  # of an int8 graph: what it leaves in float32


def has(arithmetic: str) -> bool:
    """Whether OpenVINO is installed, and the processor has instructions for this arithmetic."""
    if find_spec("openvino") is None:
        return False
    if arithmetic == "float32":
        return True
    if arithmetic == "int8":
        return has_int8()  # OpenVINO runs int8 on older processors too, where sums of two products saturate
    try:
        import openvino

        return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except (ImportError, AttributeError, RuntimeError):
        return False  # a harmed installation; opening a graph says more


class Session:
    """A graph in OpenVINO, run on one input and for one output."""

    def __init__(self, graph: Path, threads: int, arithmetic: str) -> None:
        """Compile the graph. Raises BadInput if it cannot be run, Missing where OpenVINO is not installed."""
        try:
            import openvino
        except ImportError as error:
            raise Missing("openvino", INSTALL) from error
        self._graph = graph
        self._settings = {
            "INFERENCE_PRECISION_HINT": HINTS[arithmetic],
            "INFERENCE_NUM_THREADS": threads or cores(),
            "NUM_STREAMS": 1,
        }
        with as_bad_input(graph, "OpenVINO"):
            self._core = openvino.Core()
            self._model = self._core.read_model(str(graph))
        self._compiled: dict[tuple[int, ...], Any] = {}

    def run(self, output: str, values: NDArray[Any]) -> NDArray[Any]:
        """The output of that name for a batch; the vectors are a copy."""
        request = self._compiled.get(values.shape) or self._compile(values.shape)
        return np.array(request.infer([values], share_inputs=True, share_outputs=True)[output])

    def _compile(self, shape: tuple[int, ...]) -> Any:  # noqa: ANN401 -- typed by the library only
        """The graph for one shape: with the batch fixed it runs a tenth faster."""
        with as_bad_input(self._graph, "OpenVINO"):
            model = self._model.clone()
            model.reshape({model.input(0): list(shape)})
            request = self._core.compile_model(model, "CPU", self._settings).create_infer_request()
        self._compiled[shape] = request
        return request
