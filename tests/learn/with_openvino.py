"""Run by test_runtimes.py in a process that can import OpenVINO: what it finds, as JSON."""

import io
import json
import logging
import sys
from pathlib import Path

import numpy as np
import onnx
from tests.learn.figures.make import cosines, drawn

from thresher.learn.backbone import How, open_backbone, open_vino
from thresher.learn.backbone.fastest import kind_of, measured
from thresher.learn.backbone.runtimes import RUNTIMES
from thresher.settings import Settings

LITE = "efficientnet-lite0"


def unknown_graph(path: Path) -> str:
    """A graph with an operator that ONNX Runtime has and OpenVINO lacks."""
    info, node = onnx.helper.make_tensor_value_info, onnx.helper.make_node
    float32 = onnx.TensorProto.FLOAT
    nodes = [node("Det", ["x"], ["det"])]
    graph = onnx.helper.make_graph(nodes, "g", [info("x", float32, ["n", 3, 32, 32])], [info("det", float32, ["n", 3])])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), path)
    return str(path)


def main(folder: Path) -> None:
    heard = io.StringIO()
    logging.basicConfig(stream=heard, level=logging.WARNING)
    settings = Settings(cache=str(folder), arithmetic="float32")
    cache, pixels = folder / "backbones", drawn(224, 8)
    present = [name for name, runtime in RUNTIMES.items() if runtime.package == "openvino" and runtime.present()]
    exact = open_backbone(LITE, cache=cache).embed(pixels)
    names, near, alike, compiled = {}, {}, list[bool](), list[int]()
    for name in present:
        backbone = open_backbone(LITE, cache=cache, how=How(name, threads=1))
        made = backbone.embed(pixels)
        few = [backbone.embed(pixels[:count]) for count in range(1, len(pixels) + 1)]
        alike.append(all(np.array_equal(some, made[: len(some)]) for some in few))
        assert isinstance(backbone._running, open_vino.Session)
        compiled.append(len(backbone._running._compiled))
        names[name] = backbone.name
        near[name] = float(cosines(made, exact).min())
    told = {
        "present": present,
        "names": names,
        "cosines": near,
        "alike": alike,
        "compiled": compiled,
        "measured": [found.runtime for found in measured(LITE, settings)],
        "kinds": {"bfloat16": kind_of(LITE, settings.but(arithmetic="bfloat16"))},
        "unknown": [found.runtime for found in measured(unknown_graph(folder / "unknown.onnx"), settings)],
        "log": heard.getvalue(),
        "telemetry": any(name.startswith("openvino_telemetry") for name in sys.modules),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
