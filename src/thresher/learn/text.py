"""Words that rank a pool: how well each image fits a text, by a backbone that has a text tower.

The score of an image is the cosine of its vector and that of the text (backbone/text_tower.py). It ranks the pool
before anybody has answered anything, which finds gold of a rare class; and it is kept as a claim (store/claims.py), so
that a head may learn from it beside the vectors. Like any claim it is distrusted: no label, no gold, no evidence.
"""

import hashlib
from collections.abc import Callable

import numpy as np

from thresher.errors import BadInput, NotFound, NotReady
from thresher.learn.backbone import entries, kept_in, parts
from thresher.learn.backbone.entries import TEXT as TEXT_FILE
from thresher.learn.backbone.entries import TOKENIZER, Entry
from thresher.learn.backbone.text_tower import open_words
from thresher.learn.embed import embed
from thresher.learn.vectors import Matrix, embedded
from thresher.settings import Settings
from thresher.store.claims import (
    TEXT,
    ClaimedLabels,
    claims_in_force,
    keep_words,
    store_claim,
    words_of,
)
from thresher.store.contract import Report, Rows, Store

LONGEST_TEXT = 1000


def describe(category: str, text: str, *, store: Store, settings: Settings, now_ms: int) -> None:
    """Store the words by which a category's pool is ranked; empty removes them and their scores.

    Raises BadInput for words that are too long or have no letters, and where no backbone of the setting has a text
    tower.
    """
    store.categories.get(category)
    check_words(text, settings=settings)
    keep_words(category, " ".join(text.split()), store=store, now_ms=now_ms)


def check_words(text: str, *, settings: Settings) -> None:
    """Raise BadInput unless the words can rank a pool."""
    if not text.strip():
        return
    if len(text) > LONGEST_TEXT or not any(letter.isalnum() for letter in text):
        what = f"a text that ranks images has letters, and {LONGEST_TEXT:,} characters at most."
        raise BadInput(what, where="--text", next='--text "a red car at night"')
    if tower_of(settings) is None:
        raise BadInput(
            f"the backbone {settings.backbone} has no text tower.",
            where="--text",
            next="thresher backbone list shows which have one; thresher backbone use NAME takes it",
        )


def tower_of(settings: Settings) -> tuple[str, Entry] | None:
    """The first backbone of the setting that has a text tower: its name in the setting, and its entry."""
    for part in parts(settings.backbone):
        entry = entries.find(part, kept_in(settings))
        if entry is not None and entry.text is not None:
            return part, entry
    return None


def rank(
    category: str,
    *,
    store: Store,
    settings: Settings,
    now_ms: int,
    report: Report | None = None,
    stop: Callable[[], bool] | None = None,
) -> Rows:
    """Embed the pool with the backbone that has the text tower, and score it; the rows, the best first.

    Raises NotReady without words or images, and what `check_words` raises.
    """
    text, pool = words_of(category, store=store), store.categories.pool(category)
    if not text:
        raise NotReady("no text ranks its pool.", where=category, next=f'thresher gold mine {category} --text "..."')
    check_words(text, settings=settings)
    tower = tower_of(settings)
    assert tower is not None  # noqa: S101 -- check_words has looked
    embed(pool, store=store, settings=settings.but(backbone=tower[0]), report=report, stop=stop)
    claim = score_text(category, store=store, settings=settings, now_ms=now_ms)
    if claim is None or claim.scores is None or not len(claim.rows):
        raise NotReady("no image is embedded yet.", where=category, next=f"thresher harvest {category} --folder DIR")
    return claim.rows[np.argsort(-claim.scores, kind="stable")]


def score_text(category: str, *, store: Store, settings: Settings, now_ms: int) -> ClaimedLabels | None:
    """Score the embedded images of the pool by the category's words, and keep the scores; returns what was stored.

    None where there are no words, no text tower in the setting, or no vectors. Scores that are there already are not
    computed again by the loop: see `keep_scored`.
    """
    text, tower = words_of(category, store=store), tower_of(settings)
    if not text or tower is None:
        return None
    part, entry = tower
    try:
        vectors = embedded(settings.but(backbone=part), store.categories.pool(category), store=store)
    except NotFound:
        return None
    wanted = text_vector(entry, text, settings)
    scores = np.empty(len(vectors), np.float32)
    for places, block in vectors.blocks():
        lengths = np.linalg.norm(block, axis=1)
        scores[places] = np.where(lengths > 0, block @ wanted / np.maximum(lengths, 1e-12), np.nan)
    rows = vectors.rows if vectors.rows is not None else np.arange(len(vectors))
    claim = ClaimedLabels(
        name=TEXT,
        rows=rows,
        yes=np.zeros(len(rows), np.bool_),
        scores=scores,
        source=_source(entry, text),
        kind=TEXT,
        at_ms=now_ms,
    )
    return store_claim(category, claim, store=store)


def keep_scored(category: str, *, store: Store, settings: Settings, now_ms: int) -> None:
    """Score what has come into the pool since, and everything after the words or the backbone changed; else nothing."""
    text, tower = words_of(category, store=store), tower_of(settings)
    if not text or tower is None:
        return
    part, entry = tower
    there = next((claim for claim in claims_in_force(category, store=store) if claim.name == TEXT), None)
    if there is not None and there.source == _source(entry, text):
        try:
            embedded_now = len(embedded(settings.but(backbone=part), store.categories.pool(category), store=store))
        except NotFound:
            return
        if there.rows == embedded_now:
            return
    score_text(category, store=store, settings=settings, now_ms=now_ms)


def text_vector(entry: Entry, text: str, settings: Settings) -> Matrix:
    """The vector of a text [width], of length 1. Raises BadInput if a file of the backbone has changed."""
    words, cache = entry.text, kept_in(settings)
    assert words is not None  # noqa: S101 -- `tower_of` gives only such
    for file, name in ((words.graph, TEXT_FILE), (words.tokenizer, TOKENIZER)):
        entries.checked(entry, file, name, cache)
    vector: Matrix = open_words(words, entries.folder_of(entry.name, cache)).embed([text])[0]
    return vector


def _source(entry: Entry, text: str) -> str:
    """The hash of everything that the scores depend on, but the pool."""
    return hashlib.sha256(f"{entry.unique_words}\0{text}".encode()).hexdigest()
