"""A small ONNX graph, made on the spot: the mean of each channel, in the shapes that exported networks have."""

from pathlib import Path

import onnx


def mean_graph(
    path: Path, shape: list[int | str], *, kind: int = onnx.TensorProto.FLOAT, keep: str = "rows", **metadata: str
) -> Path:
    """A graph whose vector is the mean of each channel; `keep` says in which shape it leaves it."""
    first = shape[3] != 3
    axes = {"rows": [2, 3] if first else [1, 2], "map": [], "tokens": [2]}[keep]
    nodes = [onnx.helper.make_node("Cast", ["x"], ["f"], to=onnx.TensorProto.FLOAT)]
    if axes:
        nodes.append(onnx.helper.make_node("ReduceMean", ["f"], ["out"], axes=axes, keepdims=0))
    else:
        nodes.append(onnx.helper.make_node("Identity", ["f"], ["out"]))
    shapes: dict[str, list[int | str]] = {"rows": ["n", 3], "map": ["n", 3, "h", "w"], "tokens": ["n", "t", 3]}
    last = "last" if keep == "tokens" else "out"
    if keep == "tokens":
        nodes.append(onnx.helper.make_node("Transpose", ["out"], ["last"], perm=[0, 2, 1]))
    graph = onnx.helper.make_graph(
        nodes,
        "mean",
        [onnx.helper.make_tensor_value_info("x", kind, shape)],
        [onnx.helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, shapes[keep])],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    onnx.helper.set_model_props(model, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path
