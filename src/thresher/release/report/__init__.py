"""The report on labels that were made elsewhere: one page for people, a badge and a paragraph for a dataset card."""

from pathlib import Path

from thresher.release.plan import write_whole
from thresher.release.report.badge import badge_picture, badge_text, paragraph
from thresher.release.report.findings import Bound, Findings, Others, Wrong, percent
from thresher.release.report.page import headline, page, summary_page

__all__ = ["Bound", "Findings", "Others", "Wrong", "headline", "percent", "write_report", "write_summary"]


def write_report(found: Findings, to: Path) -> None:
    """Write `report.html`, `badge.md` with its picture, and `paragraph.md` into a directory."""
    to.mkdir(parents=True, exist_ok=True)
    write_whole(to / "report.html", page(found).encode())
    write_whole(to / "badge.svg", badge_picture(found).encode())
    write_whole(to / "badge.md", badge_text(found).encode())
    write_whole(to / "paragraph.md", paragraph(found).encode())


def write_summary(every: dict[str, Findings], to: Path) -> None:
    """Write `report.html` over the reports of several labels, by the name of each one's folder beside it."""
    to.mkdir(parents=True, exist_ok=True)
    write_whole(to / "report.html", summary_page(every).encode())
