"""Every setting, one row each. Flags win over `THRESHER_*`, which wins over `thresher.toml`."""

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from thresher.errors import BadSetting, without_user

FILE = "thresher.toml"

Value = TypeVar("Value", bound=int | float | str | bool)
P = ParamSpec("P")


def row(default: Value, help: str, least: float | None = None, most: float | None = None) -> Value:  # noqa: A002 -- typer's word for it too
    """A row of the table: default, help, and for a number the smallest and largest allowed value."""
    return field(default=default, metadata={"help": help, "least": least, "most": most})


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The table of settings. A name is the key in `thresher.toml`; THRESHER_<NAME> is its environment variable."""

    store: str = row("", 'place of the workspace: "" for this directory, or mongodb://host/database')
    host: str = row("127.0.0.1", "address the server listens on; the default is reachable from this machine only")
    port: int = row(8765, "port the server listens on; 0: any free port", 0, 65535)
    public_url: str = row("", "address under which people reach the server, if it differs from host and port")
    token: str = row("", "token of the console; empty: one is made and stored in the workspace")
    backbone: str = row(
        "efficientnet-lite0",
        "network that computes the embeddings: a name of `thresher backbone list`, two joined by +, or an ONNX file",
    )
    arithmetic: str = row(
        "alike",
        "number format in which embeddings are computed: float32, bfloat16 or int8, each with vectors of its own; "
        "alike: the fastest here that was measured to decide like float32; fastest: the fastest here, whatever it "
        "costs in precision (docs/backbones.md)",
    )
    compute: str = row(
        "", 'where harvest and embedding run: "" or local: in several processes; inline: in the calling process'
    )
    processes: int = row(
        0, "processes for harvest and embedding; 0: one per core it may use (CPU quota), 1: inline", 0, 1024
    )
    task_images: int = row(110, "most images asked about in a task, gold not counted", 1, 110)
    patience_seconds: float = row(
        60.0, "how long a few asks wait for more before they are published as a small task, in seconds", 0.0, 86400.0
    )
    gold_images: int = row(
        40, "gold images (known answers) added to a full task, half yes and half no; fewer for small tasks", 0, 100
    )
    gold_least: int = row(
        20, "number of gold images of each answer (yes, no) below which no assignment is rejected", 1, 1000
    )
    gold_pass: float = row(
        0.8, "share of the gold of each answer that an assignment must have right to be accepted", 0.0, 1.0
    )
    invite_people: int = row(
        1000, "most people who can join with one invite link; 1: each invite is for one person", 1, 10**6
    )
    joins_minute: int = row(60, "most people who can join with one invite link in a minute", 1, 10**6)
    joins_address: int = row(
        6, "most people who can join from one network address in a minute; more wait for their turn", 1, 10**6
    )
    proxies: str = row(
        "", "addresses or networks of reverse proxies, separated by commas, whose X-Forwarded-For is believed"
    )
    assignments_open: int = row(
        3, "most unfinished assignments of one annotator, or of people who share a device, in all categories", 1, 1000
    )
    rejections_most: int = row(
        2, "number of rejected assignments after which an annotator gets no more work until the owner decides", 1, 1000
    )
    lease_minutes: float = row(60.0, "how long an annotator may keep an assignment before it expires", 0.1, 10080.0)
    votes: int = row(2, "number of people asked about an image before consensus is computed", 1, 9)
    votes_most: int = row(3, "number of people asked about an image before the owner is asked", 1, 21)
    sure: float = row(0.95, "posterior probability at which an answer becomes a consensus label", 0.5, 0.9999)
    audit_images: int = row(
        300,
        "images that the methods precision and recall may ask about after the freeze, if the category has no budget",
        30,
        10_000_000,
    )
    label_all: bool = row(
        True, "label every image instead of auditing some (certified, adjudicated) where that takes fewer answers"
    )
    answer_seconds: float = row(
        1.5, "assumed seconds per answer, for plans made before people have answered", 0.1, 600.0
    )
    pay_hour_cents: int = row(1200, "assumed pay for an hour of work, in cents, for plans", 0, 1_000_000)
    pay_fee: float = row(0.2, "assumed fee of a marketplace as a share of the pay, for plans", 0.0, 10.0)
    first_images: int = row(220, "random images asked about before the first training", 10, 100000)
    round_images: int = row(330, "images asked about in each further round", 1, 100000)
    rounds_most: int = row(30, "number of rounds after which the loop stops", 1, 100000)
    fetch_bytes: int = row(50_000_000, "largest image that is fetched or stored, in bytes", 1000, 2_000_000_000)
    fetch_seconds: float = row(30.0, "time limit for fetching one image, in seconds", 0.1, 3600.0)
    fetch_at_once: int = row(32, "number of images fetched at the same time", 1, 1024)
    fetch_private: bool = row(False, "allow URL lists to reach private network addresses; for tests only")
    robots_tags: str = row(
        "noai, noimageai, noindex, noimageindex, noml, none",
        "directives of the header X-Robots-Tag for which a fetched image is refused; empty: none",
    )
    pixels: int = row(100_000_000, "largest image that is decoded, in pixels", 10_000, 2_000_000_000)
    shown_pixels: int = row(
        1024, "longest side of the image that an annotator sees, in pixels; panoramas get more", 64, 4096
    )
    connections: int = row(
        1000, "most open connections of the server; beyond them the one idle longest is closed", 16, 60_000
    )
    connections_each: int = row(
        250, "most open connections of one network address; loopback and proxies have no such limit", 4, 60_000
    )
    shown_seconds: float = row(
        10.0,
        "time limit for showing an image, counted from the request for it, waiting included, in seconds",
        0.1,
        600.0,
    )
    shard_bytes: int = row(
        512_000_000, "size in bytes at which a file of images (shard) is closed", 10_000, 100_000_000_000
    )
    shards: str = row(
        "", "fsspec URL that closed shards were moved to, such as s3://bucket/cars; empty: they are in the workspace"
    )
    signing_key: str = row(
        "", "SSH key (a private one, or the public half of one in the agent) that signs the audit log of a release"
    )
    cache: str = row(
        "", "directory for files that can be made again: networks, copies of columns; empty: ~/.cache/thresher"
    )
    similar_groups: bool = row(
        True,
        "treat copies of an image (encoded or resized anew) as one: one is asked about, and all follow it; false: each "
        "image is asked about and decided for itself",
    )
    seed: int = row(0, "random seed for everything except certificates; 0: a new one every time", 0, 2**63 - 1)


def _changes(_table: Callable[P, Values]) -> "Callable[Concatenate[Settings, P], Settings]":
    """A method with the names and types of the table as parameters, so that mypy rejects a misspelt one."""

    def but(settings: "Settings", /, *_: P.args, **values: P.kwargs) -> "Settings":
        """A copy of the settings with some values changed."""
        return settings.given(values)

    return but


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Values):
    """The current value of every setting, and where each was set (`origins`)."""

    origins: Mapping[str, str] = field(default_factory=dict)
    but = _changes(Values)

    def given(self, values: Mapping[str, object], place: str = "flag") -> "Settings":
        """A copy of the settings with values set at `place`, by name; None leaves a value unchanged.

        Raises BadSetting naming the place for an unknown name, a wrong type or a value out of range.
        """
        taken: dict[str, Any] = {
            name: _cast(_setting(name, place), value, place) for name, value in values.items() if value is not None
        }
        return replace(self, **taken, origins={**self.origins, **dict.fromkeys(taken, place)})


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the table, as the reference and `thresher settings` print it."""

    name: str
    default: int | float | str | bool
    help: str
    least: float | None
    most: float | None


TABLE = tuple(Setting(row.name, getattr(Values(), row.name), **row.metadata) for row in fields(Values))
_BY_NAME = {setting.name: setting for setting in TABLE}


def without_password(place: str) -> str:
    """A place that is safe to print: an address without user, password and options; a directory unchanged."""
    if "://" not in place:
        return place
    return re.split("[?#]", without_user(place), maxsplit=1)[0]


def child_at(place: str) -> tuple[list[str], dict[str, str]]:
    """The flags and the environment for a child process that works in the same workspace.

    An address may contain a password, and every user of the machine can read command lines, so it is passed in the
    environment. There a directory's child gets no address: it would be taken instead of the directory.
    """
    if "://" in place:
        return [], {**os.environ, "THRESHER_STORE": place}
    return ["--workspace", place], {name: value for name, value in os.environ.items() if name != "THRESHER_STORE"}


def cache_directory(settings: Settings) -> Path:
    """The directory of this machine for files that can be made again at any time."""
    return Path(settings.cache) if settings.cache else Path.home() / ".cache" / "thresher"


def read_settings(directory: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings: defaults, overridden by `directory/thresher.toml`, then by `THRESHER_*` in the environment.

    Raises BadSetting naming the place for an unknown name, a wrong type or a value out of range.
    """
    settings = Settings(origins=dict.fromkeys(_BY_NAME, "default"))
    settings = settings.given(_from_file(directory / FILE), FILE)
    return settings.given(_from_environment(os.environ if environment is None else environment), "environment")


def set_in_file(directory: Path, name: str, value: str) -> None:
    """Set a setting in `directory/thresher.toml`; the other lines stay, and the file is replaced in one step.

    Raises BadSetting for an unknown name, and for a file that is no TOML.
    """
    path = directory / FILE
    _from_file(path)
    text = path.read_text("utf-8") if path.exists() else ""
    line = f"{_setting(name, FILE).name} = {json.dumps(value, ensure_ascii=False)}"
    there = re.compile(rf"^{name}[ \t]*=.*$", re.MULTILINE)
    text = there.sub(lambda _: line, text) if there.search(text) else f"{line}\n{text}"
    part = path.with_name(f"{FILE}.{os.getpid()}.part")
    part.touch(mode=path.stat().st_mode & 0o777 if path.exists() else 0o600)  # it may hold a token
    part.write_text(text, "utf-8")
    part.replace(path)


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
        raise BadSetting(f"unknown setting {name!r}.", where=where, next="thresher settings lists them")
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
