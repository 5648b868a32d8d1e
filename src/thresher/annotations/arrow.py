"""Parquet tables, and Hugging Face datasets on disk, whose labels are often numbers of named classes."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from thresher.annotations.claims import Claims, Taken
from thresher.annotations.lines import Lines
from thresher.annotations.roles import IMAGE, OBJECT_LABELS, roles_of
from thresher.errors import BadInput
from thresher.tables import names, parquet
from thresher.tables.members import whole_of

STATE: Final = "state.json"
SPLITS: Final = "dataset_dict.json"
INFO: Final = "dataset_info.json"
_PARQUET: Final = (".parquet", ".pq")
_ROWS_AT_ONCE: Final = 10_000
_IMAGES_AT_ONCE: Final = 100
_SHOWN: Final = 200


def looks_like_parquet(path: Path) -> bool:
    """Whether the name of a file ends as that of a Parquet table."""
    return path.is_file() and path.suffix.lower() in _PARQUET


def looks_like_dataset(path: Path) -> bool:
    """Whether a folder is a dataset that `save_to_disk` wrote, or one of Parquet files as on the Hugging Face hub."""
    return path.is_dir() and bool((path / STATE).is_file() or (path / SPLITS).is_file() or _parquet_files(path))


def read_parquet(path: Path) -> Claims:
    """The labels of a Parquet table. Raises BadInput, which names the row."""
    return _read([path], path, "parquet")


def read_dataset(path: Path) -> Claims:
    """The labels of a dataset's splits, one after the other, so that rows are counted on. Raises BadInput with the row.

    An image whose bytes the dataset has is named by their SHA-256, because its file name has lost its folder.
    """
    if not path.is_dir():
        raise BadInput("is no folder.", where=str(path), next="give the folder that save_to_disk wrote")
    files = _arrow_files(path) or _parquet_files(path)
    if not files:
        what = "has neither the files of save_to_disk nor Parquet tables."
        raise BadInput(what, where=str(path), next="give the folder of a dataset")
    return _read(files, path, "hf")


def _arrow_files(path: Path) -> list[Path]:
    """The files that `save_to_disk` wrote, in their order. Raises BadInput."""
    if (path / SPLITS).is_file():
        splits = _object(path / SPLITS).get("splits")
        if not isinstance(splits, list) or not all(isinstance(name, str) and _plain(name) for name in splits):
            raise BadInput("has no list of splits.", where=str(path / SPLITS), next="save the dataset again")
        return [file for name in splits for file in _files_of(path / name)]
    return _files_of(path) if (path / STATE).is_file() else []


def _files_of(folder: Path) -> list[Path]:
    state = folder / STATE
    if not state.is_file():
        raise BadInput("is missing.", where=str(state), next="save the dataset again")
    found = _object(state)
    listed = found.get("_data_files") if isinstance(found.get("_data_files"), list) else None
    files: list[object] = [one.get("filename") if isinstance(one, dict) else None for one in listed or ()]
    good = [folder / name for name in files if isinstance(name, str) and _plain(name)]
    if found.get("_indices_data_files") or not good or len(good) < len(files):
        raise BadInput(
            "names no files that can be read.", where=str(state), next="save the dataset again with datasets 2"
        )
    return good


def _parquet_files(path: Path) -> list[Path]:
    """The Parquet files of a folder, in it or in its folders."""
    return sorted(file for pattern in ("*", "*/*") for file in path.glob(pattern) if looks_like_parquet(file))


def _plain(name: str) -> bool:
    """Whether a name leads to no other folder."""
    return bool(name) and not set(name) & set("/\\\0") and name not in (".", "..")


def _object(file: Path) -> Mapping[str, Any]:
    found = whole_of(file)
    if not isinstance(found, dict):
        raise BadInput("is not a JSON object.", where=str(file), next="save the dataset again")
    return found


def _read(files: Sequence[Path], path: Path, kind: str) -> Claims:
    """The labels of files that have the same columns. Raises BadInput."""
    from pyarrow import ArrowException  # here and below, for it is slow to import and few labels are tables of it

    taken: Taken | None = None
    row = 0
    for file in files:
        try:
            with _opened(file) as table:
                lines = _lines(table.schema, file, taken or Taken(path, kind, unit="row"))
                taken = lines.taken
                for values in table.rows(lines.roles.columns):
                    row += 1
                    lines.take(row, values)
        except (ArrowException, OSError) as error:
            what = f"is damaged after row {row}: {' '.join(str(error).split())[:_SHOWN].rstrip('.')}."
            raise BadInput(what, where=str(file), next="write it or download it again") from error
    return (taken or Taken(path, kind, unit="row")).done()


class _Table:
    """A table of either format: its schema, and its rows a batch after the other."""

    def __init__(self, schema: Any, batches: Callable[[Sequence[str]], Iterator[Any]]) -> None:  # noqa: ANN401 -- pyarrow ships no types
        self.schema = schema
        self._batches = batches

    def batches(self, wanted: Sequence[str]) -> Iterator[Any]:
        """Columns, a batch after the other. Raises ArrowException for a damaged file."""
        for batch in self._batches(wanted):
            chosen = batch.select(wanted)
            chosen.validate(full=True)  # offsets in a file may point anywhere
            yield chosen

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
        """The values of columns. Raises ArrowException for a damaged file."""
        wanted = list(dict.fromkeys(columns))
        for chosen in self.batches(wanted):
            yield from zip(*(_values(chosen.column(name)) for name in columns), strict=True)


@contextmanager
def _opened(file: Path) -> Iterator[_Table]:
    """A Parquet table, or a stream of Arrow. Raises BadInput, ArrowException."""
    if looks_like_parquet(file):
        with parquet.opened(file) as table:
            schema = table.schema_arrow
            at_once = _IMAGES_AT_ONCE if any(map(_has_bytes, schema)) else _ROWS_AT_ONCE
            yield _Table(schema, lambda columns: parquet.batches(table, file, columns, at_once))
        return
    from pyarrow import ipc, memory_map

    with memory_map(str(file)) as source, ipc.open_stream(source) as stream:
        yield _Table(stream.schema, lambda _: _sliced(stream))


def _sliced(stream: Any) -> Iterator[Any]:  # noqa: ANN401 -- see _Table
    for batch in stream:
        for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
            yield batch.slice(start, _ROWS_AT_ONCE)


def _lines(schema: Any, file: Path, taken: Taken) -> Lines:  # noqa: ANN401 -- see _Table
    """What takes the rows of a file. Raises BadInput if no column has images, or none labels."""
    from pyarrow import types

    features = _features(schema, file)
    nested = [field.name for field in schema if types.is_nested(field.type)]
    pictures = [field.name for field in schema if _has_bytes(field)]
    usable = [name for name in schema.names if name not in nested or name in pictures]
    place = names.place_of(IMAGE, usable)
    image = usable[place] if place >= 0 else pictures[0] if pictures else None
    if image is None:
        what = f"no column is called {names.told(IMAGE)}; there are: {', '.join(schema.names)[:_SHOWN]}."
        raise BadInput(what, where=str(file), next="name a column image")
    roles = roles_of(schema.names, image, str(file), nested)
    classes = {name: found for name, feature in features.items() if (found := _classes(feature))}
    taken.single = roles.single and roles.label not in nested
    return Lines(roles, taken, classes)


def _has_bytes(field: Any) -> bool:  # noqa: ANN401 -- see _Table
    """Whether a column has images: objects with the bytes and the path of a file."""
    from pyarrow import types

    if not types.is_struct(field.type):
        return False
    kinds = {field.type.field(at).name: field.type.field(at).type for at in range(field.type.num_fields)}
    held = kinds.get("bytes")
    held = held.value_type if held is not None and types.is_dictionary(held) else held  # as Arrow keeps repeated ones
    binary = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return "path" in kinds and held is not None and any(is_one(held) for is_one in binary)


def _features(schema: Any, file: Path) -> Mapping[str, Any]:  # noqa: ANN401 -- see _Table
    """Hugging Face's description of the columns, in the file or beside it; empty if there is none. Raises BadInput."""
    written = (schema.metadata or {}).get(b"huggingface")
    try:
        found = json.loads(written) if written else None
    except (ValueError, RecursionError):
        found = None
    info = found.get("info") if isinstance(found, dict) else None
    if not isinstance(info, dict) and (file.parent / INFO).is_file():
        info = _object(file.parent / INFO)
    features = info.get("features") if isinstance(info, dict) else None
    return features if isinstance(features, dict) else {}


def _classes(feature: object) -> list[str]:
    """The names of the classes of a column, or of those in it; empty if its values are not numbers of classes."""
    if isinstance(feature, list):
        return _classes(feature[0]) if feature else []
    if not isinstance(feature, dict):
        return []
    listed = feature.get("names")
    if feature.get("_type") == "ClassLabel" and isinstance(listed, list):
        return [str(name) for name in listed]
    inner = feature.get("feature", feature)
    if inner is not feature:
        return _classes(inner)
    place = names.place_of(OBJECT_LABELS, list(feature))
    return _classes(list(feature.values())[place]) if place >= 0 else []


def _values(column: Any) -> Sequence[object]:  # noqa: ANN401 -- see _Table
    """The values of a column: an image as the SHA-256 of its bytes, or as its path where it has none."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        known = column.dictionary.to_pylist()
        return [None if place is None else known[place] for place in column.indices.to_pylist()]
    if pa.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0:
        paths = column.field(column.type.get_field_index("path")).to_pylist()
        contents = column.field(column.type.get_field_index("bytes"))
        return [
            sha256(content.as_py()).hexdigest() if content.is_valid else path
            for content, path in zip(contents, paths, strict=True)
        ]
    values: list[object] = column.to_pylist()
    return values


def contents_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """The images whose bytes are in a dataset or a Parquet table: SHA-256 and bytes of each. Raises BadInput."""
    from pyarrow import ArrowException

    for file in [path] if path.is_file() else _arrow_files(path) or _parquet_files(path):
        try:
            with _opened(file) as table:
                columns = [field.name for field in table.schema if _has_bytes(field)]
                for batch in table.batches(columns) if columns else ():
                    for name in columns:
                        column = batch.column(name)
                        for content in column.field(column.type.get_field_index("bytes")):
                            if content.is_valid:
                                data = content.as_py()
                                yield sha256(data).hexdigest(), data
        except (ArrowException, OSError) as error:
            what = f"is damaged: {' '.join(str(error).split())[:_SHOWN].rstrip('.')}."
            raise BadInput(what, where=str(file), next="write it or download it again") from error
