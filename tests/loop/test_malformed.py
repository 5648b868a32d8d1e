"""Release files as a disk, an editor or a stranger leaves them: each ends in a verdict or one clear line."""

import hashlib
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.cli.commands import thresher
from tests.filled import NAME
from tests.loop.people import pool
from tests.loop.promised import COUNT, YES_FROM, aim, rounds_of_two, run

from thresher.errors import AlreadyThere, ThresherError
from thresher.loop.ship import ship
from thresher.release.plan import DONE_FILE, PLAN_FILE
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import verify
from thresher.verify.formats import COLUMNS as RELEASED
from thresher.verify.labels import COLUMNS as EVIDENCE
from thresher.verify.pool import COLUMNS as POOL

TABLES = {"evidence.parquet": EVIDENCE, "images.parquet": RELEASED, "pool.parquet": POOL}
FILES = ("certificate.json", "audit-log.jsonl", *TABLES, "README.md")
WRONG: tuple[Any, ...] = (None, "x", "", -1, 0, 1e308, float("nan"), float("inf"), 2**70, [], {}, [[]], True, "\ud800")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path)


@pytest.fixture
def released(store: Store, settings: Settings, tmp_path: Path) -> Path:
    """A certified release that holds."""
    pool(store, YES_FROM, COUNT)
    aim(store, "adjudicated")
    run(store, settings)
    ship(NAME, tmp_path / "out", store=store, now_ms=9, formats=("table",))
    assert verify(tmp_path / "out").holds
    return tmp_path / "out"


def outcome(directory: Path) -> str:
    """Either "holds", or what is wrong, or the line of the error; any other error fails the test."""
    try:
        verdict = verify(directory)
    except ThresherError as error:
        told = error
    else:
        assert verdict.holds or verdict.wrong
        return "holds" if verdict.holds else "; ".join(verdict.wrong)
    assert "\n" not in str(told)
    assert told.where.startswith(str(directory))
    assert told.next
    return str(told)


def test_no_file_of_a_release_can_hold_what_was_not_foreseen(released: Path) -> None:
    """One test, because making a release takes longer than all the ways to harm it."""
    whole = {name: (released / name).read_bytes() for name in FILES}
    manifest = (released / "release.json").read_bytes()
    for what, name, data in harmed(whole):
        (released / name).write_bytes(data)
        sealed(released, name, data)
        found = outcome(released)
        # columns and values that verify does not read may be anything
        assert found != "holds" or what.startswith("perhaps"), f"{name}: {what}"
        (released / name).write_bytes(whole[name])
        (released / "release.json").write_bytes(manifest)
    for what, name, data in harmed({"release.json": manifest}):
        (released / name).write_bytes(data)
        assert outcome(released) != "holds" or what.startswith("perhaps"), f"{name}: {what}"
        (released / name).write_bytes(manifest)
    for name in FILES:
        (released / name).unlink()
        assert name in outcome(released)
        (released / name).mkdir()
        assert name in outcome(released)
        (released / name).rmdir()
        (released / name).write_bytes(whole[name])
    assert outcome(released) == "holds"


def sealed(directory: Path, name: str, data: bytes) -> None:
    """Write into the manifest what a file holds now, as whoever changed it could."""
    manifest = json.loads((directory / "release.json").read_bytes())
    manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (directory / "release.json").write_text(json.dumps(manifest))


def harmed(whole: dict[str, bytes]) -> Iterator[tuple[str, str, bytes]]:
    """Each harm: in words, the file, and its new bytes."""
    chance = random.Random(7)
    for name, data in whole.items():
        for length in (0, 1, 4, 100, len(data) // 2, len(data) - 9):
            yield f"cut to {length} bytes", name, data[:length]
        for other in (b"\xff\xfe\x00", b"[]", b"null", b"7", b'"x"', b"{}", b"[" * 100_000, b"PAR1PAR1", b"9" * 5000):
            yield f"{other[:9]!r} instead", name, other
        for _ in range(40):
            place = chance.randrange(len(data))
            yield f"perhaps: byte {place} changed", name, data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]
    for name in whole.keys() & {"certificate.json", "release.json"}:
        claimed = json.loads(whole[name])
        for path in paths(claimed):
            for wrong in chance.sample(WRONG, 3):
                yield f"perhaps: {path} is {wrong!r}", name, changed(claimed, path, wrong)
            yield f"perhaps: no {path}", name, changed(claimed, path, ...)
    for name in whole.keys() & TABLES:
        yield from harmed_tables(name, whole[name], list(TABLES[name]))
    for number, line in enumerate(whole.get("audit-log.jsonl", b"").splitlines()[:6]):
        for path in paths(json.loads(line)):
            lines = whole["audit-log.jsonl"].splitlines()
            lines[number] = changed(json.loads(line), path, chance.choice(WRONG))
            yield f"perhaps: {path} of line {number}", "audit-log.jsonl", b"\n".join(lines) + b"\n"


def harmed_tables(name: str, data: bytes, columns: list[str]) -> Iterator[tuple[str, str, bytes]]:
    table = pq.read_table(pa.BufferReader(data))
    count = table.num_rows
    for column in columns:
        place = table.column_names.index(column)
        yield f"no column {column}", name, as_bytes(table.drop_columns([column]))
        for what, values in (
            ("numbers", pa.array([2**62] * count)),
            ("floats", pa.array([float("nan")] * count)),
            ("texts", pa.array(["x"] * count)),
            ("lists", pa.array([[1]] * count)),
            ("objects", pa.array([{"a": 1}] * count)),
            ("nulls", pa.nulls(count)),
            ("bytes that are no text", pa.array([b"\xff\xfe"] * count)),
            ("dates", pa.array([0] * count, pa.timestamp("ms"))),
        ):
            # some values say the same as before: similar_to may be null, and a stratum is only a word
            yield f"perhaps: {column} holds {what}", name, as_bytes(table.set_column(place, column, values))
    yield "perhaps: no rows", name, as_bytes(table.slice(0, 0))
    yield "perhaps: each row twice", name, as_bytes(pa.concat_tables([table, table]))


def as_bytes(table: pa.Table) -> bytes:
    out = pa.BufferOutputStream()
    pq.write_table(table, out)
    data: bytes = out.getvalue().to_pybytes()
    return data


def paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*before, key)
        yield from paths(item, (*before, key))


def changed(claimed: Any, path: tuple[Any, ...], wrong: Any) -> bytes:
    copy = json.loads(json.dumps(claimed))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    if wrong is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = wrong
    return json.dumps(copy).encode()


def test_the_command_says_which_file_and_never_that_it_has_an_internal_error(released: Path) -> None:
    for name in FILES:
        whole = (released / name).read_bytes()
        (released / name).write_bytes(b"\xff\xfe\x00")
        done = thresher("verify", released)
        (released / name).write_bytes(whole)
        assert "internal error" not in done.stderr, name
        # nothing needs these two before the manifest has told that they changed
        if name in ("images.parquet", "README.md"):
            assert done.returncode == 1
            assert f"no: {name!r} is not as the manifest says" in done.stdout
        elif name == "audit-log.jsonl":  # a log that is no log proves nothing
            assert done.returncode == 1
            assert f"{name} is no audit log: its last line has no end" in done.stdout
        else:
            assert done.returncode == 2, name
            assert name in done.stderr
            assert "Next: give the directory of a release" in done.stderr
    assert thresher("verify", released).returncode == 0


def test_a_directory_with_a_malformed_release_is_another_release(released: Path, store: Store) -> None:
    for name in (DONE_FILE, PLAN_FILE):
        for data in (b"", b"[", b"[]", b"7", b'{"category": []}', b"\xff\xfe", b"[" * 100_000):
            place = released.parent / "another"
            place.mkdir()
            (place / name).write_bytes(data)
            with pytest.raises(AlreadyThere, match="contains another release"):
                ship(NAME, place, store=store, now_ms=9)
            assert (place / name).read_bytes() == data
            shutil.rmtree(place)
