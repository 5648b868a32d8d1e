"""Labels name images as another machine called them: what is clear is found, what is not clear is not guessed."""

import pytest

from thresher.harvest.named import Names

THERE = ["a.jpg", "train/b.jpg", "train/cat/c.jpg", "val/cat/c.jpg", "train/000d1.png", "x/dup.jpg", "y/dup.jpg"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("a.jpg", ["a.jpg"]),
        ("./a.jpg", ["a.jpg"]),
        ("/data/photos/train/b.jpg", ["train/b.jpg"]),
        ("b.jpg", ["train/b.jpg"]),
        ("C:\\photos\\train\\b.jpg", ["train/b.jpg"]),
        ("photos/val/cat/c.jpg", ["val/cat/c.jpg"]),
        ("cat/c.jpg", ["train/cat/c.jpg", "val/cat/c.jpg"]),
        ("000d1", ["train/000d1.png"]),
        ("train/000d1", ["train/000d1.png"]),
        ("https://site.example/photos/train/b.jpg?size=large", ["train/b.jpg"]),
        ("dup.jpg", ["x/dup.jpg", "y/dup.jpg"]),
        ("other/b.jpg", []),
        ("b.png", []),
        ("", []),
    ],
)
def test_a_name_is_found_by_its_end(wanted: str, found: list[str]) -> None:
    assert list(Names.of(THERE).find(wanted)) == found


def test_a_name_with_composed_letters_finds_a_file_with_decomposed_ones() -> None:
    assert list(Names.of(["fotos/a\u0308pfel.jpg"]).find("\u00e4pfel.jpg")) == ["fotos/a\u0308pfel.jpg"]
