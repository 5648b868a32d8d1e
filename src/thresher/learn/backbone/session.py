"""A backbone: an ONNX graph that turns pixels into an embedding, run by one of the runtimes of `runtimes`.

A graph does not say how its pixels must be prepared, so that is decided here. If it takes uint8, pixels are passed
unchanged. If it takes floating point, pixels are divided by 255, then the mean is subtracted and the result is divided
by the deviation of each channel. Mean and deviation come from the graph's metadata (`mean`, `std`), or from a
`preprocessor_config.json` beside it or one folder up (`image_mean`, `image_std`, as published with most models), or
are those of ImageNet. A backbone that was added (entries.py) comes with its own `Preparation`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.errors import BadInput
from thresher.learn.backbone.onnx_runtime import Session, as_bad_input, described
from thresher.learn.backbone.runtimes import DEFAULT, RUNTIMES
from thresher.pictures import model_pixels

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
BATCH = 8  # pictures a run where nothing was measured
SIDE_WHEN_FREE = 224  # of graphs that take pictures of any size
TAKES: dict[str, type[np.generic]] = {
    "tensor(uint8)": np.uint8,
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
}

Pixels = NDArray[np.uint8]
Features = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a graph takes its pixels: name of the input, side in pixels, number type, and whether channels come first.

    `batch` is the number of pictures that a graph takes at once, no more and no fewer; 0 for any.
    """

    name: str
    side: int
    dtype: type[np.generic]
    channels_first: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]
    batch: int = 0


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a picture becomes the square of pixels that a graph takes, and how their numbers are normalised.

    `resize` is "crop" (the middle square) or "stretch" (the whole picture); `filter` is "bicubic" or "bilinear".
    """

    side: int
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    resize: str = "crop"
    filter: str = "bicubic"


@dataclass(frozen=True, slots=True)
class How:
    """How a graph is run: a runtime of the table, how many cores a batch uses (0: all), and the pictures of a batch."""

    runtime: str = DEFAULT
    threads: int = 0
    batch: int = BATCH


class Backbone:
    """An opened graph. `name` is unique, `side` is in pixels, `width` is the length of its embeddings."""

    def __init__(
        self,
        name: str,
        graph: Path,
        *,
        how: How | None = None,
        preparation: Preparation | None = None,
        output: str = "",
    ) -> None:
        """Open the graph file. Raises BadInput if it is not a graph over images.

        `preparation` says how pictures are prepared, instead of what is found with the graph; `output` names the output
        that has the vectors.
        """
        self.name, self.how = name, how or How()
        self._graph = graph
        self._running = RUNTIMES[self.how.runtime].open(graph, self.how.threads)
        session = self._running.session if isinstance(self._running, Session) else described(graph)
        self.layout = _layout_of(session, graph, preparation)
        self.output = _output_of(session, graph, output)
        self.side = self.layout.side
        self.preparation = preparation or Preparation(self.side, self.layout.mean, self.layout.std)
        # the width in the graph is often symbolic: running one blank image tells it, and shows that the graph runs
        self.width = int(self.embed(np.zeros((1, self.side, self.side, 3), np.uint8)).shape[1])

    def pixels(self, data: bytes, out: Pixels | None = None) -> Pixels:
        """The pixels [side, side, 3] of an encoded image, written into `out` if it is given. Raises Undecodable."""
        stretch, bilinear = self.preparation.resize == "stretch", self.preparation.filter == "bilinear"
        return model_pixels(data, side=self.side, stretch=stretch, bilinear=bilinear, out=out)

    def check_numbers(self, where: str) -> None:
        """Run it on a black, a white and a noisy picture. Raises BadInput naming `where` if a vector is no numbers."""
        noise = np.random.default_rng(0).integers(0, 256, (self.side, self.side, 3), np.uint8)
        if not np.isfinite(self.embed(np.stack([np.zeros_like(noise), np.full_like(noise, 255), noise]))).all():
            raise BadInput(
                "its vectors are not numbers (NaN or infinite).",
                where=where,
                next="export the network in float32, or use another backbone",
            )

    def embed(self, pixels: Pixels, batch: int = 0) -> Features:
        """Embeddings [n, width] of pixels [n, side, side, 3] in RGB. Raises ValueError for another shape.

        All are run at once where the graph and the runtime take any number, else `batch` at once (0: of `how`). Raises
        BadInput if the graph cannot be run.
        """
        if pixels.shape[1:] != (self.side, self.side, 3):
            raise ValueError(f"pixels are {pixels.shape}, and {self.name} takes [n, {self.side}, {self.side}, 3]")
        values = prepare(pixels, self.layout)
        size = self.layout.batch or (RUNTIMES[self.how.runtime].one_shape and (batch or self.how.batch)) or len(values)
        made = [self._filled(values[start : start + size], size) for start in range(0, len(values), size)]
        return made[0] if len(made) == 1 else np.concatenate(made)

    def _filled(self, values: NDArray[Any], size: int) -> Features:
        """Embeddings of at most `size` pictures, in a run of so many: the last are blank."""
        if len(values) == size:
            return self._run(values)
        blank = np.zeros((size - len(values), *values.shape[1:]), values.dtype)
        return self._run(np.concatenate([values, blank]))[: len(values)]

    def _run(self, values: NDArray[Any]) -> Features:
        with as_bad_input(self._graph, RUNTIMES[self.how.runtime].called):
            return _pool(np.asarray(self._running.run(self.output, values), np.float32))


def prepare(pixels: Pixels, layout: Layout) -> NDArray[Any]:
    """Pixels as the graph takes them: scaled and normalised unless it takes uint8, channels first if it needs that."""
    values: NDArray[Any] = pixels
    if layout.dtype is not np.uint8:
        scale = (1 / (255 * np.asarray(layout.std))).astype(np.float32)
        shift = (np.asarray(layout.mean) / np.asarray(layout.std)).astype(np.float32)
        values = pixels * scale - shift
    if layout.channels_first:
        values = values.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(values, dtype=layout.dtype)


def _pool(out: Features) -> Features:
    """One vector per image: unchanged, the first of [n, tokens, width], or the mean over [n, width, high, wide]."""
    if out.ndim == 4:
        return np.ascontiguousarray(out.mean((2, 3)))
    return np.ascontiguousarray(out[:, 0]) if out.ndim == 3 else out


def _layout_of(session: Any, graph: Path, preparation: Preparation | None) -> Layout:  # noqa: ANN401 -- onnxruntime ships no types
    pictures = [given for given in session.get_inputs() if len(given.shape) == 4 and given.type in TAKES]
    if len(session.get_inputs()) != 1 or not pictures:
        asked = ", ".join(f"{given.name} {given.shape}" for given in session.get_inputs())
        raise BadInput(
            f"its inputs are {asked}; it must have exactly one, a batch of images.",
            where=str(graph),
            next="export the part of the network whose only input is pixels",
        )
    shape = pictures[0].shape
    channels_first = shape[3] != 3
    sides = {side for side in (shape[2:] if channels_first else shape[1:3]) if isinstance(side, int) and side > 0}
    if len(sides) > 1 or (channels_first and isinstance(shape[1], int) and shape[1] != 3):
        raise BadInput(
            f"its input shape is {shape}; it must take square RGB images.", where=str(graph), next="use another file"
        )
    wanted = preparation.side if preparation else SIDE_WHEN_FREE
    side = sides.pop() if sides else wanted
    if preparation and side != wanted:
        raise BadInput(
            f"it takes pictures of {side} pixels, not {wanted}.", where=str(graph), next="use the side of the graph"
        )
    mean, std = (preparation.mean, preparation.std) if preparation else _normalisation(session, graph)
    return Layout(
        name=pictures[0].name,
        side=side,
        dtype=TAKES[pictures[0].type],
        channels_first=channels_first,
        mean=mean,
        std=std,
        batch=shape[0] if isinstance(shape[0], int) and shape[0] > 0 else 0,
    )


def _output_of(session: Any, graph: Path, wanted: str) -> str:  # noqa: ANN401 -- onnxruntime ships no types
    """The output to read: the wanted, or one with a vector per image if there is one, else one that `_pool` reduces."""
    ranks = {given.name: len(given.shape) for given in session.get_outputs() if given.type != "tensor(uint8)"}
    if wanted and wanted not in ranks:
        raise BadInput(
            f"its outputs are {', '.join(ranks)}; {wanted} is not among them.",
            where=str(graph),
            next="export the network with that output, or add it under another name without --like",
        )
    if wanted:
        return wanted
    for rank in (2, 3, 4):
        for name, found in ranks.items():
            if found == rank:
                return str(name)
    raise BadInput(
        "its output is not one vector per image.", where=str(graph), next="export the network without its last layer"
    )


def _normalisation(session: Any, graph: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:  # noqa: ANN401 -- untyped
    metadata = session.get_modelmeta().custom_metadata_map
    places: list[tuple[str, Any, Any]] = []
    if "mean" in metadata or "std" in metadata:
        places.append((str(graph), metadata.get("mean", "").split(","), metadata.get("std", "").split(",")))
    for config in configs(graph):
        said = _read_config(config)
        if "image_mean" in said or "image_std" in said:
            places.append((str(config), said.get("image_mean"), said.get("image_std")))
    if not places:
        return IMAGENET_MEAN, IMAGENET_STD
    where, mean, std = places[0]
    return _three(mean, where), _three(std, where)


def configs(graph: Path) -> list[Path]:
    """The files beside a graph that may say how its pixels are normalised, nearest first."""
    return [
        path
        for path in (folder / "preprocessor_config.json" for folder in graph.resolve().parents[:2])
        if path.is_file()
    ]


def _read_config(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BadInput(
            f"not valid JSON: {error}.", where=str(path), next="correct the file, or move it away"
        ) from error
    return said if isinstance(said, dict) else {}


def _three(values: Sequence[Any] | None, where: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(value) for value in values or ())
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != 3:
        raise BadInput("mean and std must be three numbers each.", where=where, next="correct them, or remove both")
    return numbers
