"""The badge and the paragraph for the card of a dataset. The badge is a file beside it: no site is asked for one."""

from html import escape

from thresher.release.report.findings import Findings, counted, percent, printable, several, should_have_it

GOOD, BAD, INK = "#2f7d32", "#b42318", "#16202a"
LETTER_PIXELS, MARGIN_PIXELS = 6.6, 10


def badge_words(found: Findings) -> tuple[str, str]:
    """What the badge says: its subject, and the verdict."""
    subject = f"labels: {printable(found.label)}"
    if found.state == "broken":
        return subject, "evidence broken"
    if found.others and found.lacks_recall:
        return subject, f"recall not certified at {percent(found.others.target)}"
    if found.state == "not certified":
        return subject, f"not certified at {percent(found.precision.target)}"
    recall = f", recall ≥ {percent(found.others.target)}" if found.others is not None else ""
    return subject, f"precision ≥ {percent(found.precision.target)}{recall}"


def badge_picture(found: Findings) -> str:
    """The badge as SVG."""
    subject, verdict = badge_words(found)
    first, second = (round(len(words) * LETTER_PIXELS) + 2 * MARGIN_PIXELS for words in (subject, verdict))
    colour = GOOD if found.state == "certified" else BAD
    whole = first + second
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="24" viewBox="0 0 {whole} 24" role="img"',
            f' aria-label="{escape(f"{subject}, {verdict}")}">',
            f"<title>{escape(f'{subject}, {verdict}')}</title>",
            f'<rect width="{whole}" height="24" rx="4" fill="{INK}"/>',
            f'<path fill="{colour}" d="M{first} 0h{second - 4}a4 4 0 0 1 4 4v16a4 4 0 0 1-4 4h-{second - 4}z"/>',
            '<g fill="#fff" font-family="system-ui, sans-serif" font-size="12" text-anchor="middle">',
            _text(subject, first / 2, first),
            _text(verdict, first + second / 2, second),
            "</g></svg>\n",
        )
    )


def _text(words: str, middle: float, width: int) -> str:
    length = width - 2 * MARGIN_PIXELS  # the same width in every font
    return f'<text x="{middle:g}" y="16" textLength="{length}" lengthAdjust="spacingAndGlyphs">{escape(words)}</text>'


def badge_text(found: Findings) -> str:
    """The badge as Markdown: its picture, which leads to the report."""
    return f"[![{_plain(', '.join(badge_words(found)))}](badge.svg)](report.html)\n"


def paragraph(found: Findings) -> str:
    """The paragraph for a dataset card, as Markdown."""
    label, share = _plain(found.label), percent(found.precision.target)
    head = f" Head of the audit log: `{found.log_head}`." if found.log_head else ""
    if found.state == "broken":
        return f"The evidence about the label {label} does not verify: {_plain(found.wrong_evidence)}\n"
    who = "the owner of the dataset" if found.truth == "owner" else "several people who had to agree"
    besides = f", not counting {counted(found.doubtful, 'doubtful one')} looked at before" if found.doubtful else ""
    without = f" and {found.others.drawn:,} from the {found.others.images:,} that do not" if found.others else ""
    how = (
        f"{counted(found.answers, found.unit)} drawn at random without replacement from "
        f"the {found.audited:,} that carry the label{without}{besides}; {who} answered."
    )
    if found.state == "certified":
        recall = (
            f", and they are at least {percent(found.others.target)} of all {label} in the pool"
            if found.others is not None
            else ""
        )
        return (
            f"Of the {found.certified:,} {several(found.unit)} labelled {label}, at least {share} are right{recall} "
            f"({percent(found.confidence)} confidence). The proof rests on {how} "
            f"`thresher verify {found.evidence}` recomputes it from its files.{head}\n"
        )
    sure = f"{percent(found.confidence)} confidence"
    if found.others and found.lacks_recall:
        return (
            f"It is not proven that at least {percent(found.others.target)} of all {label} are labelled: "
            f"{should_have_it(found.others)} ({sure}). This rests on {how}{head}\n"
        )
    between = f"{percent(found.precision.lower)} and {percent(found.precision.upper, down=False)}"
    verdict = (
        f"Fewer than {share} of the {found.audited:,} {several(found.unit)} labelled {label} are right"
        if found.refuted
        else f"It is not proven that {share} of the {found.claimed:,} {several(found.unit)} labelled {label} are right"
    )
    return f"{verdict}: between {between} are ({sure}). This rests on {how}{head}\n"


def _plain(text: str) -> str:
    """A text on one line, with what Markdown or HTML would take for its own escaped."""
    one = escape(printable(" ".join(text.split())), quote=False)
    return "".join(f"\\{letter}" if letter in "\\`*_[]#|" else letter for letter in one)
