"""The report on labels: it says what was found and no more, loads nothing, and takes no text for a tag."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.pictures_for_tests import picture

from thresher.annotations import read
from thresher.pictures import render
from thresher.release.report import Bound, Findings, Wrong, headline, write_report, write_summary
from thresher.release.report.badge import paragraph
from thresher.release.report.corrections import write_wrong
from thresher.release.report.findings import percent

CERTIFIED = Findings(
    label="car",
    question="Does this image show: car?",
    state="certified",
    words="The claim.",
    file="labels.csv",
    kind="csv",
    source="ab" * 32,
    claimed=100,
    images=120,
    certified=99,
    audited=95,
    answers=40,
    delta=0.05,
    precision=Bound(0.95, 0.95, 1.0),
    at_ms=1_700_000_000_000,
    doubtful=5,
    wrong=[Wrong("a.jpg", "line 7", 0.25, drawn=False, picture=render(picture(1), long_side=64))],
    path=[(0, 0.0, 1.0), (20, 0.8, 1.0), (40, 0.95, 1.0)],
    left_out={"no image has the name": 2},
    evidence="evidence",
    log_head="cd" * 32,
)
FAILED = replace(
    CERTIFIED, state="not certified", precision=Bound(0.95, 0.6123, 0.8765), words="Why not.", evidence="", log_head=""
)
UNPROVEN = replace(FAILED, precision=Bound(0.95, 0.6123, 0.9765))
BROKEN = replace(CERTIFIED, state="broken", wrong_evidence="pool.parquet does not match.")


def written(found: Findings, to: Path) -> str:
    write_report(found, to)
    return (to / "report.html").read_text("utf-8")


@pytest.mark.parametrize("found", [CERTIFIED, FAILED, BROKEN], ids=lambda found: found.state)
def test_the_page_loads_and_runs_nothing_by_its_own_policy(found: Findings, tmp_path: Path) -> None:
    page = written(found, tmp_path)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    allowed = b64encode(sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'" in page
    assert "<script" not in page
    assert " style=" not in page
    assert {address for address in re.findall(r'(?:src|href)="([^"]*)"', page) if not address.startswith("data:")} <= {
        "wrong.csv"
    }
    assert "url(" not in style
    assert "@import" not in style


def test_a_certificate_says_what_it_is_about(tmp_path: Path) -> None:
    page = written(CERTIFIED, tmp_path)
    for words in (
        "At least 95\u00a0% of the 99 images labelled car are right.",
        "40 drawn from the 95 with the label",
        "line 7, score 0.25, shown as doubtful",
        "no image has the name",
        "5 images with the lowest scores came first, outside the audit. These answers are no evidence",
        "thresher verify evidence",
        "cd" * 32,
    ):
        assert words in page
    paragraph = (tmp_path / "paragraph.md").read_text("utf-8")
    assert "40 images drawn at random without replacement from the 95 that carry the label" in paragraph
    assert "not counting 5 doubtful ones looked at before" in paragraph


def test_a_failure_gives_the_interval_and_claims_nothing(tmp_path: Path) -> None:
    page = written(FAILED, tmp_path)
    assert "between 61.2\u00a0% and 87.7\u00a0% of these labels are right" in page
    assert "At least 95" not in page
    assert "not certified at 95\u00a0%" in (tmp_path / "badge.svg").read_text("utf-8")
    assert "It is not proven that 95\u00a0%" in paragraph(UNPROVEN)


def test_a_bound_below_the_target_is_told_as_a_refutation_and_not_as_a_lack_of_proof(tmp_path: Path) -> None:
    page = written(FAILED, tmp_path)
    assert "Fewer than 95\u00a0% of the 95 images labelled car are right." in page
    assert "Nobody has looked at the other 55: more of them may be wrong." in page
    assert "Fewer than 95\u00a0% of the 95 images" in (tmp_path / "paragraph.md").read_text("utf-8")
    page = written(UNPROVEN, tmp_path)
    assert "It is not proven that 95\u00a0% of the 100 images labelled car are right." in page
    assert "Fewer than" not in page


def test_a_wrong_label_without_a_line_is_named_by_its_image_alone(tmp_path: Path) -> None:
    of_a_folder = Wrong("car/a.jpg", picture=render(picture(1), long_side=64))
    page = written(replace(CERTIFIED, wrong=[of_a_folder]), tmp_path)
    assert '<p>car/a.jpg<br><span class="quiet"></span></p>' in page


def test_broken_evidence_is_all_that_is_said(tmp_path: Path) -> None:
    page = written(BROKEN, tmp_path)
    assert "Do not rely on this report" in page
    assert "pool.parquet does not match." in page
    assert "95\u00a0%" not in page
    assert "It lists what does not agree." in page
    assert "no certificate" not in page
    assert "evidence broken" in (tmp_path / "badge.md").read_text("utf-8")
    write_summary({"car": CERTIFIED, "bus": replace(BROKEN, precision=Bound(0.95, 0.97, 1.0))}, tmp_path)
    (row,) = re.findall(r'<tr><td><a href="bus/.*?</tr>', (tmp_path / "report.html").read_text("utf-8"))
    assert re.findall(r'<td class="number">(.*?)</td>', row) == ["100", "–", "–", "–"]


@pytest.mark.parametrize("found", [CERTIFIED, FAILED, BROKEN], ids=lambda found: found.state)
def test_names_of_strangers_become_no_tags_and_no_markdown(found: Findings, tmp_path: Path) -> None:
    evil = '<img src=x onerror="alert(1)">](http://evil.example)`|'
    hostile = replace(
        found,
        label=evil,
        question=evil,
        file=evil,
        words=evil,
        wrong_evidence=evil,
        wrong=[Wrong(evil, "line 1")],
        left_out={evil: 1},
    )
    page = written(hostile, tmp_path)
    assert "<img src=x" not in page
    assert 'onerror="' not in page
    for name in ("badge.svg", "badge.md", "paragraph.md"):
        text = (tmp_path / name).read_text("utf-8")
        assert "<img src=x" not in text
        assert name == "badge.svg" or not re.search(r"(?<!\\)\]\(http://evil", text)
    write_summary({"a": hostile, "b": CERTIFIED}, tmp_path / "all")
    assert "<img src=x" not in (tmp_path / "all" / "report.html").read_text("utf-8")


def test_what_is_not_printed_neither_breaks_the_badge_nor_turns_the_verdict_around(tmp_path: Path) -> None:
    label = "car\x00\x1b[2J\u202edeifitrec ton"
    page = written(replace(CERTIFIED, label=label, wrong=[Wrong(label, "line 1", picture=b"x")]), tmp_path)
    ET.fromstring((tmp_path / "badge.svg").read_bytes())
    for text in (page, *((tmp_path / name).read_text("utf-8") for name in ("badge.svg", "badge.md", "paragraph.md"))):
        assert "car\ufffd\ufffd" in text
        assert not set(text) & set("\x00\x1b\u202e")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.jsonl", '{"image_id": "a.jpg", "label": ["car"], "n": 1}\n{"image_id": "b.jpg", "label": ["car"]}\n'),
        ("labels.csv", "img,label,note\na.jpg,car,\xff\nb.jpg,car,fine\n"),
    ],
)
def test_wrong_labels_are_listed_although_their_lines_cannot_be_written_again(
    name: str, text: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    claims = read(tmp_path / name)
    write_wrong(claims, [0], tmp_path / "wrong.csv")
    lines = (tmp_path / "wrong.csv").read_text("utf-8").splitlines()
    assert [line.split(",")[:3] for line in lines] == [
        ["line", "image", "label"],
        [str(claims.claims[0].line), "a.jpg", "car"],
    ]


def test_lines_of_a_table_with_a_bad_line_elsewhere_are_listed_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"img,label,note\na.jpg,car,\xff\nb.jpg,car,fine\n")
    write_wrong(read(tmp_path / "labels.csv"), [1], tmp_path / "wrong.csv")
    assert (tmp_path / "wrong.csv").read_text("utf-8") == "img,label,note\nb.jpg,car,fine\n"


def test_the_summary_links_each_label_and_says_that_each_is_false_by_itself(tmp_path: Path) -> None:
    write_summary({"car": CERTIFIED, "bus": replace(FAILED, label="bus")}, tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "1 of 2 labels certified" in page
    assert 'href="car/report.html"' in page
    assert "each of these verdicts is false with a probability of at most 0.05" in page


def test_a_share_is_never_rounded_to_more_than_it_is() -> None:
    assert percent(0.9499) == "94.9\u00a0%"
    assert percent(0.95) == "95\u00a0%"
    assert percent(0.8761, down=False) == "87.7\u00a0%"
    assert percent(1.0) == "100\u00a0%"
    assert headline(replace(CERTIFIED, unit="box")).startswith("At least 95\u00a0% of the 99 boxes labelled car")
