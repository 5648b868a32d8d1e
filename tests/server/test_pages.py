"""The pages as they are served: from a table of files, under a strict policy, and plainly when they are missing."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.serving import Served, serving

from thresher.errors import Missing
from thresher.server.app import create_app
from thresher.server.built import install_command
from thresher.server.verifier import verifier_page
from thresher.settings import Settings
from thresher.store.contract import Store

SCRIPT = b"export const answer = 42;\n" * 100


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """Two small applications as they are built, and a file beside them that is no one's business."""
    folder = tmp_path / "static"
    for app in ("worker", "console"):
        (folder / app / "assets").mkdir(parents=True)
        (folder / app / "index.html").write_bytes(
            f'<!doctype html><meta name="csp-nonce" content="__NONCE__"><title>{app}</title>'.encode()
        )
        (folder / app / "assets" / "main-3f2a.js").write_bytes(SCRIPT)
        (folder / app / "favicon.svg").write_bytes(b"<svg/>")
    (folder / "secret.txt").write_text("a secret")
    return folder


@pytest.fixture
def served(store: Store, settings: Settings, static: Path) -> Iterator[Served]:
    with serving(store, settings, app=create_app(store, settings, static=static)) as served:
        yield served


@pytest.mark.parametrize(
    ("path", "app", "framed"),
    [("/", "console", "'none'"), ("/work", "worker", "'self'"), ("/join/some.invite", "worker", "'self'")],
)
def test_each_address_has_its_page_under_a_strict_policy(served: Served, path: str, app: str, framed: str) -> None:
    answer = served.http.get(path)
    assert answer.status_code == 200
    assert f"<title>{app}</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe" not in policy
    assert policy.endswith(f"frame-ancestors {framed}")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_each_page_has_a_nonce_of_its_own_for_its_styles(served: Served) -> None:
    nonces = set()
    for _ in range(3):
        answer = served.http.get("/")
        nonce = answer.text.partition('content="')[2].partition('"')[0]
        assert f"'nonce-{nonce}'" in answer.headers["content-security-policy"]
        nonces.add(nonce)
    assert len(nonces) == 3
    assert "__NONCE__" not in nonces


def test_a_file_with_a_hash_in_its_name_is_kept_for_ever_and_sent_packed(served: Served) -> None:
    with served.http.stream("GET", "/static/worker/assets/main-3f2a.js", headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == SCRIPT
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    plain = served.http.get("/static/worker/assets/main-3f2a.js", headers={"Accept-Encoding": "identity"})
    assert plain.content == SCRIPT
    again = served.http.get("/static/worker/assets/main-3f2a.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_file_without_one_is_asked_for_again(served: Served) -> None:
    assert served.http.get("/static/console/favicon.svg").headers["cache-control"] == "no-cache"


OUTSIDE = [
    "/static/secret.txt",
    "/static/worker/../secret.txt",
    "/static/worker/..%2fsecret.txt",
    "/static/worker/%2e%2e/secret.txt",
    "/static/worker/%2e%2e%2fsecret.txt",
    "/static/worker/assets/../../secret.txt",
    "/static/worker//etc/passwd",
    "/static/worker/%2fetc%2fpasswd",
    "/static/..%2f..%2f/index.html",
    "/static/%2e%2e/secret.txt",
    "/static//secret.txt",
    "/static/worker/..\\secret.txt",
    "/static/worker/index.html%00.js",
    "/static/worker/index.html",
    "/static/worker/",
    "/static/nobody/index.html",
]


def test_nothing_outside_the_built_files_is_served(served: Served) -> None:
    for path in OUTSIDE:
        # a raw path, as no honest client sends it: httpx would tidy it up
        answer = served.http.send(httpx.Request("GET", served.url, extensions={"target": path.encode()}))
        assert answer.status_code == 404, (path, answer.text)
        assert "a secret" not in answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_page_that_was_built_again_is_served_anew(served: Served, static: Path) -> None:
    import os

    served.http.get("/work")
    index = static / "worker" / "index.html"
    before = index.stat().st_mtime_ns
    index.write_text("<title>newer</title>")
    os.utime(index, ns=(before + 10**9, before + 10**9))
    assert "newer" in served.http.get("/work").text


def test_a_page_that_is_not_built_says_so_and_names_the_command(served: Served, static: Path) -> None:
    for index in static.rglob("index.html"):
        index.unlink()
    for path in ("/", "/work", "/join/x", "/verify"):
        answer = served.http.get(path)
        assert answer.status_code == 503
        assert "<code>make setup</code>" in answer.text
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert served.http.get("/healthz").status_code == 200
    with pytest.raises(Missing) as told:
        verifier_page(static)
    assert told.value.next == "make setup"


def test_where_there_is_no_source_to_build_the_pages_come_with_the_package(tmp_path: Path) -> None:
    assert install_command(tmp_path) == "pip install --force-reinstall thresher"
