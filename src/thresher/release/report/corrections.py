"""The wrong labels found, as a file to correct with the columns of the labels file; and the missed images found."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from thresher.annotations import Claims
from thresher.release.plan import write_whole
from thresher.tables import open_table

TABLES: Final = frozenset({"csv", "parquet", "jsonl"})
COLUMNS: Final = ("line", "image", "label", "score", "left", "top", "width", "height")


def write_wrong(claims: Claims, places: Sequence[int], to: Path) -> None:
    """Write the claims at these places of the labels; of a table their lines as they are, in its order.

    Of other formats the columns are those of `COLUMNS`; `line` is the number of the record in the file.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(_of_table(claims, places) if claims.kind in TABLES else _of_claims(claims, places))
    write_whole(to, out.getvalue().encode())


def write_missed(label: str, images: Sequence[tuple[str, str]], to: Path) -> None:
    """Write the images (SHA-256 and name) that should have a label and lack it, as a file of labels by itself."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("image", "name", "label"))
    writer.writerows((sha256, name, label) for sha256, name in images)
    write_whole(to, out.getvalue().encode())


def _of_table(claims: Claims, places: Sequence[int]) -> Iterable[Sequence[str]]:
    wanted = {claims.claims[place].line for place in places}
    table = open_table(claims.file)
    yield table.columns
    yield from (values for line, values in table.records(*table.columns) if line in wanted)


def _of_claims(claims: Claims, places: Sequence[int]) -> Iterable[Sequence[object]]:
    yield COLUMNS
    for place in sorted(places):
        claim = claims.claims[place]
        box = (claim.box.left, claim.box.top, claim.box.width, claim.box.height) if claim.box else ("",) * 4
        yield (claim.line or "", claim.image, claim.label, "" if claim.score is None else claim.score, *box)
