"""`thresher backbone`: a network is added, listed, chosen and removed by name; what does not fit is one clear line."""

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.commands import is_one_clear_line, process, thresher
from tests.learn.towers import SIDE, TOKENS, Towers, two_towers

from thresher.learn.backbone.runtimes import RUNTIMES
from thresher.settings import FILE, read_settings
from thresher.store import open_store


@pytest.fixture(scope="module")
def towers(tmp_path_factory: pytest.TempPathFactory) -> Towers:
    return two_towers(tmp_path_factory.mktemp("towers"))


@pytest.fixture
def at(tmp_path: Path) -> Path:
    """A workspace whose cache is its own."""
    place = tmp_path / "w"
    assert thresher("init", place).returncode == 0
    with (place / FILE).open("a") as file:
        file.write(f'cache = "{tmp_path / "cache"}"\n# a remark\ntoken = "secret"\n')
    return place


def colours(towers: Towers, name: str = "colours") -> tuple[str, ...]:
    shape = ("--side", str(SIDE), "--mean", ".5,.5,.5", "--std", ".5,.5,.5", "--stretch", "--tokens", str(TOKENS))
    files = ("--text", str(towers.text), "--tokenizer", str(towers.tokenizer), "--lowercase")
    return ("backbone", "add", name, str(towers.image), *files, *shape)


def test_a_network_is_added_listed_chosen_and_removed(at: Path, towers: Towers) -> None:
    made = process(*colours(towers), at=at)
    assert made.returncode == 0, made.stderr
    assert "Added colours: 16 pixels, vectors of 3 numbers, with a text tower." in made.stdout
    assert "Next: thresher backbone use colours" in made.stdout
    before = (at / FILE).read_text()
    used = thresher("backbone", "use", "colours", at=at)
    assert used.returncode == 0, used.stderr
    assert read_settings(at, {}).backbone == "colours"
    assert (at / FILE).read_text() == f'backbone = "colours"\n{before}'
    assert (at / FILE).stat().st_mode & 0o777 == 0o600
    listed = {row["name"]: row for row in json.loads(thresher("backbone", "list", "--json", at=at).stdout)}
    assert listed["colours"] == {
        "name": "colours",
        "state": "added",
        "side": SIDE,
        "width": 3,
        "text": True,
        "in_use": True,
        "remark": "",
    }
    assert listed["efficientnet-lite0"]["state"] == "built in"
    for known in ("siglip2-base-patch16-224", "dinov3-vits16"):
        assert (listed[known]["state"], listed[known]["in_use"]) == ("known", False)
        assert "not tried here" in listed[known]["remark"]
    assert "colours (in use)" in thresher("backbone", "list", at=at).stdout
    assert thresher("backbone", "remove", "colours", at=at).returncode == 0
    assert is_one_clear_line(thresher("backbone", "use", "colours", at=at), "colours", "thresher backbone list")


def test_the_runtimes_are_listed_with_what_an_image_takes(at: Path, tmp_path: Path) -> None:
    flags = {"THRESHER_CACHE": str(tmp_path / "cache"), "THRESHER_ARITHMETIC": "float32"}
    answer = thresher("backbone", "runtimes", "--json", at=at, **flags)
    assert answer.returncode == 0, answer.stderr
    listed = {row["runtime"]: row for row in json.loads(answer.stdout)}
    assert set(listed) == set(RUNTIMES)
    (used,) = (row for row in listed.values() if row["state"] == "used by a new workspace")
    assert used["arithmetic"] == "float32"
    for row in listed.values():
        assert ("not " in row["state"]) == (row["ms"] is None)
    if listed["onnxruntime-int8"]["ms"]:
        assert 0 < listed["onnxruntime-int8"]["ms"] < listed["onnxruntime"]["ms"]
    wrong = thresher("backbone", "runtimes", at=at, THRESHER_ARITHMETIC="float8")
    assert is_one_clear_line(wrong, "float8", "alike, float32, int8, bfloat16, fastest")


def test_the_setting_is_replaced_and_nothing_else_of_the_file(at: Path, towers: Towers) -> None:
    assert thresher(*colours(towers), at=at).returncode == 0
    both = thresher("backbone", "use", "efficientnet-lite0+colours", at=at)
    assert both.returncode == 0
    assert "(efficientnet-lite0 and colours-" in both.stdout  # the networks: their arithmetic is the workspace's affair
    before = (at / FILE).read_text()
    assert 'backbone = "efficientnet-lite0+colours"' in before
    answer = thresher("backbone", "use", "colours", at=at, THRESHER_BACKBONE="efficientnet-lite0")
    assert "THRESHER_BACKBONE" in answer.stdout
    assert (at / FILE).read_text() == before.replace("efficientnet-lite0+colours", "colours")


def test_a_text_ranks_the_pool_for_the_owners_first_task(at: Path, towers: Towers, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed, colour in enumerate([(230, 30, 30)] * 3 + [(30, 230, 30), (30, 30, 230)] * 10):
        noise = np.random.default_rng(seed).integers(-25, 26, (24, 24, 3))
        Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)).save(folder / f"{seed}.png")
    question = ("category", "add", "car", "--question", "Is it a red car?")
    words = ("--text", "a red car at night")
    refused = thresher(*question, *words, at=at)
    assert is_one_clear_line(refused, "has no text tower", "thresher backbone list")
    assert thresher(*colours(towers), at=at).returncode == 0
    assert thresher("backbone", "use", "colours", at=at).returncode == 0
    assert thresher(*question, *words, at=at).returncode == 0
    assert thresher("harvest", "car", "--folder", folder, at=at).returncode == 0
    made = process("gold", "mine", "car", "--size", "8", "--json", at=at)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout) == {"category": "car", "text": "a red car at night", "tasks": [1], "images": 8}
    with closing(open_store(str(at), read_settings(at, {}))) as store:
        rows = store.asks.tasks("car", 0, 10)[0].rows
        red = [row for (row,) in store.categories.find("car", ["0.png", "1.png", "2.png"])]
    assert set(red) <= set(rows)
    again = thresher("gold", "mine", "car", "--text", "something green", at=at)
    assert "The pool of car is ranked by 'something green'." in again.stdout
    assert "No task was made" in again.stdout
    assert is_one_clear_line(thresher("gold", "mine", "car", "--text", "???", at=at), "--text", "letters")
    (listed,) = json.loads(thresher("labels", "list", "car", "--json", at=at).stdout)
    assert (listed["name"], listed["images"], listed["yes"]) == ("text", 23, 0)
    assert is_one_clear_line(thresher("labels", "remove", "car", "text", at=at), '--text ""')
    (tmp_path / "given.csv").write_text("file,label\n0.png,car\n")
    taken = thresher("labels", "import", "car", tmp_path / "given.csv", "--name", "text", at=at)
    assert is_one_clear_line(taken, "'text'", "--name")


def test_what_does_not_fit_is_one_clear_line(at: Path, towers: Towers, tmp_path: Path) -> None:
    image = str(towers.image)
    elsewhere = thresher("backbone", "use", "efficientnet-lite0", at=tmp_path)
    assert is_one_clear_line(elsewhere, "no workspace here", "thresher init")
    assert not (tmp_path / FILE).exists()
    for arguments, words in (
        (("add", "colours", image, "--sha256", "0" * 64), ("vision_model.onnx", "its SHA-256 is")),
        (("add", "colours", image, "--sha256", "abc"), ("64 hexadecimal digits",)),
        (("add", "colours", image, "--mean", "a,b,c"), ("--mean", "not three numbers")),
        (("add", "colours", image, "--text", str(towers.text)), ("--text needs --tokenizer",)),
        (("add", "siglip2-base-patch16-224", image), ("3 numbers, not 768", "huggingface.co/google")),
        (("add", "colours", "https://example.org/vision_model.onnx"), ("needs its SHA-256", "--sha256")),
        (("use", "resnet50"), ("resnet50", "thresher backbone list")),
        (("remove", "efficientnet-lite0"), ("no backbone 'efficientnet-lite0' was added",)),
    ):
        assert is_one_clear_line(thresher("backbone", *arguments, at=at), *words), arguments
    assert not [
        row for row in json.loads(thresher("backbone", "list", "--json", at=at).stdout) if row["state"] == "added"
    ]
