"""Invites: each gives everybody who opens it a personal link."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request

from thresher.label import standing
from thresher.records import Invite, new_id
from thresher.server.desk import Desk, TheDesk
from thresher.server.wire import InviteWire, NewInvite

router = APIRouter()


@router.get("/invites")
def invites(desk: TheDesk, request: Request) -> list[InviteWire]:
    """Every invite, newest first."""

    def every(_categories: Sequence[str]) -> list[InviteWire]:
        return [_invite(desk, invite, request) for invite in desk.store.people.invites()]

    return desk.kept.of_all(("invites", desk.base_url(request)), every)


@router.post("/invites", status_code=201)
def add_invite(body: NewInvite, desk: TheDesk, request: Request) -> InviteWire:
    """Make an invite, for one category or for all."""
    if body.category:
        desk.store.categories.get(body.category)
    invite = Invite(id=new_id(), category=body.category, note=body.note, created_ms=desk.clock())
    desk.store.people.invite(invite)
    return _invite(desk, invite, request)


@router.delete("/invites/{invite}", status_code=204)
def revoke_invite(invite: Annotated[str, Path(max_length=64)], desk: TheDesk) -> None:
    """Close an invite: nobody joins by it any more, and those who did get no more tasks; what they have sent stays."""
    desk.store.people.get_invite(invite)
    standing.close(invite, store=desk.store, now_ms=desk.clock())


def _invite(desk: Desk, invite: Invite, request: Request) -> InviteWire:
    return InviteWire(
        id=invite.id,
        category=invite.category,
        note=invite.note,
        link=f"{desk.base_url(request)}/join/{desk.links.invite(invite.id)}",
        created_ms=invite.created_ms,
        revoked=bool(invite.revoked_ms),
        people=desk.store.people.joined(invite.id),
    )
