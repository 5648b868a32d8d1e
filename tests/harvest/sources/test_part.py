"""Of a folder only some files are taken, or boxes in them: each box is an image, found again by its name."""

from pathlib import Path

from tests.harvest.conftest import Harvest
from tests.pictures_for_tests import picture

from thresher.harvest.sources.folder import from_folder
from thresher.harvest.sources.part import Part, region_name
from thresher.records import Box
from thresher.store.contract import Store

BOXES = [Box(0.0, 0.0, 60.0, 40.0), Box(100.0, 20.0, 80.0, 60.0)]


def photos(folder: Path) -> Path:
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(picture(number, (200, 120)))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    return folder


def test_only_the_wanted_files_are_taken(store: Store, take: Harvest, tmp_path: Path) -> None:
    found = take(Part(from_folder(photos(tmp_path / "photos")), {"1.jpg": (), "gone.jpg": ()}))
    assert (found.new, found.refused, found.seen) == (1, 0, 1)
    assert store.categories.find("car", ["1.jpg", "0.jpg"]) == [[0], []]


def test_each_box_is_an_image_named_after_its_image_and_place(store: Store, take: Harvest, tmp_path: Path) -> None:
    source = Part(from_folder(photos(tmp_path / "photos")), {"0.jpg": BOXES, "2.jpg": BOXES[:1]}, margin=0.1)
    found = take(source)
    assert (found.new, found.refused, found.seen) == (3, 0, 3)
    assert source.expected() == 3
    names = ["0.jpg#xywh=0,0,60,40", "0.jpg#xywh=100,20,80,60", "2.jpg#xywh=0,0,60,40"]
    assert [len(rows) for rows in store.categories.find("car", names)] == [1, 1, 1]
    (row,) = store.categories.find("car", names[1:2])[0]
    image = store.images.get(row)
    assert (image.width, image.height, image.orientation) == (96, 76, 1)


def test_the_same_boxes_again_are_the_same_images(store: Store, take: Harvest, tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos")
    take(Part(from_folder(folder), {"0.jpg": BOXES}, margin=0.1))
    hashes = [image.sha256 for image in store.images.page(-1, 10)]
    found = take(Part(from_folder(folder), {"0.jpg": BOXES}, margin=0.1), now_ms=9_000_000_000_000)
    assert (found.new, found.known) == (0, 2)
    assert [image.sha256 for image in store.images.page(-1, 10)] == hashes


def test_a_box_outside_and_a_box_of_a_broken_file_are_refused_by_name(
    store: Store, take: Harvest, tmp_path: Path
) -> None:
    outside = Box(900.0, 0.0, 20.0, 20.0)
    found = take(Part(from_folder(photos(tmp_path / "photos")), {"0.jpg": [*BOXES, outside], "broken.jpg": BOXES[:1]}))
    assert (found.new, found.refused) == (2, 2)
    refused = {refusal.name: refusal.reason for _, refusal in store.categories.refusals("car", 0, 10)}
    assert refused[region_name("0.jpg", outside)] == "box-outside"
    assert refused[region_name("broken.jpg", BOXES[0])] in ("truncated", "damaged")


def test_part_of_a_pixel_stays_in_the_name() -> None:
    assert region_name("a b.jpg", Box(1.25, 2.0, 100.0, 3.999)) == "a b.jpg#xywh=1.25,2,100,4"
    percent = Box(0.1, 0.2, 0.3, 0.455, relative=True)
    assert region_name("a.jpg", percent) == "a.jpg#xywh=percent:10,20,30,45.5"
