"""Links in a tar: further names of its members, as rsync, rdfind and git-annex write them."""

import posixpath
import tarfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

HOPS_MOST = 40
"""Links that lead to links are followed as often as Linux does it."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link: its name and offset, and what it leads to. A symbolic one is relative to its own folder."""

    name: str
    target: str
    offset: int
    symbolic: bool

    @property
    def leads_to(self) -> str:
        """The name of its target."""
        folder = posixpath.dirname(self.name) if self.symbolic else ""
        return posixpath.normpath(posixpath.join(folder, self.target))


Place = tuple[int, int]
"""Offset and size of a member's bytes."""


def targets_of(links: Iterable[Link], members: Iterable[tarfile.TarInfo]) -> dict[Link, Place]:
    """The bytes that each link leads to; without links that lead to no file among the `members`.

    A hard link is one to the last member of that name before it, a symbolic one to the last of all.
    """
    names = {posixpath.normpath(link.name): link for link in links}
    ends = {link: _end(link, names) for link in names.values()}
    wanted = set(ends.values())
    places: defaultdict[str, list[Place]] = defaultdict(list)
    for member in members:
        if member.isreg() and not member.issparse() and (name := posixpath.normpath(member.name)) in wanted:
            places[name].append((member.offset_data, member.size))
    found: dict[Link, Place] = {}
    for link in links:
        there = places.get(_end(link, names), [])
        before = [place for place in there if place[0] < link.offset]
        if there:
            found[link] = there[-1] if link.symbolic or not before else before[-1]
    return found


def _end(link: Link, names: dict[str, Link]) -> str:
    """The name that a link leads to at last; "" if it leads in a circle."""
    for _ in range(HOPS_MOST):
        following = names.get(link.leads_to)
        if following is None or following is link:
            return link.leads_to
        link = following
    return ""
