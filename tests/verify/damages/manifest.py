"""Damages of the manifest itself; whoever makes one seals it anew."""

from tests.verify.damages.part import MANIFEST, Part
from tests.verify.tampering import Release

damage = Part(first="recall")


@damage("more images counted in the manifest")
def _(one: Release) -> None:
    one.json(MANIFEST, lambda found: found.update(images=found["images"] + 1))


@damage("an unknown format in the manifest")
def _(one: Release) -> None:
    one.json(MANIFEST, lambda found: found["formats"].update(parquet={}))


@damage("a manifest that is a list")
def _(one: Release) -> None:
    one.path(MANIFEST).write_text("[]")
