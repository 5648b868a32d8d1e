"""`thresher certify`: whether labels that somebody else made are right, proven by a few answers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thresher.cli.open import interruptible, place_of
from thresher.cli.options import options
from thresher.cli.people import on_a_free_port
from thresher.cli.show import bars, say, visible
from thresher.cli.workspace import must_be_free, start_settings
from thresher.errors import BadInput, Missing

if TYPE_CHECKING:  # what a command needs is imported when it runs: `--help` stays quick
    from thresher.annotations import Claims
    from thresher.loop.taken import Order, Taken
    from thresher.release.report import Findings
    from thresher.server.local import Local
    from thresher.settings import Settings
    from thresher.store.contract import Store

OWNER, PEOPLE, SIMULATED = "owner", "people", "simulated"


@dataclass(frozen=True, slots=True)
class CertifyOptions:
    """What is to be proven of which labels, by whose answers."""

    images: Annotated[
        list[Path] | None,
        typer.Option(
            help="The images: a folder, a tar, a WebDataset shard, or a list of paths or URLs; may be given several "
            "times. Default: the labels, if they are a folder."
        ),
    ] = None
    precision: Annotated[float, typer.Option(help="Target precision: share of the labels that must be right.")] = 0.95
    recall: Annotated[
        float | None,
        typer.Option(
            help="Target recall: share of the images that the label fits that must carry it; default: no target."
        ),
    ] = None
    delta: Annotated[float, typer.Option(help="Highest probability that a certificate is false; below 0.5.")] = 0.05
    label: Annotated[str, typer.Option(help="The label to certify, where there are several.")] = ""
    each: Annotated[bool, typer.Option("--each", help="Certify each label, with a certificate of its own.")] = False
    kind: Annotated[
        str, typer.Option("--as", help="The format of the labels; default: by the file. See `thresher labels formats`.")
    ] = ""
    regions: Annotated[
        bool, typer.Option("--regions", help="Each box is an image of its own: certify boxes, not images.")
    ] = False
    margin: Annotated[
        float, typer.Option(help="Margin around a box, as a share of its longer side.", min=0.0, max=10.0)
    ] = 0.15
    question: Annotated[str, typer.Option(help='The question; default: "Does this image show: LABEL?"')] = ""
    by: Annotated[
        str,
        typer.Option(
            help="Who answers: owner (you, in the page that opens), people (by an invite link) or simulated (--truth)."
        ),
    ] = OWNER
    truth: Annotated[
        Path | None,
        typer.Option(help="For --by simulated: a table with the columns file (or image, or url) and truth (a class)."),
    ] = None
    positive: Annotated[str, typer.Option(help="For --by simulated: the class that means yes; default: LABEL.")] = ""
    doubtful: Annotated[
        int | None,
        typer.Option(
            help="How many of the labels with the lowest scores are shown first, outside the audit; default: 20, and "
            "none with --by people.",
            min=0,
        ),
    ] = None
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out labels that cannot be used, and count them.")
    ] = False
    to: Annotated[Path | None, typer.Option(help="Directory of the report; default: report/ in the workspace.")] = None
    browser: Annotated[
        bool | None, typer.Option("--open/--no-open", help="Open the page in a browser; default: on a terminal.")
    ] = None


def add_to(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(certify)


@options
def certify(
    context: typer.Context,
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="A file or a folder with labels, such as labels.csv.")
    ],
    wanted: CertifyOptions,
) -> None:
    """Prove that labels you have are right, or tell that they are not, by a few dozen answers.

    The images are copied into a workspace (certify-NAME, or --workspace). The same command goes on where it stopped.

    Exits with 0 if every label is certified, with 1 if not.
    """
    from thresher.annotations import read
    from thresher.loop.taken import categories_of, taken_before, workspace_for

    claims = read(labels, kind=wanted.kind)
    chosen = _labels(claims, wanted)
    place = str(context.obj or workspace_for(labels))
    orders = [_order(label, name, claims, wanted) for label, name in categories_of(chosen).items()]
    with _workspace(place) as (store, settings):
        again = all(taken_before(order, claims, store=store) for order in orders)
        with _server(store.place, wanted, settings, early=not again) as started:
            taken = _take(orders, claims, wanted, again=again, store=store, settings=settings)
            _answered(orders, wanted, started, store=store, settings=settings)
            to = wanted.to or Path(place if "://" not in place else ".") / "report"
            certified = _report(orders, taken, claims, to, store=store)
    if not certified:
        raise typer.Exit(1)


def _labels(claims: "Claims", wanted: CertifyOptions) -> list[str]:
    """The labels to certify. Raises BadInput if it is not clear which."""
    there = list(claims.counts())
    told = ", ".join(repr(label) for label in there[:10]) + (" and more" if len(there) > 10 else "")
    where = str(claims.file)
    if wanted.label and wanted.each:
        raise BadInput("--label and --each exclude each other.", next="give one of them")
    if wanted.label:
        if wanted.label not in there:
            what = f"no image has the label {wanted.label!r}; there are: {told or 'none'}."
            raise BadInput(what, where=where, next="correct --label")
        return [wanted.label]
    if not there:
        raise BadInput("no image has a label.", where=where, next="give a file with labels")
    if len(there) > 1 and not wanted.each:
        raise BadInput(f"has {len(there):,} labels: {told}.", where=where, next="choose one by --label, or give --each")
    return there


def _order(label: str, name: str, claims: "Claims", wanted: CertifyOptions) -> "Order":
    """What is to be done for one label. Raises BadInput for options that exclude each other."""
    from thresher.loop.aims import Aims, aimed
    from thresher.loop.taken import Order
    from thresher.records import Targets

    if wanted.by not in (OWNER, PEOPLE, SIMULATED):
        raise BadInput(f"unknown --by {wanted.by!r}.", next=f"choose from {OWNER}, {PEOPLE}, {SIMULATED}")
    if wanted.by == SIMULATED and wanted.truth is None:
        raise BadInput("--by simulated needs --truth.", next="give a table with the columns file and truth")
    if wanted.regions and wanted.recall is not None:
        raise BadInput("boxes that were missed are in no crop: --regions proves no recall.", next="leave out --recall")
    if wanted.question and wanted.each:
        raise BadInput("--question and --each exclude each other.", next="give --label with --question")
    shown = "the middle of this image" if wanted.regions else "this image"
    question = wanted.question or f"Does {shown} show: {label}?"
    if label.lower() in ("yes", "true", "1") and not wanted.question:
        what = f"the label {label!r} does not tell the question that it answers."
        raise BadInput(what, where=str(claims.file), next='give --question "Does this image show a ...?"')
    aims = Aims(
        precision=wanted.precision,
        recall=wanted.recall,
        delta=wanted.delta,
        method="labels",
        truth="people" if wanted.by == PEOPLE else "owner",
    )
    targets = aimed(Targets(), aims)
    return Order(
        label,
        name,
        question,
        targets if wanted.recall is not None else replace(targets, recall=0.0),
        boxes=wanted.regions,
        margin=wanted.margin,
        skip_bad=wanted.skip_bad,
        everything=wanted.recall is not None,
    )


@contextmanager
def _workspace(place: str) -> "Iterator[tuple[Store, Settings]]":
    """The workspace of the labels, made if there is none. Each image stands for itself in it, however alike two are."""
    from thresher.settings import read_settings
    from thresher.store import open_store

    path = Path.cwd() if "://" in place else Path(place)
    if "://" not in place:
        must_be_free(path, "give another directory with --workspace")
        path.mkdir(parents=True, exist_ok=True)
        start_settings(path, STARTING_FILE)
    settings = read_settings(path).but(similar_groups=False)
    store = open_store(place_of(place, settings), settings, create=True)
    try:
        yield store, settings
    finally:
        store.close()


STARTING_FILE = """# Settings of this workspace; `thresher settings` lists them all with their defaults.
# labels are about images: each stands for itself here, however alike two are
similar_groups = false
# few answers are needed, and each may be the last one
task_images = 20
"""


def _take(
    orders: "list[Order]",
    claims: "Claims",
    wanted: CertifyOptions,
    *,
    again: bool,
    store: "Store",
    settings: "Settings",
) -> "dict[str, Taken]":
    """Take the labels in, which an earlier run has done if `again`, and tell how many images carry each."""
    from thresher.harvest.claimed import Finder, source_of
    from thresher.loop.taken import take
    from thresher.records import now_ms

    places = wanted.images or ([claims.file] if claims.file.is_dir() else [])
    if again:
        places = []  # nothing is read again, so the images may be elsewhere by now
    elif not places:
        what = f"where are the images of {claims.file}?"
        raise BadInput(what, next="give them with --images, a folder, a tar or a list of paths or URLs")
    finder = Finder(claims, [source_of(str(place)) for place in places], settings.fetch_bytes)
    taken = {}
    with bars() as report, interruptible() as stop:
        for order in orders:
            found = take(order, finder, store=store, settings=settings, now_ms=now_ms(), report=report, stop=stop)
            taken[order.category] = found
            images, left_out = len(set(found.rows.tolist())), sum(found.left_out.values())
            more = f" {left_out:,} {'label was' if left_out == 1 else 'labels were'} left out." if left_out else ""
            say(f"{visible(order.label)}: {images:,} {'boxes' if order.boxes else 'images'} carry the label.{more}")
    return taken


@contextmanager
def _server(
    place: str, wanted: CertifyOptions, settings: "Settings", *, early: bool
) -> "Iterator[Callable[[], Local] | None]":
    """A function that waits for the server of the workspace; None where a crowd brings its own.

    The server starts at once if `early`, while the labels are taken in, else when it is first waited for.
    """
    from thresher.server.local import starting_server

    if wanted.by == SIMULATED:
        yield None
        return
    with ExitStack() as block:

        def start() -> "Callable[[], Local]":
            # people keep their links from one run to the next
            port = on_a_free_port(settings).port if wanted.by == PEOPLE else 0
            return block.enter_context(starting_server(place, loop=False, port=port))

        started = start() if early else None
        yield lambda: (started or start())()


def _answered(
    orders: "list[Order]",
    wanted: CertifyOptions,
    started: "Callable[[], Local] | None",
    *,
    store: "Store",
    settings: "Settings",
) -> None:
    """Have the audits answered to their end."""
    from thresher.cli.answering import by_crowd, by_page
    from thresher.loop.mending import doubtful

    most = wanted.doubtful if wanted.doubtful is not None else 0 if wanted.by == PEOPLE else DOUBTFUL
    first = {order.category: doubtful(order.category, most, store=store) for order in orders}
    for order in orders:
        if count := len(first[order.category]):
            say(f"{visible(order.label)}: the {count:,} with the lowest scores come first, as no evidence.")
    if started is None:
        by_crowd(orders, first, wanted.truth, wanted.positive, store=store, settings=settings)
    else:
        by_page(
            orders,
            first,
            started=started,
            people=wanted.by == PEOPLE,
            browser=wanted.browser,
            store=store,
            settings=settings,
        )


DOUBTFUL = 20


def _report(orders: "list[Order]", taken: "dict[str, Taken]", claims: "Claims", to: Path, *, store: "Store") -> bool:
    """Write the report and tell the verdicts; whether all labels are certified."""
    from thresher.loop.findings import VERIFIER_PAGE, report_on
    from thresher.records import now_ms
    from thresher.release.report import write_summary
    from thresher.server.verifier import verifier_page

    try:
        page = verifier_page()
    except Missing:  # from a source without the pages built; the report is whole without it
        page = b""
    every = {}
    for order in orders:
        folder = to if len(orders) == 1 else to / order.category
        folder.mkdir(parents=True, exist_ok=True)
        if page:
            (folder / VERIFIER_PAGE).write_bytes(page)
        every[order.category] = report_on(order, taken[order.category], claims, folder, store=store, now_ms=now_ms())
        for line in _verdict(every[order.category], folder):
            say(line)
    if len(orders) > 1:
        write_summary(every, to)
    say(f"Report: {to / 'report.html'}")
    return all(found.state == "certified" for found in every.values())


def _verdict(found: "Findings", folder: Path) -> "Iterator[str]":
    """The verdict on one label and what to do with it, a line each."""
    from thresher.release.report import headline, percent

    told = visible(headline(found).replace("\u00a0", " "))
    yield f"{'yes' if found.state == 'certified' else 'no'}: {told}"
    if found.state == "not certified":
        low, high = percent(found.precision.lower), percent(found.precision.upper, down=False)
        yield f"Between {low} and {high} of these labels are right.".replace("\u00a0", " ")
    if found.wrong:
        yield f"Wrong labels found, to be corrected: {len(found.wrong):,} in {folder / 'wrong.csv'}"
    if found.state == "certified":
        yield f"Anyone can check it: thresher verify {folder / found.evidence}"
