"""The frozen description, read from JSON: docs/certificate-format.md, "The frozen description"."""

from dataclasses import dataclass

from thresher.verify.values import Fields, number

PROMISE = ("precision", "recall", "delta")
PLAN = ("format", "promise", "curve", "batch", "answers", "recall_answers", "said_no")  # or read, or no part of a proof
METHODS = ("certified", "adjudicated", "everything", "precision", "recall", "labels")
BY_WORD = ("adjudicated", "everything")
TRUTHS = ("people", "owner")
FORMAT = 2
LATEST_MS = 253_402_300_799_000  # the last second of the year 9999
FIRST_SHARE, LATER_SHARE = 0.85, 0.15
MOST_EPOCHS = 1_000


@dataclass(frozen=True, slots=True)
class Rung:
    """A rank at which the accepted part may end, and the deltas of its two audits."""

    rank: int
    accept_delta: float
    reject_delta: float


@dataclass(frozen=True, slots=True)
class Gold:
    """How many pieces of gold were shown and missed, of each answer; `audited` of them were drawn by earlier audits."""

    yes_shown: int
    yes_missed: int
    no_shown: int
    no_missed: int
    audited: int


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a certificate depends on, fixed before the first draw."""

    method: str
    precision: float
    recall: float
    delta: float
    epoch: int
    seed: str
    ranking: str
    known: str
    copies: str
    ranks: int
    known_yes: int
    known_unanswerable: int
    ladder: tuple[Rung, ...]
    reject_from: int
    accept_prior: tuple[tuple[float, float, float], ...]
    reject_prior: tuple[tuple[float, float, float], ...]
    looks: int
    adjudicated: int
    gold: Gold | None
    check_delta: float
    units: int
    truth: str
    at_ms: int

    @property
    def spent(self) -> float:
        """The part of delta that this freeze may use, without that of the owner's check."""
        whole = self.delta * (FIRST_SHARE if self.epoch == 0 else LATER_SHARE * 2.0**-self.epoch)
        return whole - self.check_delta

    @property
    def top(self) -> int:
        """The highest rung."""
        return self.ladder[0].rank if self.ladder else 0


def frozen_of(value: object) -> Frozen:
    """The frozen description. Raises ValueError for anything else."""
    given = Fields(value, "frozen")
    if given.get("format") != FORMAT:
        raise ValueError(f"the frozen description has format {given.get('format')!r}, only {FORMAT} is supported")
    given.only({*Frozen.__dataclass_fields__, *PLAN} - set(PROMISE))
    promise = Fields(given.get("promise"), "frozen.promise")
    promise.only(PROMISE)
    ranks = given.whole("ranks")
    ladder = tuple(_rung(rung, ranks) for rung in given.list("ladder"))
    places = [rung.rank for rung in ladder]
    if places != sorted(set(places), reverse=True):
        raise ValueError("the ladder's rungs do not fall")
    if not ladder and given.get("method") != "precision":
        raise ValueError("the ladder has no rung")
    top = places[0] if places else 0
    found = Frozen(
        method=given.one_of("method", METHODS),
        precision=promise.number("precision", 1e-9, 1.0),
        recall=_recall(promise, given),
        delta=_delta(promise),
        epoch=given.whole("epoch", 0, MOST_EPOCHS),
        seed=given.digest("seed"),
        ranking=given.digest("ranking"),
        known=given.digest("known"),
        copies=given.digest("copies"),
        ranks=ranks,
        known_yes=given.whole("known_yes"),
        known_unanswerable=given.whole("known_unanswerable"),
        ladder=ladder,
        reject_from=given.whole("reject_from", 0, ranks),
        accept_prior=_prior(given, "accept_prior"),
        reject_prior=_prior(given, "reject_prior"),
        looks=given.whole("looks", 0, ranks - top),
        adjudicated=given.whole("adjudicated"),
        gold=_gold(given.get("gold")),
        check_delta=given.number("check_delta", 0.0, 0.5),
        units=given.whole("units"),
        truth=given.one_of("truth", TRUTHS),
        at_ms=given.whole("at_ms", 0, LATEST_MS),
    )
    if found.truth == "owner" and found.method in BY_WORD:
        raise ValueError(f"{found.method} uses the votes of people, and the owner's answers are the truth")
    if found.spent <= 0.0:
        raise ValueError(f"the owner's check uses {found.check_delta:g} of delta, all that this freeze may")
    return found


def _recall(promise: Fields, given: Fields) -> float:
    """The recall target; 0 where the method audits labels and no recall is promised."""
    if given.get("method") == "labels" and promise.get("recall") == 0:
        return promise.number("recall", 0.0, 0.0)
    return promise.number("recall", 1e-9, 1.0)


def _delta(promise: Fields) -> float:
    """Below one half: only then what is accepted with some bad draws is accepted with fewer of them too."""
    delta = promise.number("delta", 1e-12)
    if delta >= 0.5:
        raise ValueError(f"delta is {delta:g}, not below 0.5")
    return delta


def _rung(value: object, ranks: int) -> Rung:
    given = Fields(value, "frozen.ladder")
    given.only(Rung.__dataclass_fields__)
    delta = {name: given.number(name, 0.0, 0.5) for name in ("accept_delta", "reject_delta")}
    return Rung(given.whole("rank", 0, ranks), **delta)


def _prior(given: Fields, name: str) -> tuple[tuple[float, float, float], ...]:
    """Beta distributions (weight, a, b) that add up to no more than one distribution."""
    parts, prior = [], Fields(given.get(name), f"frozen.{name}")
    prior.only(("parts",))
    for part in prior.list("parts", 100):
        if not isinstance(part, list) or len(part) != 3:
            raise ValueError(f"frozen.{name} has a part that is not [weight, a, b]")
        weight, a, b = (number(value, f"frozen.{name}", 0.0, 2.0**53) for value in part)
        if a <= 0.0 or b <= 0.0:
            raise ValueError(f"frozen.{name} is no mixture of beta distributions")
        parts.append((weight, a, b))
    whole = sum(weight for weight, _, _ in parts)
    if whole <= 0.0:
        raise ValueError(f"frozen.{name} has no part with a weight")
    if whole > 1.0 + 1e-9:
        raise ValueError(f"the weights of frozen.{name} add up to more than 1")
    return tuple(parts)


def _gold(value: object) -> Gold | None:
    if value is None:
        return None
    given = Fields(value, "frozen.gold")
    given.only(Gold.__dataclass_fields__)
    shown = {name: given.whole(name) for name in ("yes_shown", "no_shown")}
    return Gold(
        shown["yes_shown"],
        given.whole("yes_missed", 0, shown["yes_shown"]),
        shown["no_shown"],
        given.whole("no_missed", 0, shown["no_shown"]),
        given.whole("audited", 0, shown["yes_shown"] + shown["no_shown"]),
    )
