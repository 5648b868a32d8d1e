"""The pool at the freeze: its ranking, its known images and its copies, each with a digest that was frozen."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from thresher.verify.checks import Checks
from thresher.verify.frozen import Frozen
from thresher.verify.reading import read_table, shown, wrong

NAME = "pool.parquet"
COLUMNS = {"id": "string", "rank": "int64", "unit": "string", "known": "string"}
CODE_OF = {"no": 0, "yes": 1, "unsure": 2}
HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Pool:
    """The ids by rank, the known units with their code, the labels of the freeze, and the unit of every image."""

    ranking: list[str]
    known: dict[str, int]
    labels: dict[str, str]
    unit_of: dict[str, str]
    rank_of: dict[str, int]


def read_pool(directory: Path, frozen: Frozen, checks: Checks) -> Pool:
    """The pool, compared with what was frozen. Raises BadInput if it cannot be read, Wrong if it is no pool."""
    path = directory / NAME
    table = read_table(path, COLUMNS)
    ids, ranks, units, says = (table[name] for name in COLUMNS)
    if not all(map(is_id, ids)):
        raise wrong("has an id that is no SHA-256", path)
    if not {*says} <= {None, *CODE_OF}:
        raise wrong("has a label that is none of yes, no, unsure", path)
    unit_of = dict(zip(ids, units, strict=True))
    rank_of = {one: rank for one, rank in zip(ids, ranks, strict=True) if rank is not None}
    label_of = {one: word for one, word in zip(ids, says, strict=True) if word is not None}
    ranking = [one for one, rank in zip(ids, ranks, strict=True) if rank is not None]
    checks.that(len(unit_of) == len(ids), "an image is in the pool twice")
    checks.that(ids == ranking + sorted(set(ids) - set(ranking)), "the pool is not in the order of its ranks and ids")
    checks.that(list(rank_of.values()) == list(range(frozen.ranks)), f"the pool has not the ranks 0 to {frozen.ranks}")
    for one, unit in unit_of.items():
        ranked = one in rank_of
        if one == unit:
            checks.that(ranked != (one in label_of), f"{one} is neither ranked nor known, or both")
        else:
            whole = not ranked and isinstance(unit, str) and unit_of.get(unit) == unit
            checks.that(whole, f"{one} is no copy of an image that counts: {shown(unit)}")
    known = {one: CODE_OF[word] for one, word in label_of.items() if unit_of[one] == one}
    _compare(frozen, ranking, label_of, unit_of, checks)
    yes, unsure = sum(code == 1 for code in known.values()), sum(code == 2 for code in known.values())
    for what, found, wanted in (
        ("were known to be yes at the freeze", yes, frozen.known_yes),
        ("were known to be unanswerable at the freeze", unsure, frozen.known_unanswerable),
        ("count in the pool", len(ranking) + len(known), frozen.units),
    ):
        checks.that(found == wanted, f"{found} images {what}, not {wanted}")
    checks.that(frozen.adjudicated <= len(known), "more labels were adjudicated than were known at the freeze")
    return Pool(ranking, known, label_of, unit_of, rank_of)


def is_id(value: object) -> bool:
    """Whether it is a SHA-256 in hexadecimal."""
    return isinstance(value, str) and len(value) == 64 and HEX.issuperset(value)


def _compare(
    frozen: Frozen, ranking: list[str], label_of: dict[str, str], unit_of: dict[str, str], checks: Checks
) -> None:
    """Compare the three digests of the freeze."""
    digest = hashlib.sha256()
    for one in ranking:
        digest.update(bytes.fromhex(one))
    known = "".join(f"{one} {label_of[one]}\n" for one in sorted(label_of))
    copies = "".join(f"{one} {unit_of[one]}\n" for one in sorted(unit_of) if unit_of[one] != one)
    checks.that(digest.hexdigest() == frozen.ranking, "the ranking is not the one that was frozen")
    checks.that(_sha256(known) == frozen.known, "the known labels are not those that were frozen")
    checks.that(_sha256(copies) == frozen.copies, "the copies are not those that were frozen")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
