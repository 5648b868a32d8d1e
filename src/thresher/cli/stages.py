"""The commands that run a stage: harvest, refused, plan, run, audit-log, release, verify."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli.harvested import besides, same_answers
from thresher.cli.open import interruptible, opened
from thresher.cli.options import JSON, Name, PlanOptions, SourceOptions, Yes, options
from thresher.cli.show import as_json, bars, facts, next_line, next_lines, say, table
from thresher.errors import BadInput, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from thresher.harvest import Source
    from thresher.loop.turn import Turn
    from thresher.settings import Settings
    from thresher.store.contract import Store


def add_to(app: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (harvest, refused, plan, run, audit_log, release, verify):
        app.command()(command)


@options
def harvest(
    context: typer.Context,
    name: Name,
    source: SourceOptions,
    processes: Annotated[
        int | None, typer.Option(help="Number of decoding processes; 0: one per core it may use.")
    ] = None,
    yes: Yes = False,
    *,
    json: JSON = False,
) -> None:
    """Add images to a category's pool; their bytes are stored unchanged.

    It asks first if audits of the pool have answers, because a certificate of a larger pool needs others.
    """
    from thresher.cli.ask import sure
    from thresher.harvest import harvest as harvest_into
    from thresher.harvest.references import harvest_references
    from thresher.loop.growth import may_grow, outgrown
    from thresher.records import now_ms

    path, make = _one_source(name, source)
    with opened(context, processes=processes) as (store, settings):
        if sure(lambda confirmed: may_grow(name, store=store, confirmed=confirmed), yes=yes) is None:
            return
        with bars() as report, interruptible() as stop:
            if make is None:
                found = harvest_references(name, path, store=store, now_ms=now_ms(), report=report, stop=stop)
            else:
                place = make(path)
                place.again = source.again
                at = now_ms()
                found = harvest_into(name, place, store=store, settings=settings, now_ms=at, report=report, stop=stop)
        reasons, ended = store.categories.refusal_counts(name), outgrown(name, store=store)
        following = () if json else next_lines(name, store, settings)
    if json:
        as_json({**asdict(found), "refused_in_all": reasons, "audits_ended": ended})
        return
    say(f"{found.new:,} new, {found.known:,} known, {found.refused:,} refused of {found.seen:,}.")
    for line in filter(None, (*besides(found), ended)):
        say(line)
    if found.refused:
        facts("Refused, in all", reasons)
    if found.refused or found.same_answers:
        say(f"`thresher refused {name}` lists {'them' if found.refused else 'these images'}.")
    if not found.seen:
        say("The source holds no images. Next: give a folder, a tar file or a list with images")
        return
    for line in filter(None, following):
        say(line)


def _one_source(name: str, source: SourceOptions) -> "tuple[Path, Callable[[Path], Source] | None]":
    """The path that was given and the maker of its source, None for references. Raises BadInput."""
    from thresher.harvest.sources.folder import from_folder
    from thresher.harvest.sources.tar import from_tar
    from thresher.harvest.sources.urls import from_urls

    makers: tuple[Callable[[Path], Source] | None, ...] = (from_folder, from_tar, from_urls, None)
    asked = zip((source.folder, source.tar, source.urls, source.references), makers, strict=True)
    given = [(path, make) for path, make in asked if path is not None]
    if len(given) != 1:
        raise BadInput(
            "harvest needs exactly one of --folder, --tar, --urls and --references.",
            next=f"thresher harvest {name} --folder DIR",
        )
    return given[0]


def refused(
    context: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option(help="How many to list.")] = 100,
    json: JSON = False,
) -> None:
    """List the harvested files that were refused, and why."""
    with opened(context) as (store, _):
        store.categories.get(name)
        counts = store.categories.refusal_counts(name)
        listed = [refusal for _, refusal in store.categories.refusals(name, 0, limit)]
        # by its address only: many a folder has a 1.jpg
        found = store.categories.find(name, [refusal.name if "://" in refusal.name else "" for refusal in listed])
        alike = same_answers(name, limit, store=store)
    rows = [
        (r.reason, without_secrets(r.name), f"{r.detail} Admitted since." if admitted else r.detail)
        for r, admitted in zip(listed, found, strict=True)
    ]
    if json:
        each = [{**asdict(r), "admitted_since": bool(admitted)} for r, admitted in zip(listed, found, strict=True)]
        same = [dict(zip(("addresses", "image", "address"), one, strict=True)) for one in alike]
        as_json({"counts": counts, "refused": each, "same_answers": same})
        return
    if counts:
        facts("Refused", counts)
        table("", ("reason", "name", "detail"), rows)
    else:
        say("Nothing was refused.")
    if alike:
        told = [(count, image, without_secrets(address)) for count, image, address in alike]
        table("Images that several addresses gave", ("addresses", "image", "one of the addresses"), told)


@options
def plan(context: typer.Context, name: Name, aims: PlanOptions, json: JSON = False) -> None:
    """Forecast the cost of a certificate before anyone is paid: answers, hours and money.

    Options that are not given have the values of the category.
    """
    from thresher.loop.aims import Aims, aimed, to_plan_for
    from thresher.loop.ways import PROVEN

    given = asdict(aims)
    prevalence = given.pop("prevalence")
    if prevalence is not None and not 0 < prevalence < 1:
        raise BadInput(f"--prevalence {prevalence:g} is not between 0 and 1.", next="give a share, such as 0.1")
    with opened(context) as (store, settings):
        category = store.categories.get(name)
        targets = aimed(to_plan_for(category.targets), Aims(**given), methods=PROVEN)
        from thresher.loop.choice import planned
        from thresher.loop.forecast import in_words

        targets, made = planned(category, targets, store=store, settings=settings, prevalence=prevalence)
    if json:
        as_json({**asdict(made), "chosen": targets.chosen})
        return
    say(
        f"{name} by {made.method}, precision {targets.precision:g}, recall {targets.recall:g}, delta {targets.delta:g}:"
    )
    if targets.chosen:
        say(f"  {made.method} is {targets.chosen}")
    for line in in_words(made):
        say(f"  {line}")


def run(
    context: typer.Context,
    name: Name,
    seed: Annotated[
        int | None, typer.Option(help="Random seed of the loop; audits of a certificate use their own.")
    ] = None,
    freeze_anew: Annotated[
        bool,
        typer.Option(
            "--freeze-anew",
            help="End the freeze in force and make another, for which every correction counts; it has less of delta.",
        ),
    ] = False,
    yes: Yes = False,
) -> None:
    """Run the loop of a category until it is done or its budget is spent."""
    from thresher.loop.autopilot import run as run_loop

    if freeze_anew and not _frozen_anew(context, name, yes=yes):
        return
    with opened(context, seed=seed) as (store, settings), bars() as report, interruptible() as stop:
        store.categories.get(name)
        run_loop(name, store=store, settings=settings, heard=_teller(store, settings), report=report, stop=stop)
        step = next_line(name, store, settings)
    say(step)


def _frozen_anew(context: typer.Context, name: str, *, yes: bool) -> bool:
    """Whether the freeze in force was ended."""
    from thresher.cli.ask import sure
    from thresher.loop.anew import freeze_anew
    from thresher.records import now_ms

    with opened(context) as (store, _):

        def end(confirmed: bool) -> bool:
            freeze_anew(name, store=store, now_ms=now_ms(), confirmed=confirmed)
            return True

        return sure(end, yes=yes) is not None


def _teller(store: "Store", settings: "Settings") -> "Callable[[str, Turn], None]":
    """A function that prints each turn whose result differs from the one before."""
    from thresher.records import now_ms
    from thresher.server.presence import for_people, running

    last: Turn | None = None

    def heard(name: str, came_to: "Turn") -> None:
        nonlocal last
        if came_to != last:  # only then, because counting reads the whole pool
            say(_line(name, came_to, store))
        if last is None and came_to.state == "asking":
            here = f"at {for_people(store, settings)[0]}" if running(store, now_ms()) else "once `thresher serve` runs"
            say(f"Waiting for people to answer; they answer {here}. Ctrl-C stops the loop.")
        last = came_to

    return heard


def _line(name: str, came_to: "Turn", store: "Store") -> str:
    from thresher.loop.decision import decision

    if came_to.round is None:
        return f"{came_to.state}: {came_to.says}"
    decided = decision(name, store=store)
    counts, inherited = decided.counts, decided.yes_by.inherited
    copies = f" ({inherited:,} as a copy was)" if inherited else ""
    held = f"yes {counts.yes:,}{copies}, no {counts.no:,}, unknown {counts.unknown:,}"
    return f"round {came_to.round.number}: {held}. {came_to.says}"


def release(
    context: typer.Context,
    name: Name,
    to: Annotated[
        Path, typer.Option(help="A new or empty directory, or one with this release, unfinished or damaged.")
    ],
    formats: Annotated[str, typer.Option(help="Comma-separated list of folder, webdataset, table; default: all.")] = "",
    version: Annotated[
        int | None, typer.Option(help="Version of the question to release; default: the one that is asked now.")
    ] = None,
) -> None:
    """Export the dataset of a category: images, WebDataset, table, certificate, dataset card."""
    from thresher.loop.next_step import must_be_decided
    from thresher.loop.ship import chosen
    from thresher.records import now_ms
    from thresher.release import FORMATS
    from thresher.release import release as write_release
    from thresher.release.signature import signed

    wanted = tuple(part.strip() for part in formats.split(",") if part.strip())
    with opened(context) as (store, settings), bars() as report, interruptible() as stop:
        must_be_decided(name, store=store, settings=settings, version=version)
        made = write_release(
            signed(chosen(name, store=store, now_ms=now_ms(), version=version), settings.signing_key),
            to,
            formats=wanted or tuple(FORMATS),
            store=store,
            now_ms=now_ms(),
            report=report,
            stop=stop,
        )
    say(f"Released {made.images:,} images to {to}. {made.certificate.get('words', '')}")
    if head := made.certificate.get("log_head"):
        say(f"Head of the audit log, to be published: {head}")


def audit_log(
    context: typer.Context,
    name: Name,
    lines: Annotated[bool, typer.Option("--lines", help="Print the log itself, a line of JSON each.")] = False,
    json: JSON = False,
) -> None:
    """Print the head of the audit log of the freeze in force.

    Whoever publishes the head, best before the first answer, cannot change later what the log says up to there: the
    seed, the ranking, the known labels, the plan, and the answers. `thresher verify --head` compares a release with it.
    """
    from thresher.loop.anew import said_of_log

    with opened(context) as (store, _):
        found = said_of_log(name, store=store)
    if lines:
        typer.echo(b"".join(line + b"\n" for line in found.lines).decode("ascii"), nl=False)
    elif json:
        as_json(found.facts)
    else:
        facts(f"Audit log of {name}", found.facts)


def verify(
    directory: Annotated[Path | None, typer.Argument(help="The directory of a release.")] = None,
    head: Annotated[
        str, typer.Option(help="A published head of the audit log (SHA-256): the log must have this line.")
    ] = "",
    signers: Annotated[
        Path | None, typer.Option(help="A file of trusted SSH keys (ALLOWED SIGNERS): one must have signed the log.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Write the verifier page to this file: it does the same in a browser, offline.")
    ] = None,
    json: JSON = False,
) -> None:
    """Recompute the certificate of a release from its files, and compare every file with it.

    Prints yes and what is proven, or no and what is wrong. Every bound, every draw and the released set are computed
    from the audit log, the frozen pool and the labels; docs/certificate-format.md describes how.
    """
    from thresher.verify import verify as verify_release

    if page is not None:
        from thresher.server.verifier import verifier_page

        _must_be_outside(page, directory)
        page.write_bytes(verifier_page())
        if not json:
            say(f"Wrote {page}: open it in a browser, and drop the folder of a release on it")
    if directory is None:
        if page is None:
            raise BadInput("no release was named.", next="thresher verify DIRECTORY")
        if json:
            as_json({"page": str(page)})
        return
    found = verify_release(directory, head=head, signers=signers)
    if json:
        as_json(asdict(found))
    elif found.holds:
        say(f"yes: {found.claim}{f' Signed by {found.signed_by}.' if found.signed_by else ''}")
    else:
        first, *others = found.wrong
        say(f"no: {first}")
        for line in others:
            say(f"  {line}")
    if not found.holds:
        raise typer.Exit(1)


def _must_be_outside(page: Path, directory: Path | None) -> None:
    """Raise BadInput for a verifier page that would be written into a release, which then has a file too many."""
    from thresher.verify import NAME

    named = directory and directory.resolve()
    for folder in page.resolve().parents:
        if folder == named or (folder / NAME).is_file():
            raise BadInput(
                f"--page lies in the release {folder}, which may have no other files.",
                where=str(page),
                next=f"give a file outside of it, such as --page {folder.parent / page.name}",
            )
