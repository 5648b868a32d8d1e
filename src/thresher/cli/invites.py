"""`thresher invite`: make an invite link, list those there are, revoke one."""

from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli.open import opened
from thresher.cli.options import JSON
from thresher.cli.show import as_json, say, table

if TYPE_CHECKING:
    from thresher.records import Invite
    from thresher.settings import Settings
    from thresher.store.contract import Store

invite = typer.Typer(
    name="invite", help="Make an invite link; list the invites; revoke one.", invoke_without_command=True
)
SHOWN = 8  # characters of an id that tell invites apart


def add_to(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(invite)


@invite.callback()
def made(
    context: typer.Context,
    category: Annotated[str, typer.Option(help="Invite for this category only; default: all categories.")] = "",
    note: Annotated[str, typer.Option(help="A note that only you see.")] = "",
    json: JSON = False,
) -> None:
    """Make an invite link; everyone who opens it gets a personal link to answer images."""
    if context.invoked_subcommand:
        return
    with opened(context) as (store, settings):
        link, running = _new_link(store, settings, category, note)
    if json:
        as_json({"link": link, "server": "running" if running else "not running"})
    else:
        say(link)
        if not running:
            typer.echo("No server of this workspace runs. The link works while `thresher serve` does.", err=True)


def invite_of(category: str, note: str, *, store: "Store") -> "Invite":
    """The invite of this category (empty: all) with this note that is not revoked; made if there is none."""
    from thresher.records import Invite, new_id, now_ms

    alike = (one for one in store.people.invites() if (one.category, one.note) == (category, note))
    known = next((one for one in alike if not one.revoked_ms), None)
    if known is None:
        known = Invite(new_id(), category, note, now_ms())
        store.people.invite(known)
    return known


def _new_link(store: "Store", settings: "Settings", category: str, note: str) -> tuple[str, bool]:
    """A new invite's link, and whether a server runs at its address."""
    from thresher.records import Invite, new_id, now_ms
    from thresher.server.presence import for_people

    if category:
        store.categories.get(category)
    base, running = for_people(store, settings)  # before anything is made, for there may be no address
    new = Invite(new_id(), category, note, now_ms())
    store.people.invite(new)
    return _link(base, new, store), running


def _link(base: str, one: "Invite", store: "Store") -> str:
    from thresher.workforce.links import Links

    return f"{base}/join/{Links(store.secret()).invite(one.id)}"


@invite.command("list")
def listed(context: typer.Context, json: JSON = False) -> None:
    """List the invites, newest first: how many people came by each, and whether it is open; with --json, its link."""
    with opened(context) as (store, settings):
        rows = _rows(store, settings)
    if json:
        as_json(rows)
    elif not rows:
        say("There is no invite yet. Next: thresher invite")
    else:
        shown = [
            (str(row["invite"])[-SHOWN:], row["category"] or "all", row["note"], row["people"], row["state"])
            for row in rows
        ]
        table("Invites", ("invite", "category", "note", "people", "state"), shown, right=("people",))


def _rows(store: "Store", settings: "Settings") -> list[dict[str, object]]:
    from thresher.errors import NotReady
    from thresher.server.presence import for_people

    try:
        base, _ = for_people(store, settings)
    except NotReady:  # a list is no less true while links have no address
        base = ""
    return [
        {
            "invite": one.id,
            "category": one.category,
            "note": one.note,
            "people": store.people.joined(one.id),
            "state": "revoked" if one.revoked_ms else "open",
            "created_ms": one.created_ms,
            "link": _link(base, one, store) if base else "",
        }
        for one in store.people.invites()
    ]


@invite.command("revoke")
def revoked(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="INVITE", help="The invite's id, or its last characters.")],
) -> None:
    """Revoke an invite: nobody joins by it, and those who did get no more tasks; what they have sent stays."""
    from thresher.label.standing import close
    from thresher.records import now_ms

    with opened(context) as (store, _settings):
        one = _find(which, store)
        if one.revoked_ms:
            say(f"{one.id[-SHOWN:]} was revoked before: nothing changed.")
            return
        people = close(one.id, store=store, now_ms=now_ms())
    reached = "1 person who came by it gets" if people == 1 else f"{people} people who came by it get"
    undo = " Let one of them go on: thresher people admit ID" if people else ""
    say(f"Revoked {one.id[-SHOWN:]}. {reached} no more tasks; what they have sent stays and is paid.{undo}")


def _find(which: str, store: "Store") -> "Invite":
    """The one invite whose id ends so. Raises NotFound, BadInput."""
    from thresher.errors import BadInput, NotFound

    found = [one for one in store.people.invites() if one.id.endswith(which)]
    if len(found) > 1:
        raise BadInput(f"{len(found)} invites have an id that ends in {which!r}.", next="give more of its characters")
    if not found or not which:
        raise NotFound(f"no invite has an id that ends in {which!r}.", next="thresher invite list")
    return found[0]
