"""What `thresher demo` refuses, and the task that it leaves. tests/examples runs all of it."""

from pathlib import Path

import pytest
from tests.cli.commands import is_one_clear_line, thresher
from tests.filled import fill
from tests.serving import serving

from thresher.cli.demo import (
    LOG,
    LOOP_IMAGES,
    NAME,
    TRY_IMAGES,
    Demo,
    _known_answers,
    as_in_folder,
    claim,
    few_of,
    task_to_try,
)
from thresher.client import WorkerClient
from thresher.errors import JobFailed
from thresher.settings import Settings
from thresher.store.contract import Store


@pytest.mark.parametrize("given", [("--images", "."), ("--truth", "truth.csv"), ("--question", "Is it?")])
def test_images_of_your_own_come_with_their_truth_and_question(tmp_path: Path, given: tuple[str, str]) -> None:
    run = thresher("demo", "--place", tmp_path / "demo", *given)
    assert is_one_clear_line(run, "--images, --truth and --question go together")
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("name", ["labels.csv", "release"])
def test_a_folder_with_other_files_is_no_place_for_a_demo_and_keeps_them(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir() if name == "release" else (tmp_path / name).write_text("mine")
    assert is_one_clear_line(thresher("demo", "--place", tmp_path, "--once"), "is not empty, and not of a demo")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    place = tmp_path / "new"
    claim(place)
    (place / name).write_text("made by a demo")
    claim(place)


def test_a_truth_without_a_yes_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("file,truth\na.png,no\n")
    (tmp_path / "images").mkdir()
    given = ("--images", tmp_path / "images", "--truth", tmp_path / "truth.csv", "--question", "Is it?")
    assert is_one_clear_line(thresher("demo", "--place", tmp_path / "demo", *given), "no image has the truth 'yes'")


def test_a_step_that_fails_is_told_with_one_next_step_the_log(tmp_path: Path) -> None:
    demo = Demo(tmp_path, tmp_path / "images", tmp_path / "truth.csv", "Is it?", "it")
    with pytest.raises(JobFailed) as failed:
        demo.run("status", "--workspace", "nowhere")
    said = str(failed.value)
    assert said.startswith("thresher status ended with an error: ")
    assert said.count("Next:") == 1
    assert said.endswith(f". Next: read {tmp_path / LOG}")
    assert "make one: thresher init" in (tmp_path / LOG).read_text("utf-8")


def test_known_answers_are_as_many_of_each_as_the_rarer_one_has() -> None:
    answers = {f"{number}.png": "yes" if number < 3 else "no" for number in range(100)}
    known = [answer for _, answer in _known_answers(answers)]
    assert (known.count("yes"), known.count("no")) == (3, 3)


def test_a_truth_may_name_images_in_folders_by_their_files_alone(tmp_path: Path) -> None:
    for name in ("a/0.png", "a/1.png", "b/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    truth = {"0.png": "yes", "1.png": "no", "b/2.png": "no", "3.png": "yes"}
    assert as_in_folder(truth, tmp_path) == {"a/0.png": "yes", "1.png": "no", "b/2.png": "no", "3.png": "yes"}


def test_its_loop_takes_few_of_many_images_with_their_truth(tmp_path: Path) -> None:
    images = tmp_path / "many"
    images.mkdir()
    truth = {f"{number}.png": "yes" if number % 2 else "no" for number in range(LOOP_IMAGES + 5)}
    for name in truth:
        (images / name).write_bytes(b"")
    folder, few = few_of(Demo(tmp_path, images, tmp_path / "truth.csv", "Is it odd?", "odd"), truth)
    assert {path.name for path in folder.iterdir()} == set(few)
    assert len(few) == LOOP_IMAGES
    assert few.items() <= truth.items()


def test_the_task_it_leaves_can_be_answered_by_its_link(store: Store, settings: Settings) -> None:
    fill(store, TRY_IMAGES + 5, name=NAME)
    with serving(store, settings) as server:
        me = WorkerClient.join(task_to_try(Path(store.place), server.url))
        work = me.deal(NAME)
        assert work is not None
        assert len(work.pictures) == TRY_IMAGES
        assert me.data(work.pictures[0])
