"""Weights are read whole and right, or refused: no byte of the file is trusted."""

import io
import os
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from thresher.errors import BadInput
from thresher.learn.backbone.torch_file import MAGIC, PROTOCOL, read_weights

Layout = tuple[int, tuple[int, ...], tuple[int, ...]]


class Legacy:
    """Writes files as torch before 1.6 did, from stand-ins that pickle finds under torch's names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

        class FloatStorage:
            def __init__(self, key: str, length: int) -> None:
                self.key, self.length = key, length

        class Tensor:
            def __init__(self, storage: FloatStorage, layout: Layout) -> None:
                self.storage, self.layout = storage, layout

            def __reduce__(self) -> tuple[Any, ...]:
                return (utils._rebuild_tensor_v2, (self.storage, *self.layout, False, OrderedDict()))

        def _rebuild_tensor_v2(*_: object) -> None:
            raise AssertionError("never called: the reader has its own")

        FloatStorage.__module__, FloatStorage.__qualname__ = "torch", "FloatStorage"
        _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
        torch.FloatStorage = FloatStorage  # type: ignore[attr-defined]  # a stand-in
        utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]  # a stand-in
        monkeypatch.setitem(sys.modules, "torch", torch)
        monkeypatch.setitem(sys.modules, "torch._utils", utils)
        self.storage, self.tensor = FloatStorage, Tensor

    def file(
        self, numbers: NDArray[np.float32], *, says: int | None = None, magic: int = MAGIC, **layouts: Any
    ) -> bytes:
        """One storage and tensors over it; an entry of `layouts` that is no tuple is pickled as it is."""
        storage = self.storage("0", len(numbers) if says is None else says)
        tensors = OrderedDict(
            (name, self.tensor(storage, layout) if isinstance(layout, tuple) else layout)
            for name, layout in layouts.items()
        )
        out, kind = io.BytesIO(), self.storage

        class Writer(pickle.Pickler):
            def persistent_id(self, thing: Any) -> Any:
                if isinstance(thing, kind):
                    return ("storage", kind, thing.key, "cpu", thing.length, None)
                return None

        for thing in (magic, PROTOCOL, {"little_endian": True}, tensors, ["0"]):
            Writer(out, 2).dump(thing)
        out.write(len(numbers).to_bytes(8, "little") + numbers.astype("<f4").tobytes())
        return out.getvalue()


@pytest.fixture
def legacy(monkeypatch: pytest.MonkeyPatch) -> Legacy:
    return Legacy(monkeypatch)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], dict[str, NDArray[Any]]]:
    def read(data: bytes) -> dict[str, NDArray[Any]]:
        (tmp_path / "weights.pth").write_bytes(data)
        return read_weights(tmp_path / "weights.pth")

    return read


NUMBERS = np.arange(12, dtype=np.float32)


def test_tensors_come_out_by_name_with_their_offsets_and_strides(legacy: Legacy, read: Any) -> None:
    found = read(legacy.file(NUMBERS, plain=(0, (3, 4), (4, 1)), turned=(0, (4, 3), (1, 4)), tail=(9, (3,), (1,))))
    assert found["plain"].tolist() == NUMBERS.reshape(3, 4).tolist()
    assert found["turned"].tolist() == NUMBERS.reshape(3, 4).T.tolist()
    assert found["tail"].tolist() == [9, 10, 11]


def test_a_scalar_and_an_empty_tensor_are_tensors_too(legacy: Legacy, read: Any) -> None:
    found = read(legacy.file(NUMBERS, scalar=(5, (), ()), empty=(0, (0, 7), (7, 1))))
    assert found["scalar"].item() == 5
    assert found["empty"].shape == (0, 7)


@pytest.mark.parametrize(
    "layout",
    [
        (0, (13,), (1,)),
        (1, (12,), (1,)),
        (0, (3, 4), (5, 1)),
        (12, (1,), (1,)),
        (-1, (3,), (1,)),
        (0, (3,), (-1,)),
        (0, (-3,), (1,)),
        (0, (3,), (1, 1)),
        (0, (1000, 1000, 1000), (0, 0, 0)),
        (0, (2**62, 4), (1, 1)),
        (0, ("3",), (1,)),
    ],
    ids=str,
)
def test_a_tensor_that_reaches_outside_its_storage_is_refused(layout: Layout, legacy: Legacy, read: Any) -> None:
    with pytest.raises(BadInput, match=r"weights\.pth"):
        read(legacy.file(NUMBERS, bad=layout))


class Thief:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("stolen",))


def test_a_file_that_names_a_function_is_refused_and_the_function_not_called(
    legacy: Legacy, read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=r"posix\.mkdir"):
        read(legacy.file(NUMBERS, bad=Thief()))
    assert not (tmp_path / "stolen").exists()


def test_what_is_not_a_named_tensor_is_refused(legacy: Legacy, read: Any) -> None:
    with pytest.raises(BadInput, match="other than named tensors"):
        read(legacy.file(NUMBERS, bad="a text"))


def test_a_storage_that_lies_about_its_length_is_refused(legacy: Legacy, read: Any) -> None:
    with pytest.raises(BadInput, match="not as long as it says"):
        read(legacy.file(NUMBERS, says=2**40, plain=(0, (3, 4), (4, 1))))


def test_a_file_of_another_kind_is_refused(legacy: Legacy, read: Any) -> None:
    with pytest.raises(BadInput, match="does not begin like a legacy torch file"):
        read(legacy.file(NUMBERS, magic=7, plain=(0, (3, 4), (4, 1))))
    for other in (b"", b"PK\x03\x04 a newer torch file", b"\x89PNG"):
        with pytest.raises(BadInput):
            read(other)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True), byte=st.none() | st.integers(0, 255))
def test_a_cut_or_altered_file_is_read_or_refused_but_never_crashes(
    at: float, byte: int | None, legacy: Legacy, read: Any
) -> None:
    data = bytearray(legacy.file(NUMBERS, plain=(0, (3, 4), (4, 1)), turned=(0, (4, 3), (1, 4))))
    position = int(at * len(data))
    if byte is None:
        with pytest.raises(BadInput):
            read(bytes(data[:position]))
        return
    data[position] = byte
    try:
        found = read(bytes(data))
    except BadInput:
        return
    assert all(isinstance(tensor, np.ndarray) for tensor in found.values())
