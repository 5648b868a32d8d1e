"""A small real release of each method: with images known before the freeze, copies, a rewording and a late label."""

import hashlib
import itertools
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.filled import NAME, new_image
from tests.loop.people import pool
from tests.loop.promised import COUNT, YES_FROM, aim, rounds_of_two, run, says
from tests.pictures_for_tests import picture

from thresher.harvest.similar import put_in_groups
from thresher.loop.decision import decision
from thresher.loop.ship import ship
from thresher.records import Label, NewImage, Origin, Purpose, Says, Source
from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.claims import AUDITED, ClaimedLabels, store_claim
from thresher.store.contract import Store
from thresher.store.locks import lock

STRANGER = 4242
YES_SEEDS = (905, 917, 930)
WIDE = (160, 40)


@contextmanager
def alike() -> Iterator[None]:
    """Audits that draw alike each time."""
    with pytest.MonkeyPatch.context() as patched:
        drawn = itertools.count(1)
        patched.setattr(secrets, "token_hex", lambda size: f"{next(drawn):0{2 * size}x}")
        yield


def as_png(seed: int) -> NewImage:
    """The picture of a seed, encoded anew."""
    data = picture(seed, WIDE, format="PNG")
    named = replace(new_image(seed, WIDE), aliases=(), data=data, bytes=len(data), format="PNG")
    return replace(named, sha256=hashlib.sha256(data).hexdigest())


def owners(row: int, word: Says) -> Label:
    return Label(row, word, Source.OWNER, Purpose.LEARN, 1, 9)


def release_of(method: str, temporary: pytest.TempPathFactory, workspace: Path) -> Path:
    """The release of a method, made once for all processes of a run of the tests: whoever damages it takes a copy."""
    base = temporary.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "releases"
    place.mkdir(exist_ok=True)
    whole = place / f"{method}.whole"
    with (place / f"{method}.lock").open("w") as file:
        lock(file.fileno())
        if not whole.exists():
            made(method, place / method, workspace).close()
            whole.touch()
    return place / method / "out"


def made(method: str, folder: Path, workspace: Path) -> Store:
    """A workspace whose category is certified by a method, and its release in `folder/out`."""
    folder.mkdir()
    settings = rounds_of_two(read_settings(folder, {}), folder)
    store = open_store(shutil.copytree(workspace, folder / "workspace"), settings)
    with alike():
        rows = pool(store, YES_FROM, COUNT)
        copies = put_in_groups([as_png(seed) for seed in YES_SEEDS], store=store)
        store.categories.pool_add(NAME, copies, Origin("test", "", "CC0", 1))
        known = [owners(row, says(row)) for row in (rows[3], rows[50], rows[180], rows[230])]
        store.labels.hold(NAME, [*known, owners(rows[60], Says.UNSURE), owners(copies[0], Says.NO)])
        if method == "labels":
            called = np.array([row for row in rows if says(row) is Says.YES or row == rows[7]], np.int64)
            store_claim(NAME, ClaimedLabels(AUDITED, called, np.ones(len(called), np.bool_)), store=store)
        aim(store, method)
        assert run(store, settings).state == "done"
        decided = decision(NAME, store=store)
        free = [int(row) for row in decided.rows[decided.codes == 1] if row not in decided.basis.trusted]
        store.labels.hold(NAME, [owners(free[0], Says.NO), owners(free[-1], Says.YES)])
        ship(NAME, folder / "out", store=store, now_ms=9)
    return store
