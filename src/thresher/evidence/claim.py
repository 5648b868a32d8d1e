"""The sentences of a certificate: what is certified of what, by whose answers, and which errors it does not count.

`docs/certificate-format.md` (The sentences) defines them; the verifier makes them again from what it recomputed. Every
place that tells the claim takes them from here: the certificate and the card of a release, the loop, console and
status. Numbers have at most ten significant digits, counts a comma between thousands, days are in UTC.
"""

import math
from datetime import UTC, datetime

from thresher.evidence.martingale import cut_down
from thresher.evidence.noise import slips_of
from thresher.evidence.plan import delta_of
from thresher.evidence.state import Certified, Frozen

ANSWERS = {"people": "adjudicated answers", "owner": "the owner's answers"}
TOGETHER = "an image on which most annotators make the same error is not counted as an error"


def words_of(frozen: Frozen, certified: Certified, *, files: int) -> str:
    """All sentences as one text; `files` counts the released files, those of similar images included."""
    return " ".join(sentences(frozen, certified, files=files))


def sentences(frozen: Frozen, certified: Certified, *, files: int) -> tuple[str, ...]:
    """The claim; how similar images count; what is taken as the truth; what the owner checked; what is withheld."""
    return (
        claim(frozen, certified),
        _similar(files),
        *truth(frozen),
        *_checked(frozen, certified),
        *_withheld(certified),
    )


def claim(frozen: Frozen, certified: Certified) -> str:
    """What is certified, of how many images, of which pool, and by whose answers."""
    if frozen.method == "everything":
        return _of_everything(frozen, certified)
    promise, counts, delivered = frozen.promise, certified.counts, f"{certified.delivered:,}"
    start = f"With confidence {number(1 - promise.delta)}, by {ANSWERS[frozen.truth]}:"
    day = datetime.fromtimestamp(frozen.at_ms / 1000, UTC).strftime("%Y-%m-%d")
    pool = f"this pool of {frozen.units:,} images as frozen on {day}"
    if frozen.method == "labels" and (certified.delivered or certified.recall is None):
        return f"{start} {_of_labels(frozen, certified, pool)}"
    if certified.recall is None:
        sure = number(cut_down(1 - counts["reject_delta"]))
        return (
            f"{start} at least {number(promise.precision)} of the {delivered} released images are yes. If so, they "
            f"are, with confidence {sure}, at least {number(counts['recall_at_least'])} of all yes of {pool}; this "
            "method has no recall target."
        )
    if not certified.delivered:
        return f"{start} {pool} contains no yes, so the released set is empty."
    if certified.precision is None:
        return (
            f"{start} at least {number(promise.recall)} of all yes of {pool} are among the {delivered} released "
            f"images, of which then at least {number(counts['precision_at_least'])} are yes; this method has no "
            "precision target."
        )
    return (
        f"{start} at least {number(promise.precision)} of the {delivered} released images are yes, and they are at "
        f"least {number(promise.recall)} of all yes of {pool}."
    )


def _of_labels(frozen: Frozen, certified: Certified, pool: str) -> str:
    """The claim about labels that somebody else made, and about what is released of them.

    What is released lacks the errors that were found. The labels as they came are spoken of only if no image had been
    answered before the freeze and no answer was corrected since: then the audited images are all that they call yes.
    """
    counts, least = certified.counts, number(frozen.promise.precision)
    precise = f"at least {least} of the {certified.delivered:,} released images are yes"
    if frozen.units == frozen.ranks and counts["base"] == frozen.ladder[0].rank:
        called = f"at least {least} of the {int(counts['base']):,} images that the labels call yes are yes"
        precise = f"{called}, and {precise}"
    drawn = f"Of {int(counts['accept_drawn']):,} images drawn from those that the labels call yes"
    seen = f"{drawn}, {int(counts['accept_bad']):,} were not yes"
    if certified.recall is None:
        return f"{precise}; no recall is promised. {seen}."
    beyond = f"of {int(counts['reject_drawn']):,} drawn from the others, {int(counts['reject_bad']):,} were not no"
    return f"{precise}, and they are at least {number(certified.recall)} of all yes of {pool}. {seen}; {beyond}."


def _of_everything(frozen: Frozen, certified: Certified) -> str:
    """The claim where every image was labelled: it holds by count, so no confidence is named."""
    day = datetime.fromtimestamp(frozen.at_ms / 1000, UTC).strftime("%Y-%m-%d")
    start = f"Every image of this pool of {frozen.units:,} images as frozen on {day} was labelled by people"
    unanswerable = int(certified.counts["unanswerable"])
    what = "image that nobody could answer is" if unanswerable == 1 else "images that nobody could answer are"
    rest = f"; {unanswerable:,} {what} not released" if unanswerable else ""
    if not certified.delivered:
        return f"{start}: by these answers it contains no yes, so the released set is empty{rest}."
    return f"{start}: by these answers the {certified.delivered:,} released images are all of its yes{rest}."


def truth(frozen: Frozen) -> tuple[str, ...]:
    """What is taken as the truth, and which of its errors the bounds count."""
    if frozen.method == "everything":
        return (f"The answer of annotators who agree, else the adjudicated one, is taken as the truth: {TOGETHER}.",)
    if frozen.truth == "owner":
        return ("The owner's answers are taken as the truth.",)
    if frozen.gold is None:
        return (f"The adjudicated answers are taken as the truth: {TOGETHER}.",)
    slips, gold = slips_of(frozen.gold, delta_of(frozen)), frozen.gold
    yes, no = number(rounded_up(slips.yes_as_no)), number(rounded_up(slips.no_as_yes))
    drawn = f"{gold.audited:,} of them drawn at random by earlier audits"
    shown = f"{gold.yes_shown:,} and {gold.no_shown:,} gold images, {drawn}"
    counted = f"Independent errors of adjudication are counted, on at most {yes} of the yes and {no} of the no"
    return (f"{counted}, as measured on {shown}; {TOGETHER}.",)


def _checked(frozen: Frozen, certified: Certified) -> tuple[str, ...]:
    """What the owner's check proves, and what it says of the rejected images."""
    if not frozen.check_delta:
        return ()
    counts = {name: f"{int(value):,}" for name, value in certified.counts.items() if name.startswith("check_")}
    sure = number(cut_down(1 - certified.counts["check_delta"]))
    proven = (
        f"The owner checked {counts['check_drawn']} of the {counts['check_size']} images that people had proven so, "
        f"drawn at random, and {counts['check_bad']} were not yes: by the owner's answers at least "
        f"{number(frozen.promise.precision)} of the released images are yes, whatever errors annotators make together."
    )
    looked = (
        f"Of {counts['check_rejected_drawn']} rejected images {counts['check_rejected_bad']} were not no: with "
        f"confidence {sure}, at most {counts['check_missed_at_most']} of the {counts['check_rejected']} are yes."
    )
    return (proven, looked)


def _similar(files: int) -> str:
    return f"Similar images count once: {files:,} {'file is' if files == 1 else 'files are'} released."


def _withheld(certified: Certified) -> tuple[str, ...]:
    count = int(certified.counts.get("withheld", 0))
    if not count:
        return ()
    what = "image that people called yes is" if count == 1 else "images that people called yes are"
    return (f"{count:,} further {what} withheld: so many of them may be errors that the claim would not hold.",)


def number(value: float) -> str:
    """A number with at most ten significant digits."""
    return f"{value:.10g}"


def rounded_up(rate: float) -> float:
    """A rate, rounded up to four digits after the point."""
    return math.ceil(rate * 1e4 - 1e-6) / 1e4
