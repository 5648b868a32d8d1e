"""The manifest: every file of the directory with its size and SHA-256, and no other file."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from thresher.verify.checks import Checks
from thresher.verify.reading import LARGEST_TEXT, bad, read_object, said, shown, wrong
from thresher.verify.values import Fields

NAME = "release.json"
FOLDERS = {"folder": "images", "webdataset": "webdataset"}
TEXTS = (".json", ".jsonl", ".md", ".sig")
PROOF = {"README.md", "certificate.json", "audit-log.jsonl", "audit-log.sig", "pool.parquet", "evidence.parquet", NAME}
TABLE = "images.parquet"
FIELDS = (
    *(
        "id",
        "images",
        "category",
        "question",
        "version",
        "wordings",
        "round",
        "yes_by",
        "counts",
        "pool",
        "fingerprint",
    ),
    *("thresher", "formats", "at_ms", "contents", "files"),
)
FORMATS = {*FOLDERS, "table"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `release.json` says of a release, and the digest of each file as it lies there, if its size is as listed."""

    fields: Fields
    formats: frozenset[str]
    digests: dict[str, str]


def read_manifest(directory: Path, checks: Checks) -> Manifest:
    """Read the manifest and compare every file with it. Raises BadInput if it cannot be read, Wrong if it is none."""
    path = directory / NAME
    fields = Fields(read_object(path), "the manifest")
    try:
        fields.only(FIELDS)
        listed = {name: _line(value, name) for name, value in Fields(fields.get("files"), "files").items()}
        formats = frozenset(Fields(fields.get("formats"), "formats").names())
    except ValueError as error:
        raise wrong(f"is no manifest: {said(error)}", path) from error
    checks.that(formats <= FORMATS, f"the manifest names an unknown format: {shown(sorted(formats - FORMATS)[:1])}")
    sizes = dict(_files(directory, [FOLDERS[name] for name in FOLDERS if name in formats], checks))
    sizes.pop(NAME, None)
    for name in sorted({*listed} - {*sizes})[:100]:
        checks.that(False, f"{shown(name)} is in the manifest, and not in the directory")
    for name in sorted({*sizes} - {*listed})[:100]:
        checks.that(False, f"{shown(name)} is in the directory, and not in the manifest")
    digests = {}
    for name, size in sizes.items():
        wanted = listed.get(name, (-1, ""))
        same_size = size == wanted[0]  # a file of another size is not read: it may be of any size
        digests[name] = _digest(directory / name) if same_size else ""
        changed = name in listed and (size, digests[name]) != wanted
        checks.that(not changed, f"{shown(name)} is not as the manifest says: its bytes have changed")
    return Manifest(fields, formats, digests)


def _line(value: object, name: str) -> tuple[int, str]:
    given = Fields(value, shown(name))
    return given.whole("bytes"), given.digest("sha256")


def _files(directory: Path, folders: list[str], checks: Checks, before: str = "") -> Iterator[tuple[str, int]]:
    """Each regular file by its path within the release, with its size; anything else is wrong."""
    try:
        with os.scandir(directory) as entries:
            found = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in entries)
    except OSError as error:
        raise bad(f"cannot be read: {said(error)}.", directory) from error
    for name, status in found:
        if stat.S_ISREG(status.st_mode) and (before or name in {*PROOF, TABLE}):
            if name.endswith(TEXTS) and status.st_size > LARGEST_TEXT:
                raise bad(f"is larger than {LARGEST_TEXT:,} bytes.", directory / name)
            yield before + name, status.st_size
        elif stat.S_ISDIR(status.st_mode) and name in folders:
            yield from _files(directory / name, [], checks, f"{name}/")
        else:
            checks.that(False, f"{shown(before + name)} is neither a file of a release nor a folder of one")


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise bad(f"cannot be read: {said(error)}.", path) from error
