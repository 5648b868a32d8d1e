"""Changing the question of a category without losing what was paid for.

A *version* of a question has answers; a *wording* is how it is written. Another question is a new version: answers to
the old one do not count for it, and come back with it. If only the wording changed, or the instructions, the version
stays and so do its answers; a release lists the wordings under which they were given.
"""

from dataclasses import dataclass

from thresher.errors import BadInput, NotReady
from thresher.loop.versions import worded
from thresher.records import Question
from thresher.settings import Settings
from thresher.store.contract import Store


@dataclass(frozen=True, slots=True)
class Change:
    """What a category's owner wants: None leaves the text or the instructions as they are.

    `keep_answers`: only the wording changes. `version`: go back to this version, as it was worded last. `confirmed`:
    the owner knows what does not count any more.
    """

    text: str | None = None
    instructions: str | None = None
    keep_answers: bool = False
    version: int | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """What does not count for another version: answers of people and the owner, labels, gold, and unfinished tasks.

    `cents` is the pay of the people's answers, estimated as the forecast does, by their time.
    """

    answers: int = 0
    labels: int = 0
    gold: int = 0
    open_asks: int = 0
    cents: int = 0

    def __str__(self) -> str:
        """Such as "212 answers (about $1.90 of pay), 100 labels and 40 gold"."""
        pay = f" (about ${self.cents / 100:,.2f} of pay)" if self.cents else ""
        open_asks = f"; {self.open_asks:,} images are being asked about" if self.open_asks else ""
        return f"{self.answers:,} answers{pay}, {self.labels:,} labels and {self.gold:,} gold{open_asks}"


@dataclass(frozen=True, slots=True)
class Reworded:
    """The question in force after a change, and a sentence about what it did; `changed` is False if it did nothing."""

    question: Question
    says: str
    changed: bool = True


def reword(name: str, change: Change, *, store: Store, settings: Settings, now_ms: int) -> Reworded:
    """Change the question of a category, or go back to an earlier version.

    The same question changes nothing. Raises NotReady, with the cost, for another version while the one in force has
    answers, labels or gold, unless that is confirmed; BadInput for an empty or contradictory change, NotFound for an
    unknown version, Conflict if somebody else changed the question meanwhile.
    """
    asked = store.categories.questions(name)
    here = store.categories.get(name).question
    if change.version is not None:
        if change.text is not None or change.instructions is not None or change.keep_answers:
            raise BadInput("--version goes back to a version as it is: give nothing else.", next=_help(name))
        there = worded(asked, change.version, name)
    else:
        text = here.text if change.text is None else change.text.strip()
        if change.text is None and change.instructions is None:
            raise BadInput("nothing is to be changed.", next=_help(name))
        if not text:
            raise BadInput("--question is empty.", next=f'thresher category reword {name} --question "Does this ...?"')
        instructions = here.instructions if change.instructions is None else change.instructions
        same_question = _alike(text, here.text) or change.keep_answers
        there = Question(here.version if same_question else 0, text, instructions, now_ms)
    if there.version == here.version and _alike(there.text, here.text) and there.instructions == here.instructions:
        return Reworded(here, f"{name} asks exactly this already, as version {here.version}: nothing changed.", False)
    if there.version != here.version and not change.confirmed:
        _must_cost_nothing(name, here, there, store=store, settings=settings)
    made = store.categories.reword(
        name, there.text, there.instructions, now_ms, version=there.version or None, after=len(asked)
    )
    return Reworded(made, _says(name, here, made, asked))


def cost_of(name: str, version: int, *, store: Store, settings: Settings) -> Cost:
    """What was given to a version of a question so far."""
    from thresher.loop.forecast import seconds_an_answer  # with mathematics that a starting server does without

    votes, by_gold = store.labels.votes(name, version), store.labels.gold_answers(name, version)
    owners = {worker.id for worker in store.people.all() if worker.owner}
    paid = sum(vote.worker not in owners for vote in votes) + sum(worker not in owners for _, worker, _ in by_gold)
    hours = paid * seconds_an_answer(store=store, settings=settings) / 3600 if paid else 0.0
    return Cost(
        answers=len(votes) + len(by_gold),
        labels=len(store.labels.held(name, version)),
        gold=len(store.labels.gold(name, version)),
        open_asks=len(store.asks.open_rows(name, version)),
        cents=round(hours * settings.pay_hour_cents * (1.0 + settings.pay_fee)),
    )


def _must_cost_nothing(name: str, here: Question, there: Question, *, store: Store, settings: Settings) -> None:
    cost = cost_of(name, here.version, store=store, settings=settings)
    if cost == Cost():
        return
    back = f"`thresher category reword {name} --version {here.version}` goes back to them"
    keep = "" if there.version else "; or --keep-answers, if only the wording changed"
    raise NotReady(
        f"version {here.version} has {cost}; none of it counts for {_other(there)} ({back}).",
        where=name,
        next=f"the same with --yes{keep}",
    )


def _other(there: Question) -> str:
    return f"version {there.version}" if there.version else "another question"


def _says(name: str, here: Question, made: Question, asked: list[Question]) -> str:
    if made.version == here.version:
        what = "instructions" if made.text == here.text else "wording"
        return (
            f"{name}: new {what} of version {made.version}; its answers, labels and gold stay, and a release says so."
        )
    again = any(question.version == made.version for question in asked)
    back = f"`thresher category reword {name} --version {here.version}` goes back to version {here.version}"
    if again:
        return f"{name}: version {made.version} is asked again, with its own answers, labels and gold; {back}."
    release = f"`thresher release {name} --version {here.version} --to DIR` releases it"
    return f"{name}: question version {made.version}, without answers, labels and gold; {back}, {release}."


def _alike(one: str, other: str) -> bool:
    """Whether two texts are the same but for spaces."""
    return one.split() == other.split()


def _help(name: str) -> str:
    return f"thresher category reword {name} --help"
