"""What a person who wants a release to say another thing can do to its files, sealing the manifest anew each time."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Release:
    """A copy of a release that may be changed; `stranger` is a picture that is not in its pool."""

    directory: Path
    method: str
    stranger: bytes

    def path(self, name: str) -> Path:
        return self.directory / name

    def json(self, name: str, change: Callable[[Row], None]) -> None:
        """Change a JSON file in place."""
        value = json.loads(self.path(name).read_bytes())
        change(value)
        self.path(name).write_text(json.dumps(value))

    def read(self, name: str) -> Row:
        found: Row = json.loads(self.path(name).read_bytes())
        return found

    def rows(self, name: str) -> list[Row]:
        found: list[Row] = pq.read_table(self.path(name)).to_pylist()
        return found

    def table(self, name: str, change: Callable[[list[Row]], Any]) -> None:
        """Change the rows of a Parquet table; a list that is returned replaces them."""
        table = pq.read_table(self.path(name))
        rows = table.to_pylist()
        rows = change(rows) or rows
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), self.path(name))

    def text(self, name: str, old: str, new: str) -> None:
        """Replace a text that must be there."""
        before = self.path(name).read_text("utf-8")
        assert old in before
        self.path(name).write_text(before.replace(old, new), "utf-8")

    def lines(self) -> list[bytes]:
        """The lines of the audit log."""
        return self.path("audit-log.jsonl").read_bytes().splitlines()

    def log(self, change: Callable[[list[Row]], Any]) -> None:
        """Change the lines of the audit log, and chain them anew, with the head in the certificate."""
        lines = [json.loads(line) for line in self.lines()]
        lines = change(lines) or lines
        head, out = "", b""
        for line in lines:
            data = canonical(line | {"previous": head})
            head, out = sha256(data), out + data + b"\n"
        self.path("audit-log.jsonl").write_bytes(out)
        self.json("certificate.json", lambda one: one.update(log_head=head))

    def frozen(self, change: Callable[[Row], None]) -> None:
        """Change the frozen description in certificate and log alike, and chain the log anew."""
        self.json("certificate.json", lambda one: change(one["frozen"]))
        self.log(lambda lines: change(lines[0]["frozen"]))

    def pictures(self) -> list[Path]:
        return sorted(self.path("images").iterdir())

    def shard(self) -> Path:
        (found,) = self.path("webdataset").iterdir()
        return found

    def members(self, change: Callable[[list[tuple[str, bytes]]], Any]) -> None:
        """Write the shard anew with other members."""
        with tarfile.open(self.shard()) as tar:
            found = [(one.name, (tar.extractfile(one) or io.BytesIO()).read()) for one in tar]
        found = change(found) or found
        with tarfile.open(self.shard(), "w", format=tarfile.USTAR_FORMAT) as tar:
            for name, data in found:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))

    def seal(self) -> None:
        """Write the manifest of what lies there now, as whoever changed it can."""
        if not isinstance(json.loads(self.path("release.json").read_bytes()), dict):
            return
        files = {
            str(path.relative_to(self.directory)): {"bytes": len(data), "sha256": sha256(data)}
            for path in sorted(self.directory.rglob("*"))
            if path.is_file() and path.name != "release.json"
            for data in [path.read_bytes()]
        }
        self.json("release.json", lambda one: one.update(files=files))


def exchange(rows: list[Row], column: str, one: int, other: int) -> None:
    rows[one][column], rows[other][column] = rows[other][column], rows[one][column]


def where(rows: list[Row], **wanted: object) -> list[int]:
    """The places of the rows with these values."""
    return [at for at, row in enumerate(rows) if all(row[name] == value for name, value in wanted.items())]
