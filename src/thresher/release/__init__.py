"""A release: the exported dataset of a category, as images, WebDataset and table, with certificate and card."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from thresher import __version__
from thresher.errors import BadInput, NotReady
from thresher.records import Decision, Release, new_id
from thresher.release.card import write_card, write_certificate
from thresher.release.folder import write_folder
from thresher.release.manifest import contents, damaged, files_of, must_hold_only, names_of
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

    A directory that contains this release, finished, is left as it is, but files that are missing or have changed are
    written anew. A set without any yes is released if every image is decided: its table says that each is a no. Raises
    NotReady when nothing is decided yes and something is unknown, BadInput for an unknown format, AlreadyThere when
    `to` contains another release or other files.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise BadInput(f"unknown format {unknown[0]!r}.", next=f"choose from {', '.join(FORMATS)}")
    if not len(chosen.yes) and (chosen.codes == UNKNOWN).any():
        raise NotReady(
            f"no image of {chosen.category} is decided yes, and not every one is decided.",
            next="thresher status, which tells what it waits for",
        )
    place, fingerprint = str(to.resolve()), chosen.fingerprint()
    recorded = [known for known in store.rounds.releases(chosen.category) if known.path == place]
    done = next((known for known in recorded if known.fingerprint == fingerprint), None)
    finished = claim(to, chosen, contents(chosen, formats))
    names = names_of(chosen, formats, store=store)
    must_hold_only(to, names)
    if finished is not None:
        wrong = damaged(to, names, finished.get("files"))
        if done and not wrong and finished.items() >= _about(chosen, done).items():
            return done
        for name in wrong:
            (to / name).unlink(missing_ok=True)
        now_ms = int(finished["at_ms"]) if isinstance(finished.get("at_ms"), int) else now_ms  # the card tells it
    wrote = {name: FORMATS[name](chosen, to, store=store, report=report, stop=stop) for name in formats}
    write_certificate(chosen, to)
    write_card(chosen, to, at_ms=now_ms, formats=wrote)
    made = _made(chosen, place, now_ms, done)
    if done is None:
        store.rounds.add_release(made)
    rest = {"formats": wrote, "at_ms": now_ms, "contents": contents(chosen, formats), "files": files_of(to, names)}
    finish(to, {**_about(chosen, made), **rest})
    return made


def _made(chosen: Chosen, place: str, now_ms: int, done: Release | None) -> Release:
    """The release, recorded before (`done`) or new, with the certificate that its files have now."""
    certificate = dict(chosen.certificate)
    if done is not None:
        return replace(done, certificate=certificate)
    return Release(
        id=new_id(),
        category=chosen.category,
        version=chosen.version,
        round=chosen.round,
        path=place,
        images=len(chosen.yes),
        certificate=certificate,
        at_ms=now_ms,
        fingerprint=chosen.fingerprint(),
    )


def _about(chosen: Chosen, made: Release) -> dict[str, Any]:
    """What `release.json` says of what was released."""
    return {
        "id": made.id,
        "images": made.images,
        "category": chosen.category,
        "question": chosen.question,
        "version": chosen.version,
        "wordings": [asdict(wording) for wording in chosen.wordings],
        "round": chosen.round or None,
        "yes_by": asdict(chosen.yes_by),
        "counts": {word.value: int((chosen.codes == code).sum()) for code, word in CODES.items()},
        "pool": len(chosen.rows),
        "fingerprint": chosen.fingerprint(),
        "thresher": __version__,
    }
