"""ONNX Runtime, which runs every graph: on the processor, or on a GPU where onnxruntime-gpu is installed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.compute import cores
from thresher.errors import BadInput

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
# TF32 rounds to 10 bits of mantissa: vectors of a GPU shall be those of float32
OPTIONS: Mapping[str, Mapping[str, str]] = {CUDA: {"use_tf32": "0"}}


def open_session(graph: Path, threads: int, provider: str = CPU) -> Any:  # noqa: ANN401 -- onnxruntime ships no types
    """A session of ONNX Runtime. Raises BadInput if the file is no graph that it can run."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or cores()  # its own 0 starts one per core of the machine, quota or not
    options.inter_op_num_threads = 1  # a chain of layers has nothing to run beside itself
    options.log_severity_level = 3
    # waiting threads sleep: beside the decoding of pictures, spinning costs more than waking does
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # what TensorRT does not run, CUDA does
    order = (provider, CUDA, CPU) if provider == TENSORRT else (provider, CPU)
    wanted = [(name, dict(OPTIONS.get(name, {}))) for name in dict.fromkeys(order)]
    with as_bad_input(graph):
        return onnxruntime.InferenceSession(str(graph), options, providers=wanted)


def described(graph: Path) -> Any:  # noqa: ANN401 -- onnxruntime ships no types
    """A session that only tells a graph's inputs, outputs and metadata: nothing in it is made faster first."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    with as_bad_input(graph):
        return onnxruntime.InferenceSession(str(graph), options, providers=[CPU])


def has(provider: str) -> bool:
    """Whether the installed ONNX Runtime was built with a provider."""
    import onnxruntime

    return provider in onnxruntime.get_available_providers()


class Session:
    """A graph in ONNX Runtime, run on one input and for one output."""

    def __init__(self, graph: Path, threads: int, provider: str = CPU) -> None:
        """Open the graph. Raises BadInput if it cannot be run, and for a provider that has no device here."""
        self.session = open_session(graph, threads, provider)
        if provider not in self.session.get_providers():
            raise BadInput(
                f"ONNX Runtime found no device for {provider}.",
                where=str(graph),
                next="install onnxruntime-gpu, CUDA and cuDNN as docs/backbones.md says",
            )
        (self._input,) = (given.name for given in self.session.get_inputs()[:1])

    def run(self, output: str, values: NDArray[Any]) -> NDArray[Any]:
        """The output of that name for a batch."""
        (out,) = self.session.run([output], {self._input: values})
        return np.asarray(out)


@contextmanager
def as_bad_input(graph: Path, runtime: str = "ONNX Runtime") -> Iterator[None]:
    """Turn an error of a runtime into one of ours."""
    try:
        yield
    except (BadInput, MemoryError):
        raise
    except Exception as error:
        # its errors share no base but this one
        raise BadInput(
            f"{runtime} cannot run it: {' '.join(str(error).split())[:300]}",
            where=str(graph),
            next="give the path of an ONNX file that takes images, or the name of a built-in backbone",
        ) from error
