"""Files of equal bytes under different names: found by size, then by their ends, and read whole only to be sure."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from typing import Final

from thresher.errors import Undecodable
from thresher.harvest.admit import read_bytes
from thresher.harvest.candidates import Candidate, Source

Place = tuple[int, str]
"""A source by its number, and the name of a candidate in it."""

END_BYTES: Final = 4096


def differing(sources: Sequence[Source], label_of: Mapping[Place, str], *, bytes_most: int) -> list[list[Place]]:
    """The groups of these files that have equal bytes and not all the same label; files that cannot be read have none.

    Each file is judged by its size, then by its end, then by all its bytes, as long as another label is still like it.
    """

    def whole(candidate: Candidate) -> str:
        return hashlib.sha256(read_bytes(candidate, bytes_most)).hexdigest()

    def end(candidate: Candidate) -> bytes:
        return _end(candidate, bytes_most)

    groups = [list(label_of)]
    for mark in (_size, end, whole):
        number_of = {place: number for number, some in enumerate(groups) for place in some}
        alike: dict[tuple[int, object], list[Place]] = defaultdict(list)
        for place, candidate in _candidates_of(sources, number_of.keys(), bytes_most=bytes_most):
            with suppress(OSError, Undecodable):
                alike[number_of[place], mark(candidate)].append(place)
        groups = [some for some in alike.values() if len({label_of[place] for place in some}) > 1]
    return groups


def bytes_of(sources: Sequence[Source], wanted: Set[Place], *, bytes_most: int) -> Iterator[tuple[Place, bytes]]:
    """The bytes of each of these files that can be read."""
    for place, candidate in _candidates_of(sources, wanted, bytes_most=bytes_most):
        with suppress(OSError, Undecodable):
            yield place, read_bytes(candidate, bytes_most)


def _candidates_of(
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


def _size(candidate: Candidate) -> int:
    return candidate.size_bytes or len(candidate.data or b"")


def _end(candidate: Candidate, bytes_most: int) -> bytes:
    """The last bytes of a file."""
    size = candidate.size_bytes
    if candidate.data is not None or size <= END_BYTES:
        return read_bytes(candidate, bytes_most)[-END_BYTES:]
    end = replace(candidate, offset=candidate.offset + size - END_BYTES, size_bytes=END_BYTES)
    return read_bytes(end, bytes_most)
