"""Words of the method `adjudicated`: before the label, of other people, never of an audit; and what breaks if not."""

from collections import defaultdict
from collections.abc import Collection, Generator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest
from tests.filled import NAME
from tests.loop.people import everybody_answers, one_turn, pool
from tests.loop.promised import COUNT, PEOPLE, YES_FROM, aim, rounds_of_two, says

from thresher.evidence import METHODS, Certified, Code, Draws, Pool, Promise, State, adjudicated, freeze, released
from thresher.evidence.audit_log import ANSWERS, FREEZE, WORDS, Log
from thresher.evidence.curve import Curve
from thresher.evidence.noise import Slips
from thresher.evidence.plan import Cut, cheapest
from thresher.evidence.state import NO_WORD, Answers, Asking, Codes, Want
from thresher.evidence.urns import Known, Urn
from thresher.label.adjudicate import leader, of_audit
from thresher.loop.methods import too_few_people
from thresher.loop.snapshot import latest
from thresher.loop.words import CODES, Voting, words_from
from thresher.records import OWNER, Category, Purpose, Question, Says, Targets, Vote, Worker
from thresher.settings import Settings
from thresher.store.contract import Store

# --- what the rule is worth: contested pictures in the middle ---------------------------------------------------------

PROMISE = Promise(precision=0.7, recall=0.9, delta=0.05)
TOP, FALSE, MIDDLE, RANKS = 600, 120, 2400, 5000  # ranks below TOP are yes but for FALSE; those beyond MIDDLE are no
CONTESTED = 1200  # of the middle: enough that words which miss a quarter of their yes break the promised recall
COUNTED, EPOCH, RUNS = 2, 1, 8


@dataclass
class Crowd:
    """People who toss a coin on the contested pictures, and an owner who does so where they come to no lead.

    Each person's answer on each picture is fixed before anything is drawn.
    """

    seed: int
    people: int
    contested: int = CONTESTED
    votes: dict[int, list[Vote]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        chance = np.where(np.arange(RANKS) < TOP, 0.98, 0.02)
        chance[random.choice(TOP, FALSE, replace=False)] = 0.02
        chance[random.choice(np.arange(TOP, MIDDLE), self.contested, replace=False)] = 0.5
        self.says: NDArray[np.bool_] = random.random((RANKS, self.people)) < chance[:, None]
        self.owner: NDArray[np.bool_] = random.random(RANKS) < chance

    def vote(self, rank: int, epoch: int) -> bool:
        """The next person who has not seen the picture votes on it; whether there was one."""
        cast = self.votes[rank]
        if len(cast) == self.people:
            return False
        who = len(cast)
        answer = Says.YES if self.says[rank, who] else Says.NO
        cast.append(Vote(rank, f"p{who}", answer, Purpose.MIDDLE, "", 1.0, who, epoch))
        return True

    def label(self, rank: int) -> int:
        """The adjudicated answer: a lead of three among people who have not seen the picture, or else the owner's."""
        while (found := leader(of_audit(self.votes[rank]))) is None and self.vote(rank, EPOCH):
            pass
        return int(CODES[found]) if found else int(self.owner[rank])

    def word(self, rank: int, labelled: Collection[int]) -> int:
        """The product's word, asked for if it is not there."""
        while (found := words_from(self.votes[rank], Voting(EPOCH, COUNTED), labelled)).get(rank) is None:
            if rank in labelled or not self.vote(rank, 0):
                return NO_WORD
        return int(found[rank])


class TheAuditsOwnVotes(Crowd):
    """As it was: the first two votes on a picture are its word, also if its own audit asked for them."""

    def word(self, rank: int, _labelled: Collection[int]) -> int:
        while len(self.votes[rank]) < COUNTED:
            self.vote(rank, 0)
        said = {vote.says for vote in self.votes[rank][:COUNTED]}
        return int(CODES[said.pop()] if len(said) == 1 else Code.UNANSWERABLE)


class AskedAfterTheLabel(Crowd):
    """Other people are asked for the word, but after the adjudication: where nobody is left, the word is open."""

    def word(self, rank: int, _labelled: Collection[int]) -> int:
        while len([vote for vote in self.votes[rank] if not vote.epoch]) < COUNTED:
            if not self.vote(rank, 0):
                return int(Code.UNANSWERABLE)
        return int(words_from(self.votes[rank], Voting(EPOCH, COUNTED), ())[rank])


def label_first(desk: adjudicated._Desk, want: Want, cut: Cut, ahead: int) -> Generator[Asking, Answers, Want]:
    """Draws are adjudicated before anybody is asked for their words."""
    yield (want,), ahead
    yield from adjudicated._hear(desk, want.ranks, ahead)
    return want


def certify(crowd: Crowd) -> tuple[State, Certified] | None:
    probability = np.where(np.arange(RANKS) < TOP, 0.8, np.where(np.arange(RANKS) < MIDDLE, 0.3, 0.0003))
    frozen = freeze("adjudicated", PROMISE, Pool(probability, 0), Draws(f"{crowd.seed:064x}"))
    procedure = METHODS["adjudicated"].procedure(frozen)
    answers: dict[int, int] = {}
    said: dict[int, int] = {}

    def codes(want: Want) -> Codes:
        for rank in want.ranks.tolist():
            if want.sure and rank not in answers:
                answers[rank] = crowd.label(rank)
            elif not want.sure and rank not in said and (word := crowd.word(rank, answers.keys())) != NO_WORD:
                said[rank] = word
        given = answers if want.sure else said
        return np.array([given.get(rank, NO_WORD) for rank in want.ranks.tolist()], np.int8)

    try:
        wants, _ = next(procedure)
        while True:
            wants, _ = procedure.send(tuple(codes(want) for want in wants))
    except StopIteration as end:
        return (State(frozen, answers, said), end.value) if isinstance(end.value, Certified) else None


def is_false(crowd: Crowd, state: State, step: Certified) -> bool:
    """Whether the set misses a target, the truth being what adjudication says or would say."""
    kept = released(step, state)
    yes = np.array([crowd.label(rank) == Code.YES for rank in range(RANKS)])
    right = int(yes[kept].sum())
    return right < PROMISE.recall * int(yes.sum()) or right < PROMISE.precision * len(kept)


def false_certificates(kind: type[Crowd], people: int) -> int:
    crowds = [kind(seed, people) for seed in range(RUNS)]
    made = [(crowd, *found) for crowd in crowds if (found := certify(crowd))]
    return sum(is_false(*one) for one in made)


def by_chance(false: int) -> float:
    """How likely so many false certificates are, if each run issues one with probability delta."""
    return float(binomtest(false, RUNS, PROMISE.delta, alternative="greater").pvalue)


@pytest.mark.parametrize("people", [5, 13])
def test_however_many_pictures_are_contested_no_certificate_is_false(people: int) -> None:
    assert false_certificates(Crowd, people) == 0


def test_with_few_contested_pictures_it_certifies_and_rightly() -> None:
    made = [(crowd, *found) for seed in range(3) if (found := certify(crowd := Crowd(seed, 5, contested=100)))]
    assert len(made) == 3
    assert not any(is_false(*one) for one in made)


@pytest.mark.parametrize(("kind", "people"), [(TheAuditsOwnVotes, 13), (AskedAfterTheLabel, 5)])
def test_words_that_depend_on_the_draws_let_false_certificates_through(
    kind: type[Crowd], people: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: an audit's own first votes, and votes of those whom a contested audit has left."""
    monkeypatch.setattr(adjudicated, "_hear_first", label_first)
    assert by_chance(false_certificates(kind, people)) < 1e-3


def test_a_draw_that_got_its_label_before_its_word_counts_against_every_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """So whoever lets labels come first, the owner or another machine, proves less and nothing false."""
    monkeypatch.setattr(adjudicated, "_hear_first", label_first)
    assert false_certificates(Crowd, 5) == 0


def test_draws_that_lack_their_word_are_not_asked_for_in_advance() -> None:
    frozen = freeze("adjudicated", PROMISE, Pool(np.linspace(1.0, 0.0, 1000), 0), Draws("ab" * 32))
    first, none = frozen.reject_from, np.zeros(0, np.int64)
    urn = Urn(frozen.seed, "reject", first, frozen.ranks - first, frozen.reject_prior)
    words = Known()
    words.take(first + np.arange(3), np.zeros(3, np.int8))
    desk = adjudicated._Desk(
        frozen, Curve(frozen.curve), Slips(), urn, words, Known(), none, np.array([first + 3]), none
    )
    far = frozen.ranks - 1
    soon = np.array([first, far, first + 3, first + 4, first + 1])
    want = Want(Purpose.AUDIT_RECALL, np.array([first + 2]), first_draw=0, further=soon)
    asking = adjudicated._hear_first(desk, want, replace(cheapest(desk.table()), rejected=first + 5), 1)
    with pytest.raises(StopIteration) as ended:
        next(asking)
    assert ended.value.value.further.tolist() == [first, far, first + 3]


# --- on a real store --------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path)


def wavering(row: int) -> Says:
    return Says.UNSURE if row % 9 == 0 else says(row)


def test_a_word_comes_before_the_label_and_from_people_who_do_not_adjudicate(store: Store, settings: Settings) -> None:
    pool(store, YES_FROM, COUNT)
    aim(store, "adjudicated")
    first: dict[int, set[int]] = {}
    ended = False
    for number in range(80):
        before = latest(store.categories.get(NAME), store=store)
        if ended := one_turn(store, settings, number).state in ("done", "refused"):
            break
        snapshot = latest(store.categories.get(NAME), store=store)
        if snapshot is not None:
            heard = before.said.keys() if before else set[int]()
            first |= {rank: set(snapshot.log.first) for rank in snapshot.said.keys() - heard}
        everybody_answers(store, settings, wavering, 1_000 * number + 1_500, PEOPLE)
        everybody_answers(store, settings, says, 1_000 * number + 1_700, (OWNER,))
    snapshot = latest(store.categories.get(NAME), store=store)
    assert ended
    assert snapshot is not None
    assert not any(rank in labelled for rank, labelled in first.items())
    votes: dict[int, list[Vote]] = defaultdict(list)
    for vote in store.labels.votes(NAME, 1):
        votes[vote.row].append(vote)
    drawn = [row for row, cast in votes.items() if any(vote.purpose is Purpose.AUDIT_RECALL for vote in cast)]
    both = [row for row in drawn if any(not vote.epoch and vote.worker != OWNER for vote in votes[row])]
    assert both  # some of the draws lie where the cut may still come, and have words
    for row in both:
        voters = [vote.worker for vote in votes[row]]
        assert len(voters) == len(set(voters))
        asked = [vote.epoch for vote in votes[row]]
        assert asked == sorted(asked)
    for rank in snapshot.said:  # every word has its voters, none of them asked by the audits
        cheap = [vote for vote in votes[int(snapshot.ranking[rank])] if vote.epoch != snapshot.epoch]
        assert len([vote for vote in cheap if vote.worker != OWNER]) >= snapshot.words_of


def test_it_waits_for_as_many_people_as_a_word_and_an_adjudication_take(store: Store, settings: Settings) -> None:
    words, sure = (Category(NAME, Question(1, "Is it?"), Targets(method=name)) for name in ("adjudicated", "certified"))
    for number, name in enumerate(PEOPLE):
        told = too_few_people(words, store=store, settings=settings)
        assert told.startswith(
            "annotators to join: the method adjudicated needs at least 5 people (2 to vote on an image"
        )
        assert f"{number} have joined" in told
        store.people.add(Worker(name, name, False, "", 1))
    assert not too_few_people(words, store=store, settings=settings)
    assert too_few_people(words, store=store, settings=settings.but(votes=3))
    assert not too_few_people(sure, store=store, settings=settings.but(votes=3))


def test_a_log_that_gives_a_rank_a_word_after_its_label_is_refused() -> None:
    log = Log()
    for kind, fields in (
        (FREEZE, {"frozen": {}}),
        (WORDS, {"codes": {"4": 1}}),
        (ANSWERS, {"codes": {"4": 0, "5": 1}}),
    ):
        log = log.read([log.line(kind, 1, **fields)])
    assert log.read([log.line(WORDS, 1, codes={"6": 0})]).words == {4: 1, 6: 0}
    with pytest.raises(ValueError, match="rank 5 a word after its label"):
        log.read([log.line(WORDS, 1, codes={"5": 0, "6": 0})])


# --- which votes ------------------------------------------------------------------------------------------------------


def vote(worker: str, answer: Says, epoch: int = 0, row: int = 1) -> Vote:
    return Vote(row, worker, answer, Purpose.MIDDLE, "", 1.0, 1, epoch)


YES, NO = Says.YES, Says.NO
VOTES = {
    "two who agree": ([vote("a", YES), vote("b", YES), vote("c", NO)], Code.YES),
    "two who differ": ([vote("a", YES), vote("b", NO), vote("c", NO)], Code.UNANSWERABLE),
    "one alone": ([vote("a", YES)], None),
    "an audit of this freeze": ([vote("a", YES, 2), vote("b", YES, 2), vote("c", NO)], None),
    "an audit of an earlier freeze": ([vote("a", NO, 1), vote("b", NO, 1), vote("c", YES, 2)], Code.NO),
    "the owner": ([vote(OWNER, YES), vote("a", NO)], None),
    "one device": ([vote("a", YES), vote("twin of a", YES), vote("b", NO)], Code.UNANSWERABLE),
    "a twin whom only the audit asked": ([vote("twin of a", NO, 2), vote("a", YES), vote("b", YES)], Code.YES),
}


@pytest.mark.parametrize("case", VOTES)
def test_a_word_is_of_the_first_people_whom_no_audit_of_this_freeze_asked(case: str) -> None:
    votes, expected = VOTES[case]
    twins = {"a": frozenset({"phone"}), "twin of a": frozenset({"phone"})}
    voting = Voting(epoch=2, count=2, owners={OWNER}, shared=twins)
    assert words_from(votes, voting, ()).get(1) == expected
    assert not words_from(votes, voting, {1})  # an image that has its label gets none any more
