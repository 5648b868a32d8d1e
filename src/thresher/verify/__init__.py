"""Checks a certified release from its files alone, by calculations of its own: it imports nothing of the prover.

    verdict = verify(Path("out"), head="9f2c...")       holds, the sentences that it proves, and what is wrong

docs/certificate-format.md describes the files and every calculation. Whatever the files of a certified release hold,
the answer is a verdict; BadInput, which names the file, is for what cannot be read or is no release.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from thresher.errors import BadInput
from thresher.verify.card import check_card
from thresher.verify.case import Case, same, stop_of
from thresher.verify.check import check_owners, check_withheld
from thresher.verify.checks import Checks
from thresher.verify.formats import Wanted, check_formats
from thresher.verify.frozen import FORMAT, frozen_of
from thresher.verify.labels import TRUSTED, must_be_trusted, read_labels
from thresher.verify.log import Log, canonical, read_log
from thresher.verify.manifest import Manifest, read_manifest
from thresher.verify.methods import CHECKS
from thresher.verify.order import check_evidence
from thresher.verify.pool import CODE_OF, read_pool
from thresher.verify.reading import Wrong, bad, read_object, said, shown
from thresher.verify.refused import said_of_refused
from thresher.verify.released import delivered, images_released
from thresher.verify.sentence import sentences
from thresher.verify.signature import signer_of
from thresher.verify.values import Fields

__all__ = ["Verdict", "verify"]

NAME = "certificate.json"
FIELDS = (
    *("format", "certified", "words", "method", "truth", "category", "question", "question_version", "epoch", "round"),
    *("frozen", "result", "log_head"),
)
RESULT = ("precision", "recall", "delta", "accepted", "rejected", "delivered", "asked", "counts")
CATEGORY = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the certificate holds; the claim, made from what was recomputed, if it does; and what is wrong.

    `signed_by` is who of the trusted signers has signed the audit log, if they were given.
    """

    holds: bool
    claim: str
    wrong: tuple[str, ...]
    signed_by: str = ""


def verify(directory: Path, *, head: str = "", signers: Path | None = None) -> Verdict:
    """Whether the files of a release prove its claim, and are those that the claim is about.

    `head` is the published digest of a line of the audit log: the log must have it. `signers` is a file of trusted
    keys (signature.py): one of them must have signed the log. A release without a certificate never holds; of an audit
    of labels that failed, the interval is recomputed (refused.py). Raises BadInput for files that cannot be read and
    for what is no release, Missing without the program that checks signatures.
    """
    path, checks, claim = directory / NAME, Checks(), ""
    try:
        given = Fields(read_object(path), "the certificate")
        if "certified" not in given.names():
            raise bad("is no certificate: it does not say whether the release is certified.", path)
        if given.get("certified") is not True:
            return Verdict(False, "", said_of_refused(directory, given, head=head))
        if given.get("format") != FORMAT:
            what = f"has format {shown(given.get('format'))}, and only {FORMAT} is supported."
            raise BadInput(what, where=str(path), next="use the version of thresher that release.json names")
        claim = _verify(directory, given, head, checks)
    except Wrong as error:
        checks.that(False, said(error))
    except (ValueError, ArithmeticError, RecursionError) as error:
        checks.that(False, f"not in the format of a certificate: {said(error)}")
    except MemoryError as error:
        raise bad("takes more memory than there is.", path) from error
    who = signer_of(directory, signers) if signers else ""
    checks.that(signers is None or bool(who), "none of the trusted signers has signed the audit log")
    wrong = checks.all()
    return Verdict(not wrong, "" if wrong else claim, wrong, who)


def _verify(directory: Path, given: Fields, head: str, checks: Checks) -> str:
    """The sentences that the files prove, if nothing is noted in `checks`."""
    given.only(FIELDS)
    Fields(given.get("result"), "result").only(RESULT)
    frozen = frozen_of(given.get("frozen"))
    manifest, log = read_manifest(directory, checks), read_log(directory)
    _compare_log(given, log, head, checks)
    pool = read_pool(directory, frozen, checks)
    labels = read_labels(directory, frozen, log, pool, checks)
    must_be_trusted(directory, frozen.truth, checks)
    if checks.wrong:  # the calculations take what was compared so far for granted
        return ""
    case = Case(frozen, labels, log, stop_of(given.get("result"), frozen, labels, len(log.checked)), pool, checks)
    CHECKS[frozen.method](case)
    check_withheld(case)
    check_owners(case)
    if checks.wrong:
        return ""
    check_evidence(case)
    released = images_released(case)
    words = sentences(frozen, case.figures, delivered=delivered(case), files=len(released))
    _compare(given, manifest, case, words, checks)
    said_now = {one: name for one, code in labels.now.items() for name, other in CODE_OF.items() if other == code}
    category = given.text("category")
    listed = Fields(manifest.fields.get("counts"), "counts")
    counts = {word: listed.whole(word) for word in ("yes", "no", "unknown")}
    by = Fields(manifest.fields.get("yes_by"), "yes_by")
    grounds = {name: by.whole(name) for name in ("labelled", "inherited", "scored")}
    wanted = Wanted(released, pool.unit_of, said_now, TRUSTED[frozen.truth], category, counts, grounds)
    check_formats(directory, manifest, wanted, checks)
    check_card(directory, manifest, frozen, words, checks)
    return words


def _compare_log(given: Fields, log: Log, head: str, checks: Checks) -> None:
    same_frozen = canonical(log.frozen) == canonical(given.get("frozen"))
    checks.that(same_frozen, "what is frozen in the certificate is not the first line of the audit log")
    checks.that(given.get("log_head") == log.head, "the certificate names another head of the audit log")
    checks.that(not log.ended, "the freeze was ended for another, so it certifies nothing")
    checks.that(not head or head.lower() in log.heads, "the audit log has no line with the published head")


def _compare(given: Fields, manifest: Manifest, case: Case, words: str, checks: Checks) -> None:
    """The fields of certificate and manifest that repeat what was recomputed."""
    frozen, result = case.frozen, case.stop.given
    _compare_result(result, case, checks)
    expected: dict[str, object] = {
        "words": words,
        "method": frozen.method,
        "truth": frozen.truth,
        "epoch": frozen.epoch + 1,
    }
    for name, value in expected.items():
        checks.that(
            given.get(name) == value, f"{name}: the certificate says {shown(given.get(name))}, not {shown(value)}"
        )
    listed = manifest.fields
    for name, other in (("category", "category"), ("question", "question"), ("question_version", "version")):
        checks.that(given.get(name) == listed.get(other), f"{name}: certificate and manifest say different things")
    images, counts = len(images_released(case)), Fields(listed.get("counts"), "counts")
    whole = sum(counts.whole(word) for word in ("yes", "no", "unknown"))
    checks.that(listed.get("pool") == whole >= len(case.pool.unit_of), "the manifest's pool is not what it counts")
    by = Fields(listed.get("yes_by"), "yes_by")
    grounds = sum(by.whole(name) for name in ("labelled", "inherited", "scored"))
    checks.that(grounds == images, f"the manifest says of {grounds} images why they are yes, and {images} are")
    same_count = listed.get("images") == counts.get("yes") == images
    checks.that(same_count, f"the manifest counts {shown(listed.get('images'))} images, not {images}")
    texts = [Fields(one, "wordings").text("text") for one in listed.list("wordings")]
    same_question = case.log.question in texts and texts[-1:] == [given.get("question")]
    checks.that(same_question, "the question is not that of the freeze, nor told to be a later wording of it")
    same_category = (case.log.category, case.log.version) == (given.get("category"), given.get("question_version"))
    # it is the title of the card: a text with more lines could claim anything there
    checks.that(bool(CATEGORY.fullmatch(given.text("category"))), "the category has no valid name")
    checks.that(same_category, "category or version of the question are not those of the first line of the audit log")


def _compare_result(result: Fields, case: Case, checks: Checks) -> None:
    frozen = case.frozen
    promised = {
        "precision": None if frozen.method == "recall" else frozen.precision,
        "recall": None if frozen.method == "precision" or not frozen.recall else frozen.recall,
        "delta": frozen.delta,
        "delivered": delivered(case),
    }
    for name, value in promised.items():
        found = result.get(name)
        right = found is None if value is None else same(found, value)
        checks.that(right, f"{name}: the result says {shown(found)}, not {shown(value)}")
    counts = Fields(result.get("counts"), "result.counts")
    checks.that(counts.names() == case.figures.keys(), "the result counts other things than its method does")
    for name, number in case.figures.items():
        found = counts.get(name)
        checks.that(same(found, number), f"{name}: the result says {shown(found)}, not {number:g}")
