"""The budget of the audits at a freeze, from the answers that are left, and the results on gold it is doubted by."""

from thresher.evidence import Gold
from thresher.label.measured import measure
from thresher.loop.checking import is_checked, kept_for_check
from thresher.loop.methods import words_of
from thresher.loop.price import answers_each
from thresher.loop.promises import Purse
from thresher.records import Category, Says
from thresher.settings import Settings
from thresher.store.contract import Store


def purse_of(category: Category, left: int, *, store: Store, settings: Settings) -> Purse:
    """The budget of the audits, with `left` answers to go.

    If the answers of a category are limited, it is the number of images that `left` answers can pay for (price.py),
    without those of the owner's check.
    """
    capped = category.targets.answers is not None
    each = answers_each(category, store=store, settings=settings) if capped else 1.0
    check = is_checked(category, store=store, settings=settings)
    if check and capped:
        left = max(left - kept_for_check(category.targets), 0)
    pictures = int(left / each) if capped else settings.audit_images
    # the owner's answers are not doubted, so people's results on gold do not matter
    doubted = None if category.targets.truth == "owner" else gold_of(category, store=store, settings=settings)
    return Purse(max(pictures, 1), words_of(settings), doubted, check)


def gold_of(category: Category, *, store: Store, settings: Settings) -> Gold | None:
    """How often adjudication errs on gold (label/measured.py); None if there is too little of it."""
    found = measure(category.name, category.question.version, store=store, settings=settings)
    if not found.enough:
        return None
    shown, missed = found.shown, found.missed
    return Gold(shown[Says.YES], missed[Says.YES], shown[Says.NO], missed[Says.NO], found.audited)
