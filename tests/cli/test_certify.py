"""`thresher certify` end to end: labels in, answers through the HTTP API, a verdict that `thresher verify` checks."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import takewhile
from pathlib import Path
from shutil import rmtree

import httpx
import pytest
from tests.cli.commands import Run, is_one_clear_line, process, taken, thresher
from tests.labelled import Labelled, Owner, at_page, known_of, labelled, rows_of

from thresher.annotations import read
from thresher.cli.certify import _workspace
from thresher.errors import BadInput
from thresher.loop.findings import REFUSAL_FILES
from thresher.records import OWNER
from thresher.server.listening import listening
from thresher.settings import Settings
from thresher.store import open_store
from thresher.verify import verify

QUICK = ("--precision", "0.8", "--delta", "0.1", "--doubtful", "0")
ONE = {"THRESHER_PROCESSES": "1"}
INTERVAL = re.compile(
    r"no certificate: of (\d+) drawn of the (\d+) images that the labels call yes, (\d+) are not yes, "
    r"so with 91.50% confidence ([\d.]+)% to ([\d.]+)% are yes"
)


def certify(made: Labelled, *more: str | Path) -> Run:
    place = made.folder / "work"
    return thresher("certify", made.labels, "--images", made.photos, *more, at=place, **ONE)


def simulated(made: Labelled, *more: str | Path) -> Run:
    return certify(made, *QUICK, "--by", "simulated", "--truth", made.truth, *more)


def test_the_store_that_the_settings_name_is_the_one_of_labels_and_server(tmp_path: Path) -> None:
    place, other = tmp_path / "work", tmp_path / "other"
    place.mkdir()
    (place / "thresher.toml").write_text(f'store = "{other}"\n')
    with _workspace(str(place)) as (store, _):
        assert store.place == str(other)


def test_right_labels_are_certified_each_with_a_report_and_evidence_that_verifies(tmp_path: Path) -> None:
    made = labelled(tmp_path, 50, buses=40)
    run = simulated(made, "--each")
    assert run.returncode == 0, run.stderr
    assert "car: 50 images carry the label." in run.stdout
    assert "yes: At least 80 % of the 50 images labelled car are right." in run.stdout
    assert "yes: At least 80 % of the 40 images labelled bus are right." in run.stdout
    reports = made.folder / "work" / "report"
    assert "2 of 2 labels certified" in (reports / "report.html").read_text("utf-8")
    assert f"Anyone can check it: thresher verify {reports / 'car' / 'evidence'}" in run.stdout
    heads = []
    for report in (reports / "car", reports / "bus"):
        kept = json.loads((report / "certificate.json").read_text("utf-8"))
        assert kept["certified"] is True
        assert kept["frozen"]["method"] == "labels"
        assert 5 < kept["result"]["asked"] < 20
        assert verify(report / "evidence").holds
        assert not (report / "wrong.csv").exists()
        page = (report / "report.html").read_text("utf-8")
        assert "Certified" in page
        assert kept["log_head"] in page
        assert "precision ≥ 80\u00a0%" in (report / "badge.svg").read_text("utf-8")
        assert "`thresher verify evidence`" in (report / "paragraph.md").read_text("utf-8")
        heads.append(kept["log_head"])
    again = simulated(made, "--each")  # nothing is asked again, and the same is said
    assert again.returncode == 0, again.stderr
    kept = [json.loads((reports / name / "certificate.json").read_text("utf-8")) for name in ("car", "bus")]
    assert [one["log_head"] for one in kept] == heads


def test_a_failed_audit_leaves_evidence_whose_interval_is_recomputed_and_the_missed_images(tmp_path: Path) -> None:
    made = labelled(tmp_path, 60, wrong=range(0, 40, 2), buses=30)
    lines = made.truth.read_text("utf-8").splitlines()
    lines[61:71] = [line.replace(",bus", ",car") for line in lines[61:71]]  # ten cars that nobody labelled
    made.truth.write_text("\n".join(lines) + "\n", "utf-8")
    run = simulated(made, "--label", "car")
    assert run.returncode == 1, run.stderr
    report = made.folder / "work" / "report"
    kept = json.loads((report / "certificate.json").read_text("utf-8"))
    refuted = kept["precision_interval"]["upper"] < 0.8  # as the draws fall
    sentence = "Fewer than 80 % of the 60 images" if refuted else "It is not proven that 80 % of the 60 images"
    assert f"no: {sentence}" in run.stdout
    evidence = report / "evidence"
    assert {path.name for path in evidence.iterdir()} == REFUSAL_FILES
    verdict = verify(evidence)
    assert not verdict.holds
    (said,) = verdict.wrong
    found = INTERVAL.search(said)
    assert found, said
    drawn, size, bad, low, high = map(float, found.groups())
    assert size == 60
    assert (low, high) == pytest.approx(
        (100 * kept["precision_interval"]["lower"], 100 * kept["precision_interval"]["upper"]), abs=0.1
    )
    assert low - 0.1 <= 100 * (drawn - bad) / drawn <= high + 0.1  # both are rounded
    # an answer to a draw after the last that counts tells of a wrong label too
    assert bad <= len(rows_of(report / "wrong.csv")) <= 20
    page = (report / "report.html").read_text("utf-8")
    assert "thresher verify evidence" in page
    assert "It says that this is no certificate" in page
    told = thresher("verify", evidence)
    assert told.returncode == 1
    assert told.stdout.startswith("no: the release has no certificate: of ")
    table = evidence / "evidence.parquet"
    whole = json.loads((evidence / "certificate.json").read_text("utf-8"))
    (evidence / "certificate.json").write_text(
        json.dumps(whole | {"refused": whole["refused"] | {"accept_bad": 0}}), "utf-8"
    )
    assert verify(evidence).wrong[1] == f"accept_bad: the file says 0, not {int(bad)}"
    table.write_bytes(table.read_bytes()[:100])
    with pytest.raises(BadInput, match=r"evidence\.parquet"):
        verify(evidence)
    again = simulated(made, "--label", "car")  # writes it anew
    assert again.returncode == 1, again.stderr
    assert verify(evidence).wrong == (said,)


def test_missed_images_are_listed_in_a_file_of_labels_where_recall_is_asked_for(tmp_path: Path) -> None:
    made = labelled(tmp_path, 50, buses=40)
    lines = made.truth.read_text("utf-8").splitlines()
    lines[51:81] = [line.replace(",bus", ",car") for line in lines[51:81]]  # thirty cars that are labelled bus
    made.truth.write_text("\n".join(lines) + "\n", "utf-8")
    run = simulated(made, "--label", "car", "--recall", "0.9")
    assert run.returncode == 1, run.stderr
    report = made.folder / "work" / "report"
    missed = rows_of(report / "missed.csv")
    assert {row["label"] for row in missed} == {"car"}
    cars = {line.split(",")[0] for line in lines[51:81]}
    assert missed
    assert {row["name"] for row in missed} <= cars
    assert read(report / "missed.csv").images("car").keys() == {row["image"] for row in missed}
    assert '<a href="missed.csv">' in (report / "report.html").read_text("utf-8")
    (said,) = verify(report / "evidence").wrong
    assert "drawn of the 40 other images" in said


# --- the owner's page ------------------------------------------------------------------------------------------------


@contextmanager
def certifying(made: Labelled, *more: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """The command in a process of its own, as the owner runs it."""
    command = [sys.executable, "-m", "thresher", "--workspace", str(made.folder / "work"), "certify", str(made.labels)]
    command += ["--images", str(made.photos), *map(str, more)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **ONE}
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def link_of(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """The address and the owner's token of the link that the command prints."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"Answer at (http://\S+)/work#t=(\S+)", line):
            return found[1], found[2]
    raise AssertionError(process.stderr.read() if process.stderr else "no link")


def test_the_owner_answers_in_the_page_and_a_killed_command_goes_on(tmp_path: Path) -> None:
    made = labelled(tmp_path, 90, wrong=[4])
    known = known_of(made)
    options = ("--precision", "0.95", "--doubtful", "5")
    with certifying(made, *options) as process:
        with at_page(*link_of(process), known) as owner:
            first = next(filter(None, iter(owner.task, None)))
            assert first == 5  # the doubtful ones
            more = next(filter(None, iter(owner.task, None)))
        process.send_signal(signal.SIGKILL)
        process.wait()
    with certifying(made, *options) as process:
        with at_page(*link_of(process), known) as owner:
            while process.poll() is None:
                more += unless_ended(owner)
        out, err = process.communicate()
    assert process.returncode == 0, out + err
    assert "yes: At least 95 %" in out
    report = made.folder / "work" / "report"
    kept = json.loads((report / "certificate.json").read_text("utf-8"))
    assert verify(report / "evidence").holds
    with closing(open_store(made.folder / "work", Settings())) as store:
        tally = store.categories.tally("car")
        assert tally.owner_answers == first + more  # no answer was lost, and none was asked twice
        assert store.people.get(OWNER).owner
    assert kept["result"]["asked"] <= more


def test_people_answer_at_another_port_where_the_usual_one_is_taken_and_are_told(tmp_path: Path) -> None:
    made = labelled(tmp_path, 60)
    with taken(8765), certifying(made, *QUICK, "--by", "people") as process:
        assert process.stdout is not None
        said = list(takewhile(lambda line: "This command ends by itself" not in line, process.stdout))
        assert said[0] == "Port 8765 is taken by another program, so the links of this run have another port.\n"
        (link,) = re.findall(r"Invite people with (\S+)", "".join(said))
        assert ":8765/" not in link
        assert httpx.get(link, timeout=60).status_code == 200


def test_a_chosen_port_that_is_taken_is_told_once_and_before_the_labels_are_taken_in(tmp_path: Path) -> None:
    made = labelled(tmp_path, 60)
    with listening("127.0.0.1", 0) as busy:
        port = str(busy.getsockname()[1])
        run = process("certify", made.labels, "--images", made.photos, *QUICK, "--by", "people",
                      at=made.folder / "work", THRESHER_PORT=port)  # fmt: skip
    assert is_one_clear_line(run, f"port {port} is taken", "THRESHER_PORT=0")
    with closing(open_store(made.folder / "work", Settings())) as store:
        assert store.categories.all() == []
        assert store.images.count() == 0


def test_a_finished_audit_is_told_again_without_starting_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = labelled(tmp_path, 40)
    assert simulated(made).returncode == 0
    report = made.folder / "work" / "report"
    rmtree(report)

    def refused(*command: object, **_: object) -> None:
        raise AssertionError(command)

    monkeypatch.setattr(subprocess, "Popen", refused)
    again = certify(made, *QUICK, "--by", "owner")
    assert again.returncode == 0, again.stderr
    assert "yes: At least 80 % of the 40 images labelled car are right." in again.stdout
    assert (report / "report.html").exists()


def unless_ended(owner: Owner) -> int:
    """One task, unless the command, and its server, have just ended."""
    try:
        return owner.task()
    except httpx.TransportError:
        return 0


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--label", "tram"), ("no image has the label 'tram'; there are: 'car', 'bus'.",)),
        ((), ("has 2 labels: 'car', 'bus'.", "--each")),
        (("--label", "car", "--each"), ("--label and --each exclude each other",)),
        (("--label", "car", "--by", "nobody"), ("unknown --by 'nobody'",)),
        (("--label", "car", "--by", "simulated"), ("needs --truth",)),
        (("--label", "car", "--precision", "1.5"), ("--precision 1.5 is not between 0 and 1",)),
        (("--label", "car", "--regions", "--recall", "0.9"), ("--regions proves no recall",)),
        (
            ("--label", "car", "--regions"),
            ("labels.csv, line 2", "60 labels cannot be used, because the label has no box"),
        ),
    ],
)
def test_what_cannot_be_certified_is_one_clear_line(
    tmp_path: Path, more: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert is_one_clear_line(certify(labelled(tmp_path, 60, buses=2), *more), *words)


def test_labels_of_unknown_images_are_refused_by_their_lines_and_nothing_is_taken_in(tmp_path: Path) -> None:
    made = labelled(tmp_path, 60)
    (made.photos / "street" / "003.jpg").unlink()
    run = certify(made)
    assert is_one_clear_line(run, "labels.csv, line 5: no image is called 'street/003.jpg'", "--skip-bad")
    with closing(open_store(made.folder / "work", Settings())) as store:
        assert store.categories.all() == []
        assert store.images.count() == 0


def test_another_promise_is_refused_and_the_first_is_told_again_without_its_images(tmp_path: Path) -> None:
    made = labelled(tmp_path, 40)
    assert simulated(made).returncode == 0
    report = made.folder / "work" / "report"
    page = (report / "report.html").read_text("utf-8")
    for more, words in (
        (("--precision", "0.99"), "car was begun with the precision 0.8, not 0.99"),
        (("--recall", "0.9"), "car was begun with the recall 0, not 0.9"),
        (("--delta", "0.001"), "car was begun with the delta 0.1, not 0.001"),
        (("--question", "Is it red?"), "the question 'Does this image show: car?', not 'Is it red?'"),
    ):
        assert is_one_clear_line(simulated(made, *more), words, "--workspace")
    assert (report / "report.html").read_text("utf-8") == page
    rmtree(made.photos)
    made.labels.rename(made.folder / "moved.csv")
    moved = Labelled(made.folder, made.wrong)
    again = thresher(
        "certify", moved.folder / "moved.csv", "--images", made.photos, *QUICK, "--by", "simulated",
        "--truth", made.truth, at=made.folder / "work", **ONE,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert "yes: At least 80 % of the 40 images labelled car are right." in again.stdout
    assert verify(report / "evidence").holds


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "no\x1b]0;photo\x07,label\na.jpg,car\n"),
        ("labels.json", '[{"data": {"image": "a.jpg", "\\u001b[2J": 1}, "annotations": [{"result": [{"value": 3}]}]}]'),
        ("no\x1b[2J\nlabels.csv", ""),
        ("labels.json", '{"annotations": [], "images": [{"id": 1, "file_name": {"\\u001b[2J": "\\u202e"}}]}'),
    ],
)
def test_a_mistake_in_a_file_of_strangers_steers_no_terminal(tmp_path: Path, name: str, text: str) -> None:
    made = labelled(tmp_path, 2)
    (tmp_path / name).write_text(text, "utf-8")
    run = thresher("certify", tmp_path / name, "--images", made.photos, at=tmp_path / "work", **ONE)
    assert is_one_clear_line(run)
    assert not set(run.stderr) & set("\x1b\x07\u202e")
