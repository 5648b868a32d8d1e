"""Check what was read from JSON against the types of the records: a file may hold anything."""

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

LARGEST = 2**53
"""Beyond it a float no longer counts, and no pool is that large."""


def must_fit(value: object, kind: Any, where: str) -> None:  # noqa: ANN401 -- a type, or what typing makes of several
    """Raise ValueError, naming the place, if a value is not of a type, or a number that nothing can be counted by."""
    origin = get_origin(kind)
    if kind in _PLAIN:
        if not _PLAIN[kind](value):
            raise ValueError(f"{where} is {_shown(value)}, not {_WORDS[kind]}")
    elif isinstance(kind, type) and is_dataclass(kind):
        if not isinstance(value, kind):
            raise ValueError(f"{where} is {_shown(value)}, not a {kind.__name__}")
        hints = get_type_hints(kind)
        for field in fields(kind):
            must_fit(getattr(value, field.name), hints[field.name], f"{where}.{field.name}")
    elif origin in (Union, types.UnionType):
        if value is not None:
            (some,) = (one for one in get_args(kind) if one is not type(None))
            must_fit(value, some, where)
    elif origin is tuple:
        _tuple_must_fit(value, get_args(kind), where)
    else:
        if not isinstance(value, Mapping):
            raise ValueError(f"{where} is {_shown(value)}, not an object")
        for name, item in value.items():
            must_fit(item, get_args(kind)[1], f"{where}.{name}")


def _tuple_must_fit(value: object, kinds: tuple[Any, ...], where: str) -> None:
    if not isinstance(value, tuple) or (kinds[-1] is not ... and len(value) != len(kinds)):
        raise ValueError(f"{where} is {_shown(value)}, not a list of the right length")
    for place, item in enumerate(value):
        must_fit(item, kinds[0] if kinds[-1] is ... else kinds[place], f"{where}[{place}]")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST


def _number(value: object) -> bool:
    return _whole(value) or (isinstance(value, float) and math.isfinite(value) and abs(value) <= LARGEST)


_PLAIN: dict[Any, Callable[[object], bool]] = {int: _whole, float: _number, str: lambda value: isinstance(value, str)}
_WORDS = {int: "a whole number", float: "a number", str: "a text"}


def _shown(value: object) -> str:
    return repr(value)[:80]
