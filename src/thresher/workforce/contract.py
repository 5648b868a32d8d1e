"""The contract of every workforce: where annotators come from, and where the page sends them afterwards.

A paid workforce also needs publishing, deciding and paying; people who come by a link do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from thresher.records import Assignment


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a workforce allows. `most_places` is how many people it may send to one task."""

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
    """Who opens the page: a known worker, or the invite that makes a new one.

    `preview` shows the page without a lease and without gold, to someone who has not accepted the work yet.
    """

    worker: str = ""
    invite: str = ""
    preview: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The page stays and shows the receipt."""

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
    """A source of annotators."""

    name: str
    capabilities: Capabilities

    def entry(self, parameters: Mapping[str, str]) -> Claim:
        """Read the claim from the page's address. Raises Denied for one that this workforce did not issue."""

    def finish(self, assignment: Assignment) -> HandBack:
        """What the page does after an assignment is sent; always the same for the same assignment."""
