"""The commands `thresher backbone`: networks that compute embeddings, by name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli.open import settings_directory, settings_of
from thresher.cli.options import JSON, options
from thresher.cli.show import as_json, say, table
from thresher.errors import BadInput, StoreUnavailable
from thresher.settings import FILE, set_in_file

if TYPE_CHECKING:
    from thresher.learn.backbone.adding import Given, Wanted

backbone = typer.Typer(
    name="backbone", help="Add, list and choose networks that compute embeddings.", no_args_is_help=True
)

BackboneName = Annotated[str, typer.Argument(help="The backbone's name.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.add_typer(backbone)


@dataclass(frozen=True, slots=True)
class FileOptions:
    """The files of a network other than its image tower, and the hashes of all."""

    sha256: Annotated[
        str, typer.Option(help="SHA-256 of the image tower, as its publisher states it; an address needs one.")
    ] = ""
    text: Annotated[str, typer.Option(help="ONNX file of the text tower: a path or an address.")] = ""
    text_sha256: Annotated[str, typer.Option(help="SHA-256 of the text tower.")] = ""
    tokenizer: Annotated[str, typer.Option(help="tokenizer.json of the text tower: a path or an address.")] = ""
    tokenizer_sha256: Annotated[str, typer.Option(help="SHA-256 of the tokenizer.")] = ""


@dataclass(frozen=True, slots=True)
class PreparationOptions:
    """How pictures and texts are prepared; default: as the publisher of the network documents it."""

    like: Annotated[
        str,
        typer.Option(help="Prepare as for this published network (thresher backbone list); default: NAME, if known."),
    ] = ""
    mean: Annotated[str, typer.Option(help="Mean of each channel (0 to 1), such as 0.5,0.5,0.5.")] = ""
    std: Annotated[str, typer.Option(help="Standard deviation of each channel.")] = ""
    side: Annotated[int | None, typer.Option(help="Side of the square picture in pixels.")] = None
    stretch: Annotated[
        bool | None,
        typer.Option("--stretch/--crop", help="Stretch a picture to the square, or crop its middle square."),
    ] = None
    tokens: Annotated[int | None, typer.Option(help="Tokens that a text is cut or filled up to.", min=1, max=4096)] = (
        None
    )
    lowercase: Annotated[
        bool | None, typer.Option("--lowercase/--as-written", help="Bring texts into lower case, or leave them.")
    ] = None


@backbone.command("add")
@options
def backbone_add(
    context: typer.Context,
    name: BackboneName,
    image: Annotated[
        str, typer.Argument(metavar="FILE", help="ONNX file of the image tower: a path, or its publisher's address.")
    ],
    files: FileOptions,
    preparation: PreparationOptions,
    json: JSON = False,
) -> None:
    """Add a network: an ONNX file from vectors of pixels, and its text tower if it has one.

    Each file is copied into the cache of this machine after its hash was compared and it was run once. Files at an
    address are fetched only if their SHA-256 is given, and only public addresses are reached.
    """
    from thresher.learn.backbone import kept_in
    from thresher.learn.backbone.adding import add

    _, settings = settings_of(context)
    wanted = _wanted(image, files, preparation)
    entry = add(name, wanted, cache=kept_in(settings), settings=settings)
    if json:
        as_json({"name": name, "embeddings": entry.unique, "width": entry.width, "text": entry.text is not None})
        return
    words = "" if entry.text is None else ", with a text tower"
    say(f"Added {name}: {entry.preparation.side} pixels, vectors of {entry.width:,} numbers{words}.")
    say(f"SHA-256 of the image tower: {entry.image.sha256}")
    say(f"Next: thresher backbone use {name}")


def _wanted(image: str, files: FileOptions, preparation: PreparationOptions) -> "Wanted":
    from thresher.learn.backbone.adding import Wanted

    stretch = preparation.stretch
    given = _given(image, files.sha256)
    assert given is not None  # noqa: S101 -- an argument is never empty
    return Wanted(
        image=given,
        text=_given(files.text, files.text_sha256),
        tokenizer=_given(files.tokenizer, files.tokenizer_sha256),
        like=preparation.like,
        mean=_three(preparation.mean, "--mean"),
        std=_three(preparation.std, "--std"),
        side=preparation.side,
        resize=None if stretch is None else "stretch" if stretch else "crop",
        tokens=preparation.tokens,
        lowercase=preparation.lowercase,
    )


def _given(place: str, sha256: str) -> "Given | None":
    from thresher.learn.backbone.adding import Given

    return Given(place, sha256) if place else None


def _three(text: str, option: str) -> tuple[float, ...] | None:
    try:
        return tuple(float(part) for part in text.split(",")) if text else None
    except ValueError as error:
        raise BadInput(f"{text!r} is not three numbers.", where=option, next=f"{option} 0.5,0.5,0.5") from error


@backbone.command("list")
def backbone_list(context: typer.Context, json: JSON = False) -> None:
    """List the networks: built in, added here, and those known by name that were not tried here."""
    from thresher.learn.backbone import BUILT_IN, kept_in, parts
    from thresher.learn.backbone.efficientnet_lite import FEATURES
    from thresher.learn.backbone.entries import added
    from thresher.learn.backbone.published import NOT_TRIED, PUBLISHED

    _, settings = settings_of(context)
    entries = added(kept_in(settings))
    used = parts(settings.backbone)
    rows: list[tuple[str, str, int, int | None, bool, str]] = [
        (name, "built in", built.side, FEATURES, False, "") for name, built in BUILT_IN.items()
    ]
    for entry in entries:
        remark = f"prepared like {entry.like}, which was {NOT_TRIED}" if entry.like else ""
        rows.append((entry.name, "added", entry.preparation.side, entry.width, entry.text is not None, remark))
    for name, known in PUBLISHED.items():
        if name not in {entry.name for entry in entries}:
            remark = f"{NOT_TRIED}; add its files from {known.page}"
            rows.append((name, "known", known.preparation.side, known.width, known.tokens > 0, remark))
    keys = ("name", "state", "side", "width", "text", "remark")
    if json:
        as_json([{**dict(zip(keys, row, strict=True)), "in_use": row[0] in used} for row in rows])
        return
    shown = [
        (f"{row[0]} (in use)" if row[0] in used else row[0], *row[1:4], "yes" if row[4] else "", row[5]) for row in rows
    ]
    table("Backbones", keys, shown, right=("side", "width"))


@backbone.command("runtimes")
def backbone_runtimes(context: typer.Context, json: JSON = False) -> None:
    """List the runtimes, measured with the network in use: milliseconds of an image on one core or GPU.

    All that this machine has are measured once. The setting arithmetic says which may be taken; the fastest of those is
    measured by itself.
    """
    from thresher.learn.backbone import parts
    from thresher.learn.backbone.fastest import FASTEST, fastest, kind_of, measured
    from thresher.learn.backbone.runtimes import RUNTIMES

    _, settings = settings_of(context)
    keys = ("backbone", "runtime", "arithmetic", "ms", "state")
    rows: list[tuple[str, str, str, float | None, str]] = []
    for part in parts(settings.backbone):
        used = fastest(part, settings, kind_of(part, settings)).runtime
        found = {one.runtime: one.image_ms for one in measured(part, settings.but(arithmetic=FASTEST))}
        for name, runtime in RUNTIMES.items():
            needs = f" (needs thresher[{runtime.extra}] and a device for it)" if runtime.extra else ""
            absent = "not usable with this network: see the log" if runtime.present() else f"not on this machine{needs}"
            state = "used by a new workspace" if name == used else "here" if name in found else absent
            rows.append((part, name, runtime.arithmetic, found.get(name) or None, state))
    if json:
        as_json([dict(zip(keys, row, strict=True)) for row in rows])
        return
    table("Runtimes", keys, [(*row[:3], "" if row[3] is None else row[3], row[4]) for row in rows], right=("ms",))


@backbone.command("use")
def backbone_use(context: typer.Context, name: BackboneName) -> None:
    """Use a network from now on: write the setting backbone into thresher.toml. Vectors of others stay.

    NAME may be two names joined by +; both then embed every image.
    """
    from thresher.learn.backbone import kept_in, name_of, parts

    place, settings = settings_of(context)
    directory = settings_directory(context)
    if "://" not in place and not (directory / FILE).exists():
        raise StoreUnavailable("there is no workspace here.", where=str(directory), next="thresher init DIRECTORY")
    chosen = [name_of(part, cache=kept_in(settings)) for part in parts(name)]
    set_in_file(directory, "backbone", name)
    say(f"{directory / FILE} now says backbone = {name} ({' and '.join(chosen)}).")
    if settings.origins["backbone"] == "environment":
        say("THRESHER_BACKBONE in the environment says otherwise, and counts for more.")
    say("Images are embedded anew in the next round. Next: thresher run NAME")


@backbone.command("remove")
def backbone_remove(context: typer.Context, name: BackboneName) -> None:
    """Remove an added network from this machine; the vectors that it made stay in their workspaces."""
    from thresher.learn.backbone import kept_in
    from thresher.learn.backbone.adding import remove

    _, settings = settings_of(context)
    remove(name, cache=kept_in(settings))
    say(f"Removed {name}.")
