import gzip
import io
import random
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


def test_folders_are_no_candidates_and_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    kinds = {tarfile.DIRTYPE: "", tarfile.FIFOTYPE: "a pipe", tarfile.CHRTYPE: "a device", b"V": "the type b'V'"}
    for kind, what in kinds.items():
        found = candidates(tar(tmp_path / "a.tar", {"x": b""}, kind=kind))
        assert [one.problem[0] for one in found if one.problem] == ["special-file"] * bool(what)
        assert all(what in str(one.problem) for one in found)


def test_hidden_members_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", {"._a.jpg": b"1", ".git/b.jpg": b"2", "./c.jpg": b"3"})
    assert [(one.name, one.beside) for one in candidates(path)] == [
        ("._a.jpg", "hidden files"),
        (".git/b.jpg", "hidden files"),
        ("c.jpg", ""),
    ]


# --- links ------------------------------------------------------------------------------------------------------------


def add(archive: tarfile.TarFile, name: str, data: bytes = b"", *, kind: bytes = tarfile.REGTYPE, to: str = "") -> None:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, to
    archive.addfile(info, io.BytesIO(data))


HARD, SYMBOLIC = tarfile.LNKTYPE, tarfile.SYMTYPE


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_links_are_further_names_of_the_members_that_they_lead_to(mode: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", mode) as archive:  # type: ignore[call-overload]  # the mode is a parameter
        add(archive, "d/early.jpg", kind=SYMBOLIC, to="2.jpg")
        add(archive, "./d/1.jpg", b"one")
        add(archive, "d/hard.jpg", kind=HARD, to="d/1.jpg")
        add(archive, "d/2.jpg", b"two")
        add(archive, "e/up.jpg", kind=SYMBOLIC, to="../d/2.jpg")
        add(archive, "chain.jpg", kind=SYMBOLIC, to="e/up.jpg")
    found = {one.name: read(one) for one in candidates(tmp_path / "a.tar")}
    assert found == {
        "d/1.jpg": b"one",
        "d/2.jpg": b"two",
        "d/hard.jpg": b"one",
        "d/early.jpg": b"two",
        "e/up.jpg": b"two",
        "chain.jpg": b"two",
    }


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_link_leads_to_the_member_that_was_there_when_it_was_made(mode: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", mode) as archive:  # type: ignore[call-overload]  # the mode is a parameter
        add(archive, "a.jpg", b"old")
        add(archive, "hard.jpg", kind=HARD, to="a.jpg")
        add(archive, "soft.jpg", kind=SYMBOLIC, to="a.jpg")
        add(archive, "a.jpg", b"new")
    found = [(one.name, read(one)) for one in candidates(tmp_path / "a.tar")]
    assert found == [("a.jpg", b"old"), ("a.jpg", b"new"), ("hard.jpg", b"old"), ("soft.jpg", b"new")]


def test_links_that_lead_to_no_file_of_the_tar_are_refused_by_name(tmp_path: Path) -> None:
    leads = {"out.jpg": "../../etc/passwd", "root.jpg": "/etc/passwd", "gone.jpg": "gone", "folder.jpg": "d", "": ""}
    leads |= {"self.jpg": "self.jpg", "round.jpg": "trip.jpg", "trip.jpg": "round.jpg"}
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        add(archive, "d", kind=tarfile.DIRTYPE)
        add(archive, "d/1.jpg", b"one")
        for name, to in leads.items():
            add(archive, name or "nowhere.jpg", kind=SYMBOLIC, to=to)
    first, *found = candidates(tmp_path / "a.tar")
    assert first.name == "d/1.jpg"
    assert {one.name: (one.problem or ("",))[0] for one in found} == dict.fromkeys(
        (name or "nowhere.jpg" for name in leads), "link-outside"
    )


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
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + bytes(1000))
    with pytest.raises(BadInput, match=r"zip file, not a tar\. Next: unpack it"):
        from_tar(tmp_path / "a.zip")
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


# --- damage -----------------------------------------------------------------------------------------------------------


def spoilt(path: Path, places: dict[int, bytes], member: int = 2) -> tuple[list[str], str, str]:
    """Overwrite parts of a member's header: the names that are found, and the one that is refused, with why."""
    header = candidates(path)[member].offset - tarfile.BLOCKSIZE
    data = bytearray(path.read_bytes())
    for place, part in places.items():
        data[header + place : header + place + len(part)] = part
    path.write_bytes(data)
    found = candidates(path)
    (refused,) = (one for one in found if one.problem)
    assert refused.problem is not None
    return [one.name for one in found if not one.problem], refused.name, ": ".join(refused.problem)


def sealed(header: bytes, places: dict[int, bytes]) -> dict[int, bytes]:
    """The same changes with a checksum that fits them."""
    made = bytearray(header)
    for place, part in places.items():
        made[place : place + len(part)] = part
    made[148:156] = b" " * 8
    return {**places, 148: f"{sum(made):06o}\0 ".encode()}


SPOILS = {
    "checksum": {148: b"xxxxxxxx"},
    "rubbish in the name": {0: b"\xaa" * 100},
    "size that is no number": {124: b"many bytes!!"},
    "mode that is no number": {100: b"\xffmode!!!"},
    "everything": {0: b"\xaa" * 512},
}


@pytest.mark.parametrize("what", SPOILS)
def test_one_malformed_header_costs_its_own_member_only(what: str, tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", MEMBERS)
    names, refused, why = spoilt(path, SPOILS[what])
    assert names == [name for name in MEMBERS if name != "photos/2.jpg"]
    assert refused == "photos/2.jpg" if 0 not in SPOILS[what] else refused.startswith("a.tar, byte ")
    assert why.startswith("damaged: its header in the tar cannot be read")


SEALED = {
    "a size beyond the end": {124: b"77777777777\0"},
    "a size of many exabytes": {124: b"\x80\0\0\0\x7f" + b"\xff" * 7},
    "a negative size": {124: b"\xff" * 12},
    "a name without end before it": {156: b"L", 124: b"00077777777\0"},
}


@pytest.mark.parametrize("what", SEALED)
@pytest.mark.parametrize("member", [0, 2])
def test_so_does_a_header_that_lies(what: str, member: int, tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", MEMBERS)
    at = candidates(path)[member].offset - tarfile.BLOCKSIZE
    header = path.read_bytes()[at : at + tarfile.BLOCKSIZE]
    names, refused, why = spoilt(path, sealed(header, SEALED[what]), member)
    assert names == [name for name in MEMBERS if name != f"photos/{member}.jpg"]
    assert refused == f"photos/{member}.jpg"
    assert why.startswith("damaged")


def test_the_first_header_may_be_the_damaged_one(tmp_path: Path) -> None:
    names, refused, _ = spoilt(tar(tmp_path / "a.tar", MEMBERS), {148: b"xxxxxxxx"}, 0)
    assert (names, refused) == (list(MEMBERS)[1:], "photos/0.jpg")


def test_the_last_header_may_be_the_damaged_one(tmp_path: Path) -> None:
    names, refused, _ = spoilt(tar(tmp_path / "a.tar", MEMBERS), {148: b"xxxxxxxx"}, 4)
    assert (names, refused) == (list(MEMBERS)[:4], "photos/4.jpg")


def test_in_a_compressed_tar_too(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", MEMBERS)
    header = candidates(path)[2].offset - tarfile.BLOCKSIZE
    data = bytearray(path.read_bytes())
    data[header + 148 : header + 156] = b"xxxxxxxx"
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        file.write(data)
    found = candidates(tmp_path / "a.tar.gz")
    assert [(one.name, read(one) if not one.problem else b"") for one in found] == [
        (name, b"" if name == "photos/2.jpg" else data) for name, data in MEMBERS.items()
    ]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_several_tars_in_one_file_are_read_one_after_the_other(mode: str, tmp_path: Path) -> None:
    first = tar(tmp_path / "1.tar", MEMBERS).read_bytes()
    second = tar(tmp_path / "2.tar", {"more/9.jpg": picture(9)}).read_bytes()
    (tmp_path / "a.tar").write_bytes(first + second + bytes(10_240))
    if mode == "w:gz":
        (tmp_path / "a.tar").write_bytes(gzip.compress(first) + gzip.compress(second))
    found = {one.name: read(one) for one in candidates(tmp_path / "a.tar")}
    assert found == MEMBERS | {"more/9.jpg": picture(9)}


def test_what_follows_the_end_and_is_no_tar_is_told(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", MEMBERS)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"signature " * 100)
    *found, last = candidates(path)
    assert [one.name for one in found] == list(MEMBERS)
    assert last.name == f"a.tar, byte {size:,}"
    assert last.problem is not None
    assert "after the end of the tar" in last.problem[1]


def test_of_any_damage_whatever_stands_before_and_behind_it_is_found(tmp_path: Path) -> None:
    """Bytes are overwritten anywhere: no other error than ours, and members far from it are all there."""
    whole = tar(tmp_path / "a.tar", {f"{place}.jpg": bytes([place]) * 700 for place in range(30)}).read_bytes()
    draw = random.Random(5)
    for _ in range(300):
        data = bytearray(whole)
        at = draw.randrange(len(whole) * 2 // 3)
        part = draw.randbytes(draw.choice([1, 8, 100, 512, 2000]))
        data[at : at + len(part)] = part
        (tmp_path / "a.tar").write_bytes(data)
        names = {one.name for one in candidates(tmp_path / "a.tar")}
        near = range(at // 1536 - 1, (at + len(part)) // 1536 + 2)  # a member takes three blocks
        assert {f"{place}.jpg" for place in range(30) if place not in near} <= names


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
        archive.addfile(tarfile.TarInfo("first.jpg"))
        info = tarfile.TarInfo("s.jpg")
        info.pax_headers = SPARSE | {"GNU.sparse.realsize": "many"}
        archive.addfile(info)
        archive.addfile(tarfile.TarInfo("last.jpg"))
    found = candidates(path)
    assert [one.name for one in found if not one.problem] == ["first.jpg", "s.jpg", "last.jpg"]
    assert [one.problem[0] for one in found if one.problem] == ["damaged"]
