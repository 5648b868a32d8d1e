"""Damages of the folder of pictures, and files that no format has."""

import shutil

from tests.verify.damages.part import CARD, MANIFEST, Part
from tests.verify.tampering import Release, sha256

damage = Part(first="certified")


@damage("two pictures exchanged")
def _(one: Release) -> None:
    first, second, *_ = one.pictures()
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


@damage("a picture replaced by another, under its old name")
def _(one: Release) -> None:
    one.pictures()[0].write_bytes(one.stranger)


@damage("a picture replaced by another, under its own name")
def _(one: Release) -> None:
    one.pictures()[0].unlink()
    one.path(f"images/{sha256(one.stranger)}.png").write_bytes(one.stranger)


@damage("a picture added")
def _(one: Release) -> None:
    one.path(f"images/{sha256(one.stranger)}.png").write_bytes(one.stranger)


@damage("a picture twice, under two endings")
def _(one: Release) -> None:
    first = one.pictures()[0]
    shutil.copy(first, first.with_suffix(".gif"))


@damage("a picture removed")
def _(one: Release) -> None:
    one.pictures()[0].unlink()


@damage("the folder of pictures emptied")
def _(one: Release) -> None:
    for path in one.pictures():
        path.unlink()


@damage("the folder of pictures emptied, and its format struck out")
def _(one: Release) -> None:
    for path in one.pictures():
        path.unlink()
    one.json(MANIFEST, lambda found: found["formats"].pop("folder"))


@damage("a picture with one byte more")
def _(one: Release) -> None:
    path = one.pictures()[0]
    path.write_bytes(path.read_bytes() + b"\0")


@damage("a picture that is a link")
def _(one: Release) -> None:
    path = one.pictures()[0]
    elsewhere = one.directory.parent / "elsewhere"
    path.replace(elsewhere)
    path.symlink_to(elsewhere)


@damage("a file that the manifest lists, and no format has")
def _(one: Release) -> None:
    one.path("notes.txt").write_text("at least 0.99 of these images are yes")


@damage("a file that manifest and card list, and no format has")
def _(one: Release) -> None:
    one.path("notes.txt").write_text("at least 0.99 of these images are yes")
    for listed in ("every answer that the certificate depends on", "None"):
        line = "- `pool.parquet`: "
        one.text(CARD, line, f"- `notes.txt`: {listed}\n{line}")


@damage("a file in a folder of its own")
def _(one: Release) -> None:
    one.path("more").mkdir()
    one.path("more/x.jpg").write_bytes(one.stranger)


@damage("a hidden file among the pictures")
def _(one: Release) -> None:
    one.path("images/.hidden").write_bytes(one.stranger)
