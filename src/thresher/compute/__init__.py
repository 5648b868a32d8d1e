"""Computes: one job over many items, on the processes that a setting names. Start with `open_compute`."""

from collections.abc import Callable
from importlib import import_module

from thresher.compute.contract import Compute
from thresher.compute.cores import cores
from thresher.compute.inline import Inline
from thresher.errors import BadSetting
from thresher.settings import Settings

__all__ = ["COMPUTES", "Compute", "careful", "cores", "open_compute"]

# Place, or scheme of an address: the module and the function that opens it, imported when it is asked for.
COMPUTES = {
    "": ("thresher.compute.local", "open_local"),
    "local": ("thresher.compute.local", "open_local"),
    "inline": ("thresher.compute.inline", "open_inline"),
}


def open_compute(place: str, settings: Settings, *, few: bool = False) -> Compute:
    """Open the compute of a setting; for `few` items the calling process, as starting another takes longer.

    Raises BadSetting for an unknown compute.
    """
    scheme, found, _ = place.partition("://")
    kind = scheme + found
    if kind not in COMPUTES:
        known = ", ".join(name for name in COMPUTES if name)
        told = f"unknown compute {kind!r}; known are {known}."
        raise BadSetting(told, where="compute", next="thresher settings shows where it was set")
    if few:
        return Inline()
    module, function = COMPUTES[kind]
    opener: Callable[[str, Settings], Compute] = getattr(import_module(module), function)
    return opener(place, settings)


def careful(settings: Settings) -> Compute:
    """The same compute with only two processes: for items on which processes died, perhaps because memory ran out."""
    return open_compute(settings.compute, settings.but(processes=2))
