"""Every setting, in one table: name, default, help. Flags win over `THRESHER_*`, which wins over `thresher.toml`."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from thresher.errors import BadSetting

FILE = "thresher.toml"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. The name is its key in `thresher.toml`; upper case after `THRESHER_`, its variable."""

    name: str
    default: int | float | str | bool
    help: str
    least: float | None = None
    most: float | None = None


TABLE: tuple[Setting, ...] = (
    Setting("store", "", 'where the workspace is: "" for this directory, or mongodb://host/database'),
    Setting("host", "127.0.0.1", "address the server listens on; only loopback until you say otherwise"),
    Setting("port", 8765, "port the server listens on; 0 takes a free one", 0, 65535),
    Setting("public_url", "", "address people reach the server at, when it is not the one it listens on"),
    Setting("token", "", "token of the console; empty makes one and keeps it in the workspace"),
    Setting(
        "backbone",
        "efficientnet-lite0",
        "what turns pictures into vectors: a name, two joined by +, or a path to an ONNX file",
    ),
    Setting("processes", 0, "processes for harvest and embedding; 0 takes one a core", 0, 1024),
    Setting("task_images", 110, "asked images a task, at most", 1, 110),
    Setting(
        "patience_seconds", 60.0, "how long a few asks wait for others before they make a small task", 0.0, 86400.0
    ),
    Setting(
        "gold_images",
        40,
        "gold an assignment of a full task adds, half yes and half no; small tasks get their share",
        0,
        100,
    ),
    Setting("gold_least", 20, "gold of each answer below which the gate is provisional and rejects nothing", 1, 1000),
    Setting("gold_pass", 0.8, "share of the gold of each answer that an accepted assignment has right", 0.0, 1.0),
    Setting(
        "invite_people", 1000, "personal links that one invite gives, at most; 1 makes each invite personal", 1, 10**6
    ),
    Setting("lease_minutes", 60.0, "how long a worker may hold an assignment", 0.1, 10080.0),
    Setting("votes", 2, "people asked about an image before the consensus is looked at", 1, 9),
    Setting("votes_most", 3, "people asked about an image before the owner is", 1, 21),
    Setting("sure", 0.95, "posterior at which a consensus becomes a label", 0.5, 0.9999),
    Setting(
        "audit_images",
        300,
        "images that `precision` and `recall` may ask about once they are frozen, where a category has no budget",
        30,
        10_000_000,
    ),
    Setting("answer_seconds", 1.5, "seconds an answer takes, for plans made before people have answered", 0.1, 600.0),
    Setting("pay_hour_cents", 1200, "what an hour of work is paid, in cents, for plans", 0, 1_000_000),
    Setting("pay_fee", 0.2, "share that a marketplace adds to the pay, for plans", 0.0, 10.0),
    Setting("first_images", 220, "images asked about before the first training", 10, 100000),
    Setting("round_images", 330, "images asked about in each round after it", 1, 100000),
    Setting("rounds_most", 30, "rounds the loop runs before it stops by itself", 1, 100000),
    Setting("fetch_bytes", 50_000_000, "largest picture fetched or admitted, in bytes", 1000, 2_000_000_000),
    Setting("fetch_seconds", 30.0, "longest one fetch may take", 0.1, 3600.0),
    Setting("fetch_at_once", 32, "pictures fetched at once", 1, 1024),
    Setting("fetch_private", False, "let URL lists reach private addresses; for a test site of your own"),
    Setting("pixels", 100_000_000, "largest picture decoded, in pixels", 10_000, 2_000_000_000),
    Setting("shown_pixels", 1024, "long side of the picture a worker sees, at most", 64, 4096),
    Setting("shard_bytes", 512_000_000, "size at which an image shard is closed", 10_000, 100_000_000_000),
    Setting(
        "shards",
        "",
        "where closed image shards were moved to: a URL for fsspec, as s3://bucket/cars; empty where they were not",
    ),
    Setting(
        "cache",
        "",
        "directory for what can be made again: backbones, columns of a database; empty takes ~/.cache/thresher",
    ),
    Setting("seed", 0, "seed of everything drawn at random outside the certificate; 0 takes a fresh one", 0, 2**63 - 1),
)

_BY_NAME = {setting.name: setting for setting in TABLE}


@dataclass(frozen=True, slots=True)
class Settings:
    """The values in force, each with the place it came from."""

    values: Mapping[str, Any]
    origins: Mapping[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- the table holds the types
        """A setting by its name, as `settings.gold_images`."""
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes; `__getattr__` would answer pickle's questions wrongly."""
        return (Settings, (dict(self.values), dict(self.origins)))

    def but(self, **values: Any) -> "Settings":  # noqa: ANN401 -- the table holds the types
        """The same settings with some values given by hand; None leaves a value as it was."""
        given = {name: _cast(_BY_NAME[name], value, "flag") for name, value in values.items() if value is not None}
        return Settings({**self.values, **given}, {**self.origins, **dict.fromkeys(given, "flag")})


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


def read_settings(directory: Path, environment: Mapping[str, str] | None = None, **flags: Any) -> Settings:  # noqa: ANN401 -- as in the table
    """Defaults, under `directory/thresher.toml`, under `THRESHER_*`, under `flags` that are not None.

    Raises BadSetting naming the place for an unknown name, a wrong type or a value out of range.
    """
    values: dict[str, Any] = {setting.name: setting.default for setting in TABLE}
    origins = dict.fromkeys(values, "default")
    for place, found in (
        (FILE, _from_file(directory / FILE)),
        ("environment", _from_environment(os.environ if environment is None else environment)),
    ):
        for name, value in found.items():
            values[name] = _cast(_BY_NAME[name], value, place)
            origins[name] = place
    return Settings(values, origins).but(**flags)


def _from_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"not valid TOML: {error}.", where=str(path), next="edit the file") from error
    return {_known(name, str(path)): value for name, value in found.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    prefix = "THRESHER_"
    return {
        _known(name.removeprefix(prefix).lower(), name): value
        for name, value in environment.items()
        if name.startswith(prefix)
    }


def _known(name: str, where: str) -> str:
    if name not in _BY_NAME:
        raise BadSetting(f"no setting is called {name!r}.", where=where, next="thresher settings lists them")
    return name


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
