"""Labels name images as another machine called them: what is clear is found, what is not clear is not guessed."""

import pytest

from thresher.annotations.names import Names, keys_of

THERE = ["a.jpg", "train/b.jpg", "train/cat/c.jpg", "val/cat/c.jpg", "train/000d1.png", "x/dup.jpg", "y/dup.jpg"]
COCO = ["val/000000000139.jpg", "139.txt", "x/7.png", "x/007.jpg"]
ADDRESSES = ["https://a.example/get?id=7", "https://a.example/get?id=8", "https://a.example/p/e%20f.jpg?sign=1"]


@pytest.mark.parametrize(
    ("there", "wanted", "found"),
    [
        (THERE, "a.jpg", ["a.jpg"]),
        (THERE, "./a.jpg", ["a.jpg"]),
        (THERE, "/data/photos/train/b.jpg", ["train/b.jpg"]),
        (THERE, "b.jpg", ["train/b.jpg"]),
        (THERE, "C:\\photos\\train\\b.jpg", ["train/b.jpg"]),
        (THERE, "photos/val/cat/c.jpg", ["val/cat/c.jpg"]),
        (THERE, "cat/c.jpg", ["train/cat/c.jpg", "val/cat/c.jpg"]),
        (THERE, "000d1", ["train/000d1.png"]),
        (THERE, "train/000d1", ["train/000d1.png"]),
        (THERE, "https://site.example/photos/train/b.jpg?size=large", ["train/b.jpg"]),
        (THERE, "dup.jpg", ["x/dup.jpg", "y/dup.jpg"]),
        (THERE, "other/b.jpg", []),
        (THERE, "b.png", []),
        (THERE, "", []),
        (["a.jpg", "b/a.jpg"], "a.jpg", ["a.jpg"]),
        (["b/a.jpg", "ba.jpg"], "a.jpg", ["b/a.jpg"]),
        (["val/a.jpg", "a.jpg", "train/a.jpg"], "data/val/a.jpg", ["val/a.jpg"]),
        (["a.jpg", "a.png"], "val/a", ["a.jpg", "a.png"]),
        (["photos/a.webp", "photos/a.txt"], "a", ["photos/a.webp"]),
        (["a.raw"], "a", ["a.raw"]),
        (["a.v2.png"], "a.v2", ["a.v2.png"]),
        (["a.jpg.txt", "ba.jpg", "a.jpeg"], "a.jpg", []),
        (["ab12"], "AB12", ["ab12"]),
        (COCO, "139", ["val/000000000139.jpg"]),
        (COCO, "7", ["x/7.png"]),
        (COCO, "007", ["x/007.jpg"]),
        (ADDRESSES, "https://a.example/get?id=8", ["https://a.example/get?id=8"]),
        (ADDRESSES, "https://a.example/get?id=9", []),
        (ADDRESSES, "https://b.example/p/e f.jpg?sign=2", ["https://a.example/p/e%20f.jpg?sign=1"]),
        (ADDRESSES, "e f.jpg", ["https://a.example/p/e%20f.jpg?sign=1"]),
        (["fotos/a\u0308pfel.jpg"], "\u00e4pfel.jpg", ["fotos/a\u0308pfel.jpg"]),
        (["a\u0308.jpg"], "\u00e4.jpg", ["a\u0308.jpg"]),
        (["a\u0308.jpg", "\u00e4.jpg"], "\u00e4.jpg", ["\u00e4.jpg"]),
    ],
)
def test_a_name_is_found_by_its_end_or_it_is_not_guessed(there: list[str], wanted: str, found: list[str]) -> None:
    assert Names(there).find(wanted) == found
    assert all(keys_of(wanted.lower()) & keys_of(name.lower()) for name in found)
