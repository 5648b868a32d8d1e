"""Reads the tensors of a legacy torch file without torch and without trusting its pickle.

Such a file (torch.save before 1.6; `_legacy_save` in torch/serialization.py) is five pickles and then raw numbers: a
magic number, the protocol's version, facts of the system, a mapping of names to tensors, the keys of the storages; and
for each key its length and its numbers. A tensor is a strided view of a storage.
"""

import math
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from thresher.errors import BadInput

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
LENGTH_BYTES = 8
DTYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}

# what a pickle that is cut short or made by hand may raise, by its documentation and by trial
BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    ImportError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    MemoryError,
)


@dataclass(frozen=True)
class _Storage:
    """The position of a block of numbers in the file, and how many there are."""

    kind: str
    key: str
    length: int


@dataclass(frozen=True)
class _Tensor:
    """A strided view of a storage; offsets and strides count numbers, not bytes."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild(storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> _Tensor:
    """Stand in for torch's function of this name; the gradient flag and the hooks that follow are ignored."""
    return _Tensor(storage, offset, size, stride)


# the only four names a file of weights needs; a storage's class is taken as its name and never called
ALLOWED: dict[tuple[str, str], object] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch", "FloatStorage"): "FloatStorage",
    ("torch", "LongStorage"): "LongStorage",
}


class _Reader(pickle.Unpickler):
    """An unpickler that resolves the names in ALLOWED and no others, so that no code in the file can run."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 -- pickle's own signature
        """The object for a name, if it is one of the four allowed."""
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which a file of weights does not need")
        return ALLOWED[module, name]

    def persistent_load(self, saved: Any) -> _Storage:  # noqa: ANN401 -- pickle's own signature
        """A storage, from the reference in the file: ("storage", class, key, device, length, view)."""
        word, kind, key, _device, length, view = saved
        if word != "storage" or kind not in DTYPES or view is not None or type(length) is not int:
            raise pickle.UnpicklingError("it refers to something that is not a storage")
        return _Storage(kind, str(key), length)


def read_weights(path: Path) -> dict[str, NDArray[Any]]:
    """Every tensor of a legacy torch file by its name, float32 or int64, copied out of its storage.

    Raises BadInput when the file is not such a file, is cut short, names anything but tensors, or holds a tensor that
    reaches outside its storage.
    """
    try:
        with path.open("rb") as file:
            return _read(file, os.fstat(file.fileno()).st_size)
    except BROKEN as error:
        raise BadInput(
            f"not a file of network weights that can be read safely: {error}.",
            where=str(path),
            next="install the package they come from again",
        ) from error


def _read(file: BinaryIO, file_bytes: int) -> dict[str, NDArray[Any]]:
    load: Callable[[], Any] = lambda: _Reader(file).load()  # noqa: E731 -- each pickle wants a reader of its own
    if load() != MAGIC or load() != PROTOCOL or load().get("little_endian") is not True:
        raise ValueError("it does not begin like a legacy torch file")
    tensors, keys = load(), load()
    if not isinstance(tensors, dict) or not all(isinstance(tensor, _Tensor) for tensor in tensors.values()):
        raise ValueError("it contains something other than named tensors")
    declared = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    numbers = {key: _numbers(file, declared[key], file_bytes) for key in keys}
    return {str(name): _view(tensor, numbers[tensor.storage.key]) for name, tensor in tensors.items()}


def _numbers(file: BinaryIO, storage: _Storage, file_bytes: int) -> NDArray[Any]:
    """The numbers of the next storage. Its length is checked against the rest of the file before it is read."""
    dtype = DTYPES[storage.kind]
    length = int.from_bytes(file.read(LENGTH_BYTES), "little")
    if length != storage.length or length * dtype.itemsize > file_bytes - file.tell():
        raise ValueError(f"storage {storage.key} is not as long as it says")
    return np.frombuffer(file.read(length * dtype.itemsize), dtype)


def _view(tensor: _Tensor, numbers: NDArray[Any]) -> NDArray[Any]:
    """The numbers of a tensor. Convolutions are stored transposed, so the strides matter."""
    layout = (tensor.offset, *tensor.size, *tensor.stride)
    if len(tensor.size) != len(tensor.stride) or any(type(step) is not int or step < 0 for step in layout):
        raise ValueError("a tensor has no proper layout")
    count = math.prod(tensor.size)
    last = tensor.offset + sum((size - 1) * step for size, step in zip(tensor.size, tensor.stride, strict=True))
    # `count` too: strides of zero would let a small storage stand for more memory than there is
    if count > len(numbers) or (count and last >= len(numbers)):
        raise ValueError("a tensor reaches outside its storage")
    if not count:
        return np.empty(tensor.size, numbers.dtype)
    steps_bytes = [step * numbers.itemsize for step in tensor.stride]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.size, steps_bytes).copy()
