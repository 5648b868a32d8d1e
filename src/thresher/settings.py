"""Every setting, one row each. Flags win over `THRESHER_*`, which wins over `thresher.toml`."""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit, urlunsplit

from thresher.errors import BadSetting

FILE = "thresher.toml"

Value = TypeVar("Value", bound=int | float | str | bool)
P = ParamSpec("P")


def row(default: Value, help: str, least: float | None = None, most: float | None = None) -> Value:  # noqa: A002 -- typer's word for it too
    """A row of the table: the default, what the setting is, and for a number the least and the most it may be."""
    return field(default=default, metadata={"help": help, "least": least, "most": most})


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The table. A name is its key in `thresher.toml`; upper case after `THRESHER_`, its variable."""

    store: str = row("", 'where the workspace is: "" for this directory, or mongodb://host/database')
    host: str = row("127.0.0.1", "address the server listens on; only loopback until you say otherwise")
    port: int = row(8765, "port the server listens on; 0 takes a free one", 0, 65535)
    public_url: str = row("", "address people reach the server at, when it is not the one it listens on")
    token: str = row("", "token of the console; empty makes one and keeps it in the workspace")
    backbone: str = row(
        "efficientnet-lite0", "what turns pictures into vectors: a name, two joined by +, or a path to an ONNX file"
    )
    compute: str = row("", 'where harvest and embedding run: "" or local for processes, inline for the calling one')
    processes: int = row(0, "processes for harvest and embedding; 0 takes one a core, 1 runs inline", 0, 1024)
    task_images: int = row(110, "asked images a task, at most", 1, 110)
    patience_seconds: float = row(
        60.0, "how long a few asks wait for others before they make a small task", 0.0, 86400.0
    )
    gold_images: int = row(
        40, "gold an assignment of a full task adds, half yes and half no; small tasks get their share", 0, 100
    )
    gold_least: int = row(20, "gold of each answer below which the gate is provisional and rejects nothing", 1, 1000)
    gold_pass: float = row(0.8, "share of the gold of each answer that an accepted assignment has right", 0.0, 1.0)
    invite_people: int = row(
        1000, "personal links that one invite gives, at most; 1 makes each invite personal", 1, 10**6
    )
    lease_minutes: float = row(60.0, "how long a worker may hold an assignment", 0.1, 10080.0)
    votes: int = row(2, "people asked about an image before the consensus is looked at", 1, 9)
    votes_most: int = row(3, "people asked about an image before the owner is", 1, 21)
    sure: float = row(0.95, "posterior at which a consensus becomes a label", 0.5, 0.9999)
    audit_images: int = row(
        300,
        "images that `precision` and `recall` may ask about once they are frozen, where a category has no budget",
        30,
        10_000_000,
    )
    answer_seconds: float = row(1.5, "seconds an answer takes, for plans made before people have answered", 0.1, 600.0)
    pay_hour_cents: int = row(1200, "what an hour of work is paid, in cents, for plans", 0, 1_000_000)
    pay_fee: float = row(0.2, "share that a marketplace adds to the pay, for plans", 0.0, 10.0)
    first_images: int = row(220, "images asked about before the first training", 10, 100000)
    round_images: int = row(330, "images asked about in each round after it", 1, 100000)
    rounds_most: int = row(30, "rounds the loop runs before it stops by itself", 1, 100000)
    fetch_bytes: int = row(50_000_000, "largest picture fetched or admitted, in bytes", 1000, 2_000_000_000)
    fetch_seconds: float = row(30.0, "longest one fetch may take", 0.1, 3600.0)
    fetch_at_once: int = row(32, "pictures fetched at once", 1, 1024)
    fetch_private: bool = row(False, "let URL lists reach private addresses; for a test site of your own")
    pixels: int = row(100_000_000, "largest picture decoded, in pixels", 10_000, 2_000_000_000)
    shown_pixels: int = row(1024, "long side of the picture a worker sees, at most", 64, 4096)
    shard_bytes: int = row(512_000_000, "size at which an image shard is closed", 10_000, 100_000_000_000)
    shards: str = row(
        "", "where closed image shards were moved to: a URL for fsspec, as s3://bucket/cars; empty where they were not"
    )
    cache: str = row(
        "", "directory for what can be made again: backbones, columns of a database; empty takes ~/.cache/thresher"
    )
    seed: int = row(0, "seed of everything drawn at random outside the certificate; 0 takes a fresh one", 0, 2**63 - 1)


def _changes(_table: Callable[P, Values]) -> "Callable[Concatenate[Settings, P], Settings]":
    """A method that takes the names and types of the table: mypy refuses a misspelt one."""

    def but(settings: "Settings", /, *_: P.args, **values: P.kwargs) -> "Settings":
        """The same settings with some values given by hand."""
        return settings.given(values)

    return but


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Values):
    """The values in force, each with the place it came from."""

    origins: Mapping[str, str] = field(default_factory=dict)
    but = _changes(Values)

    def given(self, values: Mapping[str, object], place: str = "flag") -> "Settings":
        """The same settings with values from a place, by name; None leaves a value as it was.

        Raises BadSetting naming the place for an unknown name, a wrong type or a value out of range.
        """
        taken: dict[str, Any] = {
            name: _cast(_setting(name, place), value, place) for name, value in values.items() if value is not None
        }
        return replace(self, **taken, origins={**self.origins, **dict.fromkeys(taken, place)})


@dataclass(frozen=True, slots=True)
class Setting:
    """A row as the reference and `thresher settings` print it."""

    name: str
    default: int | float | str | bool
    help: str
    least: float | None
    most: float | None


TABLE = tuple(Setting(row.name, getattr(Values(), row.name), **row.metadata) for row in fields(Values))
_BY_NAME = {setting.name: setting for setting in TABLE}


def without_password(place: str) -> str:
    """A place as it may be printed: of an address no user, no password, no options; a directory as it is."""
    if "://" not in place:
        return place
    parts = urlsplit(place)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def child_at(place: str) -> tuple[list[str], dict[str, str]]:
    """The flags and the environment of a process of ours that works in the same workspace.

    An address may hold a password, and every user of the machine can read a command line: it goes by the environment.
    """
    if "://" in place:
        return [], {**os.environ, "THRESHER_STORE": place}
    return ["--workspace", place], dict(os.environ)


def cache_directory(settings: Settings) -> Path:
    """Where this machine keeps what can be made again at any time."""
    return Path(settings.cache) if settings.cache else Path.home() / ".cache" / "thresher"


def read_settings(directory: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Defaults, under `directory/thresher.toml`, under `THRESHER_*` of the environment, this process's unless given.

    Raises BadSetting naming the place for an unknown name, a wrong type or a value out of range.
    """
    settings = Settings(origins=dict.fromkeys(_BY_NAME, "default"))
    settings = settings.given(_from_file(directory / FILE), FILE)
    return settings.given(_from_environment(os.environ if environment is None else environment), "environment")


def _from_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"not valid TOML: {error}.", where=str(path), next="edit the file") from error
    return {_setting(name, str(path)).name: value for name, value in found.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    prefix = "THRESHER_"
    return {
        _setting(name.removeprefix(prefix).lower(), name).name: value
        for name, value in environment.items()
        if name.startswith(prefix)
    }


def _setting(name: str, where: str) -> Setting:
    if name not in _BY_NAME:
        raise BadSetting(f"no setting is called {name!r}.", where=where, next="thresher settings lists them")
    return _BY_NAME[name]


_TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _cast(setting: Setting, value: Any, place: str) -> int | float | str | bool:  # noqa: ANN401 -- this is where types are made
    where = f"{place}: {setting.name}"
    wanted = type(setting.default)
    cast: int | float | str | bool
    try:
        if wanted is bool:
            cast = value if isinstance(value, bool) else _TRUTH[str(value).lower()]
        elif isinstance(value, bool) or (wanted is int and isinstance(value, float)):
            raise ValueError(value)
        else:
            cast = wanted(value)
    except (ValueError, KeyError, TypeError) as error:
        kind = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}[wanted]
        raise BadSetting(f"{value!r} is not {kind}.", where=where, next=f"give {setting.name} {kind}") from error
    if isinstance(cast, int | float) and not isinstance(cast, bool):
        low, high = setting.least, setting.most
        if (low is not None and not cast >= low) or (high is not None and not cast <= high):
            raise BadSetting(f"{cast} is out of range.", where=where, next=f"give a value from {low:g} to {high:g}")
    return cast
