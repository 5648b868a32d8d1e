"""The built pages: read from the package once, found by name in a table, sent with a strict security policy.

A path from a browser is never joined to a folder: it is looked up among the files that exist.
"""

import gzip
import hashlib
import mimetypes
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from thresher.errors import NotFound
from thresher.server.built import install_command
from thresher.server.desk import TheDesk

router = APIRouter(include_in_schema=False)

NONCE = "__NONCE__"
PACKED = frozenset({"text/html", "text/css", "text/javascript", "application/json", "image/svg+xml"})

# who may frame which page: marketplaces that show the worker page in a frame of theirs are added here
FRAMED_BY = {"worker": "'self'", "console": "'none'", "verifier": "'none'"}
# a page of one file, which also opens without a server: it brings its policy along, with the hashes of its own script
BRINGS_POLICY = frozenset({"verifier"})


@dataclass(frozen=True, slots=True)
class File:
    """A built file, ready to be sent."""

    data: bytes
    packed: bytes
    media_type: str
    etag: str


@router.get("/")
def console(desk: TheDesk, request: Request) -> Response:
    """The console's page."""
    return page("console", desk.static, request)


@router.get("/work")
def work(desk: TheDesk, request: Request) -> Response:
    """The worker's page; the personal token is in the part after # and is never sent to the server."""
    return page("worker", desk.static, request)


@router.get("/join/{invite}")
def join_page(invite: str, desk: TheDesk, request: Request) -> Response:  # noqa: ARG001 -- the page reads it from its own address
    """The worker's page for a person with an invite."""
    return page("worker", desk.static, request)


@router.get("/verify")
def verifier(desk: TheDesk, request: Request) -> Response:
    """The page that recomputes a release from the files that are dropped on it. It asks the server nothing."""
    return page("verifier", desk.static, request)


@router.get("/static/{app}/{path:path}")
def static(app: str, path: str, desk: TheDesk, request: Request) -> Response:
    """A file of a page. A file with a hash in its name may be cached for ever."""
    found = files(desk.static / app).get(path) if app in FRAMED_BY else None
    if found is None or path == "index.html":  # a first page is served at its own address, under its policy
        raise NotFound("this file does not exist.", where="/static", next="reload the page")
    for_ever = path.startswith("assets/")
    headers = {"Cache-Control": "public, max-age=31536000, immutable" if for_ever else "no-cache", "ETag": found.etag}
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    return _sent(found.data, found.packed, found.media_type, request, headers)


def page(app: str, folder: Path, request: Request) -> Response:
    """The first page of an application, or a page that says how to build it."""
    index = files(folder / app).get("index.html")
    if index is None:
        return unbuilt()
    nonce = secrets.token_urlsafe(16)
    headers = {"Content-Security-Policy": policy(app, nonce), "Cache-Control": "no-cache"}
    if NONCE.encode() not in index.data:
        return _sent(index.data, index.packed, index.media_type, request, headers)
    return HTMLResponse(index.data.replace(NONCE.encode(), nonce.encode()), headers=headers)


def policy(app: str, nonce: str) -> str:
    """The content security policy of a page: only its own files and images, nothing inline or from other sites."""
    if app in BRINGS_POLICY:
        return f"frame-ancestors {FRAMED_BY[app]}"
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {FRAMED_BY[app]}",
        ]
    )


def unbuilt() -> Response:
    """The page shown if an application was not built: what is missing, and the command to run."""
    text = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>thresher: pages not built</title>"
        "<h1>The pages are not built</h1>"
        "<p>The server and its API work; the pages are missing from this installation.</p>"
        f"<p>Next: <code>{install_command()}</code>, and start the server again.</p>"
    )
    return HTMLResponse(text, status_code=503)


def files(folder: Path) -> Mapping[str, File]:
    """The files of a built application by name; read again after a new build."""
    try:
        built = (folder / "index.html").stat().st_mtime_ns
    except OSError:
        return {}
    return _read(folder, built)


@lru_cache(maxsize=8)
def _read(folder: Path, _built: int) -> Mapping[str, File]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): _file(path) for path in found}


def _file(path: Path) -> File:
    data = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(data, mtime=0) if media_type in PACKED else b""
    return File(data, packed, media_type, f'"{hashlib.sha256(data).hexdigest()[:24]}"')


def _sent(data: bytes, packed: bytes, media_type: str, request: Request, headers: Mapping[str, str]) -> Response:
    """The bytes, compressed if that is shorter and the browser accepts it."""
    vary = {**headers, "Vary": "Accept-Encoding"}
    if packed and len(packed) < len(data) and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=media_type, headers={**vary, "Content-Encoding": "gzip"})
    return Response(data, media_type=media_type, headers=vary)
