"""A file of a cache is there whole or not at all."""

from pathlib import Path

import pytest

from thresher.errors import StoreFull, StoreUnavailable
from thresher.learn.kept import whole_file


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "kept"
    with whole_file(path) as file:
        file.write(b"some")
        assert not path.exists()
    assert path.read_bytes() == b"some"
    assert [one.name for one in path.parent.iterdir()] == ["kept"]


def test_one_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"before")

    def fail() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"before"
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="file"), whole_file(tmp_path / "file" / "kept"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getpid", lambda: "full")
    monkeypatch.setattr("threading.get_ident", lambda: "disk")
    (tmp_path / "kept.full.disk.part").symlink_to("/dev/full")
    with pytest.raises(StoreFull, match="free some space"), whole_file(tmp_path / "kept") as file:
        file.write(b"x")
    assert list(tmp_path.iterdir()) == []
