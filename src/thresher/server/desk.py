"""The objects that every route gets: the store, the settings, the clock, and state that outlives a request."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from thresher.loop.decision import Decisions
from thresher.server.kept import Kept
from thresher.server.pictures import Shown
from thresher.server.presence import LOOPBACK
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.workforce.links import Links


@dataclass(frozen=True, slots=True)
class Desk:
    """The objects that every route uses.

    `decisions` holds what is decided of each category, and `kept` the answers of the console's pages;
    `on_sent(category)` is called after each sent assignment; `loop_runs(category)` says whether its loop is running.
    Whoever joins holds the `door` meanwhile.
    """

    store: Store
    settings: Settings
    decisions: Decisions
    kept: Kept
    clock: Callable[[], int]
    links: Links
    console_token: str
    shown: Shown
    static: Path
    on_sent: Callable[[str], None]
    loop_runs: Callable[[str], bool]
    door: threading.Lock = field(default_factory=threading.Lock)

    @property
    def lease_ms(self) -> int:
        """How long an assignment is held after the last request of its worker."""
        return round(self.settings.lease_minutes * 60_000)

    def base_url(self, request: Request) -> str:
        """The address of this server for people: `public_url`, or the (checked) host of the current request.

        The owner may read the console under a name of loopback although the server listens for others too.
        """
        asked = str(request.base_url)
        if request.url.hostname in LOOPBACK and self.settings.host not in LOOPBACK:
            asked = getattr(request.app.state, "address", "") or asked
        return (self.settings.public_url or asked).rstrip("/")

    def personal_link(self, request: Request, token: str) -> str:
        """A worker's personal link. The token is in the part after #, which browsers never send."""
        return f"{self.base_url(request)}/work#t={token}"


async def desk_of(request: Request) -> Desk:
    """The Desk of the running application."""
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(desk_of)]
