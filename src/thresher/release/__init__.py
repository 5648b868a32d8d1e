"""A release: the exported dataset of a category, as images, WebDataset and table, with certificate and card."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from thresher import __version__
from thresher.errors import BadInput, NotReady
from thresher.records import Decision, Release, new_id
from thresher.release.card import write_card, write_certificate
from thresher.release.folder import write_folder
from thresher.release.plan import CODES, Chosen, claim, finish
from thresher.release.table import write_table
from thresher.release.webdataset import write_webdataset
from thresher.store.contract import Report, Store

__all__ = ["FORMATS", "Chosen", "release"]

UNKNOWN = next(code for code, decision in CODES.items() if decision is Decision.UNKNOWN)
FORMATS = {"folder": write_folder, "webdataset": write_webdataset, "table": write_table}


def release(
    chosen: Chosen,
    to: Path,
    *,
    store: Store,
    now_ms: int,
    formats: Sequence[str] = tuple(FORMATS),
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Release:
    """Write the decided set under `to` and record it; run again after an interruption, it continues.

    A set without any yes is released if every image is decided: its table says that each is a no. Raises NotReady when
    nothing is decided yes and something is unknown, BadInput for an unknown format, AlreadyThere when `to` contains
    other files.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise BadInput(f"unknown format {unknown[0]!r}.", next=f"choose from {', '.join(FORMATS)}")
    if not len(chosen.yes) and (chosen.codes == UNKNOWN).any():
        raise NotReady(
            f"no image of {chosen.category} is decided yes, and not every one is decided.",
            next="thresher status, which tells what it waits for",
        )
    done = next((known for known in store.rounds.releases(chosen.category) if known.path == str(to.resolve())), None)
    if not claim(to, chosen) and done:
        return done
    wrote = {name: FORMATS[name](chosen, to, store=store, report=report, stop=stop) for name in formats}
    write_certificate(chosen, to)
    write_card(chosen, to, at_ms=now_ms, formats=wrote)
    made = done or Release(
        id=new_id(),
        category=chosen.category,
        version=chosen.version,
        round=chosen.round,
        path=str(to.resolve()),
        images=len(chosen.yes),
        certificate=dict(chosen.certificate),
        at_ms=now_ms,
        fingerprint=chosen.fingerprint(),
    )
    if done is None:
        store.rounds.add_release(made)
    finish(to, {**_manifest(chosen), "id": made.id, "images": made.images, "formats": wrote, "at_ms": now_ms})
    return made


def _manifest(chosen: Chosen) -> dict[str, Any]:
    """What `release.json` says of what was released."""
    return {
        "category": chosen.category,
        "question": chosen.question,
        "version": chosen.version,
        "wordings": [asdict(wording) for wording in chosen.wordings],
        "round": chosen.round or None,
        "yes_by": asdict(chosen.yes_by),
        "pool": len(chosen.rows),
        "fingerprint": chosen.fingerprint(),
        "thresher": __version__,
    }
