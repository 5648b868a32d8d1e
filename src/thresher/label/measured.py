"""How often adjudication errs, measured on gold: only by answers that had no part in choosing who gave them.

Gold has two uses: it chooses people (gate.py), and it shows how often their adjudication errs. Whoever is chosen by
lucky answers looks better than they are. So an answer counts if its assignment was accepted, or would have been had
this answer been right. Whether an answer counts then never depends on itself: it is as often wrong as any other answer
of its person. (And those who pass only if one more were right are no better than those who pass: the measured rate is
not too low. Setting a part of the gold aside instead would cost the gate that part of its power.)

The votes on a piece of gold, in the order in which they came and one a device, are adjudicated as an audit's are
(adjudicate.py). Pieces with few votes would leave out the hard ones, as these take more votes to a lead. So only pieces
with at least so many votes count, whatever these say, and how many are needed is chosen by the number of pieces that
have them. Of these, one that has no lead yet is left out while the right answer is ahead, and missed otherwise: where
people are right more often than wrong, that is too many rather than too few.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from thresher.label.adjudicate import LEAD, MOST_VOTES, leads
from thresher.label.gate import SHOWN_LEAST, guessed, needed
from thresher.label.gold import drawn
from thresher.label.independent import Devices, left_alone, shared_devices
from thresher.label.standing import annotators
from thresher.records import TRUSTED, Assignment, Review, Says, Stage
from thresher.settings import Settings
from thresher.store.contract import Store, every_assignment

GOLD_ENOUGH = 150  # of each answer; with less gold the bound on adjudication errors is not worth its delta

Cast = Mapping[int, Sequence[Says]]
"""The votes on each piece of gold, by row, in the order in which they came."""


@dataclass(frozen=True)
class Measured:
    """How many pieces of gold were adjudicated, and how many of these wrongly, by their known answer.

    `audited` of them were drawn at random by earlier audits. Those are like the images that an audit draws; gold that
    the owner was shown first, or that came from a file, may be easier.
    """

    shown: Counter[Says] = field(default_factory=Counter)
    missed: Counter[Says] = field(default_factory=Counter)
    audited: int = 0

    @property
    def enough(self) -> bool:
        """Whether there is enough of each answer to say something."""
        return min(self.shown[Says.YES], self.shown[Says.NO]) >= GOLD_ENOUGH


def measure(category: str, version: int, *, store: Store, settings: Settings) -> Measured:
    """What gold says of the people who get work now; by gold that audits drew alone, if there is enough of it.

    Retired gold counts too, as it is the gold that people miss.
    """
    gold = store.labels.gold(category, version, retired=True)
    pieces = {piece.row: piece.says for piece in gold if piece.source in TRUSTED["people"]}
    if len(pieces) < 2 * GOLD_ENOUGH:
        return Measured()
    people = annotators(store=store)
    sent = [one for one in every_assignment(category, store=store) if one.version == version and one.worker in people]
    cast = votes_on(pieces, sent, settings, shared_devices(store=store))
    audited = {label.row for label in store.labels.held(category, version) if drawn(label)}
    retired = {piece.row for piece in gold if piece.retired}
    alike = adjudicated({row: said for row, said in cast.items() if row in audited}, pieces, audited, retired)
    return alike if alike.enough else adjudicated(cast, pieces, audited, retired)


def votes_on(
    pieces: Mapping[int, Says], sent: Iterable[Assignment], settings: Settings, shared: Devices | None = None
) -> dict[int, list[Says]]:
    """The votes on each piece of gold that count, in the order in which they came, one a person and device."""
    cast: dict[int, list[tuple[str, Says]]] = {}
    for one in sorted(sent, key=lambda one: (one.sent_ms, one.id)):
        for row, says in counting(one, pieces, settings):
            cast.setdefault(row, []).append((one.worker, says))
    return {row: [says for _, says in left_alone(said, shared or {})] for row, said in cast.items()}


def counting(sent: Assignment, pieces: Mapping[int, Says], settings: Settings) -> list[tuple[int, Says]]:
    """The answers of an assignment on hidden gold that count: those with which it is accepted if they are right."""
    review = sent.review
    if review is None:
        return []
    places = ((sent.dealt[given.position], given.says) for given in sent.answers)
    hidden = [(place.row, says) for place, says in places if place.ask is None and place.row in pieces]
    if review.verdict is not Stage.REJECTED:
        return hidden
    saved = {says for says in (Says.YES, Says.NO) if _saved(review, says, settings)}
    return [(row, says) for row, says in hidden if says is not pieces[row] and pieces[row] in saved]


def _saved(review: Review, says: Says, settings: Settings) -> bool:
    """Whether a rejected assignment might have been accepted with one more right answer on gold of this class.

    Where it shows too little of a class, the gate added the record of that time, which is not kept: then it might.
    """
    yes, no = says is Says.YES, says is Says.NO
    right = (review.yes_right + yes, review.no_right + no)
    shown = (review.yes_shown, review.no_shown)
    before = (review.yes_right, review.yes_shown, review.no_right, review.no_shown)
    if guessed(before) and not guessed((right[0], shown[0], right[1], shown[1])):
        return True  # perhaps the gate was paused, and rejected guesses only
    passes = [
        hits >= needed(settings.gold_pass, total)
        for hits, total in zip(right, shown, strict=True)
        if total >= SHOWN_LEAST
    ]
    return all(passes)


def adjudicated(
    cast: Cast, pieces: Mapping[int, Says], audited: Collection[int] = (), retired: Collection[int] = ()
) -> Measured:
    """The pieces with enough votes, adjudicated; enough are as many as leave `GOLD_ENOUGH` pieces of each answer.

    Pieces were `retired` because of their votes: they count with fewer, as missed unless these have a right lead.
    """
    least = max((votes for votes in range(LEAD, MOST_VOTES + 1) if _left(cast, pieces, votes)), default=LEAD)
    found = Measured(Counter(), Counter(), 0)
    like_audits = 0
    for row, said in cast.items():
        lead, known, early = leads(said), pieces[row], row in retired
        if len(said) < (LEAD if early else least):
            continue
        ahead = sum((says is known) - (says is not known) for says in said[:MOST_VOTES])
        if lead is None and ahead > 0 and len(said) < MOST_VOTES and not early:
            continue
        found.shown[known] += 1
        # whom eleven people leave without a lead, the owner decides
        found.missed[known] += lead is not known if lead is not None else len(said) < MOST_VOTES
        like_audits += row in audited
    return Measured(found.shown, found.missed, like_audits)


def _left(cast: Cast, pieces: Mapping[int, Says], votes: int) -> bool:
    """Whether enough pieces of each answer have so many votes."""
    there = Counter(pieces[row] for row, said in cast.items() if len(said) >= votes)
    return min(there[Says.YES], there[Says.NO]) >= GOLD_ENOUGH
