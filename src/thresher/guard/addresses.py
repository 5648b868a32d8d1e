"""Addresses as they are asked for: percent-encoding stays as it was written, for a signature may be over it.

Libraries decode `%2F`, `%3A` or `%40` to what they hold equal, and a presigned address then no longer fits its
signature. So only the site's name is brought into the form that networks use; of the path and the query, nothing but
the characters that no request may contain is encoded, as browsers do (WHATWG URL, section 1.3).
"""

from typing import Final
from urllib.parse import quote_from_bytes, urljoin

from yarl import URL

# what a browser leaves as it is in a path or a query, besides letters, digits and "_.-~"
_IN_PATH: Final = "!$%&'()*+,/:;=?@[\\]|"
_IN_QUERY: Final = f"{_IN_PATH}^`{{}}"


def address(url: str) -> URL:
    """The address of a URL: path and query as they are written, without the fragment. Raises ValueError."""
    site, rest = _cut(url)
    path, mark, query = rest.partition("#")[0].partition("?")
    place = str(URL(site).origin())
    return URL(f"{place}{_quoted(path, _IN_PATH) or '/'}{mark}{_quoted(query, _IN_QUERY)}", encoded=True)


def site_of(url: str) -> URL:
    """The scheme and the site of a URL, with the user and the password that it may contain. Raises ValueError."""
    return URL(_cut(url)[0])


def redirected(here: URL, location: str) -> str:
    """The URL that a `Location` header names; absolute ones, and absolute paths, as they are written."""
    if location.startswith("//"):
        return f"{here.scheme}:{location}"
    if location.startswith("/"):
        return f"{here.origin()}{location}"
    if "://" in location.partition("?")[0].partition("#")[0]:
        return location
    return urljoin(str(here), location)


def _cut(url: str) -> tuple[str, str]:
    """Scheme and site, and the rest."""
    scheme, mark, rest = url.partition("://")
    ends = min((place for place in map(rest.find, "/?#") if place >= 0), default=len(rest))
    return f"{scheme}{mark}{rest[:ends]}", rest[ends:]


def _quoted(text: str, left: str) -> str:
    # bytes of a header that are not UTF-8 come as surrogates, and are the bytes again
    return quote_from_bytes(text.encode("utf-8", "surrogateescape"), safe=left)
