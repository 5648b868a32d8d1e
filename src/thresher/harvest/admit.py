"""Admission: each candidate becomes an image or a refusal; bad bytes never crash a harvest."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from thresher import pictures
from thresher.compute import Compute
from thresher.errors import Undecodable
from thresher.harvest.candidates import Candidate, too_large
from thresher.harvest.similar import group_key
from thresher.pictures.regions import Cutter
from thresher.records import Alias, NewImage, Refusal

Verdict = NewImage | Refusal
Job = Callable[[list[Candidate]], list[Verdict]]

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def admit(candidates: list[Candidate], *, bytes_most: int, pixels: int, at_ms: int) -> list[Verdict]:
    """Read, decode and check each candidate, in order: the job that harvest spreads over processes."""
    cutter = Cutter(pixels)
    return [_judge(candidate, bytes_most, cutter, at_ms) for candidate in candidates]


def one_by_one(candidates: list[Candidate], *, job: Job, at_ms: int, compute: Compute) -> list[Verdict]:
    """Check candidates whose process died again, each in its own process; the one that kills it again is refused."""
    if len(candidates) == 1:
        return [Refusal(candidates[0].name, "damaged", "decoding it crashed the process.", at_ms)]
    alone = ([candidate] for candidate in candidates)
    found = compute.spread(job, alone, died=partial(one_by_one, job=job, at_ms=at_ms, compute=compute))
    return [verdict for verdicts in found for verdict in verdicts]


def readmit(data: bytes, *, pixels: int) -> NewImage | None:
    """The image of stored bytes whose row was lost, without a name; None if they are no picture."""
    verdict = _judge(Candidate("", data=data, size_bytes=len(data)), len(data), Cutter(pixels), 0)
    return replace(verdict, aliases=()) if isinstance(verdict, NewImage) else None


def _judge(candidate: Candidate, bytes_most: int, cutter: Cutter, at_ms: int) -> Verdict:
    if candidate.problem:
        return Refusal(candidate.name, *candidate.problem, at_ms)
    try:
        data = read_bytes(candidate, bytes_most)
        if candidate.box is not None:
            data = cutter.cut(data, candidate.box, candidate.margin)
        seen = pictures.inspect(data, pixels=cutter.pixels)
    except Undecodable as error:
        return Refusal(candidate.name, error.reason, error.what, at_ms)
    except OSError as error:
        return Refusal(candidate.name, "unreadable", f"{error.strerror or error}.", at_ms)
    return NewImage(
        sha256=hashlib.sha256(data).hexdigest(),
        data=data,
        width=seen.width,
        height=seen.height,
        format=seen.format,
        orientation=seen.orientation,
        fingerprint=group_key(seen.fingerprint),
        bytes=len(data),
        aliases=(Alias(candidate.kind, candidate.name),),
    )


def read_bytes(candidate: Candidate, bytes_most: int) -> bytes:
    """The bytes of a local candidate. Raises Undecodable when there are too many or fewer than announced, OSError."""
    data = candidate.data
    if data is None:
        if candidate.size_bytes > bytes_most:
            raise Undecodable("too-large", too_large(candidate.size_bytes, bytes_most))
        with os.fdopen(os.open(candidate.path, _FLAGS), "rb") as file:
            file.seek(candidate.offset)
            data = file.read(candidate.size_bytes)
        if len(data) < candidate.size_bytes:
            raise Undecodable("truncated", f"only {len(data):,} of {candidate.size_bytes:,} bytes are there.")
    if len(data) > bytes_most:
        raise Undecodable("too-large", too_large(len(data), bytes_most))
    return data
