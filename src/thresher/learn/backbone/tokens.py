"""Words as the numbers that a text tower takes: a published `tokenizer.json`, read by the library `tokenizers`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.errors import BadInput, Missing

FILLERS = ("<pad>", "[PAD]", "<|endoftext|>")
"""The tokens that fill a text up, where the file does not say which one does."""

INSTALL = 'pip install "thresher[text]"'


class Tokenizer:
    """Texts to tokens, each text cut or filled up to `length`; special tokens at the end are kept when it is cut."""

    def __init__(self, path: Path, *, length: int, lowercase: bool) -> None:
        """Read a `tokenizer.json`. Raises Missing without the library, BadInput for a file that is none."""
        self.lowercase = lowercase
        self._tokenizer = _read(path)
        filler = _filler(self._tokenizer, path)
        self._tokenizer.enable_truncation(max_length=length)
        self._tokenizer.enable_padding(
            length=length, direction="right", pad_id=self._tokenizer.token_to_id(filler), pad_token=filler
        )

    def ids(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The tokens [n, length], and which of them are no filling (1, else 0)."""
        given = [text.lower() if self.lowercase else text for text in texts]
        made = self._tokenizer.encode_batch(given)
        return np.array([one.ids for one in made], np.int64), np.array([one.attention_mask for one in made], np.int64)


def _read(path: Path) -> Any:  # noqa: ANN401 -- typed by the library only
    try:
        from tokenizers import Tokenizer as Read
    except ImportError as error:
        raise Missing("tokenizers", INSTALL) from error
    try:
        return Read.from_file(str(path))
    except Exception as error:  # the library raises Exception itself
        raise BadInput(
            f"not a tokenizer.json: {' '.join(str(error).split())[:200]}.",
            where=str(path),
            next="give the tokenizer.json that is published with the text tower",
        ) from error


def _filler(tokenizer: Any, path: Path) -> str:  # noqa: ANN401 -- typed by the library only
    said = tokenizer.padding
    known = [said["pad_token"]] if said else []
    for token in (*known, *FILLERS):
        if tokenizer.token_to_id(token) is not None:
            return str(token)
    raise BadInput(
        f"it has no token that fills a text up ({', '.join(FILLERS)}).",
        where=str(path),
        next="give the tokenizer.json that is published with the text tower",
    )
