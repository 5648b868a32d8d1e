"""The card (README), written again from the manifest and the sentences: docs/certificate-format.md, "The card"."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from thresher.verify.checks import Checks
from thresher.verify.frozen import Frozen
from thresher.verify.manifest import Manifest
from thresher.verify.reading import read_bytes, said, wrong
from thresher.verify.values import Fields

NAME = "README.md"
LATEST_MS = 253_402_300_799_000  # the last second of the year 9999
PLACES = {
    "folder": ("images/", "the unchanged image files, named by their SHA-256"),
    "webdataset": ("webdataset/", "the same images as WebDataset shards"),
    "table": ("images.parquet", "one row for each image of the pool: names, size, score, decision, votes, round"),
}
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


def check_card(directory: Path, manifest: Manifest, frozen: Frozen, words: str, checks: Checks) -> None:
    """Compare the card with what it must be. Raises BadInput for a card that cannot be read, Wrong for no manifest."""
    data = read_bytes(directory / NAME)
    evidence = sorted(manifest.digests.keys() & EVIDENCE.keys())
    try:
        wanted = "\n".join(_lines(manifest, evidence, (words, "", _errors(frozen))))
    except ValueError as error:
        raise wrong(f"is no manifest: {said(error)}", directory / "release.json") from error
    checks.that(data == wanted.encode(), f"{NAME} says something else than what is proven")


def _errors(frozen: Frozen) -> str:
    """What errors that nobody notices would do to the claim."""
    return OWNER_ERRS if frozen.truth == "owner" else f"{PEOPLE_ERR} {CHECKED if frozen.check_delta > 0 else HOW_MUCH}"


def _lines(manifest: Manifest, evidence: Iterable[str], claim: Iterable[str]) -> Iterator[str]:
    given = manifest.fields
    by = Fields(given.get("yes_by"), "yes_by")
    yield from (f"# {given.text('category')}", "", f"> {_plain(given.text('question'))}", "", _summary(given), "")
    yield (
        f"Of the yes, {by.whole('labelled'):,} have a label of their own, {by.whole('inherited'):,} inherited the "
        f"decision on a copy (the same image, encoded or resized anew), and {by.whole('scored'):,} were decided by "
        "their score."
    )
    yield from ("", *_wordings(given), "## Certificate", "", *claim, "", "## Files", "")
    yield from (f"- `{place}`: {what}" for name, (place, what) in PLACES.items() if name in manifest.formats)
    yield from (f"- `{name}`: {EVIDENCE[name]}" for name in evidence)
    yield "- `certificate.json`: the claim, machine-readable; `thresher verify` checks it"
    yield from ("- `release.json`: the manifest", "")
    yield "The images keep the rights of their owners; `images.parquet` lists the known source and licence of each."
    yield ""


def _summary(given: Fields) -> str:
    counts = Fields(given.get("counts"), "counts")
    yes, no, unknown = (counts.whole(name) for name in ("yes", "no", "unknown"))
    when = _moment(given.whole("at_ms", 0, LATEST_MS)).strftime("%Y-%m-%d %H:%M UTC")
    number = given.get("round")
    by = "decided by answers alone, without a classifier" if number is None else f"round {given.whole('round', 1)}"
    return (
        f"{yes:,} images decided yes, out of a pool of {given.whole('pool'):,} ({no:,} no, {unknown:,} unknown). "
        f"Released {when}, question version {given.whole('version')}, {by}."
    )


def _wordings(given: Fields) -> list[str]:
    wordings = [Fields(one, "wordings") for one in given.list("wordings")]
    if len(wordings) < 2:
        return []
    days = [_moment(one.whole("at_ms", 0, LATEST_MS)).strftime("%Y-%m-%d") for one in wordings]
    said_then = [f"{_plain(one.text('text'))} {_plain(one.text('instructions'))}".rstrip() for one in wordings]
    listed = [f"- {day}: {text}" for day, text in zip(days, said_then, strict=True)]
    return ["The answers were given under several wordings of the question, each since its day:", "", *listed, ""]


def _plain(text: str) -> str:
    """A text on one line and without tags."""
    return escape(" ".join(text.split()), quote=False)


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
