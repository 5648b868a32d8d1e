import hashlib
import io
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from tests.harvest.conftest import Harvest
from tests.pictures_for_tests import encode, picture, pixels
from tests.site_for_tests import Site

from thresher.errors import BadInput, BadSetting, NotFound
from thresher.harvest import Harvested, harvest
from thresher.harvest.sources.folder import from_folder
from thresher.harvest.sources.tar import from_tar
from thresher.harvest.sources.urls import from_urls
from thresher.records import Alias, Category, Origin, Progress, Question
from thresher.settings import Settings, read_settings
from thresher.store import open_store
from thresher.store.contract import Store

DATA = Path(os.environ.get("THRESHER_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
ODDITIES = DATA / "oddities.tar"


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def pooled(store: Store, category: str = "car") -> dict[str, bytes]:
    """Everything in the pool by its first name."""
    rows = store.categories.pool(category).tolist()
    names = store.images.aliases(rows)
    return {names[row][0].value: data for row, data in zip(rows, store.images.read_many(rows), strict=True)}


def refusals(store: Store) -> dict[str, str]:
    return {refusal.name: refusal.reason for _, refusal in store.categories.refusals("car", 0, 1000)}


# --- from a folder ----------------------------------------------------------------------------------------------------

PHOTOS = {f"{seed // 4}/{seed}.jpg": picture(seed) for seed in range(10)}


@pytest.mark.parametrize("processes", [1, 2])
def test_a_folder_comes_in_whole_untouched_and_in_its_order(
    processes: int, take: Harvest, store: Store, tmp_path: Path
) -> None:
    photos = {f"{seed:03}.jpg": picture(seed) for seed in range(150)}
    assert take(from_folder(fill(tmp_path / "in", photos)), processes=processes) == Harvested(150, 0, 0, 150)
    assert pooled(store) == photos
    assert [store.images.get(row).aliases[0].value for row in range(150)] == sorted(photos)


@pytest.mark.parametrize(("compute", "helped"), [("inline", False), ("local", True), ("", True)])
def test_the_setting_says_who_decodes(
    compute: str, helped: bool, store: Store, settings: Settings, tmp_path: Path
) -> None:
    store.categories.create(Category("car", Question(1, "Is this a car?", at_ms=1), created_ms=1))
    source = from_folder(fill(tmp_path / "in", {f"{seed:03}.jpg": picture(seed) for seed in range(150)}))
    helpers: list[int] = []
    harvest(
        "car",
        source,
        store=store,
        settings=settings.but(compute=compute, processes=2),
        now_ms=1,
        report=lambda _: helpers.append(len(multiprocessing.active_children())),
    )
    assert (len(store.categories.pool("car")), max(helpers) > 0) == (150, helped)


def test_an_unknown_compute_is_told_before_anything_is_taken(take: Harvest, store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="unknown compute 'abacus'"):
        take(from_folder(fill(tmp_path / "in", {"a.jpg": picture(1)})), compute="abacus")
    assert not len(store.categories.pool("car"))


def test_what_came_in_keeps_where_it_came_from(take: Harvest, store: Store, tmp_path: Path) -> None:
    source = from_folder(fill(tmp_path / "in", {"a.jpg": picture(1, (80, 40), orientation=8)}))
    take(source)
    (row,) = store.categories.pool("car").tolist()
    assert store.categories.origins("car", [row]) == [Origin(source.name, "", "", 1_000)]
    image = store.images.get(row)
    assert (image.width, image.height, image.orientation, image.format) == (40, 80, 8, "jpeg")
    assert image.aliases == (Alias("file", "a.jpg"),)


def test_what_is_no_picture_is_refused_counted_and_listed(take: Harvest, store: Store, tmp_path: Path) -> None:
    folder = fill(
        tmp_path / "in",
        {
            "good.jpg": picture(1),
            "notes.txt": b"remember the milk",
            "page.jpg": b"<html>not here</html>",
            "cut.jpg": picture(2)[:700],
            "empty.png": b"",
            "spacer.gif": picture(3, (1, 1), "GIF"),
            "huge.jpg": picture(4, (400, 300)),
            "many.png": encode(pixels(1, (16, 16)), "PNG") + bytes(90_000),
        },
    )
    assert take(from_folder(folder), pixels=100_000, fetch_bytes=80_000) == Harvested(1, 0, 7, 8)
    assert refusals(store) == {
        "notes.txt": "not-a-picture",
        "page.jpg": "not-a-picture",
        "cut.jpg": "truncated",
        "empty.png": "empty",
        "spacer.gif": "too-small",
        "huge.jpg": "too-many-pixels",
        "many.png": "too-large",
    }
    assert store.categories.refusal_counts("car")["not-a-picture"] == 2
    assert store.categories.tally("car").refused == 7


def test_the_same_bytes_under_two_names_are_one_image(take: Harvest, store: Store, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", {"a.jpg": picture(1), "b.jpg": picture(1), "c.jpg": picture(2)})
    assert take(from_folder(folder)) == Harvested(new=2, known=1, refused=0, seen=3)
    assert store.images.count() == 2
    assert {alias.value for alias in store.images.get(0).aliases} == {"a.jpg", "b.jpg"}
    assert take(from_folder(folder)) == Harvested(new=0, known=3, refused=0, seen=3)


def test_another_folder_may_hold_files_of_the_same_names(take: Harvest, store: Store, tmp_path: Path) -> None:
    flat = {"1.bmp": picture(1, format="BMP"), "2.bmp": picture(2, format="BMP")}
    other = {"1.bmp": picture(3, format="BMP"), "2.bmp": picture(2, format="BMP")}
    assert take(from_folder(fill(tmp_path / "a" / "photos", flat))).new == 2
    assert take(from_folder(fill(tmp_path / "b" / "photos", other))) == Harvested(new=1, known=1, refused=0, seen=2)
    assert store.images.count() == 3


def test_two_categories_share_their_images(take: Harvest, store: Store, settings: Settings, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", PHOTOS)
    take(from_folder(folder))
    store.categories.create(Category("dog", Question(1, "Is this a dog?", at_ms=1), created_ms=1))
    found = harvest("dog", from_folder(folder), store=store, settings=settings, now_ms=2)
    assert found == Harvested(10, 0, 0, 10)
    assert store.images.count() == 10
    assert pooled(store, "dog") == pooled(store)


def test_progress_is_reported_and_ends_at_its_total(store: Store, settings: Settings, tmp_path: Path) -> None:
    store.categories.create(Category("car", Question(1, "Is this a car?", at_ms=1), created_ms=1))
    folder = fill(tmp_path / "in", {f"{seed}.jpg": picture(seed) for seed in range(130)} | {"x": b"x"})
    heard: list[Progress] = []
    harvest("car", from_folder(folder), store=store, settings=settings, now_ms=1, report=heard.append)
    assert [progress.done for progress in heard] == sorted(progress.done for progress in heard)
    assert {progress.total for progress in heard} == {131}
    assert len(heard) >= 3
    assert heard[-1] == Progress("harvest", 131, 131, "images")


@pytest.mark.parametrize("processes", [1, 2])
def test_a_stop_is_honoured_and_the_next_run_goes_on(
    processes: int, take: Harvest, store: Store, settings: Settings, tmp_path: Path
) -> None:
    photos = {f"{seed:04}.jpg": picture(seed, (16, 16)) for seed in range(1500)}
    source = from_folder(fill(tmp_path / "in", photos))
    some = settings.but(processes=processes)

    def stop() -> bool:
        return store.categories.tally("car").images > 0

    first = harvest("car", source, store=store, settings=some, now_ms=1, stop=stop)
    assert 0 < first.new < 1500
    second = take(source, processes=processes)
    assert (second.new, second.known) == (1500 - first.new, first.new)
    assert pooled(store) == photos


def test_a_category_nobody_has_is_told_before_anything_is_read(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(NotFound):
        harvest("boat", from_folder(fill(tmp_path / "in", PHOTOS)), store=store, settings=settings, now_ms=1)
    assert store.images.count() == 0


# --- from a tar -------------------------------------------------------------------------------------------------------


def tar(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # the mode is a parameter of the test
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_tar_comes_in_whole(mode: str, processes: int, take: Harvest, store: Store, tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", PHOTOS | {"no.jpg": b"no"}, mode)
    assert take(from_tar(path), processes=processes) == Harvested(10, 0, 1, 11)
    assert pooled(store) == PHOTOS
    assert take(from_tar(path), processes=processes) == Harvested(0, 10, 1, 11)


def test_two_members_of_one_name_are_both_taken_and_both_known_afterwards(
    take: Harvest, store: Store, tmp_path: Path
) -> None:
    members = [(f"{seed}.bmp", picture(seed + 1000 * again, format="BMP")) for again in (0, 1) for seed in range(600)]
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert take(from_tar(path)) == Harvested(1200, 0, 0, 1200)
    assert list(store.images.read_many(store.categories.pool("car"))) == [data for _, data in members]
    assert take(from_tar(path)) == Harvested(0, 1200, 0, 1200)


@pytest.mark.parametrize("processes", [1, 2])
def test_of_a_damaged_tar_everything_before_the_damage_is_kept(
    processes: int, take: Harvest, store: Store, tmp_path: Path
) -> None:
    members = {f"{seed}.jpg": picture(seed) for seed in range(100)}
    path = tar(tmp_path / "a.tar", members)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4 + 300])
    with pytest.raises(BadInput, match="damaged after"):
        take(from_tar(path), processes=processes)
    kept = pooled(store)
    assert 70 <= len(kept) <= 80
    assert kept == {name: members[name] for name in list(members)[: len(kept)]}
    path.write_bytes(whole)
    assert take(from_tar(path), processes=processes).new == 100 - len(kept)


@pytest.mark.skipif(not ODDITIES.exists(), reason="oddities.tar is not here: set THRESHER_TEST_DATA to its folder")
def test_the_oddities_of_the_web_pass_through(take: Harvest, store: Store) -> None:
    found = take(from_tar(ODDITIES), processes=2)
    assert found.seen == 101
    assert found.new + found.known + found.refused == 101
    assert found.new >= 95
    with tarfile.open(ODDITIES) as archive:
        opened = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        originals = {name: file.read() for name, file in opened.items() if file is not None}
    assert all(originals[name] == data for name, data in pooled(store).items())


# --- from a list of URLs ----------------------------------------------------------------------------------------------


@pytest.fixture
def near(take: Harvest) -> Harvest:
    """Harvest from the site on this machine."""

    def harvested(source: object, **given: object) -> Harvested:
        return take(source, **{"fetch_private": True, "fetch_seconds": 20.0, "fetch_bytes": 200_000, **given})

    return harvested


def listing(path: Path, *urls: str) -> Path:
    path.write_text("\n".join(urls), "utf-8")
    return path


@pytest.mark.parametrize("processes", [1, 2])
def test_a_list_of_urls_comes_in_with_what_failed_told(
    processes: int, near: Harvest, store: Store, site: Site, tmp_path: Path
) -> None:
    good = {site.url(f"/picture/{seed}.jpg"): picture(seed) for seed in range(20)}
    good |= {site.url("/redirect/2"): picture(500 - 495), site.url("/jpg-named.html"): picture(6)}
    bad = {
        site.url("/status/404"): "fetch-status-404",
        site.url("/html-named.jpg"): "not-a-picture",
        site.url("/half-a-picture"): "truncated",
        site.url("/nothing"): "empty",
        site.url("/too-large"): "too-large",
        site.url("/redirect-to-metadata"): "blocked-address",
        "http://169.254.169.254/latest/meta-data/": "blocked-address",
        "ftp://example.org/a.jpg": "blocked-url",
    }
    path = listing(tmp_path / "list.txt", *good, *bad, "no url at all")
    found = near(from_urls(path), processes=processes)
    assert refusals(store) == bad | {"list.txt, line 31": "bad-line"}
    assert (found.refused, found.seen) == (9, 31)
    assert set(store.images.find(list(good))) == set(store.categories.pool("car").tolist())
    assert set(pooled(store).values()) == set(good.values())


def test_a_url_is_the_query_of_what_it_gave(near: Harvest, store: Store, site: Site, tmp_path: Path) -> None:
    url = site.url("/picture/1.jpg")
    near(from_urls(listing(tmp_path / "list.txt", url)))
    (row,) = store.categories.pool("car").tolist()
    assert store.categories.origins("car", [row]) == [Origin("urls:list.txt", url, "", 1_000)]
    assert store.images.get(row).aliases == (Alias("url", url),)


def test_a_known_url_is_not_asked_for_again_by_any_category(
    near: Harvest, store: Store, settings: Settings, site: Site, tmp_path: Path
) -> None:
    path = listing(
        tmp_path / "list.txt", *(site.url(f"/picture/{seed}.jpg") for seed in range(5)), site.url("/nothing")
    )
    assert near(from_urls(path)) == Harvested(5, 0, 1, 6)
    assert near(from_urls(path)) == Harvested(0, 5, 1, 6)
    store.categories.create(Category("dog", Question(1, "Is this a dog?", at_ms=1), created_ms=1))
    private = settings.but(fetch_private=True)
    assert harvest("dog", from_urls(path), store=store, settings=private, now_ms=9) == Harvested(5, 0, 1, 6)
    assert store.categories.origins("dog", [0])[0].query.endswith(".jpg")
    assert {path: count for path, count in site.asked.items() if path.startswith("/picture")} == {
        f"/picture/{seed}.jpg": 1 for seed in range(5)
    }


def test_lists_reach_nothing_private_by_default(take: Harvest, store: Store, site: Site, tmp_path: Path) -> None:
    path = listing(tmp_path / "list.txt", site.url("/picture/1.jpg"), "http://127.0.0.1/", "http://[::1]/a.jpg")
    assert take(from_urls(path)) == Harvested(0, 0, 3, 3)
    assert set(refusals(store).values()) == {"blocked-url", "blocked-address"}
    assert site.asked.total() == 0


# --- kill -9 ----------------------------------------------------------------------------------------------------------

SCRIPT = """
import sys
from thresher.harvest import harvest
from thresher.harvest.sources.folder import from_folder
from thresher.settings import read_settings
from thresher.store import open_store
from pathlib import Path
if __name__ == "__main__":
    settings = read_settings(Path(sys.argv[1]), {}).but(processes=2)
    store = open_store(sys.argv[1], settings)
    harvest("car", from_folder(sys.argv[2]), store=store, settings=settings, now_ms=1,
            report=lambda progress: print(progress.done, flush=True))
"""


def test_killed_at_any_moment_and_run_again_nothing_is_lost_and_nothing_twice(tmp_path: Path) -> None:
    photos = {f"{seed:04}.jpg": picture(seed, (40, 30)) for seed in range(1200)}
    fill(tmp_path / "in", photos | {"bad.jpg": b"bad"})
    place = tmp_path / "workspace"
    settings = read_settings(tmp_path, {})
    store = open_store(place, settings, create=True)
    store.categories.create(Category("car", Question(1, "Is this a car?", at_ms=1), created_ms=1))
    store.close()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, "utf-8")
    draw = random.Random(7)
    for _ in range(6):
        run = subprocess.Popen(
            [sys.executable, str(script), str(place), str(tmp_path / "in")], stdout=subprocess.PIPE, process_group=0
        )
        assert run.stdout is not None
        for _ in range(draw.randrange(1, 4)):
            run.stdout.readline()  # so that each is killed amid the work, not before it
        time.sleep(draw.uniform(0, 0.05))
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    subprocess.run([sys.executable, str(script), str(place), str(tmp_path / "in")], check=True, capture_output=True)
    store = open_store(place, settings)
    assert pooled(store) == photos
    assert store.images.count() == len(photos) == store.categories.tally("car").images
    assert refusals(store) == {"bad.jpg": "not-a-picture"}
    assert store.check(mend=True).sound
    assert pooled(store) == photos
    sha256 = hashlib.sha256(photos["0007.jpg"]).hexdigest()
    assert store.images.find([sha256]) == store.images.find(["0007.jpg"])
    store.close()
