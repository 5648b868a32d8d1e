"""Invites in the console."""

from typing import Annotated

from pydantic import Field

from thresher.server.wire.base import Wire


class NewInvite(Wire):
    """An invite to make, for one category or (empty) for all."""

    category: Annotated[str, Field(max_length=64)] = ""
    note: Annotated[str, Field(max_length=200)] = ""


class InviteWire(Wire):
    """An invite; `link` gives each person who opens it a personal link, and `people` did so."""

    id: str
    category: str
    note: str
    link: str
    created_ms: int
    revoked: bool
    people: int
