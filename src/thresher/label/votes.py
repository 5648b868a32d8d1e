"""From votes to labels: agreement becomes a label; otherwise one more person is asked, and then the owner.

Everything is computed again from the votes that count now. So it may be run at any time, twice, or after a kill, and a
vote that was withdrawn leaves no trace.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from thresher.label.adjudicate import LEAD, ask_on, leader, of_audit
from thresher.label.consensus import Crowd, crowd_of, posteriors
from thresher.label.gold import take_lost_labels
from thresher.label.independent import LeftToAsk, once_a_device, shared_devices
from thresher.label.remembered import Memory
from thresher.label.standing import annotators
from thresher.records import TRUSTED, Label, NewAsk, Purpose, Says, Source, Vote
from thresher.settings import Settings
from thresher.store.contract import Store

__all__ = ["Settled", "Verdict", "posteriors", "settle", "verdict_of"]

KNOWN_ENOUGH = LEAD + 2  # people who have voted: three on a draw, two more where those disagree
FOLLOW_UP = 10.0  # priority of a further vote: an image that is nearly settled comes before a new one
MOVED = 0.02  # a posterior that moved less is not worth a write


@dataclass(frozen=True, slots=True)
class Settled:
    """The changes of one call: labels set, images asked of one more person or of the owner, labels dropped."""

    labels: int = 0
    more_votes: int = 0
    adjudications: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of the votes on an image: an answer, or None; and its probability (that of a yes, where None)."""

    says: Says | None
    posterior: float


@dataclass
class _Changes:
    """The changes that a call will write, collected before anything is written; `seen` counts the votes it has read."""

    seen: Mapping[int, int] = field(default_factory=dict)
    hold: list[Label] = field(default_factory=list)
    drop: list[int] = field(default_factory=list)
    more: list[NewAsk] = field(default_factory=list)
    adjudicate: list[NewAsk] = field(default_factory=list)


def settle(
    category: str,
    *,
    store: Store,
    settings: Settings,
    now_ms: int,
    memory: Memory | None = None,  # noqa: ARG001 -- used from the next change on
) -> Settled:
    """Turn votes into CONSENSUS labels, further asks of one vote, and asks for the owner to adjudicate.

    A label keeps the purpose, epoch and draw for which its image was asked about last. Images that still wait for votes
    are left alone, as are those that the owner answered. An image without a sure answer goes to one more person until
    `settings.votes_most` have answered, then to the owner. An image of an audit is adjudicated (adjudicate.py). Two
    votes from one device count as one (independent.py), also if that is found out when labels were made of them.
    """
    version = store.categories.get(category).question.version
    # before the votes: an image whose last vote comes in between is then left to the next settling, not asked again
    open_rows = set(store.asks.open_rows(category, version).tolist())
    owners = {worker.id for worker in store.people.all() if worker.owner}
    everything = store.labels.votes(category, version)
    voters = _Voters(
        LeftToAsk(category, annotators(store=store), shared_devices(store=store), store), everything, owners
    )
    votes = once_a_device([vote for vote in everything if vote.worker not in owners], voters.left.shared)
    labels = store.labels.all_of(category, version)
    of_the_owner = [vote for vote in everything if vote.worker in owners]
    labels += take_lost_labels(labels, of_the_owner, store=store, now_ms=now_ms)
    if undone := _undone(labels, votes, voters):
        store.labels.drop(category, version, Source.ADJUDICATED, undone)
        labels = store.labels.all_of(category, version)
    final = {label.row: label.says for label in labels if label.source in TRUSTED["people"]}
    held = {label.row: label for label in labels if label.source is Source.CONSENSUS}
    crowd = _crowd(category, version, votes, final, store)
    by_row: dict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_row[vote.row].append(vote)
    changes = _Changes(seen=Counter(vote.row for vote in everything))
    for row in sorted((by_row.keys() | held.keys()) - final.keys()):
        verdict = verdict_of(crowd.posterior.get(row, 0.5), held.get(row), settings.sure)
        too_few = len(by_row[row]) < min(settings.votes, len(voters.of[row]))  # two of them were one person
        if not by_row[row] or ((verdict.says is None or too_few) and row in held):
            changes.drop.append(row)
        if row in open_rows or not by_row[row]:
            continue
        if audited := of_audit(by_row[row]):
            _adjudicate(changes, row, audited, version, now_ms, voters)
            continue
        if verdict.says is None or too_few:
            _ask_on(changes, row, by_row[row], settings.votes_most, voters.and_left(by_row[row]))
        elif not _stays(held.get(row), verdict, by_row[row]):
            changes.hold.append(_label(row, verdict.says, verdict.posterior, by_row[row], version, now_ms))
    _take_checked(changes, {vote.row: vote for vote in of_the_owner if vote.purpose is Purpose.CHECK}, version)
    return _write(changes, category, version, store)


def _take_checked(changes: _Changes, checked: Mapping[int, Vote], version: int) -> None:
    """Label what the owner would be asked about with what they said in their check: nobody is asked about one twice."""
    for ask in changes.adjudicate:
        if (vote := checked.get(ask.row)) is not None:
            label = _label(ask.row, vote.says, 1.0, [vote], version, vote.at_ms)
            changes.hold.append(replace(label, source=Source.OWNER, epoch=ask.epoch, draw=ask.draw))
    changes.adjudicate = [ask for ask in changes.adjudicate if ask.row not in checked]


@dataclass
class _Voters:
    """Who has voted on each image, and who may still be asked."""

    left: LeftToAsk
    everything: Sequence[Vote]
    owners: set[str]
    of: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        for vote in self.everything:
            if vote.worker not in self.owners:
                self.of[vote.row].add(vote.worker)

    def and_left(self, votes: Sequence[Vote], *, follow_up: bool = False) -> int:
        """The people who cast these votes on an image, and those who may still be asked about it.

        For a `follow_up` only those who have voted here, once these are enough for an audit: with a few images, each
        new person is shown more gold than people have answered about the image; the owner answers it once.
        """
        counted, people = {vote.worker for vote in votes}, self.left.people
        known = people & {vote.worker for vote in self.everything} if follow_up else people
        asked = known if len(known) >= KNOWN_ENOUGH else people
        return len(counted) + self.left.count(votes[0].row, self.of[votes[0].row], asked)


def _undone(labels: Sequence[Label], votes: Sequence[Vote], voters: _Voters) -> list[int]:
    """The rows that people adjudicated, if two of those who agreed turned out to be one person since.

    An image that the owner answered keeps its label.
    """
    if not voters.left.shared:
        return []
    by_owner = {
        vote.row for vote in voters.everything if vote.worker in voters.owners and vote.purpose is not Purpose.CHECK
    }
    counted: dict[int, list[Vote]] = defaultdict(list)
    for vote in votes:
        counted[vote.row].append(vote)
    doubtful = (
        label
        for label in labels
        if label.source is Source.ADJUDICATED and label.row not in by_owner
        if len(counted[label.row]) < len(voters.of[label.row])
    )
    return [label.row for label in doubtful if leader(of_audit(counted[label.row])) is not label.says]


def verdict_of(posterior: float, held: Label | None, sure: float) -> Verdict:
    """The verdict for a posterior probability of a yes.

    An answer needs `sure`; an existing label stays until its doubt is twice that, so that an image near the limit is
    not asked about again whenever the estimates of the crowd change a little.
    """
    for says, likely in ((Says.YES, posterior), (Says.NO, 1.0 - posterior)):
        kept = held is not None and held.says is says
        if likely >= (1.0 - 2.0 * (1.0 - sure) if kept else sure):
            return Verdict(says, likely)
    return Verdict(None, posterior)


def _crowd(category: str, version: int, votes: Sequence[Vote], final: Mapping[int, Says], store: Store) -> Crowd:
    known = {piece.row: piece.says is Says.YES for piece in store.labels.gold(category, version)}
    known |= {row: says is Says.YES for row, says in final.items() if says is not Says.UNSURE}
    return crowd_of(votes, known, store.labels.gold_answers(category, version))


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


def _adjudicate(changes: _Changes, row: int, votes: Sequence[Vote], version: int, now_ms: int, voters: _Voters) -> None:
    """An image of an audit: its label is adjudicated, by a clear lead or by the owner."""
    says = leader(votes)
    if says is None:
        # who answered before the audit is not asked again
        ask = ask_on(row, votes, voters.and_left(votes, follow_up=True))
        (changes.adjudicate if ask.purpose is Purpose.ADJUDICATE else changes.more).append(ask)
    else:
        label = _label(row, says, 1.0, votes, version, now_ms)
        changes.hold.append(replace(label, source=Source.ADJUDICATED))


def _stays(held: Label | None, verdict: Verdict, votes: Sequence[Vote]) -> bool:
    """Whether the existing label already says the same, from the same votes."""
    if held is None or held.says is not verdict.says or abs(held.posterior - verdict.posterior) > MOVED:
        return False
    newest = votes[-1]
    return (held.votes, held.purpose, held.draw) == (len(votes), newest.purpose, newest.draw)


def _ask_on(changes: _Changes, row: int, votes: Sequence[Vote], votes_most: int, people: int) -> None:
    """Ask one more person, or the owner if enough were asked or nobody else is left."""
    newest = votes[-1]
    # answers of low weight do not count as full votes; but an image is not asked about for ever
    enough = sum(vote.weight for vote in votes) >= votes_most or len(votes) >= 2 * votes_most
    if enough or len({vote.worker for vote in votes}) >= people:
        changes.adjudicate.append(NewAsk(row, Purpose.ADJUDICATE, 1, FOLLOW_UP, newest.epoch, newest.draw))
    else:
        changes.more.append(NewAsk(row, newest.purpose, 1, FOLLOW_UP, newest.epoch, newest.draw))


def _write(changes: _Changes, category: str, version: int, store: Store) -> Settled:
    """Drop labels first, then set labels, asks last: after a kill in between, the next call finds the rest to do."""
    if changes.drop:
        store.labels.drop(category, version, Source.CONSENSUS, changes.drop)
    if changes.hold:
        store.labels.hold(category, changes.hold)
    more, adjudications = (
        # a vote that came since is settled by the next call, which may find that nobody else need be asked
        store.asks.wish(category, version, [replace(ask, votes_seen=changes.seen[ask.row]) for ask in asks])
        for asks in (changes.more, changes.adjudicate)
    )
    return Settled(len(changes.hold), more, adjudications, len(changes.drop))
