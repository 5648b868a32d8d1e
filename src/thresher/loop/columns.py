"""The columns of labels from elsewhere that a category has, and whether its newest classifier (head) uses each."""

from dataclasses import dataclass
from typing import Final

from thresher.errors import NotFound, StoreDamaged
from thresher.learn.head import Head
from thresher.records import Round
from thresher.store.claims import AUDITED, TEXT, claims_in_force
from thresher.store.contract import Store

USED, UNUSED, UNTRIED = "uses it", "does not use it", "was not trained since"
CHECKED: Final = ", checked by certify"


@dataclass(frozen=True, slots=True)
class InUse:
    """A column: of how many images it speaks, how many of these it calls a yes, and what the newest classifier does."""

    name: str
    kind: str
    images: int
    yes: int
    scored: bool
    used: str
    at_ms: int
    source: str

    @property
    def says(self) -> str:
        """The column as a sentence."""
        of = f"labels {self.name!r} from elsewhere ({self.yes:,} yes of {self.images:,} images)"
        if self.name == TEXT:
            of = f"how well {self.images:,} images fit the words of the category"
        return f"{of}: the classifier {self.used}"


def columns_in_use(category: str, *, store: Store) -> list[InUse]:
    """Every column of a category, by name."""
    version = store.categories.get(category).question.version
    claims = claims_in_force(category, store=store)
    if not claims:
        return []
    newest = store.rounds.latest(category, version)
    tried = set(newest.beside) if newest else set()
    used = _used(newest, store=store) if newest else frozenset()
    found = []
    for claim in claims:
        does = UNTRIED if f"{claim.name} {claim.mark}" not in tried else USED if claim.name in used else UNUSED
        does += CHECKED if claim.name == AUDITED else ""
        found.append(
            InUse(claim.name, claim.kind, claim.rows, claim.yes, claim.scored, does, claim.at_ms, claim.source)
        )
    return found


def _used(newest: Round, *, store: Store) -> frozenset[str]:
    """The columns that the head of a round uses; none where it cannot be read, which the next round mends."""
    try:
        head = Head.from_bytes(store.rounds.head(newest.category, newest.number))
    except (NotFound, StoreDamaged):
        return frozenset()
    return frozenset(head.stack.columns if head.stack else ())
