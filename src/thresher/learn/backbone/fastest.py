"""Which runtime runs a backbone here: the fastest that the setting `arithmetic` allows, measured at first use.

The choice is kept in the cache of this machine, under a hash of the processor, of the cores, of the versions of the
runtimes and of the graph, so whatever could change it has it measured anew. A machine that lacks the arithmetic of the
setting embeds in float32, into the column of float32. By default (`alike`) an arithmetic is used only for the networks
with which it was measured to decide like float32 (docs/backbones.md), and a workspace goes on with the vectors it has.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock

import numpy as np

from thresher.compute import cores
from thresher.errors import BadInput, BadSetting, Missing, StoreFull, StoreUnavailable
from thresher.learn.backbone import BUILT_IN, Backbone, How, kept_in, name_of, open_backbone
from thresher.learn.backbone.processor import described
from thresher.learn.backbone.runtimes import ARITHMETICS, DEFAULT, FLOAT32, INT8, RUNTIMES
from thresher.learn.kept import whole_file
from thresher.settings import Settings

FASTEST, ALIKE = "fastest", "alike"
# by bench/arithmetic.py: average precision after 400 answers falls by at most .003 on every question
DECIDE_ALIKE = {"efficientnet-lite0": frozenset({"onnxruntime-int8"})}
TIMES = 3  # that each is run, in turn: the shortest counts, because others may be at work
LONGEST_SECONDS = 1.0  # of a batch that is measured
WORTH = 0.97  # of the time of ONNX Runtime: what gains less is not taken
LEAST_COSINE = 0.9999  # between the vectors of two runtimes that both say float32
OWN_GRAPH = frozenset({INT8})  # arithmetics in which only the graphs that are built here are there

log = logging.getLogger(__name__)
_measuring = Lock()  # two threads that measure at once would tell each other's time, and twice


@dataclass(frozen=True, slots=True)
class Measured:
    """A runtime with a batch, and the milliseconds that an image took on one core or GPU."""

    runtime: str
    batch: int
    image_ms: float


def kind_of(
    part: str, settings: Settings, there: Collection[str] = (), count: Callable[[str], int] = lambda _: 0
) -> str:
    """What stands behind a backbone's name in the name of its embeddings; "" for float32.

    `there` are the names of the embeddings that a workspace has, `count` tells how many vectors are in one: the most
    are added to, if the setting allows them and this machine can, so that a stray vector moves nothing. The fastest is
    for a workspace without any. With `fastest` the vectors in float32 do not hold a workspace back. Raises BadSetting
    for an unknown arithmetic.
    """
    _check(settings)
    alike = settings.arithmetic == ALIKE
    if settings.arithmetic == FLOAT32 or (alike and part not in DECIDE_ALIKE):
        return ""
    unique = name_of(part, cache=kept_in(settings))
    cheaper = {runtime.kind for runtime in RUNTIMES.values() if runtime.kind}
    if alike and unique in there and not any(unique + kind in there for kind in cheaper):
        return ""  # needs no measurement
    kinds = list(dict.fromkeys(RUNTIMES[one.runtime].kind for one in measured(part, settings)))
    kept = [kind for kind in kinds if unique + kind in there and (kind or settings.arithmetic != FASTEST)]
    if len(kept) < 2:
        return (kept or kinds)[0]
    return max(kept, key=lambda kind: count(unique + kind))  # of two with equally many, the faster


def fastest(part: str, settings: Settings, kind: str | None = None) -> How:
    """The runtime and the batch to take; measured if that was not done on this machine.

    With a `kind`, as `kind_of` tells it: the fastest that makes embeddings of this kind.
    """
    alone = settings.but(arithmetic=FLOAT32) if kind == "" else settings
    best = next(one for one in measured(part, alone) if kind in (None, RUNTIMES[one.runtime].kind))
    return How(best.runtime, 0, best.batch)


def measured(part: str, settings: Settings) -> list[Measured]:
    """The runtimes that the setting allows, the fastest first. Raises BadSetting for an unknown arithmetic."""
    _check(settings)
    names = _allowed(part, settings.arithmetic)
    if names == (DEFAULT,):
        return [Measured(DEFAULT, How().batch, 0.0)]
    cache = kept_in(settings)
    with _measuring:
        return list(_kept(part, names, cache, name_of(part, cache=cache)))


def _check(settings: Settings) -> None:
    known = (ALIKE, *ARITHMETICS, FASTEST)
    if settings.arithmetic not in known:
        raise BadSetting(
            f"unknown arithmetic {settings.arithmetic!r}.", where="arithmetic", next=f"give one of {', '.join(known)}"
        )


@lru_cache(maxsize=64)
def _allowed(part: str, arithmetic: str) -> tuple[str, ...]:
    """The runtimes of this machine in an arithmetic; those in float32 where it has none."""
    known = [name for name, runtime in RUNTIMES.items() if runtime.arithmetic not in OWN_GRAPH or part in BUILT_IN]
    alike = DECIDE_ALIKE.get(part, frozenset()) if arithmetic == ALIKE else frozenset()
    named = {FASTEST: ARITHMETICS, ALIKE: (FLOAT32,)}.get(arithmetic, (arithmetic,))
    wanted = _present(name for name in known if name in alike or RUNTIMES[name].arithmetic in named)
    if not wanted:
        log.warning(
            "%s has no %s on this machine: its vectors are made in float32, in their own column", part, arithmetic
        )
    return wanted or _present(name for name in known if RUNTIMES[name].arithmetic == FLOAT32)


def _present(names: Iterable[str]) -> tuple[str, ...]:
    """Those of some runtimes that this machine has. Looking may import a library, so no others are looked for."""
    return tuple(name for name in names if RUNTIMES[name].present())


@lru_cache(maxsize=64)
def _kept(part: str, names: tuple[str, ...], cache: Path, unique: str) -> tuple[Measured, ...]:
    """The measurement from the cache, or made now and kept there, unless another process was faster.

    So all processes go by one, though each would measure another. Where the cache cannot be written it is only used.
    """
    path = cache / "fastest" / f"{_machine(names, unique)}.json"
    if found := _read(path):
        return found
    found = tuple(_measure(part, names, cache))
    try:
        with whole_file(path, first_wins=True) as file:
            file.write(json.dumps([asdict(one) for one in found], indent=2).encode())
    except (StoreFull, StoreUnavailable) as error:
        log.warning("the fastest runtime is measured by each process anew: %s", error)
    return _read(path) or found


def _read(path: Path) -> tuple[Measured, ...]:
    """A measurement; none, and no file, where it is damaged: it is only a cache."""
    try:
        found = tuple(Measured(**line) for line in json.loads(path.read_text("utf-8")))
        if found and all(one.runtime in RUNTIMES for one in found):
            return found
    except OSError:
        return ()
    except (ValueError, TypeError):
        pass
    with suppress(OSError):
        path.unlink()
    return ()


def _machine(names: Sequence[str], unique: str) -> str:
    """A hash of everything that may change which runtime is the fastest."""
    versions = {package: _version(package) for package in sorted({RUNTIMES[name].package for name in names})}
    told = json.dumps([described(), cores(), versions, list(names), unique])
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _measure(part: str, names: Sequence[str], cache: Path) -> list[Measured]:
    """Each runtime with each of its batches, run in turn; the fastest first."""
    opened = {name: backbone for name in names if (backbone := _opened(part, name, cache)) is not None}
    opened = opened or {DEFAULT: open_backbone(part, cache=cache, how=How(threads=1))}
    if (exact := opened.get(DEFAULT)) is not None:
        opened = {name: backbone for name, backbone in opened.items() if _agrees(name, backbone, exact)}
    seconds: dict[tuple[str, int], float] = {}
    for name, backbone in opened.items():
        seconds |= {(name, batch): took for batch, took in _prepared(name, backbone).items()}
    if not seconds:
        name, batch = (first := next(iter(opened))), RUNTIMES[first].batches[0]
        seconds[name, batch] = _timed(name, opened[name], batch)  # raises again, unless it failed that once only
    for _ in range(TIMES - 1):
        for (name, batch), took in seconds.items():
            if took * batch <= LONGEST_SECONDS:
                seconds[name, batch] = min(took, _timed(name, opened[name], batch))
    found = [Measured(name, batch, round(took * 1000, 3)) for (name, batch), took in seconds.items()]
    best = [min((one for one in found if one.runtime == name), key=lambda one: one.image_ms) for name in _once(found)]
    return sorted(best, key=lambda one: one.image_ms * (WORTH if one.runtime == DEFAULT else 1))


def _once(found: Sequence[Measured]) -> list[str]:
    return list(dict.fromkeys(one.runtime for one in found))


def _prepared(name: str, backbone: Backbone) -> dict[int, float]:
    """Seconds an image of each batch of a runtime, after a run that prepares it; without those that fail."""
    seconds: dict[int, float] = {}
    for batch in RUNTIMES[name].batches:
        try:
            _timed(name, backbone, batch)
            seconds[batch] = _timed(name, backbone, batch)
        except (BadInput, MemoryError) as error:
            log.warning("%s is not run by %s with %d pictures at once: %s", backbone.name, name, batch, error)
            continue
        if seconds[batch] * batch > LONGEST_SECONDS:
            break  # larger ones take longer
    return seconds


def _timed(name: str, backbone: Backbone, batch: int) -> float:
    """Seconds an image: on a processor those of this thread, which does it all, for others may be at work."""
    pixels = _noise(batch, backbone.side)
    clock = time.perf_counter if RUNTIMES[name].extra == "gpu" else time.thread_time
    began = clock()
    backbone.embed(pixels, batch)
    return (clock() - began) / batch


def _opened(part: str, name: str, cache: Path) -> Backbone | None:
    """A backbone in a runtime; None, and a line in the log, where the runtime cannot run it."""
    try:
        return open_backbone(part, cache=cache, how=How(name, threads=1))
    except (BadInput, Missing) as error:
        if name == DEFAULT:
            raise
        log.warning("%s is not run by %s: %s", part, name, error)
        return None


def _agrees(name: str, backbone: Backbone, exact: Backbone) -> bool:
    """Whether a runtime in float32 gives the vectors of ONNX Runtime; the others have a column of their own."""
    if RUNTIMES[name].kind or backbone is exact:
        return True
    pixels = _noise(2, exact.side)
    ours = exact.embed(pixels)
    try:
        theirs = backbone.embed(pixels)
    except (BadInput, MemoryError) as error:
        log.warning("%s is not run by %s: %s", backbone.name, name, error)
        return False
    lengths = np.linalg.norm(theirs, axis=1) * np.linalg.norm(ours, axis=1)
    if not ((theirs * ours).sum(axis=1) >= LEAST_COSINE * lengths).all():
        log.warning("%s is not used: its vectors in float32 are not those of ONNX Runtime", name)
        return False
    return True


def _noise(count: int, side: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
