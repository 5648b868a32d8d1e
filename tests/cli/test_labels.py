"""Labels that somebody else made come in by a command, are told by status, and go again."""

import json
from pathlib import Path

import pytest
from tests.cli.commands import is_one_clear_line, thresher
from tests.filled import NAME, fill
from tests.loop.frozen_pool import frozen
from tests.loop.people import small

from thresher.learn.round import train_round
from thresher.records import Label, Purpose, Says, Source
from thresher.settings import FILE, Settings
from thresher.store.contract import Store


@pytest.fixture
def place(store: Store, settings: Settings, tmp_path: Path) -> Path:
    """A workspace with twelve pictures, 0.jpg to 11.jpg."""
    fill(store, 12)
    backbone = small(settings, tmp_path).backbone
    folder = Path(store.place)
    (folder / FILE).write_text(f'backbone = "{backbone}"\nprocesses = 1\n')
    return folder


def predictions(folder: Path, *lines: str) -> Path:
    file = folder / "yolo.csv"
    file.write_text("\n".join(["file,label,score", *lines]) + "\n")
    return file


def test_labels_are_imported_listed_told_by_status_and_removed(place: Path, tmp_path: Path) -> None:
    file = predictions(tmp_path, "0.jpg,thing,0.9", "1.jpg,thing,0.7", "2.jpg,dog,0.8", "elsewhere.jpg,thing,0.4")
    done = thresher("labels", "import", NAME, file, "--as", "csv", at=place)
    assert done.returncode == 2
    assert is_one_clear_line(done)
    assert "line 5: no image of thing is called 'elsewhere.jpg'" in done.stderr
    assert "thresher labels import thing FILE" in thresher("labels", "list", NAME, at=place).stdout

    done = thresher("labels", "import", NAME, file, "--skip-bad", "--name", "detector", at=place)
    assert (done.returncode, done.stderr) == (0, "")
    first, second, step = done.stdout.splitlines()
    assert first == "left out, line 5: no image of thing is called 'elsewhere.jpg'."
    assert second == (
        "Imported as 'detector' (csv, with scores): 2 images with the label 'thing', 1 without it, "
        "9 of the pool are not in the file."
    )
    assert step.startswith("thing waits for")

    assert "detector" in thresher("labels", "list", NAME, at=place).stdout
    (listed,) = json.loads(thresher("labels", "list", NAME, "--json", at=place).stdout)
    facts = {key: listed[key] for key in ("name", "kind", "images", "yes", "scored", "used")}
    assert facts == {
        "name": "detector", "kind": "csv", "images": 3, "yes": 2, "scored": True, "used": "was not trained since",
    }  # fmt: skip
    told = "labels 'detector' from elsewhere (2 yes of 3 images): the classifier was not trained since"
    assert f"{NAME}: {told}" in thresher("status", at=place).stdout.splitlines()
    assert json.loads(thresher("status", "--json", at=place).stdout)[0]["labels from elsewhere"] == told

    assert thresher("labels", "remove", NAME, "detector", at=place).stdout.startswith("Removed detector.")
    gone = thresher("labels", "remove", NAME, "detector", at=place)
    assert gone.returncode == 2
    assert "no labels called 'detector'" in gone.stderr
    assert "from elsewhere" not in thresher("status", at=place).stdout


def test_the_list_tells_whether_the_classifier_uses_them(
    place: Path, store: Store, settings: Settings, tmp_path: Path
) -> None:
    from thresher.learn.embed import embed

    ours = small(settings, tmp_path)
    rows = store.categories.pool(NAME)
    embed(rows, store=store, settings=ours)
    yes = [row % 3 == 0 for row in rows.tolist()]
    lines = [f"{row}.jpg,{'thing' if is_yes else 'dog'}," for row, is_yes in zip(rows.tolist(), yes, strict=True)]
    assert thresher("labels", "import", NAME, predictions(tmp_path, *lines), at=place).returncode == 0
    says = {True: Says.YES, False: Says.NO}
    held = [Label(row, says[it], Source.OWNER, Purpose.LEARN, 1, 5) for row, it in zip(rows.tolist(), yes, strict=True)]
    store.labels.hold(NAME, held)
    train_round(NAME, store=store, settings=ours, seed=1, now_ms=7)
    (listed,) = json.loads(thresher("labels", "list", NAME, "--json", at=place).stdout)
    assert (listed["name"], listed["used"]) == ("yolo", "uses it")


def test_an_import_during_audits_says_that_it_waits_for_the_next_freeze(store: Store, tmp_path: Path) -> None:
    frozen(store, "certified")
    done = thresher(
        "labels", "import", NAME, predictions(tmp_path, "0.jpg,thing,0.9", "1.jpg,dog,"), at=Path(store.place)
    )
    assert done.returncode == 0, done.stderr
    assert "learns from these labels before the next freeze" in done.stdout


def test_the_formats_are_listed() -> None:
    told = thresher("labels", "formats").stdout
    assert "csv" in told
    assert "folder" in told
