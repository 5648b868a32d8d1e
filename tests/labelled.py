"""Photos, labels of them with planted errors, the truth, and an owner at the HTTP API, for tests of `certify`."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.pictures_for_tests import picture

from thresher.pictures import render
from thresher.settings import Settings


@dataclass(frozen=True)
class Labelled:
    """A folder with `photos/`, `labels.csv` and `truth.csv`; `wrong` are photos that are labelled car and are none."""

    folder: Path
    wrong: tuple[str, ...]

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def labels(self) -> Path:
        return self.folder / "labels.csv"

    @property
    def truth(self) -> Path:
        return self.folder / "truth.csv"


def labelled(folder: Path, cars: int = 60, *, wrong: Sequence[int] = (), buses: int = 0) -> Labelled:
    """`cars` photos labelled car, those of the numbers `wrong` being none, and `buses` photos labelled bus."""
    (folder / "photos" / "street").mkdir(parents=True)
    names = [f"street/{number:03d}.jpg" for number in range(cars + buses)]
    for number, name in enumerate(names):
        (folder / "photos" / name).write_bytes(picture(number, (96, 64)))
    said = [
        f"{name},{'car' if number < cars else 'bus'},{0.99 - number / 1000:.3f},by a detector"
        for number, name in enumerate(names)
    ]
    true = [f"{name},{'car' if number < cars and number not in wrong else 'bus'}" for number, name in enumerate(names)]
    made = Labelled(folder, tuple(names[number] for number in wrong))
    made.labels.write_text("\n".join(("file,label,score,note", *said)) + "\n", "utf-8")
    made.truth.write_text("\n".join(("file,truth", *true)) + "\n", "utf-8")
    return made


def rows_of(file: Path) -> list[dict[str, str]]:
    """The lines of a CSV."""
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


@dataclass(frozen=True)
class Owner:
    """The owner at the page: takes tasks, and answers each image by what it shows."""

    http: httpx.Client
    token: str
    known: Mapping[bytes, bool]

    def task(self, category: str = "car") -> int:
        """Answer one task whole; returns how many images it had, 0 if there is none."""
        sent = {"Authorization": f"Bearer {self.token}"}
        got = self.http.post("/api/work/assignments", json={"category": category}, headers=sent)
        if got.status_code != 200:
            return 0
        work = got.json()
        says = [self.known[self.http.get(address).content] for address in work["pictures"]]
        entries = [
            {"position": at, "says": "yes" if one else "no", "first_seconds": 1.0, "seconds": 1.0}
            for at, one in enumerate(says)
        ]
        headers = {"Authorization": f"Bearer {work['token']}"}
        assert self.http.post("/api/work/send", json={"entries": entries}, headers=headers).status_code == 200
        return len(entries)


def known_of(made: Labelled, read: Callable[[str], bytes] | None = None, label: str = "car") -> dict[bytes, bool]:
    """Whether each image of the truth, as it is shown, is a `label`; `read` gives the bytes of one by its name."""
    side = Settings().shown_pixels
    get = read or (lambda name: (made.photos / name).read_bytes())
    return {render(get(row["file"]), long_side=side): row["truth"] == label for row in rows_of(made.truth)}


@contextmanager
def at_page(url: str, token: str, known: Mapping[bytes, bool]) -> Iterator[Owner]:
    """The owner with a client of the server at an address."""
    with httpx.Client(base_url=url, verify=False, timeout=30) as http:
        yield Owner(http, token, known)
