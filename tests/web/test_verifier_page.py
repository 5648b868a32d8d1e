"""The verifier page: it answers as `thresher verify` does, whole or damaged, from a file that needs no network."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.cli.commands import thresher
from tests.pictures_for_tests import picture
from tests.serving import Served
from tests.verify.damages import DAMAGES
from tests.verify.releases import STRANGER, release_of
from tests.verify.tampering import Release
from tests.verify.test_certificates import MADE, played
from tests.verify.written import write
from tests.web.conftest import STATIC, Opener
from tests.web.window import NARROW, PHONE, Window

from thresher.evidence import METHODS, Certified
from thresher.verify import verify

pytestmark = pytest.mark.browser

PAGE = STATIC / "verifier/index.html"
TAMPERED = (
    ("two pictures exchanged", "certified"),
    ("a picture added", "adjudicated"),
    ("the score of a sample changed", "recall"),
    ("a yes of the table exchanged for a no that nobody looked at", "precision"),
    ("more promised in words, card, proof and log", "certified"),
    ("the reported figure edited", "precision"),
    ("an answer of the log flipped", "recall"),
    ("another accepted set in the log", "adjudicated"),
    ("the numbers of two draws exchanged", "certified"),
    ("an image added to the pool", "recall"),
)


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory, made_workspace: Path) -> dict[str, Path]:
    """A release of each method, as the loop makes it."""
    return {method: release_of(method, tmp_path_factory, made_workspace) for method in METHODS}


@pytest.fixture
def checking(opened: Opener) -> Iterator[Window]:
    """The page as it lies on a disk, without a server; whatever is done with it, it asks for nothing but itself."""
    window = opened(**PHONE)
    window.page.goto(PAGE.as_uri())
    yield window
    assert [request.url for request in window.requests if not request.url.startswith("data:")] == [PAGE.as_uri()]


def answer(page: Page, folder: Path) -> str:
    """What the page says of a folder that is chosen."""
    page.evaluate("document.getElementById('verdict').removeAttribute('data-answer')")
    page.set_input_files("#folder", folder)
    return said(page)


def said(page: Page) -> str:
    verdict = page.locator("#verdict[data-answer]")
    expect(verdict).to_be_visible()
    return verdict.get_attribute("data-answer") or ""


def drop(window: Window, *paths: Path) -> str:
    """What the page says of a folder, or of files, that a hand drops on it."""
    page = window.page
    page.evaluate("document.getElementById('verdict').removeAttribute('data-answer')")
    box = page.locator("#drop").bounding_box()
    assert box is not None
    hand = window.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        where: dict[str, Any] = {"type": kind, "x": box["x"] + 40, "y": box["y"] + 40, "data": data}
        hand.send("Input.dispatchDragEvent", where)
    return said(page)


def test_the_page_proves_a_release_of_every_method_and_says_what_the_command_says(
    checking: Window, releases: dict[str, Path]
) -> None:
    for folder in releases.values():
        assert answer(checking.page, folder) == "yes"
        assert checking.text(".claim") == verify(folder).claim


@pytest.mark.parametrize("name", [name for name in MADE if "gold" in name or "epoch" in name or "labels" in name])
def test_the_page_counts_gold_epochs_and_claimed_labels_as_the_command_does(
    name: str, checking: Window, tmp_path: Path
) -> None:
    one, step = played(name)
    assert isinstance(step, Certified)
    write(tmp_path / "out", one, step)
    assert answer(checking.page, tmp_path / "out") == "yes"
    assert checking.text(".claim") == verify(tmp_path / "out").claim


def test_the_page_refuses_what_the_command_refuses_and_says_where(
    checking: Window, releases: dict[str, Path], tmp_path: Path
) -> None:
    for number, (name, method) in enumerate(TAMPERED):
        one = Release(shutil.copytree(releases[method], tmp_path / str(number)), method, picture(STRANGER))
        DAMAGES[name][0](one)
        one.seal()
        assert not verify(one.directory).holds, name
        assert answer(checking.page, one.directory) == "no", name
        places = checking.page.locator(".faults code").all_inner_texts()
        assert places, name
        assert all(re.match(r"[\w./-]+|the proof", place) for place in places), places
        assert checking.page.locator(".claim").count() == 0


def test_a_byte_that_changed_in_any_file_is_found(checking: Window, releases: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(releases["everything"], tmp_path / "out")
    kept = {*sorted((folder / "images").iterdir())[2:]}  # they are many, and alike
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path not in kept):
        whole = path.read_bytes()
        path.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
        assert answer(checking.page, folder) != "yes", path
        path.write_bytes(whole)
    assert answer(checking.page, folder) == "yes"


def test_a_folder_is_dropped_on_the_page_or_the_files_in_it_and_an_empty_folder_is_seen(
    checking: Window, releases: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(releases["recall"], tmp_path / "out")
    assert drop(checking, folder) == "yes"
    assert drop(checking, *folder.iterdir()) == "yes"
    (folder / "more").mkdir()
    assert drop(checking, folder) == "no"
    assert checking.page.locator(".faults code").all_inner_texts() == ["more"]
    assert drop(checking, folder / "images") == "cannot judge"
    assert "certificate.json" in checking.text(".faults")


def test_a_published_head_is_compared_with_the_log(checking: Window, releases: dict[str, Path]) -> None:
    answer(checking.page, releases["certified"])
    page = checking.page
    page.get_by_text("Compare with a head that was published").click()
    head = page.locator(".digest").last.inner_text().split()[-1]
    field, told = page.get_by_label("Published head"), page.locator("#verdict [role=status]")
    field.fill(head.upper())
    expect(told).to_have_text(re.compile("Yes: this is the head of line"))
    field.fill("0" * 64)
    expect(told).to_have_text(re.compile("No: the log has no line with this head"))
    field.fill("0" * 63)
    expect(told).to_have_text("A head has 64 hexadecimal digits.")


def test_the_policy_of_the_page_lets_nothing_out(checking: Window) -> None:
    page = checking.page
    tries = ("fetch('https://example.org/')", "fetch('data:text/plain,x')", "import('https://example.org/x.js')")
    for attempt in tries:
        assert page.evaluate(f"() => {attempt}.then(() => 'sent', () => 'refused')") == "refused"
    page.evaluate(
        "() => { const one = new Image(); one.src = 'https://example.org/x.png'; document.body.append(one); }"
    )
    inline = "const one = document.createElement('script'); one.text = 'window.ran = 1'; document.body.append(one);"
    page.evaluate(f"() => {{ {inline} }}")
    assert page.evaluate("() => window.ran") is None
    checking.forgive("Content Security Policy", "example.org", "data:text/plain", "Failed to fetch")
    checking.requests[:] = [request for request in checking.requests if "example.org" not in request.url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits_a_phone(
    scheme: str, opened: Opener, releases: dict[str, Path], tmp_path: Path
) -> None:
    window = opened(**NARROW, color_scheme=scheme)
    page = window.page
    page.goto(PAGE.as_uri())
    damaged = shutil.copytree(releases["everything"], tmp_path / "out")
    (damaged / "README.md").write_text("# Cars\n")
    states: tuple[Callable[[], object], ...] = (
        lambda: None,
        lambda: answer(page, releases["everything"]),
        lambda: answer(page, damaged),
    )
    for state in states:
        state()
        for part in page.locator("details").all():
            part.evaluate("one => { one.open = true; }")
        assert window.violations() == []
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_the_keyboard_alone_reaches_the_button(checking: Window) -> None:
    checking.page.keyboard.press("Tab")
    assert checking.page.evaluate("() => document.activeElement.id") == "folder"


def test_the_server_serves_the_page_to_anybody_and_the_command_writes_the_same(
    opened: Opener, server: Served, releases: dict[str, Path], tmp_path: Path
) -> None:
    window = opened()
    window.page.goto(f"{server.url}/verify")
    assert answer(window.page, releases["everything"]) == "yes"
    assert {request.url for request in window.requests if not request.url.startswith("data:")} == {
        f"{server.url}/verify"
    }
    sent = server.http.get("/verify")
    assert sent.headers["content-security-policy"] == "frame-ancestors 'none'"
    done = thresher("verify", "--page", tmp_path / "check.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "check.html").read_bytes() == sent.content
    assert thresher("verify").returncode == 2
