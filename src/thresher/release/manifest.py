"""The manifest of a release: every file with its size and SHA-256; what is damaged or does not belong there."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from thresher.errors import AlreadyThere
from thresher.release.folder import file_name
from thresher.release.plan import DONE_FILE, PLAN_FILE, Chosen
from thresher.release.webdataset import shard_names
from thresher.store.contract import Store, chunks

CHUNK = 5_000
SIGNATURE = "audit-log.sig"
FOLDERS = {"images", "webdataset"}
Files = Mapping[str, Mapping[str, Any]]


def names_of(chosen: Chosen, formats: Sequence[str], *, store: Store) -> set[str]:
    """The files that this release has in these formats, all but the manifest."""
    names = {"README.md", "certificate.json", *chosen.evidence}
    if "table" in formats:
        names.add("images.parquet")
    if "folder" in formats:
        images = (image for rows in chunks(chosen.yes, CHUNK) for image in store.images.many(rows))
        names |= {f"images/{file_name(image)}" for image in images}
    if "webdataset" in formats:
        names |= {f"webdataset/{name}" for name in shard_names(chosen)}
    return names


def must_hold_only(directory: Path, names: set[str]) -> None:
    """Remove what an interrupted write left. Raises AlreadyThere if something lies there that is not of these names."""
    for path, is_file in _walk(directory):
        name = str(path.relative_to(directory))
        if is_file and name in (*names, DONE_FILE, PLAN_FILE):
            continue
        written = path.name.removeprefix(".").removesuffix(".part")
        if is_file and path.name == f".{written}.part" and str(path.with_name(written).relative_to(directory)) in names:
            path.unlink()
            continue
        raise AlreadyThere(
            f"contains {name!r}, which is not of this release.",
            where=str(directory),
            next="move it away and run it again, or give an empty directory to --to",
        )


def _walk(directory: Path) -> Iterator[tuple[Path, bool]]:
    """Each thing in a release's directory, and whether it is a regular file; its own folders are looked into."""
    for path in sorted(directory.iterdir()):
        if path.name in FOLDERS and path.is_dir() and not path.is_symlink():
            yield from ((inner, inner.is_file() and not inner.is_symlink()) for inner in sorted(path.iterdir()))
        else:
            yield path, path.is_file() and not path.is_symlink()


def files_of(directory: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The size and the SHA-256 of each file, by its name."""
    return {name: _facts(directory / name) for name in sorted(names)}


def damaged(directory: Path, names: set[str], files: object) -> list[str]:
    """The files that are missing, or not as the manifest says."""
    listed = files if isinstance(files, dict) else {}
    return [name for name in sorted(names) if not _holds(directory / name, listed.get(name))]


def _holds(path: Path, facts: object) -> bool:
    try:
        return _facts(path) == facts
    except OSError:
        return False


def _facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": file_digest(file, "sha256").hexdigest()}


def contents(chosen: Chosen, formats: Sequence[str]) -> str:
    """A hash of the certificate with its evidence, the question, and the formats: a release of others is another."""
    certificate = json.dumps(chosen.certificate, sort_keys=True)
    # a signature may be another one each time
    evidence = {name: sha256(data).hexdigest() for name, data in chosen.evidence.items() if name != SIGNATURE}
    return sha256(json.dumps([certificate, evidence, chosen.question, sorted(formats)]).encode()).hexdigest()
