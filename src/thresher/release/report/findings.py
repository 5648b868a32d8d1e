"""The contents of a report: what was claimed, what was answered, what is proven, and the wrong labels found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

State = Literal["certified", "not certified", "broken"]
"""`broken`: the evidence that was written does not agree with the certificate (`thresher verify` says no)."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A share that was to be proven: its target, and the interval in which it lies with the report's confidence."""

    target: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Others:
    """The audit of the `images` without the label, where recall has a `target`; `drawn` of them were answered.

    With the report's confidence, a share of them between `lower` and `upper` should have the label. The recall is
    proven once it is proven that no more than `most` should.
    """

    target: float
    images: int = 0
    drawn: int = 0
    lower: float = 0.0
    upper: float = 1.0
    most: float = 0.0


@dataclass(frozen=True, slots=True)
class Wrong:
    """A label that an answer contradicts. `picture` is a small WebP for the page, empty where there is room no more.

    `place` is where it stands in its file, as "line 3", or empty. `drawn`: found by the audit; otherwise among the
    doubtful ones that were shown first.
    """

    name: str
    place: str = ""
    score: float | None = None
    drawn: bool = True
    picture: bytes = b""


@dataclass(frozen=True)
class Findings:
    """All that a report says of one label.

    `claimed` images carry the label, of `images` in the pool; `certified` are left without those found wrong. `answers`
    were given on images drawn from the `audited` ones, and `doubtful` on those shown first, which are no evidence.
    `lacks_recall`: only the recall is not proven. `others` is None where recall is no target.
    `words` is the claim of the certificate, or why there is none; `path` has the lower and the upper bound on precision
    after each number of answers. `left_out` counts what of the labels could not be used, by reason. `missed` images
    lack the label and should have it. `evidence` is the folder of the evidence beside the report, empty if there is
    none; `wrong_evidence` why it does not verify; `verifier` a page beside the report that verifies it in a browser.
    """

    label: str
    question: str
    state: State
    words: str
    file: str
    kind: str
    source: str
    claimed: int
    images: int
    certified: int
    audited: int
    answers: int
    delta: float
    precision: Bound
    at_ms: int
    others: Others | None = None
    lacks_recall: bool = False
    doubtful: int = 0
    truth: str = "owner"
    unit: str = "image"
    wrong: Sequence[Wrong] = ()
    path: Sequence[tuple[int, float, float]] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    missed: int = 0
    evidence: str = ""
    wrong_evidence: str = ""
    verifier: str = ""
    log_head: str = ""

    @property
    def confidence(self) -> float:
        """The confidence of the bounds."""
        return 1.0 - self.delta

    @property
    def all_answers(self) -> int:
        """The answers to all draws, from the images with the label and from those without."""
        return self.answers + (self.others.drawn if self.others else 0)

    @property
    def refuted(self) -> bool:
        """Whether the precision is proven to miss its target, which is more than a proof that is lacking."""
        return self.state == "not certified" and self.precision.upper < self.precision.target


def printable(text: str) -> str:
    """Text of strangers with a sign for each character that is not printed, but for spaces and joiners of letters.

    XML has no control characters, and those that turn the direction of writing would let a label rewrite a verdict.
    """
    return "".join(letter if letter.isprintable() or letter in _KEPT else "\ufffd" for letter in text)


_KEPT: Final = "\n\u00a0\u200c\u200d"
MINUTE_DIGITS: Final = "%Y-%m-%d %H:%M UTC"


def percent(share: float, *, down: bool = True) -> str:
    """A share as a percentage of one decimal, rounded so that it says no more than the share does."""
    from math import ceil, floor

    scaled = round(share * 1000, 6)
    tenths = floor(scaled) if down else ceil(scaled)
    whole = tenths / 10
    # a no-break space, so that the number never parts from its unit
    return f"{whole:.0f}\u00a0%" if whole == int(whole) else f"{whole:.1f}\u00a0%"


def should_have_it(others: Others) -> str:
    """How many of the images without the label should have it, and how many may."""
    between = f"{percent(others.lower)} to {percent(others.upper, down=False)}"
    may = f"at most {percent(others.most)} may"
    return f"{between} of the {others.images:,} images without the label should have it, and {may}"


def counted(number: int, what: str) -> str:
    """A number with its noun, in the singular for one."""
    return f"{number:,} {what if number == 1 else several(what)}"


def several(what: str) -> str:
    """The plural of a noun of this page."""
    return what + ("es" if what.endswith("x") else "s")
