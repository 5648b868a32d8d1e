"""What the pages weigh, and what must not be in them."""

import gzip
import json
import re
from pathlib import Path

from tests.web.conftest import ROOT, STATIC

WORKER_BYTES = 20_000
CONSOLE_SCRIPT_BYTES = 200_000
CONSOLE_STYLE_BYTES = 20_000
LAZY_BYTES = 120_000
VERIFIER_BYTES = 60_000


def packed(*files: Path) -> int:
    """Bytes of the files as a browser fetches them."""
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)


def named_in(page: str, ending: str) -> list[Path]:
    """The files that a first page itself asks for."""
    text = (STATIC / page / "index.html").read_text("utf-8")
    return [STATIC / page / name for name in re.findall(rf'"/static/{page}/([^"]+\.{ending})"', text)]


def test_the_worker_page_weighs_at_most_20_kilobytes_all_script_and_style_together() -> None:
    files = [file for file in (STATIC / "worker/assets").iterdir() if file.suffix in (".js", ".css")]
    assert 0 < packed(*files) <= WORKER_BYTES


def test_the_console_s_first_view_and_each_later_one_keep_to_their_budgets() -> None:
    first = named_in("console", "js")
    assert first
    assert packed(*first) <= CONSOLE_SCRIPT_BYTES
    assert packed(*named_in("console", "css")) <= CONSOLE_STYLE_BYTES
    later = [file for file in (STATIC / "console/assets").glob("*.js") if file not in first]
    assert later
    assert max(packed(file) for file in later) <= LAZY_BYTES


def test_nothing_is_inline_and_no_source_map_is_shipped() -> None:
    for page in ("worker", "console"):
        text = (STATIC / page / "index.html").read_text("utf-8")
        assert not re.search(r"<style|style=|\son\w+=", text)
        assert all("src=" in script for script in re.findall(r"<script[^>]*>", text))
    assert list(STATIC.rglob("*.map")) == []


def test_the_verifier_page_is_one_file_that_names_no_other() -> None:
    files = [path for path in (STATIC / "verifier").rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["index.html"]
    assert packed(*files) <= VERIFIER_BYTES
    text = files[0].read_text("utf-8")
    assert re.search(
        r"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-", text
    )
    head, _, body = text.partition("<script")
    assert not re.search(r"(?:src|href)=\"(?!data:)", head + body.partition("</script>")[2])


def test_the_lock_names_no_host() -> None:
    text = (ROOT / "web/package-lock.json").read_text("utf-8")
    packages = json.loads(text)["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert "registry" not in text
