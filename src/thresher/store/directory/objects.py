"""Closed shards on an object store, or any place that fsspec reads: an image is one request for its range of bytes.

The user moves a shard there with its index (`aws s3 mv images/ s3://bucket/cars/ --recursive --exclude "*.open.tar"`).
thresher never writes there.
"""

import json
import os
from typing import Any

from thresher.errors import Missing, StoreDamaged, StoreUnavailable
from thresher.settings import without_password
from thresher.store.directory.shards import CLOSED, INDEX, Member


class Objects:
    """The shards under a URL. Safe from any thread; each process makes its own connections."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.shown = without_password(self.url)
        self._files: Any = None
        self._folder = ""
        self._pid = 0

    def read(self, name: str, begins: int, size: int) -> bytes:
        """A range of a shard, shorter at the end of the shard. Raises StoreDamaged if the shard is missing."""
        try:
            found = bytes(self._opened().cat_file(self._path(name + CLOSED), start=begins, end=begins + size))
        except FileNotFoundError as error:
            raise StoreDamaged("a shard is missing.", where=self._shown(name), next="thresher check") from error
        except Exception as error:
            raise self._unreachable(error) from error
        if len(found) > size:  # fsspec 2026.9.0 hands on the whole file where a server answers 200 to a range
            raise StoreUnavailable(
                "the server of the shards ignores byte ranges.",
                where=self.shown,
                next="use a server that supports byte ranges (RFC 9110, section 14), or move the shards back",
            )
        return found

    def names(self) -> set[str]:
        """The names of all shards."""
        try:
            found = self._opened().ls(self._folder, detail=False)
        except FileNotFoundError:  # an object store has no empty folders
            return set()
        except Exception as error:
            raise self._unreachable(error) from error
        ends = (str(path).rstrip("/").rpartition("/")[2] for path in found)
        return {end.removesuffix(CLOSED) for end in ends if end.endswith(CLOSED)}

    def members(self, name: str) -> tuple[Member, ...] | None:
        """The members of a shard according to its index, up to the shard's length; None if there is no such shard.

        Raises StoreDamaged if the index is missing or invalid.
        """
        try:
            size = int(self._opened().size(self._path(name + CLOSED)))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._unreachable(error) from error
        following = "put the shard's index beside it again"
        try:
            lines = self._opened().cat_file(self._path(name + INDEX)).decode("ascii").splitlines()
            found = [Member(*json.loads(line)) for line in lines]
        except FileNotFoundError as error:
            raise StoreDamaged("the index of a shard is missing.", where=self._shown(name), next=following) from error
        except (ValueError, TypeError) as error:
            raise StoreDamaged("the index of a shard is invalid.", where=self._shown(name), next=following) from error
        except Exception as error:
            raise self._unreachable(error) from error
        return tuple(member for member in found if member.begins + member.bytes <= size)

    def _opened(self) -> Any:  # noqa: ANN401 -- fsspec ships no types
        if self._pid != os.getpid():
            try:
                from fsspec.core import url_to_fs

                self._files, self._folder = url_to_fs(self.url, skip_instance_cache=True)
            except ImportError as error:
                raise Missing("fsspec", 'pip install "thresher[s3]" and the driver of your object store') from error
            except ValueError as error:
                raise self._unreachable(error) from error
            self._pid = os.getpid()
        return self._files

    def _path(self, name: str) -> str:
        return f"{self._folder.rstrip('/')}/{name}"

    def _shown(self, name: str) -> str:
        return f"{self.shown}/{name}{CLOSED}"

    def _unreachable(self, error: Exception) -> StoreUnavailable:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        return StoreUnavailable(
            f"the shards cannot be read ({said}).",
            where=self.shown,
            next="check that the URL in the setting `shards` is reachable",
        )
