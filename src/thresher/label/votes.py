"""From votes to labels: agreement becomes a label; otherwise one more person is asked, and then the owner.

Everything follows from the votes that count now. So it may be run at any time, twice, or after a kill, and a vote that
was withdrawn leaves no trace.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from thresher.label.adjudicate import LEAD, ask_on, leader, of_audit
from thresher.label.ballots import SAYS, Rows, of_row
from thresher.label.consensus import posteriors
from thresher.label.estimated import Counted, bring_up_to_date, counted
from thresher.label.gold import take_lost_labels
from thresher.label.independent import LeftToAsk
from thresher.label.remembered import Memory
from thresher.label.verdicts import NOBODY, Images, Verdict, images_of, verdict_of
from thresher.records import Category, Label, NewAsk, Purpose, Says, Source, Vote
from thresher.settings import Settings
from thresher.store.contract import Store, as_category

__all__ = ["Settled", "Verdict", "posteriors", "settle", "verdict_of"]

KNOWN_ENOUGH = LEAD + 2  # people who have voted: three on a draw, two more where those disagree
FOLLOW_UP = 10.0  # priority of a further vote: an image that is nearly settled comes before a new one


@dataclass(frozen=True, slots=True)
class Settled:
    """The changes of one call: labels set, images asked of one more person or of the owner, labels dropped."""

    labels: int = 0
    more_votes: int = 0
    adjudications: int = 0
    dropped: int = 0


@dataclass
class Changes:
    """The changes that a call will write, collected before anything is written."""

    hold: list[Label] = field(default_factory=list)
    drop: list[int] = field(default_factory=list)
    more: list[NewAsk] = field(default_factory=list)
    adjudicate: list[NewAsk] = field(default_factory=list)


def settle(
    category: Category | str, *, store: Store, settings: Settings, now_ms: int, memory: Memory | None = None
) -> Settled:
    """Turn votes into CONSENSUS labels, further asks of one vote, and asks for the owner to adjudicate.

    A label keeps the purpose, epoch and draw for which its image was asked about last. Images that still wait for votes
    are left alone, as are those that the owner answered. An image without a sure answer goes to one more person until
    `settings.votes_most` have answered, then to the owner. An image of an audit is adjudicated (adjudicate.py). Two
    votes from one device count as one (independent.py), also if that is found out when labels were made of them.

    With a `memory` only what changed since its last settling is read and looked at (remembered.py, estimated.py).
    """
    memory = Memory() if memory is None else memory
    there = as_category(category, store=store)
    category, version = there.name, there.question.version
    # before the votes: an image whose last vote comes in between is then left to the next settling, not asked again
    open_rows = store.asks.open_rows(category, version)
    with memory.trusted():
        memory.refresh(category, version, store=store)
        memory.go_by(settings)
        changes = changes_of(category, memory, open_rows, store=store, settings=settings, now_ms=now_ms)
        settled = _write(changes, category, memory, store)
        asked = np.array([ask.row for asks in (changes.more, changes.adjudicate) for ask in asks], np.int64)
        memory.settled(np.union1d(asked, open_rows))
    return settled


def changes_of(
    category: str, memory: Memory, open_rows: Rows, *, store: Store, settings: Settings, now_ms: int
) -> Changes:
    """What a settling will write; before that, labels that were lost or that one person made are mended."""
    here = counted(memory)
    if take_lost_labels(memory.held.final(), _of_owners(memory), store=store, now_ms=now_ms):
        memory.read_labels(category, store=store)
    people = _People(LeftToAsk(category, memory.people.asked, memory.people.shared, store), memory, here)
    if undone := _undone(memory, here, people):
        store.labels.drop(category, memory.version, Source.ADJUDICATED, undone)
        memory.read_labels(category, store=store)
    final = memory.held.final()
    bring_up_to_date(category, memory, here, final, store=store)
    images = images_of(memory, here, final.keys(), open_rows, settings.sure)
    changes = Changes(hold=list(images.labels(memory.version, now_ms)))
    for place in np.flatnonzero(~images.quiet() & ~images.agreed()).tolist():
        _settle_one(place, images, changes, people, settings=settings, now_ms=now_ms)
    checked = (vote for vote in _of_owners(memory) if vote.purpose is Purpose.CHECK) if changes.adjudicate else ()
    _take_checked(changes, {vote.row: vote for vote in checked}, memory.version)
    return changes


def _settle_one(
    place: int, images: Images, changes: Changes, people: "_People", *, settings: Settings, now_ms: int
) -> None:
    """Add what is to be done about the image at a place."""
    row, code = int(images.rows[place]), int(images.says[place])
    votes = people.votes_on(row)
    too_few = len(votes) < min(settings.votes, len(people.voters_on(row)))  # two of them were one person
    if not votes or ((code == NOBODY or too_few) and images.held[place]):
        changes.drop.append(row)
    if images.waits[place] or not votes:
        return
    if audited := of_audit(votes):
        _adjudicate(changes, row, audited, people, now_ms)
    elif code == NOBODY or too_few:
        _ask_on(changes, row, votes, settings.votes_most, people)
    elif not images.same[place]:
        changes.hold.append(_label(row, SAYS[code], float(images.likely[place]), votes, people.version, now_ms))


def _of_owners(memory: Memory) -> list[Vote]:
    """The owners' votes."""
    owners = memory.ballots.numbers_of(memory.people.owners)
    votes = memory.ballots.votes
    return memory.ballots.records(votes[np.isin(votes["worker"], owners)]) if len(owners) else []


def _take_checked(changes: Changes, checked: Mapping[int, Vote], version: int) -> None:
    """Label what the owner would be asked about with what they said in their check: nobody is asked about one twice."""
    for ask in changes.adjudicate:
        if (vote := checked.get(ask.row)) is not None:
            label = _label(ask.row, vote.says, 1.0, [vote], version, vote.at_ms)
            changes.hold.append(replace(label, source=Source.OWNER, epoch=ask.epoch, draw=ask.draw))
    changes.adjudicate = [ask for ask in changes.adjudicate if ask.row not in checked]


@dataclass
class _People:
    """Who has voted on each image, and who may still be asked."""

    left: LeftToAsk
    memory: Memory
    here: Counted

    @property
    def version(self) -> int:
        """The version of the question that they answered."""
        return self.memory.version

    def votes_on(self, row: int) -> list[Vote]:
        """The votes that count on an image, the newest last."""
        return self.memory.ballots.records(of_row(self.here.votes, self.here.rows, row))

    def seen_on(self, row: int) -> int:
        """How many votes on an image there are, the owner's and those that do not count included."""
        return len(of_row(self.memory.ballots.votes, self.memory.ballots.rows, row))

    def voters_on(self, row: int) -> set[str]:
        """Everybody but the owner who has voted on an image."""
        ballots = self.memory.ballots
        votes = ballots.records(of_row(ballots.votes, ballots.rows, row))
        return {vote.worker for vote in votes} - self.memory.people.owners

    @cached_property
    def everybody(self) -> set[str]:
        """Everybody who has voted on any image."""
        numbers = np.unique(self.memory.ballots.votes["worker"]).tolist()
        return {self.memory.ballots.workers.texts[number] for number in numbers}

    def and_left(self, votes: Sequence[Vote], *, follow_up: bool = False) -> int:
        """The people who cast these votes on an image, and those who may still be asked about it.

        For a `follow_up` only those who have voted here, once these are enough for an audit: with a few images, each
        new person is shown more gold than people have answered about the image; the owner answers it once.
        """
        asked, row = self.left.people, votes[0].row
        known = asked & self.everybody if follow_up else asked
        among = known if len(known) >= KNOWN_ENOUGH else asked
        return len({vote.worker for vote in votes}) + self.left.count(row, self.voters_on(row), among)


def _undone(memory: Memory, here: Counted, people: _People) -> list[int]:
    """The rows that people adjudicated, if two of those who agreed turned out to be one person since.

    An image that the owner answered keeps its label.
    """
    if not len(here.doubled):
        return []
    by_owner = {vote.row for vote in _of_owners(memory) if vote.purpose is not Purpose.CHECK}
    adjudicated = memory.held.of(Source.ADJUDICATED)
    doubtful = adjudicated[np.isin(adjudicated["row"], here.doubled)]
    undone = []
    for label in memory.held.records(doubtful):
        votes = people.votes_on(label.row)
        fewer = label.row not in by_owner and len(votes) < len(people.voters_on(label.row))
        if fewer and leader(of_audit(votes)) is not label.says:
            undone.append(label.row)
    return undone


def _label(row: int, says: Says, posterior: float, votes: Sequence[Vote], version: int, now_ms: int) -> Label:
    newest = votes[-1]
    return Label(
        row=row,
        says=says,
        source=Source.CONSENSUS,
        purpose=newest.purpose,
        version=version,
        at_ms=now_ms,
        posterior=posterior,
        votes=len(votes),
        epoch=newest.epoch,
        draw=newest.draw,
    )


def _adjudicate(changes: Changes, row: int, votes: Sequence[Vote], people: _People, now_ms: int) -> None:
    """An image of an audit: its label is adjudicated, by a clear lead or by the owner."""
    says = leader(votes)
    if says is None:
        # who answered before the audit is not asked again
        ask = ask_on(row, votes, people.and_left(votes, follow_up=True))
        wishes = changes.adjudicate if ask.purpose is Purpose.ADJUDICATE else changes.more
        wishes.append(replace(ask, votes_seen=people.seen_on(row)))
    else:
        label = _label(row, says, 1.0, votes, people.version, now_ms)
        changes.hold.append(replace(label, source=Source.ADJUDICATED))


def _ask_on(changes: Changes, row: int, votes: Sequence[Vote], votes_most: int, people: _People) -> None:
    """Ask one more person, or the owner if enough were asked or nobody else is left."""
    newest, seen = votes[-1], people.seen_on(row)
    # answers of low weight do not count as full votes; but an image is not asked about for ever
    enough = sum(vote.weight for vote in votes) >= votes_most or len(votes) >= 2 * votes_most
    if enough or len({vote.worker for vote in votes}) >= people.and_left(votes):
        ask = NewAsk(row, Purpose.ADJUDICATE, 1, FOLLOW_UP, newest.epoch, newest.draw, votes_seen=seen)
        changes.adjudicate.append(ask)
    else:
        changes.more.append(NewAsk(row, newest.purpose, 1, FOLLOW_UP, newest.epoch, newest.draw, votes_seen=seen))


def _write(changes: Changes, category: str, memory: Memory, store: Store) -> Settled:
    """Drop labels first, then set labels, asks last: after a kill in between, the next call finds the rest to do."""
    version = memory.version
    if changes.drop or changes.hold:
        moves = store.labels.drop(category, version, Source.CONSENSUS, changes.drop) if changes.drop else 0
        moves += store.labels.hold(category, changes.hold) if changes.hold else 0
        memory.held.drop(Source.CONSENSUS, changes.drop)
        memory.held.put(changes.hold)
        memory.wrote_labels(category, moves, store=store)
    # a vote that came since is settled by the next call, which may find that nobody else need be asked
    more, adjudications = (
        store.asks.wish(category, version, asks) if asks else 0 for asks in (changes.more, changes.adjudicate)
    )
    return Settled(len(changes.hold), more, adjudications, len(changes.drop))
