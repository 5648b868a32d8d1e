"""Stores that are files which the processes themselves read and write."""

import ctypes
import os
from collections.abc import Iterable, Iterator, Sequence

from stores.contract import Kind, Named, Session
from thresher.records import Alias, NewImage
from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.directory.shards import Place, Reader, Writer


class ThresherDirectory(Kind):
    """The product, as a harvest uses it: bytes, a catalog row, a name and a fingerprint each."""

    label = "thresher, directory"
    kill = "all"
    power = "closed shards; rows up to the log's last flush"

    def start(self) -> list[int]:
        open_store(self.folder / "store", read_settings(self.folder, {}), create=True).close()
        return []

    def session(self, process: int, *, write: bool) -> Session:  # noqa: ARG002 -- not all kinds need all
        return ThresherSession(open_store(self.folder / "store", read_settings(self.folder, {})), self.notes)


class ThresherSession:
    def __init__(self, store, notes) -> None:  # noqa: ANN001 -- either of our stores
        self.store, self.notes = store, notes

    def put(self, batch: Sequence[Named]) -> None:
        rows = self.store.images.put([new_image(*named) for named in batch])
        self.notes.places[[number for number, _, _ in batch], 0] = rows

    def finish(self) -> None:
        self.store.close()

    def read(self, numbers: Sequence[int]) -> Iterable[bytes]:
        return self.store.images.read_many(self.notes.places[numbers, 0])


def new_image(number: int, key: bytes, data: bytes) -> NewImage:
    name = key.hex()
    return NewImage(
        name, data, 640, 480, "JPEG", fingerprint=name[:20], bytes=len(data), aliases=(Alias("file", f"{number}.jpg"),)
    )


class ShardsAlone(Kind):
    """Our shards without the catalog."""

    label = "its shards alone"
    kill = "all"
    power = "closed shards"

    def start(self) -> list[int]:
        (self.folder / "shards").mkdir()
        return []

    def session(self, process: int, *, write: bool) -> Session:  # noqa: ARG002 -- as above
        return _Shards(self)


class _Shards:
    def __init__(self, kind: ShardsAlone) -> None:
        self.notes = kind.notes
        self.directory = kind.folder / "shards"
        self.writer = Writer(self.directory, shard_bytes=512_000_000)
        self.reader = Reader(self.directory)
        self.sizes: dict[int, tuple[str, int]] = {}

    def put(self, batch: Sequence[Named]) -> None:
        places = self.writer.append([(f"{key.hex()}.jpg", data) for _, key, data in batch])
        for (number, _, _), place in zip(batch, places, strict=True):
            # a shard's name is 32 hexadecimal digits: too long for a place, so its first byte and a size go there
            self.notes.places[number] = place.begins, place.bytes
            name = bytes.fromhex(place.shard.replace("-", ""))
            self.notes.keys[number, :16] = list(name)

    def finish(self) -> None:
        self.writer.close()

    def read(self, numbers: Sequence[int]) -> Iterator[bytes]:
        for number in numbers:
            begins, size = self.notes.places[number].tolist()
            yield self.reader.read(Place(_uuid(self.notes.key(number)[:16]), begins, size))


def _uuid(name: bytes) -> str:
    text = name.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Append(Kind):
    """The limit: hash, append to one file a process, and `pread` from them."""

    label = "bare append, pread"
    kill = "all"
    power = "nothing is promised"

    def session(self, process: int, *, write: bool) -> Session:
        return _Append(self, process, write)


class _Append:
    def __init__(self, kind: Append, process: int, write: bool) -> None:
        self.notes, self.folder, self.process = kind.notes, kind.folder, process
        self.file = os.open(self.folder / str(process), os.O_WRONLY | os.O_CREAT) if write else -1
        self.files: dict[int, int] = {}
        self.end = 0

    def put(self, batch: Sequence[Named]) -> None:
        for number, _, data in batch:
            size = os.write(self.file, data)
            self.notes.places[number] = (self.process << 48) + self.end, size
            self.end += size

    def finish(self) -> None:
        os.fsync(self.file)

    def read(self, numbers: Sequence[int]) -> Iterator[bytes]:
        for place, size in self.notes.places[numbers].tolist():
            process, begins = place >> 48, place & ((1 << 48) - 1)
            if process not in self.files:
                self.files[process] = os.open(self.folder / str(process), os.O_RDONLY)
            yield os.pread(self.files[process], size, begins)


class Files(Kind):
    """A file a picture, in 256 folders."""

    label = "plain files"
    kill = "all"
    power = "nothing is promised"

    def start(self) -> list[int]:
        for number in range(256):
            (self.folder / f"{number:02x}").mkdir()
        return []

    def session(self, process: int, *, write: bool) -> Session:  # noqa: ARG002 -- as above
        return _Files(self)


class _Files:
    def __init__(self, kind: Files) -> None:
        self.notes, self.folder = kind.notes, str(kind.folder)

    def _path(self, key: bytes) -> str:
        name = key.hex()
        return f"{self.folder}/{name[:2]}/{name}"

    def put(self, batch: Sequence[Named]) -> None:
        for _, key, data in batch:
            file = os.open(self._path(key), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            os.write(file, data)
            os.close(file)

    def finish(self) -> None:
        held = os.open(self.folder, os.O_RDONLY)
        ctypes.CDLL(None).syncfs(held)
        os.close(held)

    def read(self, numbers: Sequence[int]) -> Iterator[bytes]:
        for number in numbers:
            file = os.open(self._path(self.notes.key(number)), os.O_RDONLY)
            yield os.read(file, os.fstat(file).st_size)
            os.close(file)


class Lmdb(Kind):
    """One environment for all processes, a transaction a batch, no fsync before the end."""

    label = "LMDB"
    kill = "all"
    power = "the file may be damaged"

    @classmethod
    def missing(cls) -> str:
        try:
            import lmdb  # noqa: F401 -- only whether it is there
        except ModuleNotFoundError:
            return "pip install lmdb"
        return ""

    def session(self, process: int, *, write: bool) -> Session:  # noqa: ARG002 -- as above
        return _Lmdb(self)


class _Lmdb:
    def __init__(self, kind: Lmdb) -> None:
        import lmdb

        self.notes = kind.notes
        size = 2 * 10**9 + kind.notes.count * 150_000
        self.env = lmdb.open(str(kind.folder / "lmdb"), map_size=size, sync=False, metasync=False, readahead=False)

    def put(self, batch: Sequence[Named]) -> None:
        with self.env.begin(write=True) as transaction:
            for _, key, data in batch:
                transaction.put(key, data, overwrite=False)

    def finish(self) -> None:
        self.env.sync(True)

    def read(self, numbers: Sequence[int]) -> Iterator[bytes]:
        with self.env.begin(buffers=True) as transaction:
            for number in numbers:
                yield bytes(transaction.get(self.notes.key(number)))
