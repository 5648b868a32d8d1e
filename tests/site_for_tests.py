"""A real web site on loopback whose paths name what they do, and which remembers what it was asked."""

import asyncio
import socket
import threading
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler
from tests.pictures_for_tests import picture

SLOW_SECONDS = 30.0


@dataclass
class Site:
    """The address of the running site, and its memory."""

    port: int
    asked: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    """Path and query of each request, as they stood in its first line."""
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    connections: set[object] = field(default_factory=set)
    files: dict[str, bytes] = field(default_factory=dict)
    """What /file/NAME answers."""
    now: int = 0
    most_at_once: int = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


class Pages:
    """One method a path."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def picture(self, request: web.Request) -> web.Response:
        return jpeg(int(request.match_info["seed"]))

    async def picture_after_a_moment(self, request: web.Request) -> web.Response:
        self.site.now += 1
        self.site.most_at_once = max(self.site.most_at_once, self.site.now)
        await asyncio.sleep(0.05)
        self.site.now -= 1
        return jpeg(int(request.match_info["seed"]))

    async def slow(self, _: web.Request) -> web.Response:
        await asyncio.sleep(SLOW_SECONDS)
        return jpeg(1)

    async def trickle(self, request: web.Request) -> web.StreamResponse:
        """A byte at a time: every read is quick, the whole never ends."""
        answer = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await answer.prepare(request)
        for _ in range(600):
            await answer.write(b"\xff")
            await asyncio.sleep(0.05)
        return answer

    async def status(self, request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["code"]), text="no")

    async def flaky(self, request: web.Request) -> web.Response:
        """503 the first time, a picture the second."""
        first = self.site.asked[request.path] == 1
        return web.Response(status=503, headers={"Retry-After": "0"}) if first else jpeg(77)

    async def changing(self, request: web.Request) -> web.Response:
        """Another picture each time."""
        return jpeg(1000 + self.site.asked[request.path])

    async def gone(self, _: web.Request) -> web.Response:
        """A placeholder in place of every picture, under HTTP 200."""
        return jpeg(404)

    async def redirect(self, request: web.Request) -> web.Response:
        left = int(request.match_info["hops"])
        return away(f"/redirect/{left - 1}" if left > 1 else "/picture/5.jpg")

    async def redirect_to(self, request: web.Request) -> web.Response:
        return away(request.query["to"])

    async def tagged(self, request: web.Request) -> web.Response:
        """A picture with the headers X-Robots-Tag that stand in the query."""
        answer = jpeg(int(request.match_info["seed"]))
        answer.headers.extend([("X-Robots-Tag", tag) for tag in request.query.getall("tag", [])])
        return answer

    async def redirect_to_private(self, _: web.Request) -> web.Response:
        return away(self.site.url("/picture/1.jpg", host="127.0.0.2"))

    async def redirect_to_metadata(self, _: web.Request) -> web.Response:
        return away("http://169.254.169.254/latest/meta-data/")

    async def redirect_to_file(self, _: web.Request) -> web.Response:
        return away("file:///etc/hostname")

    async def redirect_nowhere(self, _: web.Request) -> web.Response:
        return web.Response(status=302)

    async def too_large(self, request: web.Request) -> web.StreamResponse:
        """Says how large it is, honestly."""
        answer = web.StreamResponse(headers={"Content-Length": "900000000"})
        await answer.prepare(request)
        await answer.write(b"\xff\xd8" * 1000)
        return answer

    async def endless(self, request: web.Request) -> web.StreamResponse:
        """Says nothing of its size and goes on."""
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(10_000):
            await answer.write(b"\xff" * 65536)
        return answer

    async def cut_short(self, request: web.Request) -> web.StreamResponse:
        """Hangs up before it has sent what it promised."""
        answer = web.StreamResponse(headers={"Content-Length": "100000"})
        await answer.prepare(request)
        await answer.write(b"\xff\xd8\xff")
        assert request.transport is not None
        request.transport.abort()
        return answer

    async def compressed(self, _: web.Request) -> web.Response:
        return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    async def html_named_jpg(self, _: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><html>sold out</html>", content_type="image/jpeg")

    async def jpg_named_html(self, _: web.Request) -> web.Response:
        return web.Response(body=picture(6), content_type="text/html")

    async def half_a_picture(self, _: web.Request) -> web.Response:
        whole = picture(8, (300, 200))
        return web.Response(body=whole[: len(whole) // 2], content_type="image/jpeg")

    async def file(self, request: web.Request) -> web.Response:
        data = self.site.files.get(request.match_info["name"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    async def nothing(self, _: web.Request) -> web.Response:
        return web.Response(body=b"")


def jpeg(seed: int) -> web.Response:
    return web.Response(body=picture(seed), content_type="image/jpeg")


def away(location: str) -> web.Response:
    return web.Response(status=302, headers={"Location": location})


def application(site: Site) -> web.Application:
    @web.middleware
    async def remember(request: web.Request, handler: Handler) -> web.StreamResponse:
        site.asked[request.path] += 1
        site.lines.append(request.raw_path)
        site.headers[request.path] = dict(request.headers)
        if request.transport is not None:
            site.connections.add(request.transport.get_extra_info("peername"))
        return await handler(request)

    pages = Pages(site)
    app = web.Application(middlewares=[remember])
    app.router.add_get("/picture/{seed}.jpg", pages.picture)
    app.router.add_get("/a-moment/{seed}.jpg", pages.picture_after_a_moment)
    app.router.add_get("/status/{code}", pages.status)
    app.router.add_get("/flaky/{name}", pages.flaky)
    app.router.add_get("/gone/{name}", pages.gone)
    app.router.add_get("/changing/{name}", pages.changing)
    app.router.add_get("/redirect/{hops}", pages.redirect)
    app.router.add_get("/file/{name}", pages.file)
    app.router.add_get("/redirect-to", pages.redirect_to)
    app.router.add_get("/tagged/{seed}", pages.tagged)
    app.router.add_get("/signed/{seed}/{rest:.*}", pages.picture)
    for name in (
        *("slow", "trickle", "redirect-to-private", "redirect-to-metadata", "redirect-to-file", "redirect-nowhere"),
        *("too-large", "endless", "cut-short", "compressed", "html-named.jpg", "jpg-named.html", "half-a-picture"),
        "nothing",
    ):
        method = name.replace("html-named.jpg", "html-named-jpg").replace("jpg-named.html", "jpg-named-html")
        app.router.add_get(f"/{name}", getattr(pages, method.replace("-", "_")))
    return app


class RunningSite:
    """Runs the site in a thread of its own: `with RunningSite() as site`."""

    def __enter__(self) -> Site:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("0.0.0.0", 0))
        self.site = Site(listening.getsockname()[1])
        self.loop = asyncio.new_event_loop()
        self.runner = web.AppRunner(application(self.site), shutdown_timeout=0.1)
        self.loop.run_until_complete(self.runner.setup())
        self.loop.run_until_complete(web.SockSite(self.runner, listening).start())
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self.site

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.run_until_complete(self.runner.cleanup())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
