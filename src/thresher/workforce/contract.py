"""The promises every workforce keeps: where people come from, and how the page hands them back.

A workforce that pays adds publishing, deciding and money to this; people who come by a link need none of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from thresher.records import Assignment


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a workforce lets a requester do. `most_places` is how many people it may send to one task."""

    framed: bool = False
    can_reject: bool = True
    reject_least_characters: int = 0
    partial_pay: bool = False
    bonus: bool = False
    screen_out: bool = False
    notify: bool = False
    exclude: bool = False
    most_places: int = 1000


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says they are when the page opens: a worker we know, or the invite that brings a new one.

    `preview` shows the page without a lease and without gold, to somebody who has not taken the work yet.
    """

    worker: str = ""
    invite: str = ""
    preview: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The page stays, and shows the receipt."""

    receipt: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """The page goes to an address of the workforce."""

    url: str


@dataclass(frozen=True, slots=True)
class FormPost:
    """The page posts a form to the workforce; a real navigation, not a fetch."""

    url: str
    fields: Mapping[str, str] = field(default_factory=dict)


HandBack = Done | Redirect | FormPost


class Workforce(Protocol):
    """Where people come from."""

    name: str
    capabilities: Capabilities

    def entry(self, parameters: Mapping[str, str]) -> Claim:
        """Read what the page's address carries. Raises Denied for what this workforce did not issue."""

    def finish(self, assignment: Assignment) -> HandBack:
        """How the page ends a sent assignment; the same each time it is asked."""
