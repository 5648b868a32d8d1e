import gzip
import io
import tarfile
from pathlib import Path

import pytest
from tests.pictures_for_tests import picture

from thresher.errors import BadInput
from thresher.harvest.candidates import Candidate
from thresher.harvest.sources.tar import from_tar

MEMBERS = {f"photos/{seed}.jpg": picture(seed) for seed in range(5)}


def tar(path: Path, members: dict[str, bytes], mode: str = "w", kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # the mode is a parameter of the test
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.type = kind
            archive.addfile(info, io.BytesIO(data))
    return path


def candidates(path: Path, bytes_most: int = 10**9) -> list[Candidate]:
    return list(from_tar(path).candidates(bytes_most=bytes_most))


def read(candidate: Candidate) -> bytes:
    if candidate.data is not None:
        return candidate.data
    with Path(candidate.path).open("rb") as file:
        file.seek(candidate.offset)
        return file.read(candidate.size_bytes)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_members_come_with_their_bytes_from_any_kind_of_tar(mode: str, tmp_path: Path) -> None:
    found = candidates(tar(tmp_path / "a.tar", MEMBERS, mode))
    assert {candidate.name: read(candidate) for candidate in found} == MEMBERS


def test_members_of_a_plain_tar_are_not_read_before_they_are_wanted(tmp_path: Path) -> None:
    assert all(candidate.data is None for candidate in candidates(tar(tmp_path / "a.tar", MEMBERS)))


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_whole(format: int, tmp_path: Path) -> None:  # noqa: A002 -- tarfile's word
    name = "deep/" * 40 + "ä.jpg"
    with tarfile.open(tmp_path / "a.tar", "w", format=format) as archive:
        info = tarfile.TarInfo(name)
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    assert [(c.name, read(c)) for c in candidates(tmp_path / "a.tar")] == [(name, b"abc")]


def test_a_name_is_a_label_and_nothing_is_written_anywhere(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    wild = {"../../escape.jpg": b"1", "/etc/passwd": b"2", "./a.jpg": b"3", "C:\\b.jpg": b"4"}
    found = candidates(tar(place / "a.tar", wild))
    assert [candidate.name for candidate in found] == ["../../escape.jpg", "/etc/passwd", "a.jpg", "C:\\b.jpg"]
    assert all(candidate.path == str(place / "a.tar") for candidate in found)
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "a.tar"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_only_regular_members_count(kind: bytes, tmp_path: Path) -> None:
    assert candidates(tar(tmp_path / "a.tar", {"x": b""}, kind=kind)) == []


def test_hidden_members_are_left_out(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", {"._a.jpg": b"1", ".git/b.jpg": b"2", "./c.jpg": b"3"})
    assert [candidate.name for candidate in candidates(path)] == ["c.jpg"]


def test_a_member_that_is_too_large_is_not_read_from_a_stream(tmp_path: Path) -> None:
    (found,) = candidates(tar(tmp_path / "a.tar.gz", {"a": bytes(10_001)}, "w:gz"), bytes_most=10_000)
    assert found.data is None
    assert found.problem is not None
    assert found.problem[0] == "too-large"


@pytest.mark.parametrize("data", [b"", b"this is no tar" * 100, b"\x1f\x8b not gzip"])
def test_what_is_no_tar_is_told_at_once(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(BadInput, match="not a tar"):
        from_tar(tmp_path / "a.tar")
    with pytest.raises(BadInput, match="No such file"):
        from_tar(tmp_path / "missing.tar")
    with pytest.raises(BadInput, match="--folder"):
        from_tar(tmp_path)


@pytest.mark.parametrize(("mode", "share"), [("w", 0.35), ("w", 0.405), ("w", 0.43), ("w:gz", 0.4), ("w:xz", 0.9)])
def test_of_a_tar_cut_short_everything_before_the_cut_comes_first(mode: str, share: float, tmp_path: Path) -> None:
    whole = tar(tmp_path / "a.tar", MEMBERS, mode).read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[: int(len(whole) * share)])
    found: list[Candidate] = []
    with pytest.raises(BadInput, match=r"damaged after photos/\d\.jpg"):
        found.extend(from_tar(tmp_path / "a.tar").candidates(bytes_most=10**9))
    assert [candidate.name for candidate in found] == list(MEMBERS)[: len(found)]
    assert len(found) >= 1


def test_rubbish_between_members_is_not_taken_for_the_end(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", MEMBERS)
    data = bytearray(path.read_bytes())
    third = candidates(path)[2].offset - tarfile.BLOCKSIZE
    data[third : third + 100] = b"\xaa" * 100
    path.write_bytes(data)
    found: list[Candidate] = []
    with pytest.raises(BadInput, match=r"damaged after photos/1\.jpg"):
        found.extend(from_tar(path).candidates(bytes_most=10**9))
    assert len(found) == 2


def test_how_many_are_expected_is_guessed_while_reading_and_known_at_the_end(tmp_path: Path) -> None:
    source = from_tar(tar(tmp_path / "a.tar", {str(n): bytes(5000) for n in range(100)}))
    assert source.expected() == 0
    feed = source.candidates(bytes_most=10**9)
    for _ in range(50):
        next(feed)
    assert 90 <= source.expected() <= 110
    list(feed)
    assert source.expected() == 100


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_name_without_end_is_not_read(tmp_path: Path, kind: bytes) -> None:
    """A megabyte of gzip holds a gigabyte of it."""
    header = tarfile.TarInfo("x")
    header.size, header.type = 2_000_000_000, kind
    path = tmp_path / "a.tar.gz"
    first = tarfile.TarInfo("first.jpg")
    first.size = 512
    with gzip.open(path, "wb") as file:
        file.write(first.tobuf(tarfile.USTAR_FORMAT) + bytes(512))
        file.write(header.tobuf(tarfile.USTAR_FORMAT) + b"0" * 1_000_000)
    found = from_tar(path).candidates(bytes_most=10**9)
    assert next(found).name == "first.jpg"
    with pytest.raises(BadInput, match=r"damaged after first.jpg \(a name of 2,000,000,000 bytes\)"):
        next(found)


def test_long_names_that_people_give_are_read(tmp_path: Path) -> None:
    name = "folder/" * 300 + "gr\u00fcn.jpg"
    for kind in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        path = tmp_path / f"{kind}.tar"
        with tarfile.open(path, "w", format=kind) as archive:
            archive.addfile(tarfile.TarInfo(name))
        assert [candidate.name for candidate in candidates(path)] == [name]


SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s.jpg", "GNU.sparse.realsize": "9"}


def test_the_map_of_a_sparse_member_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name, headers in (("s.jpg", SPARSE), ("after.jpg", {})):
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = 512, headers
            archive.addfile(info, io.BytesIO(b"99999999\n" + b"x" * 503))
    found = candidates(path)
    assert [candidate.name for candidate in found] == ["s.jpg", "after.jpg"]
    assert [candidate.problem[0] if candidate.problem else "" for candidate in found] == ["unsupported", ""]


def test_an_attribute_that_is_no_number_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        first = tarfile.TarInfo("first.jpg")
        archive.addfile(first)
        info = tarfile.TarInfo("s.jpg")
        info.pax_headers = SPARSE | {"GNU.sparse.realsize": "many"}
        archive.addfile(info)
    found = from_tar(path).candidates(bytes_most=10**9)
    assert next(found).name == "first.jpg"
    with pytest.raises(BadInput, match=r"damaged after first.jpg"):
        next(found)
