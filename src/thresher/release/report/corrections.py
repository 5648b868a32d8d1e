"""The wrong labels found, as a file to correct with the columns of the labels file; and the missed images found."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from thresher.annotations import TABLES, Claims
from thresher.errors import ThresherError
from thresher.release.plan import write_whole
from thresher.tables import open_table

COLUMNS: Final = ("line", "image", "label", "score", "left", "top", "width", "height")


def write_wrong(claims: Claims, places: Sequence[int], to: Path, *, unchanged: bool = True) -> None:
    """Write the claims at these places of the labels; of a table their lines as they are, in its order.

    Of other formats the columns are those of `COLUMNS`; `line` is the number of the record in the file. So they are
    where the file is `unchanged` no more since it was read, or its lines cannot be written as text.
    """
    lines = _of_table(claims, places) if unchanged and claims.kind in TABLES else None
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(_of_claims(claims, places) if lines is None else lines)
    write_whole(to, out.getvalue().encode("utf-8", "backslashreplace"))


def write_missed(label: str, images: Sequence[tuple[str, str]], to: Path) -> None:
    """Write the images (SHA-256 and name) that should have a label and lack it, as a file of labels by itself."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("image", "name", "label"))
    writer.writerows((sha256, name, label) for sha256, name in images)
    write_whole(to, out.getvalue().encode())


def _of_table(claims: Claims, places: Sequence[int]) -> list[Sequence[str]] | None:
    """The first line of a table and the wanted ones; None if one of these has a list, or bytes that are no text."""
    wanted = {claims.claims[place].line for place in places}
    try:
        table = open_table(claims.file)
        found = [(values, what) for line, values, what in table.lines(*table.columns) if line in wanted]
    except ThresherError:
        return None
    whole = len(found) == len(wanted) and not any(what for _, what in found)
    return [table.columns, *(values for values, _ in found)] if whole else None


def _of_claims(claims: Claims, places: Sequence[int]) -> Iterable[Sequence[object]]:
    yield COLUMNS
    for place in sorted(places):
        claim = claims.claims[place]
        box = (claim.box.left, claim.box.top, claim.box.width, claim.box.height) if claim.box else ("",) * 4
        yield (claim.line or "", claim.image, claim.label, "" if claim.score is None else claim.score, *box)
