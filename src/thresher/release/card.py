"""The dataset card (README) and the certificate of a release."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from thresher.release.plan import CODES, Chosen, write_whole


def write_certificate(chosen: Chosen, to: Path) -> None:
    """Write `certificate.json` and the files of its evidence."""
    write_whole(to / "certificate.json", (json.dumps(chosen.certificate, indent=2, sort_keys=True) + "\n").encode())
    for name, data in chosen.evidence.items():
        write_whole(to / name, data)


def write_card(chosen: Chosen, to: Path, *, at_ms: int, formats: Mapping[str, Mapping[str, int]]) -> None:
    """Write `README.md`: the question, the claim, and the files.

    Every word follows from the manifest and the certificate, so that verify can write it again.
    """
    counts = Counter(CODES[int(code)].value for code in chosen.codes)
    when = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    summary = (
        f"{counts['yes']:,} images decided yes, out of a pool of {len(chosen.rows):,} "
        f"({counts['no']:,} no, {counts['unknown']:,} unknown). Released {when}, question version {chosen.version}, "
        f"{f'round {chosen.round}' if chosen.round else 'decided by answers alone, without a classifier'}."
    )
    by = chosen.yes_by
    grounds = (
        f"Of the yes, {by.labelled:,} have a label of their own, {by.inherited:,} inherited the decision on a copy "
        f"(the same image, encoded or resized anew), and {by.scored:,} were decided by their score."
    )
    lines = [
        f"# {chosen.category}",
        "",
        # one line, and no tags: what an owner typed shall not become a heading or a script where the card is shown
        f"> {_plain(chosen.question)}",
        "",
        summary,
        "",
        grounds,
        "",
        *_wordings(chosen),
        "## Certificate",
        "",
        claim_in_words(chosen.certificate),
        "",
        *_errors(chosen.certificate),
        "## Files",
        "",
        *(f"- `{place}`: {what}" for name, (place, what) in PLACES.items() if name in formats),
        *(f"- `{name}`: {EVIDENCE.get(name, name)}" for name in sorted(chosen.evidence)),
        "- `certificate.json`: the claim, machine-readable; `thresher verify` checks it",
        "- `release.json`: the manifest",
        "",
        "The images keep the rights of their owners; `images.parquet` lists the known source and licence of each.",
        "",
    ]
    write_whole(to / "README.md", "\n".join(lines).encode())


OWNER_ERRS = (
    "The owner gave every answer that this rests on. An error of the owner is in the released set like the truth, "
    "and no bound counts it."
)
PEOPLE_ERR = (
    "People gave the answers that this rests on. Each one that an audit drew was adjudicated: an answer leads by "
    "three votes, or the owner decided. Errors that most people make together, because an image misleads everybody "
    "or because several answer through one model, leave no trace: precision and recall are then lower than claimed."
)
HOW_MUCH = (
    "In simulations with a target precision of 0.95, the released images were 0.935 yes where most people were "
    "wrong on 3 % of the images, and 0.757 where they were wrong on 10 %. To find out, have somebody whom you trust "
    "look at released images that are drawn at random."
)
CHECKED = (
    "The owner has checked released images that were drawn at random, so the claimed precision holds by the owner's "
    "answers too. The claimed recall does not count errors made together: a yes that most people call no is missed."
)
EVIDENCE = {
    "audit-log.jsonl": "what was frozen before the first draw, and each answer since, in the order of recording",
    "audit-log.sig": "the owner's signature of the audit log",
    "evidence.parquet": "every label and vote that the certificate depends on, with its draw",
    "pool.parquet": "every image of the pool as it was frozen, its rank, and the image that counts for it",
}
PLACES = {
    "folder": ("images/", "the unchanged image files, named by their SHA-256"),
    "webdataset": ("webdataset/", "the same images as WebDataset shards"),
    "table": ("images.parquet", "one row for each image of the pool: names, size, score, decision, votes, round"),
}


def claim_in_words(certificate: Mapping[str, Any]) -> str:
    """The claim as a sentence; without a certificate, the reason."""
    words = certificate.get("words")
    return str(words) if words else "No certificate."


def _errors(certificate: Mapping[str, Any]) -> list[str]:
    """What errors that nobody notices would do to the claim of a certificate; without one, nothing."""
    if not certificate.get("certified"):
        return []
    if certificate["truth"] == "owner":
        return [OWNER_ERRS, ""]
    checked = certificate["frozen"]["check_delta"] > 0
    return [f"{PEOPLE_ERR} {CHECKED if checked else HOW_MUCH}", ""]


def _wordings(chosen: Chosen) -> list[str]:
    """The wordings of a question that was asked in several, because only its wording or its instructions changed."""
    if len(chosen.wordings) < 2:
        return []
    listed = [f"- {_day(one.at_ms)}: {_plain(one.text)} {_plain(one.instructions)}".rstrip() for one in chosen.wordings]
    return ["The answers were given under several wordings of the question, each since its day:", "", *listed, ""]


def _plain(text: str) -> str:
    """A text on one line and without tags."""
    return escape(" ".join(text.split()), quote=False)


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
