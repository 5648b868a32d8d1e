"""Stores: disks and databases, which every stage reads and writes. Start with `open_store`."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from thresher.errors import BadInput
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.store.kinds import KINDS
from thresher.store.references import References
from thresher.store.shapes import Kinds

__all__ = ["STORES", "open_store"]

# Scheme of a place: the module and the function that opens it, imported when it is asked for.
STORES = {
    "": ("thresher.store.directory.store", "open_directory"),
    "mongodb": ("thresher.store.mongo", "open_mongo"),
    "mongodb+srv": ("thresher.store.mongo", "open_mongo"),
}


def open_store(
    place: str | Path, settings: Settings, *, create: bool = False, recover: bool = False, kinds: Kinds = KINDS
) -> Store:
    """Open the workspace at a place, a directory or a `mongodb://` address; with `create`, make it if there is none.

    A workspace with an earlier schema is upgraded to the newest one (the table of `kinds`).

    Raises StoreUnavailable if there is no workspace, WrongSchema if a newer thresher has written it, StoreDamaged if
    the catalog is empty or another workspace's; with `recover` such a one is opened, to make its rows anew.
    """
    scheme, found, _ = str(place).partition("://")
    scheme = scheme if found else ""
    if scheme not in STORES:
        known = ", ".join(f"{name}://" for name in STORES if name)
        raise BadInput(f"unknown store {scheme}://; known are directories and {known}.", where=str(place))
    module, function = STORES[scheme]
    opener: Callable[..., Store] = getattr(import_module(module), function)
    opened = opener(str(place), settings, create=create, recover=recover, kinds=kinds)
    opened.images.fetch_reference = References(settings)
    opened.images.grouped = settings.similar_groups
    return opened
