"""One table of the runtimes that run a graph, each in one arithmetic; fastest.py measures which one to take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from thresher.learn.backbone import onnx_runtime, open_vino

FLOAT32, BFLOAT16, INT8 = "float32", "bfloat16", "int8"
DEFAULT = "onnxruntime"


class Running(Protocol):
    """A graph that is open in a runtime."""

    def run(self, output: str, values: NDArray[Any]) -> NDArray[Any]:
        """The output of that name for a batch."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A way to run a graph: in which arithmetic, whether this machine has it, how a graph is opened with `threads`.

    `extra` is the extra of this package that installs it, "" where the default install has it.
    """

    arithmetic: str
    present: Callable[[], bool]
    open: Callable[[Path, int], Running]
    package: str = "onnxruntime"
    extra: str = ""


def _provider(name: str) -> Runtime:
    opened: Callable[[Path, int], Running] = partial(onnx_runtime.Session, provider=name)
    return Runtime(FLOAT32, partial(onnx_runtime.has, name), opened, extra="gpu")


def _openvino(arithmetic: str) -> Runtime:
    opened: Callable[[Path, int], Running] = partial(open_vino.Session, arithmetic=arithmetic)
    return Runtime(arithmetic, partial(open_vino.has, arithmetic), opened, package="openvino", extra="openvino")


RUNTIMES: Mapping[str, Runtime] = {
    DEFAULT: Runtime(FLOAT32, lambda: True, onnx_runtime.Session),
    "openvino": _openvino(FLOAT32),
    "openvino-bfloat16": _openvino(BFLOAT16),
    "cuda": _provider("CUDAExecutionProvider"),
    "tensorrt": _provider("TensorrtExecutionProvider"),
}
