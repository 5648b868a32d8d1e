"""No answer of the API says where on the server's disk anything lies: an annotator may read it."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.server.people import Pool, add_round
from tests.server.test_auth import BODIES, CONSOLE_ROUTES
from tests.serving import Served, serving

from thresher.client import WorkerClient
from thresher.records import Job, Refusal, now_ms
from thresher.server.problems import without_paths
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store


def no_shards(place: Path) -> None:
    for shard in (place / "images").iterdir():
        shard.unlink()


def empty_shards(place: Path) -> None:
    for shard in (place / "images").glob("*.tar"):
        shard.write_bytes(b"")


def no_columns(place: Path) -> None:
    shutil.rmtree(place / "columns")


def harmed_columns(place: Path) -> None:
    for file in (place / "columns").rglob("*"):
        if file.is_file():
            file.unlink()  # see harmed_catalog
            file.write_bytes(b"x")


def no_catalog(place: Path) -> None:
    for file in place.glob("catalog.sqlite*"):
        file.unlink()


def harmed_catalog(place: Path) -> None:
    size = (place / "catalog.sqlite").stat().st_size
    with (place / "catalog.sqlite").open("r+b") as file:  # in place: what is cut under a map ends the process
        file.write(b"x" * size)


def no_workspace(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)  # the server may write to it meanwhile


@pytest.mark.parametrize(
    "harm", [no_shards, empty_shards, no_columns, harmed_columns, no_catalog, harmed_catalog, no_workspace]
)
def test_a_harmed_workspace_is_told_without_its_place(
    store: Store, small: Settings, pool: Pool, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    add_round(store, pool)
    store.categories.refuse("car", [Refusal("a.jpg", "damaged", f"{store.place}/in/a.jpg is damaged.", now_ms())])
    with serving(store, small) as server:
        worker = WorkerClient.join(server.console.add_invite().link)
        dealt = worker.deal("car")
        assert dealt is not None
        thumbnails = [one.thumbnail for one in server.console.pictures("car").pictures]
    store.close()
    with closing(open_store(store.place, small)) as again, serving(again, small) as server:
        harm(Path(store.place))
        pictures = [("GET", path) for path in (*thumbnails[:3], *dealt.pictures[:3])]
        answers = {asked: text(server, *asked) for asked in (*CONSOLE_ROUTES, *pictures, ("GET", "/readyz"))}
    assert any("urn:thresher:" in answer for answer in answers.values()), "nothing was told of the harm"
    for asked, answer in answers.items():
        assert str(tmp_path) not in answer, asked
        assert "/home/" not in answer, asked


def text(server: Served, method: str, path: str) -> str:
    headers = {"Authorization": f"Bearer {server.token}"}
    answer = server.http.request(method, path, headers=headers, json=BODIES.get((method, path)))
    return "" if answer.headers.get("content-type") == "image/webp" else answer.text


def test_a_job_that_failed_is_told_without_its_place(server: Served, store: Store, small: Settings) -> None:
    job = Job("j1", "loop", "", {}, "running", "here", 1, now_ms(), now_ms())
    store.jobs.start(job)
    store.jobs.finish("j1", "failed", f"{store.place}/images/0001.tar: it is damaged. Next: thresher check", now_ms())
    (told,) = server.console.jobs()
    assert told.message == "images/0001.tar: it is damaged. Next: thresher check"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/srv/cars/images/1.tar is missing.", "images/1.tar is missing."),
        ("the place is /srv/cars, and broken.", "the place is the workspace, and broken."),
        ("/tmp/copies/of/columns.bin: no.", "columns.bin: no."),
        ("'/etc/passwd' cannot be read.", "'passwd' cannot be read."),
        ("see /docs, or /api/console/jobs.", "see /docs, or /api/console/jobs."),
        ("http://a.example/tmp/1.jpg: 404.", "http://a.example/tmp/1.jpg: 404."),
        ("3/4 of them, and/or none", "3/4 of them, and/or none"),
        ("thresher harvest car --folder DIR", "thresher harvest car --folder DIR"),
    ],
)
def test_a_path_is_shown_from_the_workspace_or_by_its_last_part(text: str, shown: str) -> None:
    assert without_paths(text, "/srv/cars") == shown
