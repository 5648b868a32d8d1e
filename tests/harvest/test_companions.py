import io
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.harvest.conftest import Harvest
from tests.pictures_for_tests import picture

from thresher.errors import BadInput
from thresher.harvest import Harvested, companions
from thresher.harvest.candidates import Candidate
from thresher.harvest.companions import without_companions
from thresher.harvest.sources.folder import from_folder
from thresher.harvest.sources.tar import from_tar
from thresher.store.contract import Store

FILES = {
    "0001.json": b"{}",
    "0001.jpg": picture(1),
    "0001.txt": b"a car",
    "0001.cls": b"1",
    "0002.webp": picture(2, format="WEBP"),
    "0002.webp.json": b"{}",
    "alone.json": b"{}",
    "notes.txt": b"remember the milk",
    "a/0001.txt": b"of no image in this folder",
}


def found(names: list[str]) -> dict[str, str]:
    return {one.name: one.beside for one in without_companions(Candidate(name) for name in names)}


@pytest.mark.parametrize("kind", ["folder", "tar", "tar.gz"])
def test_companions_of_an_image_are_counted_and_not_refused(
    kind: str, take: Harvest, store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    if kind == "folder":
        came = take(from_folder(folder))
    else:
        with tarfile.open(tmp_path / "in.tar", "w:gz" if kind == "tar.gz" else "w") as archive:
            for name, data in FILES.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        came = take(from_tar(tmp_path / "in.tar"))
    assert came == Harvested(2, 0, 3, 5, beside={"companions of images": 4})
    refused = {refusal.name for _, refusal in store.categories.refusals("car", 0, 100)}
    assert refused == {"alone.json", "notes.txt", "a/0001.txt"}


def test_a_companion_may_stand_before_or_behind_its_image_and_far_away() -> None:
    names = [f"{place}.{ending}" for place in range(300) for ending in ("jpg", "json", "txt")]
    random.Random(1).shuffle(names)
    marked = found(names)
    assert sorted(marked) == sorted(names)
    assert {name for name, beside in marked.items() if not beside} == {name for name in names if name[-3:] == "jpg"}


def test_what_waits_for_an_image_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companions, "WAITING_MOST", 10)
    marked = found([*(f"{place}.json" for place in range(20)), "0.jpg", "19.jpg"])
    assert (marked["0.json"], marked["19.json"]) == ("", "companions of images")
    monkeypatch.setattr(companions, "WAITING_BYTES", 100)
    files = [Candidate(f"{place}.json", data=bytes(30)) for place in range(6)]
    feed = without_companions(iter(files))
    assert next(feed) == files[0]


def test_an_error_of_the_source_comes_after_what_waits() -> None:
    def broken() -> Iterator[Candidate]:
        yield Candidate("1.json")
        raise BadInput("the tar is damaged.")

    feed = without_companions(broken())
    assert next(feed).name == "1.json"
    with pytest.raises(BadInput):
        next(feed)
