"""The images whose bytes are in a Hugging Face dataset on disk, or in a Parquet table; their name is their SHA-256."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from thresher.annotations.arrow import contents_of, looks_like_dataset, looks_like_parquet
from thresher.harvest.candidates import Candidate, place_name, too_large


def from_dataset(path: Path) -> "Dataset | None":
    """A source of the images in a dataset; None for a place that is none, or has no images itself. Raises BadInput."""
    if not (looks_like_parquet(path) or looks_like_dataset(path)) or next(contents_of(path), None) is None:
        return None
    return Dataset(path, place_name("dataset", path.resolve()))


@dataclass
class Dataset:
    """A source of images by their SHA-256, in the order of the rows."""

    path: Path
    name: str
    remote: bool = False
    again: bool = False

    def expected(self) -> int:
        """Not known without reading all of them."""
        return 0

    def candidates(self, *, bytes_most: int) -> Iterator[Candidate]:
        """Each image of the dataset. Raises BadInput where it is damaged."""
        for sha256, data in contents_of(self.path):
            if len(data) > bytes_most:
                yield Candidate(sha256, size_bytes=len(data), problem=("too-large", too_large(len(data), bytes_most)))
            else:
                yield Candidate(sha256, data=data, size_bytes=len(data))
