"""A simulated crowd at the HTTP API: it joins, takes assignments, looks at images, stores drafts and sends answers.

It uses only what a worker's page receives, so a simulation exercises the real server. Answer times are written into the
answers; nobody waits for them.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, TypeVar

import aiohttp

from thresher.errors import BadInput, Gone, NotReady, ThresherError, TryLater
from thresher.records import Progress
from thresher.workforce.album import Album
from thresher.workforce.crowd import READING_SECONDS, SENDING_SECONDS, Crowd, Look, Person

API = "/api/work"
FETCHES_AT_ONCE = 6  # what a browser opens to one host
DRAFTS = 3  # times an assignment's drafts are posted
POLL_SECONDS = (0.1, 1.0)  # first and longest pause between looks for work
TIMEOUT_SECONDS = 120.0
IDLE_SECONDS = 10.0  # if nobody gets work for so long, the user is told why
PAUSES_SECONDS = (0.1, 0.3, 1.0, 3.0)  # before a request that failed in passing is made again, as the page does
PASSING = frozenset({429, 502, 503, 504})  # a server that is busy or restarts; any other refusal is meant
PICTURES_AT_ONCE = 30  # fetched before they are recognised: whole assignments of photos would fill the memory

Report = Callable[[Progress], None]
T = TypeVar("T")


@dataclass
class Simulated:
    """What a crowd did: answers sent, verdicts, changes of mind, people who quit, and working time in seconds."""

    answers: int = 0
    owner_answers: int = 0
    assignments: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    changes: int = 0
    quits: int = 0
    lost: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Entry:
    """The server, and the links by which people join.

    The first people return with the personal `tokens` of an earlier run; the others join by the invite. With
    `owner_token` the owner answers too, but only while `owner_waits` returns True, because something waits for the
    owner alone: their link would also give them what other people are asked. `category` limits everyone to one
    category.
    """

    base_url: str
    invite_token: str
    tokens: Sequence[str] = ()
    owner_token: str = ""
    owner_waits: Callable[[], bool] = lambda: True
    category: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """When a simulation ends, and what it reports.

    It ends when nobody has had work for `patience_seconds`, or when `stop` returns True. `idle` is called once, if
    nobody gets work for `idle_seconds`.
    """

    patience_seconds: float = 0.0
    stop: Callable[[], bool] = lambda: False
    report: Report | None = None
    idle: Callable[[], None] = lambda: None
    idle_seconds: float = IDLE_SECONDS


def simulate(entry: Entry, crowd: Crowd, *, album: Album, workers: int = 20, watch: Watch | None = None) -> Simulated:
    """Let `workers` people answer at once, and the owner with the truth, until `watch` says that it is over.

    Raises NotReady if no server answers, NotFound for an image without a known truth.
    """
    floor = _Floor(entry, album, watch or Watch())
    people = [_Guest(person, token) for person, token in zip_longest(crowd.people(workers), entry.tokens[:workers])]
    return asyncio.run(_run(floor, people, crowd.owner()))


@dataclass(frozen=True)
class _Guest:
    """One person: with a personal token, or (None) by the invite."""

    person: Person
    token: str | None


@dataclass
class _Floor:
    """The state that all simulated people share."""

    entry: Entry
    album: Album
    watch: Watch
    done: Simulated = field(default_factory=Simulated)
    busy: int = 0
    last_work: float = 0.0
    reached: bool = False  # whether the server has answered anything yet
    idle_told: bool = False

    def over(self) -> bool:
        """Whether nobody has work, and nobody has had any for long enough."""
        quiet = asyncio.get_running_loop().time() - self.last_work
        if not self.busy and not self.idle_told and quiet >= self.watch.idle_seconds:
            self.idle_told = True
            self.watch.idle()
        return not self.busy and quiet >= self.watch.patience_seconds

    def worked(self) -> None:
        """Note that there was work just now."""
        self.last_work = asyncio.get_running_loop().time()

    def tell(self) -> None:
        """Report the number of answers so far."""
        if self.watch.report:
            self.watch.report(Progress("people answer", self.done.answers + self.done.owner_answers, 0, "answers"))


async def _run(floor: _Floor, people: list[_Guest], owner: Person) -> Simulated:
    floor.worked()
    entry = floor.entry
    base_url = entry.base_url.rstrip("/")
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(base_url, connector=connector, timeout=timeout) as session,
            asyncio.TaskGroup() as group,
        ):
            for number, guest in enumerate(people):
                worker = _Worker(session, floor, guest.person, guest.token or "")
                group.create_task(worker.join_and_work(entry.invite_token, f"{guest.person.kind.name} {number + 1}"))
            if entry.owner_token:
                group.create_task(_Worker(session, floor, owner, entry.owner_token, entry.owner_waits).adjudicate())
    except ExceptionGroup as group_of_errors:
        raise _first(group_of_errors, base_url) from group_of_errors
    return floor.done


def _first(group: BaseExceptionGroup[Any], base_url: str) -> BaseException:
    """The error to raise: one of ours before a network error, which is turned into one of ours."""
    errors = list(group.exceptions)
    ours = next((error for error in errors if isinstance(error, ThresherError)), None)
    if ours is not None:
        return ours
    if isinstance(errors[0], aiohttp.ClientError | TimeoutError):
        return NotReady(f"no server answers: {errors[0]}", where=base_url, next="thresher serve")
    return errors[0]


class _StoppedError(Exception):
    """The simulation was stopped while somebody waited for the server."""


class _Worker:
    """One person at the API, making the requests that their page would make."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        floor: _Floor,
        person: Person,
        token: str = "",
        waits: Callable[[], bool] | None = None,
    ) -> None:
        self.session, self.floor, self.person, self.token, self.waits = session, floor, person, token, waits
        self.fetching = asyncio.Semaphore(FETCHES_AT_ONCE)

    async def join_and_work(self, invite: str, name: str) -> None:
        """Open the invite, unless there is a personal token already, and work."""
        self.floor.done.kinds[self.person.kind.name] += 1
        with suppress(_StoppedError):
            if not self.token:
                self.token = await self.join(invite, name)
            await self.work()

    async def adjudicate(self) -> None:
        """Work as the owner, who needs no invite."""
        with suppress(_StoppedError):
            await self.work()

    async def join(self, invite: str, name: str) -> str:
        """The personal token that an invite gives; where too many join at once, after the time that the server says."""
        while True:
            try:
                joined = await self.ask("POST", "/join", body={"invite": invite, "name": name})
            except TryLater as error:
                await self.rest(error.after_seconds)
            else:
                return str(joined["token"])

    async def rest(self, seconds: float) -> None:
        """Wait for the server, which is not idling; raises _StoppedError if the simulation is stopped meanwhile."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            if self.floor.watch.stop():
                raise _StoppedError
            self.floor.worked()
            await asyncio.sleep(min(left, POLL_SECONDS[1]))

    async def work(self) -> None:
        """Take assignments until there are no more, or this person quits."""
        pause = POLL_SECONDS[0]
        while not self.floor.watch.stop():
            work = await self.take()
            if work is None:
                if self.floor.over():
                    return
                await asyncio.sleep(pause)
                pause = min(2 * pause, POLL_SECONDS[1])
                continue
            pause = POLL_SECONDS[0]
            self.floor.busy += 1
            try:
                if not await self.do(work):
                    return
            except Gone:
                self.floor.done.lost += 1
            finally:
                self.floor.busy -= 1
                self.floor.worked()

    async def take(self) -> dict[str, Any] | None:
        """An assignment, or None when none is on offer."""
        if self.waits is not None and not self.waits():
            return None
        me = await self.ask("GET", "/me", self.token)
        wanted = [offer["category"] for offer in me["offers"] if self.floor.entry.category in ("", offer["category"])]
        if not wanted:
            return None
        work: dict[str, Any] | None = await self.ask("POST", "/assignments", self.token, {"category": wanted[0]})
        return work

    async def do(self, work: dict[str, Any]) -> bool:
        """Look, store drafts and send; False if this person leaves in the middle. Raises Gone after the lease's end."""
        looks = self.person.answer(await self.recognise(work["pictures"]))
        leaves = self.person.leaves_after(len(looks))
        for sequence, until in enumerate(_stops(len(looks) if leaves is None else leaves), 1):
            drafts = [_entry(place, look, first=True) for place, look in enumerate(looks[:until])]
            await self.ask("PUT", "/drafts", work["token"], {"sequence": sequence, "entries": drafts})
        if leaves is not None:
            self.floor.done.quits += 1
            return False
        entries = [_entry(place, look) for place, look in enumerate(looks)]
        sent = await self.ask("POST", "/send", work["token"], {"entries": entries})
        self.count(looks, sent["verdict"])
        return True

    async def recognise(self, addresses: list[str]) -> list[str]:
        """Fetch the images, a few at once as a browser does, and find out which they are."""
        names = []
        for start in range(0, len(addresses), PICTURES_AT_ONCE):
            some = addresses[start : start + PICTURES_AT_ONCE]
            names += self.floor.album.names_of(await asyncio.gather(*map(self.fetch, some)))
        return names

    async def fetch(self, address: str) -> bytes:
        """The bytes of one image."""

        async def once() -> bytes:
            async with self.fetching, self.session.get(address) as response:
                if response.status != 200:
                    raise await _refused(response)
                return await response.read()

        return await self.patiently(once)

    def count(self, looks: list[Look], verdict: str) -> None:
        """Add an assignment to the totals."""
        done = self.floor.done
        if self.waits is None:
            done.answers += len(looks)
        else:
            done.owner_answers += len(looks)
        done.assignments += 1
        done.verdicts[verdict] += 1
        done.changes += sum(look.changes for look in looks)
        done.seconds += READING_SECONDS + SENDING_SECONDS + sum(look.seconds for look in looks)
        self.floor.tell()

    async def ask(self, method: str, path: str, token: str = "", body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 -- each answer has a shape of its own
        """One request with a bearer token, and its answer; None for an empty answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}

        async def once() -> Any:  # noqa: ANN401 -- each answer has a shape of its own
            async with self.session.request(method, API + path, json=body, headers=headers) as response:
                if response.status >= 400:
                    raise await _refused(response)
                return None if response.status == 204 else await response.json()

        return await self.patiently(once)

    async def patiently(self, once: Callable[[], Awaitable[T]]) -> T:
        """What a request gives, made again a few times if the server is busy or the connection is dropped.

        Nothing is counted twice: the server gives an open assignment, kept drafts and a verdict again. A server that
        has never answered is not waited for.
        """
        for pause in PAUSES_SECONDS:
            try:
                given = await once()
            except TryLater as error:
                pause = max(pause, error.after_seconds)
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
                if isinstance(error, TimeoutError) or not self.floor.reached:
                    raise
            else:
                self.floor.reached = True
                return given
            await self.rest(pause)
        return await once()


async def _refused(response: aiohttp.ClientResponse) -> ThresherError:
    """The error for a refused request: that a lease ended, or one that no worker should ever get."""
    try:
        problem = await response.json(content_type=None)
        said = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        said = response.reason or "no reason"
    where = f"{response.method} {response.url.path}"
    if response.status in PASSING:
        after = response.headers.get("Retry-After", "")
        return TryLater(said, where=where, after_seconds=float(after) if after.isdecimal() else 0.0)
    if response.status == Gone.status:
        return Gone(said, where=where)
    return BadInput(f"the server answered {response.status}: {said}", where=where)


def _stops(answers: int) -> list[int]:
    """After how many answers drafts are stored."""
    return sorted({math.ceil(answers * (part + 1) / DRAFTS) for part in range(DRAFTS)} - {0})


def _entry(position: int, look: Look, *, first: bool = False) -> dict[str, Any]:
    """An answer in the format of the API; `first` is the draft before any change of mind."""
    changed = look.changes and not first
    return {
        "position": position,
        "says": (look.first if first else look.says).value,
        "first_seconds": look.first_seconds,
        "seconds": look.first_seconds if first else look.seconds,
        "changes": look.changes if changed else 0,
        "visits": 2 if changed else 1,
    }
