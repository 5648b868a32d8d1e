"""The released images as files: `images/<sha256>.<ext>`, the unchanged bytes."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import file_digest, sha256
from pathlib import Path

from thresher.errors import StoreDamaged
from thresher.records import Image, Progress
from thresher.release.plan import Chosen, write_whole
from thresher.store.contract import Report, Store, chunks

CHUNK = 500


def file_name(image: Image) -> str:
    """The name an image has in every format of a release."""
    return f"{image.sha256}.{EXTENSIONS.get(image.format.upper(), image.format.lower())}"


def with_bytes(images: Sequence[Image], store: Store) -> Iterator[tuple[Image, bytes]]:
    """Images with their bytes, compared with their hash because a disk may have changed them. Raises StoreDamaged."""
    for image, data in zip(images, store.images.read_many([image.row for image in images]), strict=True):
        if sha256(data).hexdigest() != image.sha256:
            raise StoreDamaged(
                f"the stored bytes of image {image.row} do not match their hash.",
                where=image.sha256,
                next="harvest it again into a new workspace, or leave it out",
            )
        yield image, data


EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "TIFF": "tif"}


def write_folder(
    chosen: Chosen, to: Path, *, store: Store, report: Report | None, stop: Callable[[], bool]
) -> dict[str, int]:
    """Write each released image once; a file that an interrupted release left is kept if it holds the image's bytes."""
    folder = to / "images"
    folder.mkdir(exist_ok=True)
    written, total = 0, len(chosen.yes)
    for rows in chunks(chosen.yes, CHUNK):
        images = store.images.many(rows)
        absent = [image for image in images if not _whole(folder / file_name(image), image)]
        for image, data in with_bytes(absent, store):
            write_whole(folder / file_name(image), data)
        written += len(rows)
        if report:
            report(Progress("release: folder", written, total))
        if stop():
            raise KeyboardInterrupt
    return {"images": total}


def _whole(path: Path, image: Image) -> bool:
    try:
        if path.stat().st_size != image.bytes:
            return False
        with path.open("rb") as file:  # of the same size, and other bytes: a disk or a person has changed it
            return file_digest(file, "sha256").hexdigest() == image.sha256
    except FileNotFoundError:
        return False
