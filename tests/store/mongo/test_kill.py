"""A process that is killed amid its work and run again: nothing is lost, nothing is there twice."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.contract.things import category, data, new_image

from thresher.settings import Settings
from thresher.store.mongo.store import MongoStore

pytestmark = pytest.mark.mongo

ROOT = Path(__file__).parents[3]
PICTURES = 600
SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from tests.contract.things import new_image
from thresher.records import Origin
from thresher.settings import read_settings
from thresher.store import open_store

place, cache, pictures = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open_store(place, read_settings(Path(cache), {}).but(cache=cache)) as store:
    store.columns.create("features/x", 4)
    print("up", flush=True)
    for start in range(0, pictures, 20):
        rows = store.images.put([new_image(seed) for seed in range(start, start + 20)])
        store.categories.pool_add("car", rows, Origin("folder"))
        missing = store.columns.missing("features/x", np.array(rows))
        store.columns.write("features/x", missing, np.repeat(missing[:, None], 4, axis=1))
        print(start, flush=True)
"""


def start(store: MongoStore, path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, store.place, str(path), str(PICTURES)], cwd=ROOT, stdout=subprocess.PIPE
    )


def test_killed_at_any_moment_and_run_again_nothing_is_lost_and_nothing_twice(
    store: MongoStore, tmp_path: Path
) -> None:
    category(store)
    draw = random.Random(7)
    for _ in range(3):
        run = start(store, tmp_path)
        assert run.stdout is not None
        for _ in range(draw.randrange(1, 6)):
            run.stdout.readline()  # so that each is killed amid the work, not before it
        time.sleep(draw.uniform(0, 0.05))
        run.send_signal(signal.SIGKILL)
        run.communicate()
    last = start(store, tmp_path)
    last.communicate()
    assert last.returncode == 0
    found = store.images.find([new_image(seed).sha256 for seed in range(PICTURES)])
    rows = [row for row in found if row is not None]
    assert len(set(rows)) == PICTURES
    assert list(store.images.read_many(rows)) == [data(seed) for seed in range(PICTURES)]
    assert (store.images.count(), store.categories.tally("car").images) == (PICTURES, PICTURES)
    assert store.categories.pool("car").tolist() == sorted(rows)
    values, present = store.columns.view("features/x")
    assert np.flatnonzero(present).tolist() == sorted(rows)
    assert np.array_equal(values[sorted(rows), 1], np.array(sorted(rows), dtype=np.float16))
    report = store.check(mend=False)
    assert report.sound, report.found


HOLDING = """
import sys, time
from pathlib import Path
from tests.contract.things import new_image
from thresher.settings import read_settings
from thresher.store import open_store

store = open_store(sys.argv[1], read_settings(Path(sys.argv[2]), {}).but(cache=sys.argv[2]))

def hold(session):
    name = {"_id": bytes.fromhex(new_image(1).sha256), "row": 0}
    store.link.table("images").insert_one(name, session=session)
    print("held", flush=True)
    time.sleep(600)

store.link.transact(hold)
"""


def test_what_a_killed_process_held_is_free_when_the_next_one_comes(store: MongoStore, settings: Settings) -> None:
    held = subprocess.Popen(
        [sys.executable, "-c", HOLDING, store.place, settings.cache], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert held.stdout is not None
    assert held.stdout.readline() == b"held\n"
    with MongoStore(store.place, settings):
        pass  # it lives: whoever comes by leaves it alone
    held.kill()
    held.communicate()
    began = time.monotonic()
    with MongoStore(store.place, settings) as after:
        assert after.images.put([new_image(1)]) == [0]
    assert time.monotonic() - began < 20  # MongoDB by itself would have kept it for a minute
    assert not list((Path(settings.cache) / "sessions").glob("*/*"))


def test_without_a_place_for_notes_work_goes_on(store: MongoStore, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file and no directory", "utf-8")
    with MongoStore(store.place, settings.but(cache=str(tmp_path / "file"))) as opened:
        assert opened.images.put([new_image(1)]) == [0]
