import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.things import data

from thresher.errors import StoreDamaged
from thresher.store.directory import shards
from thresher.store.directory.shards import Place, Reader, Writer

SMALL = 20_000
sizes = st.one_of(st.integers(0, 3000), st.sampled_from([0, 1, 511, 512, 513, 1024]))


def picture(seed: int, size: int = 700) -> tuple[str, bytes]:
    content = data(seed, size)[:size]
    return f"{hashlib.sha256(content).hexdigest()}.jpg", content


def lines_of_index(directory: Path, name: str) -> list[list[object]]:
    return [json.loads(line) for line in (directory / f"{name}.index").read_text().splitlines()]


@given(batches=st.lists(st.lists(sizes, max_size=12), max_size=8), closings=st.sets(st.integers(0, 8)))
def test_any_sequence_of_pictures_is_read_back_untouched(batches: list[list[int]], closings: set[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        writer, reader = Writer(directory, shard_bytes=SMALL), Reader(directory)
        put: list[tuple[Place, bytes]] = []
        for number, batch in enumerate(batches):
            pictures = [picture(100 * number + place, size) for place, size in enumerate(batch)]
            put += zip(writer.append(pictures), (content for _, content in pictures), strict=True)
            if number in closings:
                writer.close()
        assert [reader.read(place) for place, _ in put] == [content for _, content in put]
        writer.close()
        assert [reader.read(place) for place, _ in put] == [content for _, content in put]
        members = {}
        for shard in shards.names(directory):
            with tarfile.open(directory / f"{shard}.tar") as tar:
                for member in tar:
                    file = tar.extractfile(member)
                    assert file is not None
                    members[shard, member.offset_data] = file.read()
        assert members == {(place.shard, place.begins): content for place, content in put}
        reader.close()


@given(wanted=st.lists(sizes, min_size=1, max_size=8), cut=st.floats(0, 1))
def test_a_shard_cut_anywhere_is_recovered_up_to_its_last_whole_member(wanted: list[int], cut: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        writer = Writer(directory, shard_bytes=10 * SMALL)
        pictures = [picture(seed, size) for seed, size in enumerate(wanted)]
        places = writer.append(pictures)
        path = directory / f"{places[0].shard}.open.tar"
        length = int(path.stat().st_size * cut)
        os.ftruncate(writer._descriptor, length)
        os.close(writer._descriptor)  # as the kernel does for a dead process
        whole = [place for place in places if place.begins + place.bytes <= length]
        second = Writer(directory, shard_bytes=10 * SMALL)
        (more,) = second.append([picture(99)])
        second.close()
        reader = Reader(directory)
        assert more.shard == places[0].shard
        assert [reader.read(place) for place in whole] == [content for _, content in pictures[: len(whole)]]
        assert reader.read(more) == picture(99)[1]
        index = lines_of_index(directory, more.shard)
        assert len(index) == len(whole) + 1
        reader.close()


def test_a_shard_is_closed_with_its_index_when_it_is_full(tmp_path: Path) -> None:
    writer = Writer(tmp_path, shard_bytes=SMALL)
    places = writer.append([picture(seed, 5000) for seed in range(9)])
    assert [len({p.shard for p in places[start : start + 4]}) for start in (0, 4)] == [1, 1]
    first = places[0].shard
    assert sorted(file.name for file in tmp_path.glob(f"{first}*")) == [f"{first}.index", f"{first}.tar"]
    assert lines_of_index(tmp_path, first) == [
        [picture(seed, 5000)[0], place.begins, 5000] for seed, place in enumerate(places) if place.shard == first
    ]
    last = places[-1].shard
    assert [file.name for file in tmp_path.glob(f"{last}*")] == [f"{last}.open.tar"]
    writer.close()


def test_plain_tar_lists_a_shard(tmp_path: Path) -> None:
    writer = Writer(tmp_path, shard_bytes=SMALL)
    (place,) = writer.append([picture(1, 333)])
    writer.close()
    told = subprocess.run(
        ["tar", "-tvf", tmp_path / f"{place.shard}.tar"], capture_output=True, text=True, check=True, timeout=60
    )
    assert picture(1, 333)[0] in told.stdout
    assert " 333 " in told.stdout
    assert told.stderr == ""


def test_a_header_is_the_one_that_the_tar_module_writes() -> None:
    made = tarfile.TarInfo(picture(1)[0])
    made.size, made.mode, made.uname, made.gname = 1234, 0o644, "", ""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(made, io.BytesIO(bytes(1234)))
    assert shards.header(made.name, 1234) == written.getvalue()[:512]
    assert shards.parse(written.getvalue()[:512]) == (made.name, 1234)


def test_two_writers_have_a_shard_each(tmp_path: Path) -> None:
    first, second = Writer(tmp_path, shard_bytes=SMALL), Writer(tmp_path, shard_bytes=SMALL)
    (one,), (two,) = first.append([picture(1)]), second.append([picture(2)])
    assert one.shard != two.shard
    first.close()
    second.close()


def test_a_small_shard_is_gone_on_with(tmp_path: Path) -> None:
    places = []
    for seed in range(5):
        writer = Writer(tmp_path, shard_bytes=SMALL)
        places += writer.append([picture(seed)])
        writer.close()
        writer.close()
    assert len({place.shard for place in places}) == 1
    assert len(lines_of_index(tmp_path, places[0].shard)) == 5


def test_a_reader_follows_a_shard_through_its_closing(tmp_path: Path) -> None:
    writer, reader = Writer(tmp_path, shard_bytes=SMALL), Reader(tmp_path)
    (first,) = writer.append([picture(1)])
    assert reader.read(first) == picture(1)[1]
    writer.close()
    reader.close()
    assert reader.read(first) == picture(1)[1]
    reader.close()


def test_a_picture_that_is_cut_short_or_missing_is_told_with_the_next_command(tmp_path: Path) -> None:
    writer, reader = Writer(tmp_path, shard_bytes=SMALL), Reader(tmp_path)
    (place,) = writer.append([picture(1)])
    writer.close()
    os.truncate(tmp_path / f"{place.shard}.tar", 900)
    for wrong in (place, Place("gone", 512, 7)):
        with pytest.raises(StoreDamaged) as told:
            reader.read(wrong)
        assert told.value.next == "thresher check"
    reader.close()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_many_shards_are_read_with_few_open_files(tmp_path: Path) -> None:
    places = []
    for seed in range(shards.FILES_KEPT + 20):
        writer = Writer(tmp_path, shard_bytes=1, resume=False)
        places += writer.append([picture(seed, 10)])
    reader = Reader(tmp_path)
    before = open_files()
    assert [reader.read(place) for place in places] == [picture(seed, 10)[1] for seed in range(len(places))]
    assert open_files() - before <= shards.FILES_KEPT
    reader.close()
    assert open_files() == before
