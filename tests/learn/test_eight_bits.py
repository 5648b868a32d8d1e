"""A graph in int8 is made of the weights alone, the same everywhere, and near to float32."""

import hashlib
import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from tests.learn.figures.make import EVERY, cosines, drawn

from thresher.learn.backbone import How, open_backbone
from thresher.learn.backbone.eight_bits import ALIKE, _best_in_turn, _best_of_all, _in_pairs, _Whole
from thresher.learn.backbone.processor import has_int8

FIGURES = Path(__file__).parent / "figures"
# of every constant of the graph: on another machine or with another numpy it must be the same
CONSTANTS = "256139b71ca8a444"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backbones")


def test_the_same_weights_make_the_same_numbers_everywhere(cache: Path) -> None:
    open_backbone("efficientnet-lite0", cache=cache, how=How("onnxruntime-int8"))
    (path,) = cache.glob("*int8*.onnx")
    whole = hashlib.sha256()
    for constant in onnx.load(path).graph.initializer:
        whole.update(onnx.numpy_helper.to_array(constant).tobytes())
    assert whole.hexdigest()[:16] == CONSTANTS


@pytest.mark.skipif(not has_int8(), reason="this processor has no exact products of 8 bits, and int8 is not offered")
def test_its_vectors_are_near_to_those_of_float32_and_have_a_name_of_their_own(cache: Path) -> None:
    backbone = open_backbone("efficientnet-lite0", cache=cache, how=How("onnxruntime-int8"))
    ours = backbone.embed(drawn(224))[:, ::EVERY]
    theirs = np.load(FIGURES / "efficientnet-lite0.npy")
    assert cosines(ours, theirs).min() > 0.99
    assert backbone.name == "efficientnet-lite0.int8-1"


@pytest.mark.skipif(not has_int8(), reason="this processor has no exact products of 8 bits, and int8 is not offered")
def test_nothing_is_convolved_in_float32_and_no_picture_is_turned_around(cache: Path, tmp_path: Path) -> None:
    open_backbone("efficientnet-lite0", cache=cache, how=How("onnxruntime-int8"))
    (path,) = cache.glob("*int8*.onnx")
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    nodes = onnx.load(tmp_path / "optimised.onnx").graph.node
    kinds = Counter(node.op_type for node in nodes)
    assert kinds["QLinearConv"] == 48
    assert kinds["MatMulIntegerToFloat"] == 1
    assert not {"Conv", "FusedConv", "Transpose", "QuantizeLinear", "DequantizeLinear"} & set(kinds)


def test_a_stem_in_pairs_gives_what_it_gives_one_by_one() -> None:
    random = np.random.default_rng(0)
    kernel = random.integers(-127, 128, (5, 3, 3, 3)).astype(np.int8)
    paired = _in_pairs(_Whole(kernel, np.arange(5, dtype=np.float32), np.arange(5.0)))
    picture = random.integers(0, 256, (8, 8, 3))
    padded = np.pad(picture, ((0, 1), (0, 4), (0, 0)))
    for y, x in np.ndindex(4, 2):  # a place has the pixels 4x to 4x + 3 and the results 2x and 2x + 1
        places = padded[2 * y : 2 * y + 3, 4 * x : 4 * x + 8].reshape(3, 2, 12)
        both = np.einsum("yxc,ocyx->o", places, paired.kernel.astype(int)).reshape(2, 5)
        for second in range(2):
            window = padded[2 * y : 2 * y + 3, 4 * x + 2 * second :][:, :3]
            assert (both[second] == np.einsum("yxc,ocyx->o", window, kernel.astype(int))).all()
    assert paired.scales.tolist() == paired.bias.tolist() == [0, 1, 2, 3, 4] * 2


def errors_of(rounded: np.ndarray, flat: np.ndarray, alike: np.ndarray) -> np.ndarray:
    error = rounded - flat
    return np.asarray(((error @ alike) * error).sum(axis=1))


@pytest.mark.parametrize("count", [3, 5])
def test_of_all_ways_to_round_a_kernel_the_one_with_the_least_error_is_taken(count: int) -> None:
    places = np.arange(count)
    alike = ALIKE ** np.abs(places[:, None] - places[None])
    flat = np.random.default_rng(0).normal(0, 20, (50, count))
    ways = [np.floor(flat) + np.array(way) for way in itertools.product((0.0, 1.0), repeat=count)]
    best = np.min([errors_of(way, flat, alike) for way in ways], axis=0)
    assert errors_of(_best_of_all(flat, alike), flat, alike) == pytest.approx(best)
    nearest = errors_of(np.round(flat), flat, alike)
    in_turn = errors_of(_best_in_turn(flat, alike), flat, alike)
    assert (in_turn <= nearest + 1e-9).all()
    assert in_turn.mean() < 0.6 * nearest.mean()
