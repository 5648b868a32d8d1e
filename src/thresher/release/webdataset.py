"""The released images as a WebDataset: `webdataset/<category>-000000.tar`, with a `.json` for each image.

A member's ending is the name of its field. Readers take the fields from the first samples (Hugging Face datasets 5.2.0:
the first five of the first tar) and read null for an image under another name, so every image is `.jpg`, whatever its
bytes are, and its `.json` tells the format.
"""

import io
import json
import math
import os
import tarfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from thresher.records import Image, Progress
from thresher.release.folder import with_bytes
from thresher.release.plan import Chosen
from thresher.store.contract import Report, Rows, Store, chunks

SAMPLES_A_SHARD = 5_000
IMAGE_FIELD = "jpg"


def write_webdataset(
    chosen: Chosen, to: Path, *, store: Store, report: Report | None, stop: Callable[[], bool]
) -> dict[str, int]:
    """Write the shards; which image is in which shard depends on the release alone."""
    folder, names = to / "webdataset", shard_names(chosen)
    folder.mkdir(exist_ok=True)
    known = zip(chosen.scores.tolist(), chosen.inherited.tolist(), strict=True)
    decided = dict(zip(chosen.rows.tolist(), known, strict=True))
    count, total = 0, len(chosen.yes)
    for number, rows in enumerate(chunks(chosen.yes, SAMPLES_A_SHARD)):
        path = folder / names[number]
        if not _whole(path, rows, decided, store):
            _write_shard(path, rows, decided, store)
        count += len(rows)
        if report:
            report(Progress("release: webdataset", count, total))
        if stop():
            raise KeyboardInterrupt
    return {"shards": len(names), "samples": total}


def shard_names(chosen: Chosen) -> list[str]:
    """The file names of the shards."""
    return [f"{chosen.category}-{number:06d}.tar" for number in range(-(-len(chosen.yes) // SAMPLES_A_SHARD))]


def _whole(path: Path, rows: Rows, decided: Mapping[int, tuple[float, bool]], store: Store) -> bool:
    """Whether a shard that an interrupted release left holds these images and their facts."""
    try:
        with tarfile.open(path, "r:") as tar:
            found = {member.name: sha256(_bytes(tar, member)).hexdigest() for member in tar}
    except (OSError, tarfile.TarError):
        return False
    expected = {}
    for image in store.images.many(rows):
        expected[f"{image.sha256}.{IMAGE_FIELD}"] = image.sha256
        expected[f"{image.sha256}.json"] = sha256(_facts(image, *decided[image.row])).hexdigest()
    return found == expected


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file else b""


def _write_shard(path: Path, rows: Rows, decided: Mapping[int, tuple[float, bool]], store: Store) -> None:
    part = path.with_name(f".{path.name}.part")
    with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
        for image, data in with_bytes(store.images.many(rows), store):
            _add(tar, f"{image.sha256}.{IMAGE_FIELD}", data)
            _add(tar, f"{image.sha256}.json", _facts(image, *decided[image.row]))
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)  # mtime 0 and no owner: the same release is the same bytes
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _facts(image: Image, score: float, inherited: bool) -> bytes:
    facts = {
        "id": image.sha256,
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "score": round(score, 4) if math.isfinite(score) else None,  # JSON has no NaN
        "answer": "yes",
        "inherited": inherited,
    }
    return json.dumps(facts, allow_nan=False).encode()
