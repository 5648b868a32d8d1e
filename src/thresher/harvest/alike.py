"""Files of equal bytes under different names: found by size, then by their ends, and read whole only to be sure."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from typing import Final

from thresher.errors import Undecodable
from thresher.harvest.admit import read_bytes
from thresher.harvest.candidates import Candidate, Source

Place = tuple[int, str]
"""A source by its number, and the name of a candidate in it."""

END_BYTES: Final = 4096

Groups = Mapping[object, list[Place]]


def alike_in(sources: Sequence[Source], these: Set[Place], those: Set[Place], *, bytes_most: int) -> dict[Place, Place]:
    """For each of `these` files that has the bytes of one of `those` under another name, the first such one.

    Files that cannot be read are equal to none.
    """
    if not these or not those:
        return {}

    def grouped(places: Set[Place], mark: Callable[[Candidate], object]) -> Groups:
        found: dict[object, list[Place]] = defaultdict(list)
        for place, candidate in candidates_of(sources, places, bytes_most=bytes_most):
            with suppress(OSError, Undecodable):
                found[mark(candidate)].append(place)
        return {key: some for key, some in found.items() if key is not None and _both(some, these, those)}

    def whole(candidate: Candidate) -> str:
        return hashlib.sha256(read_bytes(candidate, bytes_most)).hexdigest()

    groups: Groups = {None: [*these, *those]}
    for mark in (_size, lambda one: _end(one, bytes_most), whole):
        groups = grouped({place for some in groups.values() for place in some}, mark)
    found: dict[Place, Place] = {}
    for some in groups.values():
        for place in some:
            if place in these:
                other = next((one for one in some if one in those and one != place), None)
                found |= {place: other} if other is not None else {}
    return found


def bytes_of(sources: Sequence[Source], wanted: Set[Place], *, bytes_most: int) -> Iterator[tuple[Place, bytes]]:
    """The bytes of each of these files that can be read."""
    for place, candidate in candidates_of(sources, wanted, bytes_most=bytes_most):
        with suppress(OSError, Undecodable):
            yield place, read_bytes(candidate, bytes_most)


def candidates_of(
    sources: Sequence[Source], wanted: Set[Place], *, bytes_most: int
) -> Iterator[tuple[Place, Candidate]]:
    """The candidates of these names whose bytes are here."""
    for number, source in enumerate(sources):
        if source.remote or not any(place[0] == number for place in wanted):
            continue
        for candidate in source.candidates(bytes_most=bytes_most):
            place = (number, candidate.name)
            if place in wanted and not candidate.problem:
                yield place, candidate


def _both(some: Iterable[Place], these: Set[Place], those: Set[Place]) -> bool:
    return not these.isdisjoint(some) and not those.isdisjoint(some)


def _size(candidate: Candidate) -> int | None:
    return candidate.size_bytes or len(candidate.data or b"") or None


def _end(candidate: Candidate, bytes_most: int) -> tuple[int, bytes]:
    """The size of a file, and its last bytes."""
    size = candidate.size_bytes
    if candidate.data is not None or size <= END_BYTES:
        return size, read_bytes(candidate, bytes_most)[-END_BYTES:]
    end = replace(candidate, offset=candidate.offset + size - END_BYTES, size_bytes=END_BYTES)
    return size, read_bytes(end, bytes_most)
