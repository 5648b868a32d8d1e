"""Labels from elsewhere, audited by the owner at the HTTP API, and the report on them."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from tests.labelled import Labelled, at_page, known_of, labelled, rows_of
from tests.serving import serving

from thresher.annotations import read
from thresher.harvest.claimed import Finder, source_of
from thresher.loop.audited import figures, told
from thresher.loop.autopilot import FINAL
from thresher.loop.certify import one_turn
from thresher.loop.findings import report_on
from thresher.loop.mending import doubtful
from thresher.loop.taken import Order, take
from thresher.loop.turn import Process, Turn
from thresher.records import OWNER, Label, Purpose, Says, Source, Targets, Worker
from thresher.release.report import Findings
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import verify
from thresher.workforce.links import Links

TARGETS = Targets(precision=0.8, recall=0.0, delta=0.1, method="labels", truth="owner")
ORDER = Order("car", "car", "Does this image show: car?", TARGETS)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.but(processes=1, similar_groups=False)


def certified(
    made: Labelled,
    store: Store,
    settings: Settings,
    order: Order = ORDER,
    *,
    first: int = 0,
    heard: Callable[[str], None] = lambda _: None,
) -> Findings:
    """The report after the owner has answered all that the audit asks, task by task."""
    claims = read(made.labels)
    finder = Finder(claims, [source_of(str(made.photos))], settings.fetch_bytes)
    taken = take(order, finder, store=store, settings=settings, now_ms=9)
    rows = doubtful("car", first, store=store)
    store.people.add(Worker(id=OWNER, name="", owner=True, invite="", created_ms=1))
    names = {name: store.images.read(row) for name in _names(made) for row in store.categories.find("car", [name])[0]}
    known = known_of(made, names.__getitem__) if len(names) == len(_names(made)) else known_of(made)
    came_to = Turn("asking", "")
    with (
        serving(store, settings) as served,
        at_page(served.url, Links(store.secret()).worker(OWNER), known) as owner,
    ):
        while came_to.state not in FINAL:
            came_to = one_turn("car", rows, store=store, settings=settings, process=Process())
            heard(told("car", store=store))
            answered = owner.task()
            assert answered or came_to.state in FINAL
    return report_on(order, taken, claims, made.folder / "report", store=store, now_ms=99)


def _names(made: Labelled) -> list[str]:
    return [row["file"] for row in rows_of(made.truth)]


def test_wrong_labels_are_not_certified_and_are_listed_to_be_corrected(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    made = labelled(tmp_path, 60, wrong=range(0, 60, 2))
    found = certified(made, store, settings)
    assert found.state == "not certified"
    report = made.folder / "report"
    kept = json.loads((report / "certificate.json").read_text("utf-8"))
    assert kept["certified"] is False
    assert 0 <= kept["precision_interval"]["lower"] < 0.5 < kept["precision_interval"]["upper"] < 0.8
    listed = rows_of(report / "wrong.csv")
    assert len(listed) == len(found.wrong) > 0
    assert {row["file"] for row in listed} <= set(made.wrong)
    assert [row for row in rows_of(made.labels) if row in listed] == listed  # their lines, unchanged
    page = (report / "report.html").read_text("utf-8")
    assert "Fewer than 80\u00a0% of the 60 images labelled car are right." in page
    assert json.loads((report / "evidence" / "certificate.json").read_text("utf-8"))["certified"] is False
    assert found.path[-1][1:] == (found.precision.lower, found.precision.upper)


def test_wrong_labels_are_listed_by_what_was_read_where_their_file_changed_before_the_report(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    made = labelled(tmp_path, 60, wrong=range(0, 60, 2))
    head, *lines = made.labels.read_text("utf-8").splitlines()

    def changed(_: str) -> None:
        made.labels.write_text("\n".join((head, "new.jpg,car,0.5,by hand", *lines)), "utf-8")

    assert certified(made, store, settings, heard=changed).state == "not certified"
    listed = rows_of(made.folder / "report" / "wrong.csv")
    assert listed
    assert {row["image"] for row in listed} <= set(made.wrong)


def test_the_most_doubtful_labels_are_shown_first_and_mended_but_are_no_evidence(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    made = labelled(tmp_path, 60, wrong=[57, 58, 59])  # those with the lowest scores
    said: list[str] = []
    found = certified(made, store, settings, first=6, heard=said.append)
    assert found.state == "certified"
    assert said[:2] == ["", "6 doubtful labels answered, 3 wrong."]
    report = made.folder / "report"
    kept = json.loads((report / "certificate.json").read_text("utf-8"))
    assert kept["frozen"]["ranks"] == 54
    assert kept["frozen"]["known_yes"] == 3
    assert kept["result"]["counts"]["accept_bad"] == 0
    assert (found.doubtful, found.audited, found.certified) == (6, 54, 57)
    assert {row["file"] for row in rows_of(report / "wrong.csv")} == set(made.wrong)
    page = (report / "report.html").read_text("utf-8")
    assert "outside the audit. These answers are no evidence" in page
    assert "shown as doubtful" in page
    assert verify(report / "evidence").holds


def test_recall_is_proven_from_the_images_without_the_label(store: Store, settings: Settings, tmp_path: Path) -> None:
    made = labelled(tmp_path, 60, buses=60)
    order = replace(ORDER, targets=replace(TARGETS, recall=0.8), everything=True)
    found = certified(made, store, settings, order)
    assert found.state == "certified"
    assert found.others is not None
    assert (found.others.target, found.others.images) == (0.8, 60)
    kept = json.loads((made.folder / "report" / "certificate.json").read_text("utf-8"))
    assert kept["result"]["recall"] == 0.8
    counts = kept["result"]["counts"]
    assert (counts["accept_drawn"], counts["reject_drawn"]) == (found.answers, found.others.drawn)
    assert found.others.drawn > 0
    assert verify(made.folder / "report" / "evidence").holds
    page = (made.folder / "report" / "report.html").read_text("utf-8")
    assert "<dt>Recall</dt><dd>≥ 80\u00a0%<small>target 80\u00a0%</small></dd>" in page
    told = f"{found.answers} drawn from the 60 with the label, {found.others.drawn} from the 60 without it"
    assert f"<dd>{found.all_answers}<small>{told}</small></dd>" in page
    assert f"{found.answers} images drawn at random without replacement from the 60 that carry the label and " in (
        made.folder / "report" / "paragraph.md"
    ).read_text("utf-8")


def test_where_only_the_recall_is_not_proven_the_report_says_so_and_nothing_against_the_labels(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    made = labelled(tmp_path, 50, buses=40)
    lines = made.truth.read_text("utf-8").splitlines()
    lines[51:81] = [line.replace(",bus", ",car") for line in lines[51:81]]  # thirty cars that are labelled bus
    made.truth.write_text("\n".join(lines) + "\n", "utf-8")
    found = certified(made, store, settings, replace(ORDER, targets=replace(TARGETS, recall=0.9), everything=True))
    assert (found.state, found.lacks_recall) == ("not certified", True)
    assert found.others is not None
    assert found.others.lower <= found.others.upper
    assert found.others.upper > found.others.most
    report = made.folder / "report"
    page = (report / "report.html").read_text("utf-8")
    for text in (page, (report / "paragraph.md").read_text("utf-8")):
        assert "It is not proven that at least 90\u00a0% of all car are labelled" in text
        assert "of the 40 images without the label should have it, and at most " in text
        assert "80\u00a0% of the" not in text
    assert "<dt>Recall</dt><dd>not proven<small>target 90\u00a0%</small></dd>" in page
    assert "recall not certified at 90 %" in (report / "badge.md").read_text("utf-8")


def test_boxes_are_certified_as_images_of_their_own(store: Store, settings: Settings, tmp_path: Path) -> None:
    made = labelled(tmp_path, 20)
    boxes = [(name, left) for name in _names(made) for left in (0, 48)]
    lines = [f"{name},car,{left},8,40,40" for name, left in boxes]
    made.labels.write_text("\n".join(("file,label,x,y,w,h", *lines)) + "\n", "utf-8")
    true = [f'"{name}#xywh={left},8,40,40",car' for name, left in boxes]
    made.truth.write_text("\n".join(("file,truth", *true)) + "\n", "utf-8")
    found = certified(made, store, settings, replace(ORDER, boxes=True, margin=0.1))
    assert (found.state, found.claimed, found.unit) == ("certified", 40, "box")
    assert "of the 40 boxes labelled car are right" in (made.folder / "report" / "report.html").read_text("utf-8")
    assert verify(made.folder / "report" / "evidence").holds


def test_the_bounds_that_are_told_reach_the_target_at_the_answer_that_certifies(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    said: list[str] = []
    found = certified(labelled(tmp_path, 60), store, settings, heard=said.append)
    path = found.path
    assert [answers for answers, _, _ in path] == list(range(found.answers + 1))
    assert all(before[1] <= after[1] for before, after in pairwise(path))  # no label was wrong
    assert path[-2][1] < 0.8 <= path[-1][1]
    assert said[-1].startswith(f"{found.answers} answers, 0 wrong: at least {path[-1][1]:.1%} are right so far ")
    precision = figures("car", store=store).precision
    assert precision is not None
    assert precision.drawn == found.answers


def test_the_bound_that_is_told_at_the_end_is_the_one_that_certifies_although_a_label_was_wrong(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    said: list[str] = []
    found = certified(labelled(tmp_path, 60, wrong=range(0, 60, 10)), store, settings, heard=said.append)
    assert found.state == "certified"
    told = re.fullmatch(r"\d+ answers, (\d+) wrong: at least ([\d.]+)% are right so far \(target 80.0%\)\.", said[-1])
    assert told, said[-1]
    assert 0 <= int(told[1]) <= len(found.wrong) <= 6
    assert float(told[2]) >= 80.0


def test_evidence_that_does_not_agree_is_told_instead_of_a_certificate(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    made = labelled(tmp_path, 60)
    assert certified(made, store, settings).state == "certified"
    folder = made.folder / "report" / "evidence"
    (folder / "foreign.txt").write_text("not of this release", "utf-8")
    claims, order = read(made.labels), ORDER
    finder = Finder(claims, [source_of(str(made.photos))], settings.fetch_bytes)
    taken = take(order, finder, store=store, settings=settings, now_ms=9)
    (folder / "release.json").unlink()  # so that it is no release of ours, which would be written anew
    found = report_on(order, taken, claims, made.folder / "report", store=store, now_ms=99)
    assert found.state == "broken"
    page = (made.folder / "report" / "report.html").read_text("utf-8")
    assert "Do not rely on this report" in page
    assert "evidence broken" in (made.folder / "report" / "badge.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("wrong", "beside", "recall", "state"),
    [
        (range(0, 60, 4), 90, 0.2, "not certified"),
        ((), 90, 0.2, "not certified"),
        ((), 3, 0.2, "certified"),
        ((), 3, 0.96, "not certified"),  # 60 of all 63 carry the label
    ],
)
def test_images_that_are_known_beside_the_labels_make_no_label_right(
    wrong: Sequence[int], beside: int, recall: float, state: str, store: Store, settings: Settings, tmp_path: Path
) -> None:
    made = labelled(tmp_path, 60, wrong=wrong, buses=beside)
    order = replace(ORDER, targets=replace(TARGETS, recall=recall), everything=True)
    claims = read(made.labels)
    take(
        order,
        Finder(claims, [source_of(str(made.photos))], settings.fetch_bytes),
        store=store,
        settings=settings,
        now_ms=9,
    )
    names = [f"street/{number:03d}.jpg" for number in range(60, 60 + beside)]
    known = [Label(row, Says.YES, Source.OWNER, Purpose.IMPORT, 1, 2) for (row,) in store.categories.find("car", names)]
    store.labels.hold("car", known)
    found = certified(made, store, settings, order)
    assert json.loads((made.folder / "report" / "certificate.json").read_text("utf-8"))[
        "certified"
    ]  # of all that is released
    assert found.state == state
    page = (made.folder / "report" / "report.html").read_text("utf-8")
    assert ("At least 80\u00a0% of the" in page) == (state == "certified")
    assert ("It is not proven of the labels alone" in page) == (state == "not certified")
