"""The commands about the workspace: init, settings, status, check, category, gold."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli import gold as mining
from thresher.cli.gold import Text
from thresher.cli.open import opened, settings_of
from thresher.cli.options import JSON, AimOptions, Name, NewAimOptions, WordingOptions, Yes, options
from thresher.cli.show import as_json, facts, next_line, say, table
from thresher.cli.standing import ALIKE, BESIDE, CLAIM, ENDED, GATE, METHOD, OFF_TABLE, WAITS_FOR, standing
from thresher.errors import AlreadyThere, BadInput, without_secrets
from thresher.settings import FILE, TABLE, without_password

if TYPE_CHECKING:  # the records take a while to make, and `--help` needs none
    from thresher.store.contract import CheckReport

category = typer.Typer(
    name="category", help="Add and list categories, change their question or targets.", no_args_is_help=True
)
gold = typer.Typer(name="gold", help="Import known answers (gold) and labels.", no_args_is_help=True)
STARTING_FILE = """# Settings of this workspace; `thresher settings` lists them all with their defaults.
# port = 8765
"""


def add_to(app: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (init, settings, status, check):
        app.command()(command)
    app.command("openapi")(openapi)
    app.add_typer(category)
    app.add_typer(gold)
    mining.add_to(gold)


def init(
    context: typer.Context,
    directory: Annotated[str, typer.Argument(help="A new directory, or mongodb://host/database.")],
) -> None:
    """Make a workspace."""
    from thresher.settings import read_settings
    from thresher.store import open_store

    if context.obj:
        shown = without_password(directory)
        raise BadInput("init does not take --workspace.", next=f"thresher init {shown}")
    if "://" in directory:
        open_store(directory, read_settings(Path.cwd()), create=True).close()
        say(f"Made {without_password(directory)}. Next: {_next_at(directory)}")
        return
    path = Path(directory)
    if (path / FILE).exists():
        raise AlreadyThere("is a workspace already.", where=directory, next=f"cd {directory} && thresher status")
    path.mkdir(parents=True, exist_ok=True)
    open_store(directory, read_settings(path), create=True).close()
    start_settings(path)
    say(f'Made {directory}. Next: cd {directory} && thresher category add NAME --question "Does this image ...?"')


def _next_at(address: str) -> str:
    """The next command for a workspace in a database, without repeating its password."""
    add = "category add NAME --question ..."
    if without_password(address) == address:
        return f"thresher --workspace {address} {add}"
    return f"set THRESHER_STORE to the whole address (a command line would show its password); then thresher {add}"


def must_be_free(directory: Path, following: str) -> None:
    """Raise BadInput, with the command that follows, unless a directory is a workspace, empty, or not there."""
    if (directory / FILE).exists() or not directory.exists():
        return
    if not directory.is_dir() or any(directory.iterdir()):
        raise BadInput("is there and is no workspace.", where=str(directory), next=following)


def start_settings(directory: Path, settings: str = "") -> None:
    """Create the settings file of a new workspace, with these lines or the usual ones; an existing file is kept."""
    if not (directory / FILE).exists():
        (directory / FILE).touch(mode=0o600)  # it may hold a token later
        (directory / FILE).write_text(settings or STARTING_FILE, "utf-8")


def settings(context: typer.Context, json: JSON = False) -> None:
    """Print the value of every setting and where it was set."""
    _, found = settings_of(context)
    shown = {s.name: "(hidden)" if s.name == "token" and found.token else getattr(found, s.name) for s in TABLE}
    shown["store"] = without_password(found.store)
    shown["shards"] = without_secrets(found.shards)
    if json:
        as_json({s.name: {"value": shown[s.name], "from": found.origins[s.name]} for s in TABLE if s.name != "token"})
        return
    rows = [(s.name, str(shown[s.name]), found.origins[s.name], s.help) for s in TABLE]
    table("Settings", ("name", "value", "set in", "meaning"), rows)


def status(context: typer.Context, json: JSON = False) -> None:
    """Print the state of each category and what it is waiting for."""
    from thresher.label.standing import Standing, standings
    from thresher.records import now_ms
    from thresher.server.presence import running

    with opened(context) as (store, settings):
        found = [standing(each, store, settings) for each in store.categories.all()]
        servers = running(store, now_ms())
        waiting = list(standings(store=store).values()).count(Standing.WAITING)
    if json:
        as_json(found)
    elif not found:
        say('No category yet. Next: thresher category add NAME --question "Does this image ...?"')
    else:
        columns = tuple(column for column in found[0] if column not in OFF_TABLE)
        rows = [tuple(row[column] for column in columns) for row in found]
        table("Categories", columns, rows, right=columns[1:])
        for server in servers:
            say(f"A server runs at {server.url}.")
        if not servers:
            say("No server runs; `thresher serve` starts one.")
        for row in found:
            say(f"{row['category']}: method {row[METHOD]}.")
            for fact in filter(None, (row[GATE], row[ENDED], row[CLAIM], row[BESIDE])):
                say(f"{row['category']}: {fact}")
            if row[ALIKE]:
                several = f"{row[ALIKE]:,} of its images came from several addresses, perhaps as a placeholder"
                say(f"{row['category']}: {several}; `thresher refused {row['category']}` lists them.")
            say(f"{row['category']} waits for {row[WAITS_FOR]}.")
        if waiting:
            who = "1 person gets" if waiting == 1 else f"{waiting} people get"
            say(f"{who} no more tasks until you decide. Next: thresher people")


def check(
    context: typer.Context,
    mend: Annotated[
        bool, typer.Option(help="Repair what an interrupted run left behind; without it, check only shows problems.")
    ] = False,
    every_byte: Annotated[
        bool,
        typer.Option("--every-byte", help="Read all image bytes and column values and compare them with checksums."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --mend: also move or give up many images at once.")
    ] = False,
    recover: Annotated[
        bool,
        typer.Option(
            "--recover", help="Bring quarantined images back, and make catalog rows for stored images that have none."
        ),
    ] = False,
    json: JSON = False,
) -> None:
    """Compare the catalog with the stored images, columns and votes; repair only with --mend or --recover."""
    if recover:
        _recover(context, json=json)
        return
    from thresher.cli.show import bars

    with opened(context) as (store, _), bars() as report:
        found = store.check(mend=mend, every_byte=every_byte, force=force, report=report)
    if json:
        as_json({**asdict(found), "sound": found.sound})
    else:
        facts("Checked", found.counted)
        for line in found.found:
            say(f"{'repaired' if line in found.mended else 'found'}: {line}")
        for line in found.refused:
            say(f"refused: {line}")
        for line in found.notes:
            say(line)
        say(_outcome(found))
    if not found.sound:
        raise typer.Exit(2)


def _outcome(found: "CheckReport") -> str:
    """The last line of a check."""
    from thresher.store.findings import MEND, RECOVER

    if found.sound:
        return "No problems remain."
    if found.refused:
        return "Some problems remain. The lines that begin with refused tell what to do."
    if found.mendable:
        return f"{len(found.mendable):,} of {len(found.found):,} problems can be repaired. Next: thresher check --mend"
    if any(RECOVER in line for line in found.found):
        return f"Some problems remain. Next: {RECOVER}"
    if any(f"{MEND} --force" in line for line in found.found):
        return f"Some problems remain. Their lines tell what {MEND} --force gives up."
    return "Some problems remain that check cannot repair."


def _recover(context: typer.Context, *, json: bool) -> None:
    """Make rows anew; an empty catalog is replaced."""
    from thresher.cli.show import bars
    from thresher.harvest.admit import readmit
    from thresher.store import open_store

    place, settings = settings_of(context)
    store = open_store(place, settings, recover=True)
    try:
        with bars() as report:
            made = store.recover(partial(readmit, pixels=settings.pixels), report=report)
    finally:
        store.close()
    if json:
        as_json(asdict(made))
        return
    facts(
        "Recovered",
        {
            "images back from the quarantine": made.restored,
            "rows made anew": made.new,
            "of these, with the number that labels and pools name": made.again,
            "stored images that cannot be read": made.unreadable,
        },
    )
    say("Next: thresher check; then thresher harvest NAME again, which puts known images into a pool without a copy")


def openapi() -> None:
    """Print the OpenAPI description of the HTTP API."""
    from thresher.server.app import openapi_text

    typer.echo(openapi_text(), nl=False)


@category.command("add")
@options
def category_add(
    context: typer.Context,
    name: Name,
    question: Annotated[str, typer.Option(help='The yes/no question, such as "Does this image contain a car?"')],
    instructions: Annotated[str, typer.Option(help="Instructions that annotators read before they start.")] = "",
    text: Text = None,
    *,
    aims: NewAimOptions,
) -> None:
    """Add a category: one yes/no question."""
    from thresher.loop.aims import Aims, aimed
    from thresher.loop.ways import WITHOUT_LABELS
    from thresher.records import Category, Question, Targets, category_name, now_ms

    targets = aimed(Targets(), Aims(**asdict(aims)), methods=WITHOUT_LABELS)
    if not question.strip():
        raise BadInput("--question is empty.", next=f'thresher category add {name} --question "Does this image ...?"')
    made = Category(category_name(name), Question(1, question, instructions, now_ms()), targets, created_ms=now_ms())
    with opened(context) as (store, settings):
        if text:
            from thresher.learn.text import check_words  # here, for it takes a while to load

            check_words(text, settings=settings)
        store.categories.create(made)
        if text:
            from thresher.learn.text import describe

            describe(name, text, store=store, settings=settings, now_ms=now_ms())
    say(f"Added {name}. Next: thresher harvest {name} --folder DIR")


@category.command("list")
def category_list(context: typer.Context, json: JSON = False) -> None:
    """List the categories and their questions."""
    with opened(context) as (store, _):
        found = store.categories.all()
    if json:
        as_json([{"name": c.name, "question": c.question.text, "version": c.question.version} for c in found])
        return
    table("Categories", ("name", "version", "question"), [(c.name, c.question.version, c.question.text) for c in found])


@category.command("questions")
def category_questions(context: typer.Context, name: Name, json: JSON = False) -> None:
    """List every wording of the question; the last one is asked now."""
    from dataclasses import asdict

    with opened(context) as (store, _):
        store.categories.get(name)
        asked = store.categories.questions(name)
    if json:
        as_json([asdict(question) for question in asked])
        return
    rows = [(question.version, question.text, question.instructions) for question in asked]
    table(f"Questions of {name}, the last is asked now", ("version", "question", "instructions"), rows)


@category.command("reword")
@options
def category_reword(
    context: typer.Context,
    name: Name,
    wording: WordingOptions,
    yes: Yes = False,
) -> None:
    """Change the question or its instructions, or go back to an earlier version of it.

    Another question is a new version: answers to the old one do not count for it, so this asks first. The old version
    can still be released, and gone back to. With --keep-answers, and for instructions alone, the version stays.
    """
    from thresher.cli.ask import sure
    from thresher.loop.reword import Change, reword
    from thresher.records import now_ms

    with opened(context) as (store, settings):
        done = sure(
            lambda confirmed: reword(
                name, Change(**asdict(wording), confirmed=confirmed), store=store, settings=settings, now_ms=now_ms()
            ),
            yes=yes,
        )
    if done is not None:
        say(done.says)


@category.command("aim")
@options
def category_aim(context: typer.Context, name: Name, aims: AimOptions, yes: Yes = False) -> None:
    """Change the targets of a category: precision, recall, method, budget, ground truth.

    It asks first if audits of the old targets have answers, because a certificate of other targets needs others. A
    budget that is too small for the promise is stored and said: it may grow later, and the answers stay as labels.
    """
    from thresher.cli.ask import sure
    from thresher.loop.aims import Aims, aim, in_words, warned

    with opened(context) as (store, settings):
        wanted = sure(lambda confirmed: aim(name, Aims(**asdict(aims)), store=store, confirmed=confirmed), yes=yes)
        if wanted is None:
            return
        if wanted.chosen:
            from thresher.loop.choice import chosen_now

            wanted = chosen_now(name, store=store, settings=settings)
        short = warned(name, store=store, settings=settings)
    say(in_words(name, wanted))
    if short:
        say(short)


@gold.command("import")
def gold_import(
    context: typer.Context,
    name: Name,
    file: Annotated[
        Path,
        typer.Argument(help="A table with one of the columns image, file or url, and the column answer (yes or no)."),
    ],
) -> None:
    """Import known answers (gold) from a table; they check annotators and train the classifier."""
    from thresher.label.gold import gold_standing
    from thresher.label.imports import import_gold
    from thresher.records import now_ms

    with opened(context) as (store, settings):
        count = import_gold(name, file, store=store, now_ms=now_ms())
        version = store.categories.get(name).question.version
        standing = gold_standing(store.labels.gold(name, version), settings)
        step = next_line(name, store, settings)
    say(f"Imported {count:,} known answers. {name} has {standing.yes:,} yes and {standing.no:,} no gold.")
    if standing.says:
        say(standing.says)
    say(step)


@gold.command("labels")
def gold_labels(
    context: typer.Context,
    name: Name,
    file: Annotated[
        Path,
        typer.Argument(
            help="A table with one of the columns image, file or url, and the column answer (yes, no or unsure)."
        ),
    ],
) -> None:
    """Import labels from a table to train the classifier; they are not used to check annotators."""
    from thresher.label.imports import import_labels
    from thresher.records import now_ms

    with opened(context) as (store, settings):
        count = import_labels(name, file, store=store, now_ms=now_ms())
        step = next_line(name, store, settings)
    say(f"Imported {count:,} labels.")
    say(step)
