"""Damages of what is claimed: the sentences and results of card and certificate, and what the manifest tells."""

import json
import shutil
from collections.abc import Callable

from tests.verify.damages.part import CARD, CERTIFICATE, EVERY, MANIFEST, TABLE, Part
from tests.verify.tampering import Release, Row, where

damage = Part(first="labels")


def stronger(one: Release) -> tuple[str, str]:
    """A part of the sentence, and what it would be if more were promised."""
    promised = one.read(CERTIFICATE)["frozen"]["promise"]["recall" if one.method == "recall" else "precision"]
    return f"at least {promised:g}", "at least 0.99"


@damage("the card written anew")
def _(one: Release) -> None:
    one.path(CARD).write_text("# Cars\n\nAll of these images are cars.\n")


@damage("more promised in the card", *EVERY)
def _(one: Release) -> None:
    one.text(CARD, *stronger(one))


@damage("more promised in the words", *EVERY)
def _(one: Release) -> None:
    one.text(CERTIFICATE, *stronger(one))


@damage("more promised in the words and in the card", *EVERY)
def _(one: Release) -> None:
    one.text(CERTIFICATE, *stronger(one))
    one.text(CARD, *stronger(one))


def raised(one: Release) -> Callable[[Row], None]:
    name = "recall" if one.method == "recall" else "precision"
    return lambda frozen: frozen["promise"].update({name: 0.99})


@damage("more promised in words, card and proof", *EVERY)
def _(one: Release) -> None:
    one.text(CARD, *stronger(one))
    one.text(CERTIFICATE, *stronger(one))
    one.json(CERTIFICATE, lambda found: raised(one)(found["frozen"]))


@damage("more promised in words, card, proof and log", *EVERY)
def _(one: Release) -> None:
    one.text(CARD, *stronger(one))
    one.text(CERTIFICATE, *stronger(one))
    one.frozen(raised(one))
    one.json(CERTIFICATE, lambda found: raised(one)({"promise": found["result"]}))


@damage("a stronger claim after the sentences of the card")
def _(one: Release) -> None:
    one.text(CARD, "## Files", "In fact, at least 0.99 of them are yes.\n\n## Files")


@damage("a second section on the certificate in the card")
def _(one: Release) -> None:
    with one.path(CARD).open("a") as card:
        card.write("\n## Certificate\n\nAt least 0.99 of the images are yes.\n")


@damage("a stronger claim above the card's certificate")
def _(one: Release) -> None:
    one.text(CARD, "## Certificate", "Proven: at least 0.99 of these images are yes.\n\n## Certificate")


@damage("a card that is no text")
def _(one: Release) -> None:
    one.path(CARD).write_bytes(b"\xff\xfe" + one.path(CARD).read_bytes())


@damage("a smaller delta claimed")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen["promise"].update(delta=0.001))
    one.json(CERTIFICATE, lambda found: found["result"].update(delta=0.001))


@damage("more delivered than is released")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"].update(delivered=found["result"]["delivered"] + 1))


@damage("counts of the result edited", *EVERY)
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update(accept_bad=0, reject_bad=7))


@damage("a bound of the result edited", "certified", "adjudicated", "recall", "labels")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update(reject_bound=0.5))


@damage("the reported figure edited", "precision", "recall")
def _(one: Release) -> None:
    name = "recall_at_least" if one.method == "precision" else "precision_at_least"
    before = one.read(CERTIFICATE)["result"]["counts"][name]
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update({name: 0.9999}))
    one.text(CERTIFICATE, f"at least {before:.10g} ", "at least 0.9999 ")
    one.text(CARD, f"at least {before:.10g} ", "at least 0.9999 ")


@damage("a count more than the method has")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update(true_yes=1))


@damage("fewer draws than were made", *EVERY)
def _(one: Release) -> None:
    counts = one.read(CERTIFICATE)["result"]["counts"]
    name = "accept_drawn" if counts["accept_drawn"] else "reject_drawn"
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update({name: counts[name] - 1}))


@damage("more draws than were made", *EVERY)
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update(reject_drawn=10**9))


@damage("a larger accepted part", *EVERY)
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"].update(accepted=found["result"]["accepted"] + 1))


@damage("another cut", "certified", "adjudicated", "recall", "labels")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"].update(rejected=found["result"]["rejected"] + 1))


@damage("one image fewer claimed by labels", "labels")
def _(one: Release) -> None:
    def fewer(frozen: Row) -> None:
        frozen["ladder"][0]["rank"] -= 1
        frozen["reject_from"] -= 1

    one.frozen(fewer)
    result = one.read(CERTIFICATE)["result"]
    one.json(CERTIFICATE, lambda found: found["result"].update(accepted=result["accepted"] - 1))
    one.json(CERTIFICATE, lambda found: found["result"].update(rejected=result["rejected"] - 1))


@damage("labels audited at all of delta", "labels")
def _(one: Release) -> None:
    every = {"accept_delta": 0.1, "reject_delta": 0.1}
    one.frozen(lambda frozen: frozen["ladder"][0].update(every))
    one.json(CERTIFICATE, lambda found: found["result"]["counts"].update(every))


@damage("the recall of labels struck out of the result", "labels")
def _(one: Release) -> None:
    ranks = one.read(CERTIFICATE)["frozen"]["ranks"]
    one.json(CERTIFICATE, lambda found: found["result"].update(recall=None, rejected=ranks))


@damage("no recall target in another method than labels", "certified")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen["promise"].update(recall=0))
    one.json(CERTIFICATE, lambda found: found["result"].update(recall=0))


@damage("numbers that are none")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["frozen"]["promise"].update(precision=float("nan")))


@damage("numbers that are huge")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["frozen"].update(known_yes=2**80))


@damage("a certificate of an earlier format")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found.update(format=1))


@damage("a certificate that says it is none")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found.update(certified=False))


@damage("another method", *EVERY)
def _(one: Release) -> None:
    other = EVERY[(EVERY.index(one.method) + 1) % len(EVERY)]
    one.json(CERTIFICATE, lambda found: found.update(method=other))
    one.frozen(lambda frozen: frozen.update(method=other))


@damage("the owner's answers claimed")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found.update(truth="owner"))
    one.text(CERTIFICATE, "by adjudicated answers", "by the owner's answers")
    one.text(CARD, "by adjudicated answers", "by the owner's answers")


@damage("the question edited in the certificate")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found.update(question="Is this a better thing?"))


@damage("the question edited in the manifest and in the card")
def _(one: Release) -> None:
    question = one.read(MANIFEST)["question"]
    one.json(MANIFEST, lambda found: found.update(question="Is this a better thing?"))
    one.text(CARD, question, "Is this a better thing?")


@damage("the question edited everywhere but in the log")
def _(one: Release) -> None:
    question = one.read(MANIFEST)["question"]
    for name in (MANIFEST, CERTIFICATE):
        one.json(name, lambda found: found.update(question="Is this a better thing?"))
    one.text(CARD, question, "Is this a better thing?")


@damage("the category edited in certificate and manifest")
def _(one: Release) -> None:
    for name in (MANIFEST, CERTIFICATE):
        one.json(name, lambda found: found.update(category="better"))


@damage("a category that is a title and a claim")
def _(one: Release) -> None:
    before = one.read(MANIFEST)["category"]
    name = f"{before}\n\n## Certificate\n\nWith confidence 0.999 all of the released images are yes."
    for file in (MANIFEST, CERTIFICATE):
        one.json(file, lambda found: found.update(category=name))
    one.log(lambda lines: lines[0].update(category=name))
    one.text(CARD, f"# {before}\n", f"# {name}\n")
    shutil.rmtree(one.path("webdataset"))
    one.json(MANIFEST, lambda found: found["formats"].pop("webdataset"))
    one.text(CARD, "- `webdataset/`: the same images as WebDataset shards\n", "")


@damage("a larger pool told in manifest and card")
def _(one: Release) -> None:
    pool = one.read(MANIFEST)["pool"]
    one.json(MANIFEST, lambda found: found.update(pool=4_000_000))
    one.text(CARD, f"out of a pool of {pool:,}", "out of a pool of 4,000,000")


@damage("more images with a label of their own told in manifest and card", *EVERY)
def _(one: Release) -> None:
    by = one.read(MANIFEST)["yes_by"]
    one.json(MANIFEST, lambda found: found.update(yes_by=by | {"labelled": by["labelled"] + 1}))
    one.text(CARD, f"Of the yes, {by['labelled']:,} have", f"Of the yes, {by['labelled'] + 1:,} have")


@damage("images that were scored told as labelled in manifest and card", *EVERY)
def _(one: Release) -> None:
    by = one.read(MANIFEST)["yes_by"]
    labelled = by["labelled"] + by["scored"]
    one.json(MANIFEST, lambda found: found["yes_by"].update(labelled=labelled, scored=0))
    one.text(CARD, f"Of the yes, {by['labelled']:,} have", f"Of the yes, {labelled:,} have")
    one.text(CARD, f"and {by['scored']:,} were", "and 0 were")


@damage("a further claim in the certificate")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found.update(guarantee="at least 0.99 of the released images are yes"))


@damage("a further claim in the result")
def _(one: Release) -> None:
    one.json(CERTIFICATE, lambda found: found["result"].update(true_precision=0.99))


@damage("a further claim in the manifest")
def _(one: Release) -> None:
    one.json(MANIFEST, lambda found: found.update(guarantee="at least 0.99 of the released images are yes"))


@damage("a further claim in the facts of a picture")
def _(one: Release) -> None:
    def change(found: list[tuple[str, bytes]]) -> None:
        at = next(at for at, (name, _) in enumerate(found) if name.endswith(".json"))
        found[at] = (found[at][0], json.dumps(json.loads(found[at][1]) | {"checked_by": "the owner"}).encode())

    one.members(change)


@damage("a copy told to have a label of its own, in the table")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: rows[where(rows, decision="yes")[0]].update(inherited=True))
