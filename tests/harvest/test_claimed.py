"""Labels from elsewhere find their images among the files, or are refused with their lines before all else."""

import hashlib
import os
import tarfile
from pathlib import Path

import pytest
from tests.harvest.conftest import Harvest
from tests.pictures_for_tests import picture

from thresher.annotations import Claims, read
from thresher.errors import BadInput, BadLine
from thresher.harvest.claimed import Finder, Unusable, left_out, refuse, source_of
from thresher.store.contract import Store

MOST = 10**7


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for seed, name in enumerate(("a.jpg", "x/b.jpg", "x/c.jpg", "y/c.jpg", "z/d.jpg")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(picture(seed, (200, 120)))
    return folder


def labels(tmp_path: Path, *lines: str, head: str = "file,label") -> Claims:
    file = tmp_path / "labels.csv"
    file.write_text("\n".join((head, *lines)) + "\n", "utf-8")
    return read(file)


def found_of(label: str, finder: Finder) -> tuple[list[str | None], list[Unusable]]:
    """The names of the images of a label, and what of it cannot be used."""
    claims = finder.claims
    found = finder.images([claims.claims[place] for place in claims.places(label)], everything=False)
    return list(found.names), list(found.unusable)


def test_labels_find_their_images_and_only_these_are_harvested(
    store: Store, take: Harvest, photos: Path, tmp_path: Path
) -> None:
    claims = labels(tmp_path, "a.jpg,car", "photos/x/b.jpg,car", "y/c.jpg,car")
    found = Finder(claims, [source_of(str(photos))], MOST).images(list(claims.claims), everything=False)
    assert list(found.names) == ["a.jpg", "x/b.jpg", "y/c.jpg"]
    refuse(found.unusable, claims)
    (part,) = found.parts
    assert take(part).new == 3
    everything = Finder(claims, [source_of(str(photos))], MOST).images(list(claims.claims), everything=True)
    assert take(everything.parts[0]).new == 2


def test_images_that_are_not_there_are_refused_with_their_lines(photos: Path, tmp_path: Path) -> None:
    claims = labels(tmp_path, "a.jpg,car", "gone.jpg,car", "c.jpg,car", *(f"{n}.jpg,car" for n in range(4)))
    found = Finder(claims, [source_of(str(photos))], MOST).images(list(claims.claims), everything=False)
    assert list(found.names) == ["a.jpg", *[None] * 6]
    with pytest.raises(BadLine) as caught:
        refuse(found.unusable, claims)
    said = str(caught.value)
    assert (
        "line 3: 5 labels cannot be used, because no image has the name: 'gone.jpg' (line 3), '0.jpg' (line 5)" in said
    )
    assert "and 2 more. 1 more cannot be used for other reasons. Next: " in said
    assert left_out(found.unusable) == {"no image has the name": 5, "several images have the name": 1}


def test_a_name_that_may_be_two_images_is_refused_with_both(photos: Path, tmp_path: Path) -> None:
    claims = labels(tmp_path, "c.jpg,car")
    found = Finder(claims, [source_of(str(photos))], MOST).images(list(claims.claims), everything=False)
    with pytest.raises(BadLine, match=r"line 2: 'c.jpg' may be 'x/c.jpg' and 'y/c.jpg'"):
        refuse(found.unusable, claims)


def test_a_label_of_a_folder_is_told_by_its_image_and_not_by_a_line_of_no_file(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "yolo").mkdir()
    for name in ("gone", "lost"):
        (tmp_path / "yolo" / f"{name}.txt").write_text("0 0.5 0.5 1 1\n", "utf-8")
    claims = read(tmp_path / "yolo", kind="yolo")
    found = Finder(claims, [source_of(str(photos))], MOST).images(list(claims.claims), everything=False)
    with pytest.raises(BadInput) as caught:
        refuse(found.unusable, claims)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'yolo'}, gone: 2 labels cannot be used")
    assert "'gone', 'lost'. " in said
    assert "line" not in said.removeprefix(str(tmp_path))


def test_a_hash_is_looked_for_in_every_file(photos: Path, tmp_path: Path) -> None:
    claims = labels(tmp_path, f"{'ab' * 32},car")
    found = Finder(claims, [source_of(str(photos))], MOST).images(list(claims.claims), everything=False)
    assert found.names == ["ab" * 32]
    assert [part.expected() for part in found.parts] == [5]


def test_boxes_are_images_of_their_own_and_a_label_without_one_is_refused(
    store: Store, take: Harvest, photos: Path, tmp_path: Path
) -> None:
    head = "file,label,x,y,w,h"
    claims = labels(tmp_path, "a.jpg,car,0,0,60,40", "a.jpg,car,100,20,80,60", "b.jpg,car,5,5,50,50", head=head)
    found = Finder(claims, [source_of(str(photos))], MOST).boxes(list(claims.claims), margin=0.15)
    assert list(found.names) == ["a.jpg#xywh=0,0,60,40", "a.jpg#xywh=100,20,80,60", "x/b.jpg#xywh=5,5,50,50"]
    assert take(found.parts[0]).new == 3
    plain = labels(tmp_path, "a.jpg,car")
    with pytest.raises(BadLine, match=r"line 2: the label 'car' of 'a.jpg' has no box"):
        refuse(Finder(plain, [source_of(str(photos))], MOST).boxes(list(plain.claims), margin=0.15).unusable, plain)


def test_a_box_is_compared_with_its_image_as_shown(photos: Path, tmp_path: Path) -> None:
    (photos / "turned.jpg").write_bytes(picture(9, (200, 120), orientation=6))
    head = "file,label,x,y,w,h"
    claims = labels(
        tmp_path,
        "turned.jpg,car,0,150,60,40",
        "a.jpg,car,0,150,60,40",
        "a.jpg,car,3,3,0,9",
        "a.jpg,car,3,3,9,9",
        head=head,
    )
    found = Finder(claims, [source_of(str(photos))], MOST).boxes(list(claims.claims), margin=0.15)
    assert list(found.names) == ["turned.jpg#xywh=0,150,60,40", None, None, "a.jpg#xywh=3,3,9,9"]
    assert [one.claim.line for one in found.unusable] == [3, 4]
    assert "outside its image of 200 x 120 pixels" in found.unusable[0].what
    assert "has no area" in found.unusable[1].what
    whole = Finder(claims, [source_of(str(photos))], MOST).images(list(claims.claims), everything=False)
    assert None not in whole.names  # whoever wants images does not look at boxes


def test_the_boxes_of_many_labels_read_each_of_their_images_once(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    read_now: list[str] = []
    true_open = os.open

    def counted(path: str, *given: int) -> int:
        if Path(path).parent == photos:
            read_now.append(Path(path).name)
        return true_open(path, *given)

    named = {"car": ["a"], "bus": ["a", "e", "broken"], "van": ["e", "a", "broken"]}
    (photos / "e.jpg").write_bytes(picture(7, (200, 120)))
    lines = [f"{name}.jpg,{label},3,3,9,9" for label, names in named.items() for name in names]
    claims = labels(tmp_path, *lines, head="file,label,x,y,w,h")
    finder = Finder(claims, [source_of(str(photos))], MOST)
    reads = {}
    with monkeypatch.context() as counting:
        counting.setattr(os, "open", counted)
        for label in named:
            found = finder.boxes([claims.claims[place] for place in claims.places(label)], margin=0.15)
            assert None not in found.names
            reads[label] = list(read_now)
            read_now.clear()
    assert reads == {"car": ["a.jpg"], "bus": ["broken.jpg", "e.jpg"], "van": []}


def test_boxes_of_images_behind_urls_are_refused(tmp_path: Path) -> None:
    (tmp_path / "urls.txt").write_text("https://site.example/a.jpg\n", "utf-8")
    claims = labels(tmp_path, "a.jpg,car,3,3,9,9", head="file,label,x,y,w,h")
    finder = Finder(claims, [source_of(str(tmp_path / "urls.txt"))], MOST)
    with pytest.raises(BadInput, match="a list of URLs has none") as caught:
        finder.boxes(list(claims.claims), margin=0.15)
    assert "download the images" in str(caught.value)


@pytest.mark.parametrize("kept_in", ["folder", "tar"])
def test_equal_bytes_with_two_labels_are_found_and_equal_sizes_are_not_enough(
    photos: Path, tmp_path: Path, kept_in: str
) -> None:
    data = (photos / "a.jpg").read_bytes()
    (photos / "copy.jpg").write_bytes(data)
    (photos / "other.jpg").write_bytes(data[:-1] + b"!")
    (photos / "begins.jpg").write_bytes(b"!" + data[1:])
    claims = labels(
        tmp_path, "a.jpg,car", "copy.jpg,bus", "other.jpg,bus", "begins.jpg,bus", "gone.jpg,bus", "x/b.jpg,car"
    )
    place = photos
    if kept_in == "tar":
        place = tmp_path / "photos.tar"
        with tarfile.open(place, "w") as packed:
            packed.add(photos, ".")
    finder = Finder(claims, [source_of(str(place))], MOST)
    found, unusable = found_of("car", finder)
    assert (found, len(unusable)) == ([None, "x/b.jpg"], 1)
    assert unusable[0].what == "'a.jpg' is 'car' here, and the same image is 'bus' as 'copy.jpg' (line 3)."
    same = labels(tmp_path, "a.jpg,car", "photos/a.jpg,bus")
    _, (one,) = found_of("car", Finder(same, [source_of(str(place))], MOST))
    assert "'bus' as 'photos/a.jpg' (line 3)" in one.what


def test_an_image_named_by_its_hash_has_the_labels_of_its_other_names_too(photos: Path, tmp_path: Path) -> None:
    data = (photos / "a.jpg").read_bytes()
    (photos / "copy.jpg").write_bytes(data)
    mark = hashlib.sha256(data).hexdigest()
    claims = labels(tmp_path, "a.jpg,car", f"{mark},bus", "copy.jpg,car", "x/b.jpg,car", f"{'ab' * 32},bus")
    finder = Finder(claims, [source_of(str(photos))], MOST)
    found, unusable = found_of("car", finder)
    assert found == [None, None, "x/b.jpg"]
    assert [(one.claim.image, one.what.split(" here, ")[1]) for one in unusable] == [
        (name, f"and the same image is 'bus' as '{mark}' (line 3).") for name in ("a.jpg", "copy.jpg")
    ]
    found, (one,) = found_of("bus", finder)
    assert found == [None, "ab" * 32]
    assert one.what == f"'{mark}' is 'bus' here, and the same image is 'car' as 'a.jpg' (line 2)."
    twice = labels(tmp_path, f"{mark},car", f"{mark.upper()},bus")
    _, (one,) = found_of("car", Finder(twice, [source_of(str(photos))], MOST))
    assert one.what.endswith(f"is 'bus' as '{mark.upper()}' (line 3).")


def test_an_image_that_is_left_out_is_not_harvested(store: Store, take: Harvest, photos: Path, tmp_path: Path) -> None:
    (photos / "copy.jpg").write_bytes((photos / "a.jpg").read_bytes())
    claims = labels(tmp_path, "a.jpg,car", "copy.jpg,bus", "x/b.jpg,car")
    cars = [claims.claims[place] for place in claims.places("car")]
    found = Finder(claims, [source_of(str(photos))], MOST).images(cars, everything=False)
    assert list(found.names) == [None, "x/b.jpg"]
    (part,) = found.parts
    assert (part.expected(), take(part).new, store.images.count()) == (1, 1, 1)


def test_a_list_of_paths_is_a_source(store: Store, take: Harvest, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"photos/a.jpg\n{photos / 'x' / 'b.jpg'}\nphotos/gone.jpg\nphotos/x\n", "utf-8")
    (tmp_path / "list.csv").write_text("file,note\nphotos/z/d.jpg,late\nphotos/z/d.jpg,again\n", "utf-8")
    counts = take(source_of(str(tmp_path / "list.txt")))
    assert (counts.new, counts.refused) == (2, 2)
    assert take(source_of(str(tmp_path / "list.csv"))).new == 1
    assert take(source_of(str(tmp_path / "list.txt"))).new == 0
    assert store.categories.find("car", ["photos/a.jpg", "photos/z/d.jpg"]) == [[0], [2]]
    claims = labels(tmp_path, "a.jpg,car", "x/b.jpg,car")
    found = Finder(claims, [source_of(str(tmp_path / "list.txt"))], MOST).images(list(claims.claims), everything=False)
    assert list(found.names) == ["photos/a.jpg", str(photos / "x" / "b.jpg")]


def test_a_place_without_images_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such file or folder"):
        source_of(str(tmp_path / "gone"))
