"""A small workspace with real pictures in a pool, for tests that start where harvest ended."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import onnx
from tests.pictures_for_tests import picture

from thresher.harvest.similar import put_in_groups
from thresher.pictures import inspect
from thresher.records import Alias, Category, NewImage, Origin, Question
from thresher.store.contract import Store

NAME = "thing"


def fill(store: Store, count: int, *, name: str = NAME, size: tuple[int, int] = (64, 48), first: int = 0) -> list[int]:
    """Make a category with `count` pictures, named 0.jpg, 1.jpg, ...; answers their rows."""
    store.categories.create(Category(name, Question(1, "Is this a thing?", "Look closely.", 1)))
    return add(store, range(first, first + count), name=name, size=size)


def add(store: Store, seeds: Sequence[int], *, name: str = NAME, size: tuple[int, int] = (64, 48)) -> list[int]:
    """Put pictures into the pool of a category."""
    rows = put_in_groups([new_image(seed, size) for seed in seeds], store=store)
    store.categories.pool_add(name, rows, Origin("test", "", "CC0", 1))
    return rows


@cache
def new_image(seed: int, size: tuple[int, int] = (64, 48)) -> NewImage:
    """An admitted picture."""
    data = picture(seed, size)
    seen = inspect(data, pixels=10**7)
    return NewImage(
        sha256=hashlib.sha256(data).hexdigest(),
        data=data,
        width=seen.width,
        height=seen.height,
        format=seen.format,
        orientation=seen.orientation,
        fingerprint=seen.fingerprint,
        bytes=len(data),
        aliases=(Alias("file", f"{seed}.jpg"),),
    )


def tiny_backbone(path: Path) -> str:
    """An ONNX file that averages a picture of 16 pixels into 4 x 4 colours: real, and done in no time."""
    pixels = onnx.helper.make_tensor_value_info("pixels", onnx.TensorProto.FLOAT, ["n", 3, 16, 16])
    colours = onnx.helper.make_tensor_value_info("colours", onnx.TensorProto.FLOAT, ["n", 48])
    nodes = [
        onnx.helper.make_node("AveragePool", ["pixels"], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]),
        onnx.helper.make_node("Flatten", ["pooled"], ["colours"]),
    ]
    graph = onnx.helper.make_graph(nodes, "tiny", [pixels], [colours])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return str(path)
