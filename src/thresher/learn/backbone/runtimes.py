"""One table of the runtimes that run a graph, each in one arithmetic; fastest.py measures which one to take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from thresher.learn.backbone import eight_bits, onnx_runtime, open_vino
from thresher.learn.backbone.processor import has_int8

FLOAT32, BFLOAT16, INT8 = "float32", "bfloat16", "int8"
DEFAULT = "onnxruntime"
ON_PROCESSORS = (2, 4, 8)  # pictures a run: more of them spill the cache of a core
ON_GPUS = (16, 64)


class Running(Protocol):
    """A graph that is open in a runtime."""

    def run(self, output: str, values: NDArray[Any]) -> NDArray[Any]:
        """The output of that name for a batch."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A way to run a graph: in which arithmetic, whether this machine has it, how a graph is opened with `threads`.

    `kind` stands behind the name of a backbone in the name of its embeddings. Runtimes with one kind give the same
    vectors: those in float32 have none; in int8 each has its own, for they round differently between the layers
    (cosine .9988 to .9994 between two of them on three pools of pictures).
    """

    arithmetic: str
    present: Callable[[], bool]
    open: Callable[[Path, int], Running]
    kind: str = ""
    package: str = "onnxruntime"
    extra: str = ""
    batches: tuple[int, ...] = ON_PROCESSORS
    one_shape: bool = False  # it prepares a graph anew, and keeps it, for each number of pictures that it meets

    @property
    def called(self) -> str:
        """Its library, in a sentence."""
        return "OpenVINO" if self.extra == "openvino" else "ONNX Runtime"


def _provider(name: str) -> Runtime:
    opened: Callable[[Path, int], Running] = partial(onnx_runtime.Session, provider=name)
    there = cache(partial(onnx_runtime.has, name))
    return Runtime(FLOAT32, there, opened, package="onnxruntime-gpu", extra="gpu", batches=ON_GPUS, one_shape=True)


def _openvino(arithmetic: str, kind: str = "") -> Runtime:
    opened: Callable[[Path, int], Running] = partial(open_vino.Session, arithmetic=arithmetic)
    there = cache(partial(open_vino.has, arithmetic))
    return Runtime(arithmetic, there, opened, kind, package="openvino", extra="openvino", one_shape=True)


_IN_INT8 = f".int8-{eight_bits.GRAPH_REVISION}"

RUNTIMES: Mapping[str, Runtime] = {
    DEFAULT: Runtime(FLOAT32, lambda: True, onnx_runtime.Session),
    "onnxruntime-int8": Runtime(INT8, has_int8, onnx_runtime.Session, _IN_INT8),
    "openvino": _openvino(FLOAT32),
    "openvino-bfloat16": _openvino(BFLOAT16, ".bfloat16"),
    "openvino-int8": _openvino(INT8, f"{_IN_INT8}-openvino"),
    "cuda": _provider(onnx_runtime.CUDA),
    "tensorrt": _provider(onnx_runtime.TENSORRT),
}
ARITHMETICS = tuple(dict.fromkeys(runtime.arithmetic for runtime in RUNTIMES.values()))
