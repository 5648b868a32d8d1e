"""`thresher simulate`: a simulated crowd answers through the HTTP API, with the loop of the category beside it."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from thresher.cli.invites import invite_of
from thresher.cli.options import CrowdOptions
from thresher.cli.show import bars, say
from thresher.errors import BadInput, BadLine, Busy, NotReady
from thresher.label.cap import cut_to_fit
from thresher.label.claimed import rows_named
from thresher.label.mining import have_owner
from thresher.label.table import not_one, shared_addresses, some_of
from thresher.label.waits import asked_of_workers
from thresher.loop.autopilot import run
from thresher.loop.turn import Turn
from thresher.records import OWNER, Invite, Stage, now_ms
from thresher.server.local import local_server
from thresher.settings import Settings
from thresher.store.contract import UNBOUNDED, Report, Store
from thresher.workforce.album import Album
from thresher.workforce.crowd import Crowd, ModelCrowd, ReplayedCrowd
from thresher.workforce.links import Links
from thresher.workforce.simulated import Entry, Simulated, Watch, simulate
from thresher.workforce.truth import Truth, read_truth

RETRY_SECONDS = 0.2
CROWD_PATIENCE_SECONDS = 1.0  # simulated people answer in no time, so nobody waits for others as long as among people
STARVED_SECONDS = 15.0  # beyond what tasks wait anyway; a turn between two tasks takes less
WAITS = (
    "No task is available yet: the loop is working, or other people hold all tasks until their leases end "
    "(setting lease_minutes). Ctrl-C stops."
)


@dataclass(frozen=True, slots=True)
class Way:
    """How a simulation runs: people err `errors` times as often as their model says, beside this `loop`."""

    errors: float = 1.0
    loop: Callable[..., Turn | None] = run


def simulate_with(
    name: str,
    crowd: CrowdOptions,
    *,
    store: Store,
    settings: Settings,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[str], None] = say,
    way: "Way | None" = None,
) -> dict[str, object]:
    """Let a crowd answer category `name` until its loop ends or `stop` returns True; returns counts of what people did.

    Without an address a server is started for as long as it takes, whose patience is a second at most. The loop runs in
    this process; a loop that a server runs at the same time leaves the category to this one. `way` says how people err
    and which loop runs. Raises NotReady when open tasks are left that nobody in the crowd may take.
    """
    way = way or Way()
    store.categories.get(name)
    truth = read_truth(crowd.truth, crowd.positive)
    links = Links(store.secret())
    invite, tokens = _invite(name, links, store)
    have_owner(store=store, now_ms=now_ms())
    if not crowd.url:
        settings = settings.but(patience_seconds=min(settings.patience_seconds, CROWD_PATIENCE_SECONDS))
    starved = (
        _Starved(name, store, settings) if not crowd.url else _never
    )  # only at our own server will nobody else come
    with (
        bars() as report,
        _server(crowd.url, store, settings) as base_url,
        _Loop(name, store, settings, report, way.loop) as running,
    ):
        album = album_of(truth, name, store, settings, report, tell=tell)
        people = simulate(
            Entry(
                base_url,
                links.invite(invite.id),
                tokens=tokens,
                owner_token=links.worker(OWNER),
                owner_waits=lambda: _waits_for_owner(name, store, settings),
                category=name,
            ),
            crowd_of(truth, crowd.seed, replay=crowd.replay, errors=way.errors, proxies=crowd.proxies),
            album=album,
            workers=crowd.workers,
            watch=Watch(
                patience_seconds=float("inf"),
                stop=lambda: running.over() or stop() or starved(),
                report=report,
                idle=lambda: tell(WAITS),
            ),
        )
    if running.failed:
        raise running.failed
    if starved():
        raise NotReady(
            f"open tasks of {name} need people who have not seen their images; all {crowd.workers} have.",
            next="run it again with more --workers (answers so far are kept)",
        )
    return facts_of(people, running.came_to)


def _invite(name: str, links: Links, store: Store) -> tuple[Invite, list[str]]:
    """The crowd's invite, and the personal tokens of earlier runs, so that the same people return in the next one."""
    known = invite_of(name, f"simulated crowd of {name}", store=store)
    came = sorted((w.created_ms, w.id) for w in store.people.all() if w.invite == known.id)
    return known, [links.worker(worker) for _, worker in came]


def crowd_of(truth: Truth, seed: int, *, replay: bool, errors: float = 1.0, proxies: float = 0.0) -> Crowd:
    """People of the fixed model, or the votes in the file. Raises BadInput if the file has none."""
    if not replay:
        return ModelCrowd(truth.yes, seed, errors=errors, proxies=proxies)
    if not any(truth.votes.values()):
        raise BadInput("the truth file has no columns vote1, vote2, ...", next="leave out --replay")
    return ReplayedCrowd(truth.yes, truth.votes, seed)


def album_of(
    truth: Truth, name: str, store: Store, settings: Settings, report: Report, *, tell: Callable[[str], None] = say
) -> Album:
    """The images of the pool, by the names in the truth file as `rows_named` finds them; names of none are reported.

    Raises BadInput when the file names none of the images, BadLine for a name of several images or one of several
    addresses of an image.
    """
    rows: dict[str, int] = {}
    for known, named in zip(truth.yes, rows_named(name, list(truth.yes), store=store), strict=True):
        if len(named) > 1:
            what, following = not_one(name, known, named, store=store)
            raise BadLine(what, file=truth.file, line=truth.lines[known], next=following)
        if named:
            rows[known] = named[0]
    for known, (what, following) in shared_addresses(rows, store).items():
        raise BadLine(what, file=truth.file, line=truth.lines[known], next=following)
    if not rows:
        raise BadInput(f"none of its names is in the pool of {name}.", where=truth.file, next="thresher status")
    if unknown := {known: truth.lines[known] for known in truth.yes if known not in rows}:
        names = "name is" if len(unknown) == 1 else "names are"
        tell(f"{truth.file}: {len(unknown):,} {names} of no image of {name}: {some_of(unknown)}.")
    if left := (images := store.categories.tally(name).images) - len(set(rows.values())):
        lacks = f"{left:,} of the {images:,} images of {name} {'is' if left == 1 else 'are'} not in it"
        tell(f"{truth.file}: {lacks}; to meet one ends the run.")
    once: dict[int, str] = {}  # one name an image: the first in the file
    for known, row in rows.items():
        if truth.yes[once.setdefault(row, known)] != truth.yes[known]:
            what = f"{known!r} and {once[row]!r} (line {truth.lines[once[row]]}) are the same image with two truths."
            raise BadLine(what, file=truth.file, line=truth.lines[known], next="keep one of them")
    return Album(
        [known for row, known in sorted(once.items())],
        lambda known: store.images.read(rows[known]),
        long_side=settings.shown_pixels,
        report=report,
    )


def facts_of(people: Simulated, came_to: Turn | None) -> dict[str, object]:
    """What the crowd did, as names and values to print."""
    return {
        "end of the loop": came_to.says if came_to else "interrupted",
        "answers sent": people.answers,
        "owner's answers": people.owner_answers,
        "assignments sent": people.assignments,
        **{f"  {verdict}": count for verdict, count in sorted(people.verdicts.items())},
        "people who left half-way": people.quits,
        "hours of work": round(people.seconds / 3600, 2),
    }


def _waits_for_owner(name: str, store: Store, settings: Settings) -> bool:
    """Whether a task waits that only the owner can answer; other tasks are left to the crowd."""
    owner = store.people.get(OWNER)
    cut_to_fit(name, owner, bounds=UNBOUNDED, store=store, settings=settings, now_ms=now_ms())
    task = store.work.offer(name, store.categories.get(name).question.version, OWNER, owner=True)
    return task is not None and task.owner_only


def _never() -> bool:
    return False


class _Starved:
    """Whether nobody takes the open tasks, and nothing will change that: everyone in the crowd has seen their images.

    A small task is left to people with a good record for `settings.patience_seconds`, and a task that waited so long is
    cut for those who have seen a part of it: so nothing must have happened for longer.
    """

    def __init__(self, name: str, store: Store, settings: Settings) -> None:
        self._name, self._store = name, store
        self._seconds = settings.patience_seconds + STARVED_SECONDS
        self._since: float | None = None
        self._seen: tuple[object, ...] = ()

    def __call__(self) -> bool:
        tally, now = self._store.categories.tally(self._name), time.monotonic()
        waits = tally.tasks_open and asked_of_workers(tally) and not tally.assignments.get(Stage.LEASED.value, 0)
        seen = (tally.tasks_open, asked_of_workers(tally), tally.answered)
        if not waits or seen != self._seen:
            self._since, self._seen = (now if waits else None), seen
        return self._since is not None and now - self._since >= self._seconds


@contextlib.contextmanager
def _server(url: str, store: Store, settings: Settings) -> Iterator[str]:
    if url:
        yield url
        return
    with local_server(store.place, loop=False, crowd=True, patience_seconds=settings.patience_seconds) as server:
        yield server.url


class _Loop:
    """The loop of a category, in its own thread."""

    def __init__(
        self, name: str, store: Store, settings: Settings, report: Report, loop: Callable[..., Turn | None]
    ) -> None:
        self._name, self._store, self._settings, self._report, self._run_loop = name, store, settings, report, loop
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"loop of {name}", daemon=True)
        self.came_to: Turn | None = None
        self.failed: BaseException | None = None

    def over(self) -> bool:
        """Whether the loop has ended."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self.came_to = self._run_loop(
                        self._name,
                        store=self._store,
                        settings=self._settings,
                        report=self._report,
                        stop=self._stop.is_set,
                    )
                except Busy:  # a server's loop is in the middle of a turn, or a killed one's lease has not run out
                    time.sleep(RETRY_SECONDS)
                else:
                    return
        except Exception as error:  # noqa: BLE001 -- told by the main thread, which raises it
            self.failed = error

    def __enter__(self) -> "_Loop":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
