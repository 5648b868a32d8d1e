"""The command `thresher start`: a workspace, a category, a harvest and a server in one, which run again continues."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli.harvested import besides
from thresher.cli.invites import invite_of
from thresher.cli.open import interruptible, place_of
from thresher.cli.people import on_a_free_port, serve_store
from thresher.cli.show import bars, next_line, say
from thresher.cli.workspace import must_be_free, start_settings
from thresher.errors import AlreadyThere, BadInput, Busy, NotReady
from thresher.settings import Settings, read_settings, without_password

if TYPE_CHECKING:  # the store is imported when a command needs it: `--help` stays quick
    from thresher.store.contract import Store

NOTE = "made by thresher start"


def add_to(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(start)


def start(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A name for the category, and for the folder of its workspace.")],
    question: Annotated[str, typer.Argument(help='The yes/no question, such as "Does this image contain a car?"')],
    folder: Annotated[Path, typer.Argument(help="A folder of images, searched recursively, or a tar of them.")],
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Make a workspace, add a category, harvest a folder, and serve it: init, category add, harvest and serve in one.

    The workspace is a folder named as the category, or the one of --workspace. The same command continues where it
    stopped; the question and the images that are there stay.
    """
    from thresher.records import category_name
    from thresher.store import open_store

    named = category_name(name)
    place = str(context.obj or named)
    _must_be_startable(name, question, folder, place)
    if "://" in place:
        settings = read_settings(Path.cwd())
    else:
        Path(place).mkdir(parents=True, exist_ok=True)
        start_settings(Path(place))  # first: what is begun is known as a workspace when the command runs again
        settings = read_settings(Path(place))
    settings = settings.given({"host": host, "port": port})
    store = open_store(place_of(place, settings), settings, create=True)
    try:
        _have_category(name, question, store, place)
        _harvest(name, folder, store, settings, place)
        _serve(name, store, settings)
    finally:
        store.close()


def typed_at(place: str, *words: str) -> str:
    """A command as one types it for the workspace at a place; a password in an address is not repeated."""
    if without_password(place) != place:
        return f"{shlex.join(('thresher', *words))}, with THRESHER_STORE set to the whole address of the workspace"
    return shlex.join(("thresher", "--workspace", place, *words))


def _must_be_startable(name: str, question: str, folder: Path, place: str) -> None:
    """Raise BadInput, before anything is made, for what cannot be started."""
    again = f'thresher start {name} "Does this image ...?" DIR'
    if not question.strip():
        raise BadInput("the question is empty.", next=again)
    if not folder.exists():
        raise BadInput("is not there.", where=str(folder), next=again)
    if "://" in place:
        return
    typed = shlex.join(("start", name, question, str(folder)))
    workspace = Path(place)
    must_be_free(workspace, f"thresher --workspace {name}-labels {typed}")
    if workspace.absolute().resolve().is_relative_to(folder.resolve()):
        what = f"the workspace {place} would lie in the folder of images, and its own files would be harvested."
        raise BadInput(what, where=str(folder), next=f"thresher --workspace ELSEWHERE {typed}")


def _have_category(name: str, question: str, store: "Store", place: str) -> None:
    """Add the category, unless it is there. Raises AlreadyThere if it asks another question."""
    from thresher.loop.aims import Aims, aimed
    from thresher.loop.ways import CHEAPEST
    from thresher.records import Category, Question, Targets, now_ms

    targets = aimed(Targets(), Aims(method=CHEAPEST))
    try:  # not looked up before: another start may add it in between
        store.categories.create(Category(name, Question(1, question, "", now_ms()), targets, created_ms=now_ms()))
    except AlreadyThere:
        there = store.categories.get(name).question.text
        if there != question:
            reword = typed_at(place, "category", "reword", name, "--question", question)
            raise AlreadyThere(
                f"{name} asks another question: {there}",
                where=store.place,
                next=f"start it with that question, or {reword}",
            ) from None
    else:
        say(f"Added {name}: {question}")


def _harvest(name: str, folder: Path, store: "Store", settings: Settings, place: str) -> None:
    """Take the images of the folder in; those that are known stay. New ones do not end audits that have answers."""
    from thresher.harvest import harvest
    from thresher.harvest.sources.folder import from_folder
    from thresher.harvest.sources.tar import from_tar
    from thresher.loop.growth import may_grow
    from thresher.records import now_ms

    try:
        may_grow(name, store=store, confirmed=False)
    except NotReady:
        kind = "--folder" if folder.is_dir() else "--tar"
        typed = typed_at(place, "harvest", name, kind, str(folder))
        say(f"The audits of {name} have answers, so its pool stays as it is. New images: {typed}")
        return
    source = from_folder(folder) if folder.is_dir() else from_tar(folder)
    with bars() as report, interruptible() as stop:
        found = harvest(name, source, store=store, settings=settings, now_ms=now_ms(), report=report, stop=stop)
    say(f"{found.new:,} new, {found.known:,} known, {found.refused:,} refused of {found.seen:,} images.")
    for line in besides(found):
        say(line)
    if not store.categories.tally(name).images:
        raise NotReady("no image was found.", where=str(folder), next=f"give a folder with images; {name} stays")


def _serve(name: str, store: "Store", settings: Settings, *, again: bool = False) -> None:
    """Serve, and print the links; where a server of the workspace runs already, only print them.

    If another program takes the port in between, as another start does, it is done `again`.
    """
    from thresher.records import now_ms
    from thresher.server.presence import reached

    def ready(_url: str) -> None:
        _tell(name, store, settings)
        say("Ctrl-C stops the server and the loop; the same command continues.")

    if reached(store, now_ms()):
        say("A server of this workspace runs already.")
        _tell(name, store, settings)
        return
    try:
        serve_store(store, on_a_free_port(settings), ready=ready)
    except Busy:
        if again:
            raise
        _serve(name, store, settings, again=True)


def _tell(name: str, store: "Store", settings: Settings) -> None:
    """Print the links: to answer as the owner, for others, and to the console."""
    from thresher.label.mining import let_owner_answer
    from thresher.records import OWNER, now_ms
    from thresher.server.auth import console_link
    from thresher.server.presence import for_people, is_loopback
    from thresher.workforce.links import Links

    let_owner_answer(name, store=store, settings=settings, now_ms=now_ms())
    invite = invite_of(name, NOTE, store=store)
    links, (base, _) = Links(store.secret()), for_people(store, settings)
    remark = " (on this machine only)" if is_loopback(base) else ""
    say(f"Answer yourself: {base}/work#t={links.worker(OWNER)}")
    say(f"Invite others:   {base}/join/{links.invite(invite.id)}{remark}")
    say(f"Console:         {console_link(base, store, settings)}")
    say(next_line(name, store, settings))
