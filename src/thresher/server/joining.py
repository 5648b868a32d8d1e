"""Joining by an invite: who may, how many in a minute, and from where.

Anybody may open an invite again and again, so the number of people is bounded by invite, and the speed by invite and by
network address. Addresses are compared as keyed hashes; several people at one address are no fault, since families and
laboratories share one.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from fastapi import Request

from thresher.errors import BadSetting, Denied, Gone, NotFound, TryLater
from thresher.records import Invite, Worker, new_id
from thresher.server.desk import Desk
from thresher.settings import Settings

MINUTE_MS = 60_000
HOME_BITS = 64  # of an IPv6 address: what one household has
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who joins: the name they want, their device, and their address as a keyed hash (empty: not known)."""

    name: str
    device: str
    address: str


def let_in(token: str, guest: Guest, desk: Desk) -> Worker:
    """Make a worker by an invite. Raises Denied, Gone, TryLater."""
    try:
        invite = desk.links.read_invite(token)
        desk.store.people.get_invite(invite)
    except NotFound as error:
        raise Denied("this invite is not known here.", next="ask for a new one") from error
    # one at a time: sixty who ask at once must not all find that there is room for one more
    with desk.door:
        _may_join(desk.store.people.get_invite(invite), guest, desk)
        made = Worker(new_id(), guest.name, False, invite, desk.clock(), address=guest.address)
        # the device first: killed in between, nobody has joined without one
        desk.store.people.seen(made.id, guest.device, made.created_ms)
        desk.store.people.add(made)
    return made


def _may_join(invite: Invite, guest: Guest, desk: Desk) -> None:
    settings, people, now_ms = desk.settings, desk.store.people, desk.clock()
    if invite.revoked_ms:
        raise Gone("this invite was withdrawn.", next="ask for a new one")
    if people.joined(invite.id) >= settings.invite_people:
        raise Gone("this invite has reached its limit of people.", next="ask for a new one")
    _not_too_often(people.came(settings.joins_minute, invite=invite.id), settings.joins_minute, now_ms)
    if guest.address:
        _not_too_often(people.came(settings.joins_address, address=guest.address), settings.joins_address, now_ms)


def _not_too_often(came: Sequence[Worker], most: int, now_ms: int) -> None:
    """Raise TryLater if as many as may come in a minute have come in the last one."""
    wait_ms = came[-1].created_ms + MINUTE_MS - now_ms if len(came) >= most else 0
    if wait_ms > 0:
        raise TryLater(
            "many people are joining just now.",
            next="wait a moment and try again",
            after_seconds=min(wait_ms, MINUTE_MS) / 1000,
        )


def address_of(request: Request, settings: Settings) -> str:
    """The network address that a request comes from, as far as it can be believed; of IPv6 that of the household.

    What a header claims is believed of the proxies in the settings only, and only up to the first address that is none
    of them. Empty if it is not known, as behind a socket of this machine.
    """
    address = _address(request.client.host if request.client else "")
    proxies = networks(settings.proxies)
    for passed in reversed(request.headers.get("x-forwarded-for", "").split(",")):
        before = _address(passed.strip())
        if before is None or address is None or not any(address in network for network in proxies):
            break
        address = before
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, HOME_BITS), strict=False))
    return str(address or "")


@lru_cache(maxsize=8)
def networks(listed: str) -> tuple[Network, ...]:
    """The networks of a list with commas. Raises BadSetting."""
    try:
        return tuple(ipaddress.ip_network(one.strip(), strict=False) for one in listed.split(",") if one.strip())
    except ValueError as error:
        raise BadSetting(f"{error}.", where="proxies", next="give addresses such as 127.0.0.1, 10.0.0.0/8") from error


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if text.count(":") == 1:  # some proxies write the port of an IPv4 address too
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
