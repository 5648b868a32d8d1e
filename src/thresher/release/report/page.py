"""The page of a report: one file of HTML that loads nothing, runs nothing, and says so in its own security policy."""

import html
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from thresher import __version__
from thresher.release.report.chart import charts
from thresher.release.report.findings import (
    MINUTE_DIGITS,
    Bound,
    Findings,
    State,
    Wrong,
    counted,
    percent,
    printable,
    several,
    should_have_it,
)
from thresher.release.report.look import MARK, SIGNS, STYLE

VERDICTS: Final = {
    "certified": ("good", "Certified"),
    "not certified": ("bad", "Not certified"),
    "broken": ("bad", "The evidence does not verify"),
}


def escape(text: str) -> str:
    """Text as HTML, of which nothing is a tag and everything is seen."""
    return html.escape(printable(text))


def page(found: Findings) -> str:
    """The report on one label; of one whose evidence does not verify, that alone."""
    parts = [
        _verdict(found.state),
        f"<h1>{escape(headline(found))}</h1>",
        *(f'<p class="quiet">{escape(line)}</p>' for line in _explained(found)),
    ]
    if found.state != "broken":
        parts += [_facts(found), *_course(found), *_wrong(found), *_missed(found), *_left_out(found), *_basis(found)]
    return _whole(f"{found.label}: {VERDICTS[found.state][1].lower()}", [*parts, *_check(found)], found.at_ms)


def summary_page(every: Mapping[str, Findings]) -> str:
    """The report over several labels, each of which has one of its own in a folder beside it."""
    certified = sum(found.state == "certified" for found in every.values())
    first = next(iter(every.values()))
    rows = (
        f'<tr><td><a href="{escape(folder)}/report.html">{escape(found.label)}</a></td>'
        f'<td class="{VERDICTS[found.state][0]}">{VERDICTS[found.state][1]}</td>'
        f'<td class="number">{found.claimed:,}</td>{_numbers(found)}</tr>'
        for folder, found in every.items()
    )
    heads = ("labelled", "precision", "answers", "wrong found")
    told = '<th scope="col">label</th><th scope="col">verdict</th>'
    told += "".join(f'<th class="number" scope="col">{head}</th>' for head in heads)
    body = f"<thead><tr>{told}</tr></thead><tbody>{''.join(rows)}</tbody>"
    table = f'<div class="table"><table>{body}</table></div>'
    each = (
        f"Each label was audited by itself: each of these verdicts is false with a probability of at most "
        f"{first.delta:g}. That all of them hold is less sure than that each one does."
    )
    return _whole(
        f"{certified} of {len(every)} labels certified",
        [
            f"<h1>{certified} of {counted(len(every), 'label')} certified</h1>",
            f'<p class="quiet">Labels of {escape(first.file)}, target precision {percent(first.precision.target)}.</p>',
            table,
            f'<p class="quiet">{each}</p>',
        ],
        max(found.at_ms for found in every.values()),
    )


def _numbers(found: Findings) -> str:
    """Precision, answers and wrong labels found, as cells of the summary; none that rests on broken evidence."""
    cells = (_interval(found.precision), f"{found.all_answers:,}", f"{len(found.wrong):,}")
    return "".join(f'<td class="number">{"–" if found.state == "broken" else cell}</td>' for cell in cells)


def headline(found: Findings) -> str:
    """The verdict in one sentence."""
    share, what = percent(found.precision.target), f"{several(found.unit)} labelled {found.label}"
    if found.state == "broken":
        return f"Do not rely on this report: its evidence about the {what} does not verify."
    if found.state == "certified":
        recall = (
            f", and at least {percent(found.others.target)} of all {found.label} are labelled" if found.others else ""
        )
        return f"At least {share} of the {found.certified:,} {what} are right{recall}."
    if found.others and found.lacks_recall:
        return f"It is not proven that at least {percent(found.others.target)} of all {found.label} are labelled."
    if found.refuted:
        return f"Fewer than {share} of the {found.audited:,} {what} are right."
    return f"It is not proven that {share} of the {found.claimed:,} {what} are right."


def _verdict(state: str) -> str:
    tone, words = VERDICTS[state]
    sign = f'<svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">{SIGNS[state]}</svg>'
    return f'<p class="verdict {tone}">{sign}{words}</p>'


def _explained(found: Findings) -> Iterable[str]:
    if found.state == "broken":
        yield found.wrong_evidence
        return
    yield found.words
    if found.state == "not certified":
        sure = f"With {percent(found.confidence)} confidence"
        between = f"{percent(found.precision.lower)} and {percent(found.precision.upper, down=False)}"
        yield f"{sure}, between {between} of these labels are right."
        if found.others is not None and found.others.drawn:
            yield f"{sure}, {should_have_it(found.others)}."


def _facts(found: Findings) -> str:
    drawn = f"{found.answers:,} drawn from the {found.audited:,} with the label"
    if found.others is not None:
        drawn = f"{drawn}, {found.others.drawn:,} from the {found.others.images:,} without it"
    shown = [
        ("Precision", _interval(found.precision), f"target {percent(found.precision.target)}"),
        *_recall(found),
        ("Confidence", percent(found.confidence), f"false with probability {found.delta:g} at most"),
        ("Answers", f"{found.all_answers:,}", drawn),
        ("Wrong labels found", f"{len(found.wrong):,}", _fate(found)),
    ]
    return '<dl class="facts">' + "".join(
        f"<div><dt>{name}</dt><dd>{value}{f'<small>{told}</small>' if told else ''}</dd></div>"
        for name, value, told in shown
    ) + "</dl>"  # fmt: skip


def _recall(found: Findings) -> Iterable[tuple[str, str, str]]:
    """The recall that is proven; or what is known of the images without the label, as no interval of it is proven."""
    others = found.others
    if others is None:
        return
    target = f"target {percent(others.target)}"
    if found.state == "certified":
        yield "Recall", f"≥ {percent(others.target)}", target
    else:
        yield "Recall", "not proven", target


def _fate(found: Findings) -> str:
    if not found.wrong:
        return ""
    return "left out of what is certified" if found.state == "certified" else "to be corrected"


def _interval(bound: Bound) -> str:
    if bound.upper >= 1.0:
        return f"≥ {percent(bound.lower)}"
    return f"{percent(bound.lower)} to {percent(bound.upper, down=False)}"


def _course(found: Findings) -> Iterable[str]:
    chart = charts(found)
    if not chart:
        return
    number, low, high = found.path[-1]
    yield "<h2>After each answer</h2>"
    yield chart
    yield (
        f'<p class="quiet">After {counted(number, "answer")} the share of right labels lies between {percent(low)} and '
        f"{percent(high, down=False)}. The bounds hold at every answer, so that the audit may end at any.</p>"
    )


def _wrong(found: Findings) -> Iterable[str]:
    if not found.wrong:
        return
    yield f"<h2>{counted(len(found.wrong), 'wrong label')} found</h2>"
    yield '<p><a href="wrong.csv">wrong.csv</a> lists them, to be corrected.</p>'
    shown = [one for one in found.wrong if one.picture]
    items = (
        f'<li><img alt="labelled {escape(found.label)}" src="data:image/webp;base64,'
        f'{b64encode(one.picture).decode("ascii")}"><p>{escape(one.name)}<br><span class="quiet">{_beside(one)}</span>'
        "</p></li>"
        for one in shown
    )
    yield f'<ul class="found">{"".join(items)}</ul>'
    if len(shown) < len(found.wrong):
        yield f'<p class="quiet">{len(found.wrong) - len(shown):,} more are in the file.</p>'
    if found.state == "not certified" and (unseen := found.audited - found.answers) > 0:
        yield f"<p>Nobody has looked at the other {unseen:,}: more of them may be wrong.</p>"


def _beside(wrong: Wrong) -> str:
    """What is said of a wrong label beside its image."""
    score = "" if wrong.score is None else f"score {wrong.score:.3g}"
    return ", ".join(filter(None, (wrong.place, score, "" if wrong.drawn else "shown as doubtful")))


def _missed(found: Findings) -> Iterable[str]:
    if not found.missed:
        return
    yield f"<h2>{counted(found.missed, 'missed image')} found</h2>"
    yield (
        f'<p><a href="missed.csv">missed.csv</a> lists the images that lack the label {escape(found.label)} and should '
        "have it, by the answers.</p>"
    )


def _left_out(found: Findings) -> Iterable[str]:
    if not found.left_out:
        return
    yield "<h2>Left out</h2>"
    rows = "".join(f'<tr><td>{escape(why)}</td><td class="number">{n:,}</td></tr>' for why, n in found.left_out.items())
    yield f"<p>Nothing is said about these labels, because they could not be used.</p><table>{rows}</table>"


def _basis(found: Findings) -> Iterable[str]:
    yield "<h2>What this rests on</h2>"
    yield (
        f"<p>Question: “{escape(found.question)}” {several(found.unit).capitalize()} that carry the label were drawn "
        "at random, none twice, by a seed that was fixed before the first answer.</p>"
    )
    yield f"<p>{_TRUTH[found.truth]}</p>"
    if found.doubtful:
        yield (
            f"<p>{counted(found.doubtful, found.unit).capitalize()} with the lowest scores came first, outside the "
            "audit. These answers are no evidence: they mend labels, and the bounds are about the rest.</p>"
        )
    facts = {
        "labels": f"{found.file} ({found.kind})",
        "SHA-256 of the labels": found.source,
        "images in the pool": f"{found.images:,}",
        "of these labelled": f"{found.claimed:,}",
        "left after removal of the wrong ones": f"{found.certified:,}",
    }
    rows = "".join(f'<tr><th scope="row">{name}</th><td>{escape(value)}</td></tr>' for name, value in facts.items())
    yield f"<table>{rows}</table>"


_TRUTH: Final = {
    "owner": "One person, the owner, gave every answer. The owner's own errors count as the truth, and no bound counts "
    "them.",
    "people": "Several people answered each drawn image until they agreed, or the owner decided. Errors that most "
    "people make together leave no trace.",
}


_CHECKED: Final[Mapping[State, str]] = {
    "certified": "It recomputes every draw and every bound from the files of the evidence, which hold all answers; the "
    "claim does not depend on this page.",
    "not certified": "It says that this is no certificate, and recomputes the draws and the interval from the files of "
    "the evidence, which hold all answers.",
    "broken": "It lists what does not agree.",
}


def _check(found: Findings) -> Iterable[str]:
    yield "<h2>Check it yourself</h2>"
    if not found.evidence:
        yield "<p>Without a certificate there is nothing to verify; <code>certificate.json</code> says why.</p>"
        return
    yield f"<pre><code>thresher verify {escape(found.evidence)}</code></pre>"
    yield f"<p>{_CHECKED[found.state]}</p>"
    if found.verifier and found.state == "certified":
        yield (
            f'<p>Without thresher: open <a href="{escape(found.verifier)}">{escape(found.verifier)}</a> and drop the '
            f"folder {escape(found.evidence)} on it; it works offline.</p>"
        )
    if found.log_head:
        yield f"<p>Head of the audit log: <code>{escape(found.log_head)}</code></p>"


def _whole(title: str, parts: Iterable[str], at_ms: int) -> str:
    allowed = b64encode(sha256(STYLE.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    when = datetime.fromtimestamp(at_ms / 1000, UTC).strftime(MINUTE_DIGITS)
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style></head><body><main>",
            f"<header>{MARK}<p>thresher: are these labels right?</p></header>",
            *parts,
            f"<footer>Written {when} by thresher {__version__}.</footer></main></body></html>\n",
        )
    )
