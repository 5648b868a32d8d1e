"""What a category is waiting for: images, gold, annotators, its owner, the loop, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from thresher.records import OWNER_ONLY, Purpose, Says, Stage
from thresher.store.contract import Tally


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts about a category that determine its next step.

    `gold` counts each answer, of which `gold_least` are needed; `minable`: there are images left that the owner could
    make gold of. `unpublished` counts the asks that are in no task yet, for annotators and for the owner. `unsettled`:
    votes have not become labels yet. `done`: nothing more has to be decided. `refused` says why there is no
    certificate, `spent` that the budget of answers is used up, `short` that less is left of it than the audit needs,
    `lacks_people` that more annotators have to join, `out_of_people` how many images wait for annotators although all
    who have joined were asked about them, and `running` whether the loop is running. `releasable`: something is decided
    that a release would contain; `released` is where exactly that was released to.
    """

    tally: Tally
    gold: Mapping[Says, int] = field(default_factory=dict)
    gold_least: int = 0
    minable: bool = True
    unpublished: tuple[int, int] = (0, 0)
    unsettled: bool = False
    done: bool = False
    refused: str = ""
    spent: str = ""
    short: str = ""
    lacks_people: str = ""
    out_of_people: int = 0
    running: bool = False
    releasable: bool = False
    released: str = ""

    @property
    def gold_is_scarce(self) -> bool:
        """Whether there is too little gold for the gate to reject anyone."""
        return min(self.gold.get(Says.YES, 0), self.gold.get(Says.NO, 0)) < self.gold_least

    @property
    def ended(self) -> bool:
        """Whether the loop would ask nothing more."""
        return self.done or bool(self.refused or self.spent or self.short)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What has to happen next for a category to make progress.

    `state` names what is missing: images, gold, annotators, owner, people (who join), loop, release, released, refused
    or spent. `waits_for` is a phrase for the owner, `command` the command to run, empty if there is nothing to do, and
    `human` who has to act before any command helps: owner, annotators or nobody (empty).
    """

    state: str
    waits_for: str
    command: str = ""
    human: str = ""


def waits_for(name: str, standing: Standing) -> NextStep:
    """The one next step of a category."""
    tally = standing.tally
    if not tally.images:
        run = f"thresher harvest {name} --folder"
        return NextStep("images", f"images: run `{run} ...`", f"{run} DIR", "owner")
    scarce = standing.gold_is_scarce and standing.minable and not standing.ended
    if scarce and (not any(standing.gold.values()) or _open(tally, Purpose.MINE_GOLD)):
        return _more_gold(standing)
    if tally.assignments.get(Stage.SENT.value) and not standing.running:
        return _loop(name, standing)  # it checks what was sent; whether people have to do more follows from that
    if standing.spent and tally.reserved:
        return NextStep("annotators", f"annotators to send what they hold: {standing.spent}", human="annotators")
    if standing.spent and not standing.unsettled:
        return _ended(name, standing)  # nobody gets what is still asked for
    if tally.tasks_open and asked_of_workers(tally) > standing.unpublished[0]:
        return _annotators(name, standing)
    undecided, unchecked = _open(tally, Purpose.ADJUDICATE), _open(tally, Purpose.CHECK)
    of_the_owner = undecided + unchecked
    if of_the_owner and of_the_owner + _open(tally, Purpose.MINE_GOLD) > standing.unpublished[1]:
        wanted = f"the owner to {'decide' if undecided else 'check'} {_count(of_the_owner, 'image')}"
        return NextStep("owner", f"{wanted}: open the owner's task", "thresher serve", "owner")
    if of_the_owner:
        return _loop(name, standing)  # it makes the owner's task
    if standing.ended and not standing.unsettled:
        return _ended(name, standing)
    if scarce:
        return _more_gold(standing)
    if standing.lacks_people and not standing.unsettled:
        return NextStep("people", standing.lacks_people, f"thresher invite --category {name}", "annotators")
    return _loop(name, standing)


def _annotators(name: str, standing: Standing) -> NextStep:
    if standing.out_of_people:
        seen = f"all who have joined were asked about {_count(standing.out_of_people, 'image')} already"
        return NextStep("people", f"annotators to join: {seen}", f"thresher invite --category {name}", "annotators")
    count = standing.tally.tasks_open
    tasks = f"annotators: {_count(count, 'task')} {_is(count)} open"
    return NextStep("annotators", tasks, "thresher serve", "annotators")


def _loop(name: str, standing: Standing) -> NextStep:
    run = f"thresher run {name}"
    return NextStep("loop", "the loop, which is running" if standing.running else f"the loop: run `{run}`", run)


def _more_gold(standing: Standing) -> NextStep:
    least, yes, no = standing.gold_least, standing.gold.get(Says.YES, 0), standing.gold.get(Says.NO, 0)
    wanted = (
        f"more known answers (gold): {least} yes and {least} no are needed, and there are {yes} and {no}; "
        "open the owner's task"
    )
    return NextStep("gold", wanted, "thresher serve", "owner")


def _ended(name: str, standing: Standing) -> NextStep:
    """A category whose loop asks nothing more: its release, unless it is there or nothing can be in it."""
    release = f"thresher release {name} --to DIR"
    why = ""
    if not standing.done and standing.refused:
        anew = f"`thresher run {name} --freeze-anew` makes another freeze, with less of delta"
        why = f"not certified, because {standing.refused}; {anew}; "
    elif not standing.done:
        more = f"`thresher category aim {name} --answers N` raises it"
        why = f"{standing.spent or standing.short}; {more}; "
    if standing.released:
        return NextStep("released", f"nothing: {why}it is released in {standing.released}")
    if standing.done:
        return NextStep("release", f"nothing: run `{release}`", release)
    state = "refused" if standing.refused else "spent"
    if standing.releasable:
        return NextStep(state, f"nothing: {why}`{release}` exports what is decided", release)
    aim = f"thresher category aim {name}" + ("" if standing.refused else " --answers N")
    return NextStep(state, f"nothing: {why.removesuffix('; ')}", aim, "owner")


def _open(tally: Tally, purpose: Purpose) -> int:
    return tally.asks_open.get(purpose.value, 0)


def asked_of_workers(tally: Tally) -> int:
    """The number of open asks that annotators may answer, without those for the owner alone."""
    return sum(count for purpose, count in tally.asks_open.items() if purpose not in OWNER_ONLY)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
