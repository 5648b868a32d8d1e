"""Answers for the audits of labels: of the owner or people in the page, with the progress told, or of a simulation."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from thresher.cli.invites import invite_of
from thresher.cli.open import interruptible
from thresher.cli.options import CrowdOptions
from thresher.cli.show import say, visible
from thresher.label.mining import have_owner
from thresher.loop.audited import told
from thresher.loop.autopilot import FINAL
from thresher.loop.certify import audit
from thresher.loop.taken import Order
from thresher.loop.turn import Turn
from thresher.records import OWNER, now_ms
from thresher.server.local import Local
from thresher.settings import Settings
from thresher.store.contract import Rows, Store, Tally
from thresher.workforce.links import Links

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INVITE_NOTE = "certify"


def by_page(
    orders: "Sequence[Order]",
    first: "Mapping[str, Rows]",
    *,
    started: "Callable[[], Local]",
    people: bool,
    browser: bool | None,
    store: Store,
    settings: Settings,
) -> None:
    """Print the link of the page that is served, and wait until every audit has ended, telling the progress."""
    heard = _teller(orders, store)
    with interruptible() as stop:
        before = audit(first, store=store, settings=settings, heard=heard, stop=stop, turns=1)
        if all(one.state in FINAL for one in before.values()):
            return
        server = started()
        link = f"{server.url}/join/{_invite(store)}" if people else f"{server.url}/work#t={_owner(store)}"
        say(f"{'Invite people with' if people else 'Answer at'} {link}")
        if people:
            say(f"What they cannot decide comes to you at {server.url}/work#t={_owner(store)}")
        say("This command ends by itself when the answers suffice. Ctrl-C stops it; the same command goes on.")
        if not people and (sys.stdout.isatty() if browser is None else browser):
            typer.launch(link)
        audit(first, store=store, settings=settings, heard=heard, stop=stop)


def by_crowd(
    orders: "Sequence[Order]",
    first: "Mapping[str, Rows]",
    truth: Path | None,
    positive: str,
    *,
    store: Store,
    settings: Settings,
) -> None:
    """Let a simulated owner answer from a table of truths."""
    from thresher.cli.crowd import Way, simulate_with

    assert truth is not None  # noqa: S101 -- the command has asked for it
    heard = _teller(orders, store)
    before = audit(first, store=store, settings=settings, heard=heard, turns=1)
    for order in orders:
        if before[order.category].state in FINAL:
            continue
        crowd = CrowdOptions(truth=truth, workers=1, positive=positive or order.label)

        def loop(name: str, *, stop: Callable[[], bool], **_: object) -> Turn | None:
            return audit({name: first[name]}, store=store, settings=settings, heard=heard, stop=stop).get(name)

        with interruptible() as stop:
            simulate_with(
                order.category,
                crowd,
                store=store,
                settings=settings,
                stop=stop,
                way=Way(loop=loop),
                tell=lambda _: None,
            )


def _owner(store: Store) -> str:
    """The owner's personal token."""
    have_owner(store=store, now_ms=now_ms())
    return Links(store.secret()).worker(OWNER)


def _invite(store: Store) -> str:
    """The token of the invite for all labels of the workspace, the same one in every run."""
    return Links(store.secret()).invite(invite_of("", INVITE_NOTE, store=store).id)


def _teller(orders: "Sequence[Order]", store: Store) -> Callable[[str, Turn], None]:
    """A function that prints each label's progress when it has moved.

    The progress is computed while the counters of the label move, and once more, as an answer that comes late in a turn
    is processed by the next one.
    """
    labels = {order.category: order.label for order in orders}
    last: dict[str, str] = {}
    seen: dict[str, tuple[Tally | None, Tally | None]] = {}

    def heard(name: str, _came_to: Turn) -> None:
        now, before = store.categories.tally(name), seen.get(name, (None, None))
        seen[name] = (now, before[0])
        if before == (now, now):
            return
        words = told(name, store=store)
        if words and words != last.get(name):
            say(f"{visible(labels[name])}: {words}")
        last[name] = words

    return heard
