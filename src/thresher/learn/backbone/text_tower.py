"""The text tower of a backbone: it turns words into a vector of the same space as the vectors of pictures.

A picture fits a text as much as the cosine of their vectors says (CLIP, Radford et al. 2021, section 2.3). The number
ranks pictures for one text; it is no probability, and no evidence.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.errors import BadInput
from thresher.learn.backbone.entries import TEXT, TOKENIZER, Words
from thresher.learn.backbone.onnx_runtime import as_bad_input, open_session
from thresher.learn.backbone.session import Features
from thresher.learn.backbone.tokens import Tokenizer

MASK = "attention_mask"
NEXT = "export the part of the network whose only input is the tokens of a text"


class TextTower:
    """An opened graph over tokens; `width` is the length of its vectors."""

    def __init__(
        self, graph: Path, tokenizer: Path, *, tokens: int, lowercase: bool, output: str = "", given: str = "input_ids"
    ) -> None:
        """Open graph and tokenizer. Raises BadInput if they are none, or do not fit each other."""
        self._session = open_session(graph, 0)
        self._graph, self._input = graph, given
        self._masked = _check_inputs(self._session, graph, given, tokens)
        self.output = _output(self._session, graph, output)
        self._tokenizer = Tokenizer(tokenizer, length=tokens, lowercase=lowercase)
        self.width = int(self.embed(["a photo"]).shape[1])

    def embed(self, texts: Sequence[str]) -> Features:
        """Vectors [n, width] of length 1. Raises BadInput if the graph cannot run, or gives no numbers."""
        ids, mask = self._tokenizer.ids(texts)
        given: dict[str, NDArray[Any]] = {self._input: ids, **({MASK: mask} if self._masked else {})}
        with as_bad_input(self._graph):
            (out,) = self._session.run([self.output], given)
        vectors: Features = np.asarray(out, np.float32)
        lengths: Features = np.linalg.norm(vectors, axis=-1, keepdims=True)
        if vectors.ndim != 2 or not np.isfinite(vectors).all() or not lengths.all():
            raise BadInput(
                f"its output for a text ({self.output}) is not one vector of numbers.",
                where=str(self._graph),
                next=NEXT,
            )
        return np.asarray(vectors / lengths, np.float32)


def _check_inputs(session: Any, graph: Path, wanted: str, tokens: int) -> bool:  # noqa: ANN401 -- onnxruntime ships no types
    """Whether the graph takes a mask too; BadInput for a graph that takes anything else."""
    inputs = {given.name: given for given in session.get_inputs()}
    asked = ", ".join(f"{name} {given.shape}" for name, given in inputs.items())
    if wanted not in inputs or not set(inputs) <= {wanted, MASK}:
        raise BadInput(
            f"its inputs are {asked}; it must have {wanted}, and {MASK} at most.", where=str(graph), next=NEXT
        )
    if any(given.type != "tensor(int64)" or len(given.shape) != 2 for given in inputs.values()):
        raise BadInput(f"its inputs are {asked}; tokens are int64 [texts, tokens].", where=str(graph), next=NEXT)
    length = inputs[wanted].shape[1]
    if isinstance(length, int) and length != tokens:
        raise BadInput(
            f"it takes {length} tokens, not {tokens}.", where=str(graph), next=f"add it with --tokens {length}"
        )
    return MASK in inputs


def _output(session: Any, graph: Path, wanted: str) -> str:  # noqa: ANN401 -- onnxruntime ships no types
    outputs = {given.name: len(given.shape) for given in session.get_outputs()}
    for name, rank in outputs.items():
        if name == wanted or (not wanted and rank == 2):
            return str(name)
    raise BadInput(
        f"its outputs are {', '.join(outputs)}; {wanted or 'one vector per text'} is not among them.",
        where=str(graph),
        next=NEXT,
    )


def open_words(words: Words, folder: Path) -> TextTower:
    """The text tower whose files are in a folder."""
    return TextTower(
        folder / TEXT,
        folder / TOKENIZER,
        tokens=words.tokens,
        lowercase=words.lowercase,
        output=words.output,
        given=words.input,
    )
