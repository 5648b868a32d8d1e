"""Renderings of images that are kept by reference, a small file each.

They can be made again while the original can be fetched, so they are not flushed to disk, and one damaged by a power
failure is treated as missing.
"""

import struct
from pathlib import Path

from thresher.records import Rendering
from thresher.store.contract import Renderings
from thresher.store.files import told, write_whole

FOLDER_ROWS = 1000
_TOOK = struct.Struct(">If")
"""Before the picture: how many bytes it has, and the seconds that making it took."""


class DirectoryRenderings(Renderings):
    """Files named by row and size, a thousand rows per folder."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def get(self, row: int, size: str) -> Rendering | None:
        try:
            whole = self._path(row, size).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise told(error, self.directory) from error
        if len(whole) < _TOOK.size:
            return None
        length, seconds = _TOOK.unpack_from(whole)
        data = whole[_TOOK.size :]
        return Rendering(data, seconds) if len(data) == length else None

    def keep(self, row: int, size: str, rendering: Rendering) -> None:
        whole = _TOOK.pack(len(rendering.data), rendering.seconds) + rendering.data
        write_whole(self._path(row, size), whole)

    def _path(self, row: int, size: str) -> Path:
        return self.directory / str(int(row) // FOLDER_ROWS) / f"{int(row)}-{size}"
