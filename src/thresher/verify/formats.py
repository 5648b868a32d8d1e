"""The released files of each format, tied to the evidence: docs/certificate-format.md, "The released set"."""

import math
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from thresher.errors import BadInput
from thresher.verify.checks import Checks
from thresher.verify.manifest import Manifest
from thresher.verify.pool import is_id
from thresher.verify.reading import Wrong, as_object, bad, read_table, said, shown, wrong
from thresher.verify.values import Fields

TABLE = "images.parquet"
COLUMNS = {
    "id": "string",
    "decision": "string",
    "similar_to": "string",
    "inherited": "bool_",
    "label": "string",
    "label_source": "string",
    "width": "int32",
    "height": "int32",
    "score": "float32",
}
FILE_NAME = re.compile(r"([0-9a-f]{64})\.[a-z0-9]{1,8}")
LARGEST_FACTS = 4096
FACTS = {"id", "format", "width", "height", "score", "answer", "inherited"}
BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class Wanted:
    """The images that must be released and every image of the pool, each with its unit; labels of today; counts."""

    units: Mapping[str, str]
    pool: Mapping[str, str]
    labels: Mapping[str, str]
    trusted: frozenset[str]
    category: str
    counts: Mapping[str, int]
    grounds: Mapping[str, int]


def check_formats(directory: Path, manifest: Manifest, wanted: Wanted, checks: Checks) -> None:
    """Compare every format that is there with the images that must be released."""
    _numbers(manifest, wanted, checks)
    table = _table(directory / TABLE, wanted, checks) if "table" in manifest.formats else None
    if "folder" in manifest.formats:
        _folder(manifest, wanted, checks)
    if "webdataset" in manifest.formats:
        _webdataset(directory, manifest, wanted, table, checks)
    checks.that((TABLE in manifest.digests) == ("table" in manifest.formats), f"{TABLE} is there without its format")


def _numbers(manifest: Manifest, wanted: Wanted, checks: Checks) -> None:
    """The numbers that the manifest gives of each format are those of its files."""
    images, shards = len(wanted.units), sum(path.startswith("webdataset/") for path in manifest.digests)
    numbers = {
        "folder": {"images": images},
        "webdataset": {"samples": images, "shards": shards},
        "table": {"rows": sum(wanted.counts.values())},
    }
    for name, value in Fields(manifest.fields.get("formats"), "formats").items():
        checks.that(value == numbers.get(name), f"the manifest gives other numbers of the format {name} than it has")


def _same_images(found: set[str], wanted: Wanted, where: str, checks: Checks) -> None:
    missing, more = wanted.units.keys() - found, found - wanted.units.keys()
    checks.that(not missing, f"{where}: {len(missing)} images that are certified are missing, {_first(missing)}")
    checks.that(not more, f"{where}: {len(more)} images are not those that are certified, {_first(more)}")


def _first(ids: set[str]) -> str:
    return f"the first is {shown(min(ids))}" if ids else ""


class Table:
    """The columns of `images.parquet`, and the place of each id in them."""

    def __init__(self, columns: Mapping[str, list[Any]]) -> None:
        self.columns = columns
        self.place = {one: place for place, one in enumerate(columns["id"])}

    def get(self, one: str, name: str) -> Any:  # noqa: ANN401 -- a value of a table
        """The value of a column for an id."""
        return self.columns[name][self.place[one]]


def _table(path: Path, wanted: Wanted, checks: Checks) -> Table:
    """Every image of the pool has a row, and exactly the certified ones are yes; a copy names its unit."""
    table = Table(read_table(path, COLUMNS))
    ids, decisions = table.columns["id"], table.columns["decision"]
    checks.that(len(table.place) == len(ids), f"{TABLE}: an image is there twice")
    checks.that(all(map(is_id, ids)), f"{TABLE}: an id is no SHA-256")
    absent = wanted.pool.keys() - table.place.keys()
    checks.that(not absent, f"{TABLE}: {len(absent)} images of the pool are missing, {_first(absent)}")
    checks.that({*decisions} <= wanted.counts.keys(), f"{TABLE}: a decision is none of yes, no, unknown")
    for word, counted in wanted.counts.items():
        found = decisions.count(word)
        checks.that(found == counted, f"{TABLE}: {found} images are {word}, and the manifest counts {counted}")
    yes = {one for one, decision in zip(ids, decisions, strict=True) if decision == "yes"}
    _same_images(yes, wanted, TABLE, checks)
    owned = 0
    for one in yes & wanted.units.keys():
        unit = wanted.units[one]
        follows = one != unit and one not in wanted.labels
        checks.that(table.get(one, "inherited") is follows, f"{TABLE}: whether {one} inherited its yes is told wrongly")
        owned += not follows and table.get(one, "label") is not None
        right = table.get(one, "similar_to") == (None if one == unit else unit)
        checks.that(right, f"{TABLE}: {one} is not told to be what it is a copy of")
    inherited = sum(one != unit and one not in wanted.labels for one, unit in wanted.units.items())
    told = {"labelled": owned, "inherited": inherited, "scored": len(wanted.units) - owned - inherited}
    checks.that(told == wanted.grounds, f"{TABLE}: the manifest says otherwise why images are yes")
    for one, label, source in zip(ids, table.columns["label"], table.columns["label_source"], strict=True):
        right = one not in wanted.pool or wanted.labels.get(one) == (label if source in wanted.trusted else None)
        checks.that(right, f"{TABLE}: the label of {one} is not that of the evidence")
    return table


def _folder(manifest: Manifest, wanted: Wanted, checks: Checks) -> None:
    """The files of `images/` are the certified images, each once, with the bytes that its name says."""
    found: set[str] = set()
    for path, digest in manifest.digests.items():
        folder, _, name = path.rpartition("/")
        if folder != "images":
            continue
        named = FILE_NAME.fullmatch(name)
        one = named[1] if named else ""
        checks.that(one == digest, f"{shown(path)}: its name is not the SHA-256 of its bytes")
        checks.that(digest not in found, f"images/: {digest} is there twice")
        found.add(digest)
    _same_images(found, wanted, "images/", checks)


def _webdataset(directory: Path, manifest: Manifest, wanted: Wanted, table: Table | None, checks: Checks) -> None:
    """The members of all shards are the certified images and their facts, each once."""
    shards = sorted(path for path in manifest.digests if path.startswith("webdataset/"))
    names = [f"webdataset/{wanted.category}-{number:06d}.tar" for number in range(len(shards))]
    checks.that(shards == names, "webdataset/: the shards are not numbered from 0")
    images: set[str] = set()
    facts: set[str] = set()
    for shard in shards:
        for name, data, digest in _members(directory / shard):
            one, _, end = name.partition(".")
            kind = {"jpg": images, "json": facts}.get(end)
            if not checks.that(kind is not None and is_id(one), f"{shard}: {shown(name)} is no member of a release"):
                continue
            assert kind is not None  # noqa: S101 -- that was checked
            checks.that(one not in kind, f"{shard}: {name} is there twice")
            kind.add(one)
            if end == "jpg":
                checks.that(digest == one, f"{shard}: the name of {name} is not the SHA-256 of its bytes")
            else:
                _facts(data, one, table, directory / shard, checks)
    _same_images(images, wanted, "webdataset/", checks)
    _same_images(facts, wanted, "webdataset/ (JSON)", checks)


def _members(path: Path) -> Iterator[tuple[str, bytes, str]]:
    """Each member's name, its first bytes and its SHA-256. Raises Wrong for anything but regular files, BadInput."""
    try:
        with tarfile.open(path, "r:") as tar:
            end = 0
            for member in tar:
                if not member.isreg() or member.issparse() or member.offset != end:
                    raise wrong(f"has a member that is no plain file: {shown(member.name)}", path)
                end = member.offset_data + -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
                file = tar.extractfile(member)
                assert file is not None  # noqa: S101 -- it is a regular file
                digest, start, got = sha256(), b"", 0
                while block := file.read(BLOCK):
                    digest.update(block)
                    start, got = start or block[: LARGEST_FACTS + 1], got + len(block)
                if got != member.size:
                    raise bad(f"ends in the middle of {shown(member.name)}.", path)
                yield member.name, start, digest.hexdigest()
        _must_end(path, end)
    except Wrong:
        raise
    except (OSError, ValueError, tarfile.TarError, EOFError, OverflowError, MemoryError) as error:
        raise bad(f"cannot be read: {said(error)}.", path) from error


def _must_end(path: Path, end: int) -> None:
    """Raise Wrong if something but zeros follows the last member, BadInput for less than the two blocks of an end."""
    with path.open("rb") as file:
        file.seek(end)
        left = 0
        while block := file.read(BLOCK):
            left += len(block)
            if block.strip(b"\0"):
                raise wrong("has bytes after its last member", path)
    if left < 2 * tarfile.BLOCKSIZE:
        raise bad("is cut off.", path)


def _facts(data: bytes, one: str, table: Table | None, path: Path, checks: Checks) -> None:
    """The facts of a member are those of the table."""
    try:
        facts = as_object(data, path) if len(data) <= LARGEST_FACTS else {}
    except (BadInput, Wrong):
        facts = {}
    right = (
        facts.keys() == FACTS
        and facts.get("id") == one
        and facts.get("answer") == "yes"
        and isinstance(facts.get("format"), str)
    )
    if table is not None and one in table.place:
        right = right and all(facts.get(name) == table.get(one, name) for name in ("width", "height", "inherited"))
        right = right and _same_score(facts.get("score"), table.get(one, "score"))
    checks.that(right, f"{path.name}: the facts of {one} are not those of the table")


def _same_score(given: Any, score: float | None) -> bool:  # noqa: ANN401 -- a value of JSON
    if score is None or not math.isfinite(score):
        return given is None
    return isinstance(given, int | float) and not isinstance(given, bool) and abs(given - score) <= 1e-4
