"""Options that several commands take, each defined once, and records that hold the options of a command."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from thresher.loop.ways import CHEAPEST, PROVEN, WITHOUT_LABELS, described

Name = Annotated[str, typer.Argument(help="The category's name.")]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Precision = Annotated[float | None, typer.Option(help="Target precision: share of the released images that are yes.")]
Recall = Annotated[float | None, typer.Option(help="Target recall: share of all yes in the pool that are released.")]
Delta = Annotated[
    float | None,
    typer.Option(help="Highest probability that a certificate is false (1 - confidence); below 0.5."),
]
Answers = Annotated[
    int | None,
    typer.Option(help="Budget: at most so many answers, those on gold and of the owner included; 0: no limit."),
]
_METHODS = (
    f"{CHEAPEST}: the one that is expected to keep the promise for the fewest answers, chosen again until the pool is "
    f"frozen. {described(WITHOUT_LABELS)}"
)
Method = Annotated[str | None, typer.Option(help=f"Advanced: the method; default: unchanged. {_METHODS}")]
NewMethod = Annotated[str | None, typer.Option(help=f"Advanced: the method; default: {CHEAPEST}. {_METHODS}")]
Truth = Annotated[
    str | None,
    typer.Option(
        help="Ground truth of a certificate: people (adjudicated answers of annotators) or owner "
        "(only the owner is asked)."
    ),
]

_CHECK = (
    "Let the owner check a random part of what is released, as annotators may make the same errors together; default: "
)
_FLAGS = "--check/--no-check"
Check = Annotated[bool | None, typer.Option(_FLAGS, help=f"{_CHECK}unchanged.")]
NewCheck = Annotated[
    bool | None,
    typer.Option(_FLAGS, help=f"{_CHECK}if they came by an invite for many and pay_hour_cents is set."),
]

Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking, though paid answers stop counting.")]


@dataclass(frozen=True, slots=True)
class WordingOptions:
    """How a question is to be changed."""

    text: Annotated[str | None, typer.Option("--question", help="The new question; default: unchanged.")] = None
    instructions: Annotated[
        str | None,
        typer.Option(help="Instructions that annotators read before they start; alone, they start no new version."),
    ] = None
    keep_answers: Annotated[
        bool, typer.Option("--keep-answers", help="Only the wording changed: all answers stay, and a release says so.")
    ] = False
    version: Annotated[int | None, typer.Option(help="Go back to this version of the question.")] = None


@dataclass(frozen=True, slots=True)
class PromiseOptions:
    """The targets of a certificate; None: the target of the category."""

    precision: Precision = None
    recall: Recall = None
    delta: Delta = None


@dataclass(frozen=True, slots=True)
class AimOptions(PromiseOptions):
    """The targets of a category; None: unchanged."""

    answers: Answers = None
    method: Method = None
    truth: Truth = None
    check: Check = None


@dataclass(frozen=True, slots=True)
class NewAimOptions(AimOptions):
    """The targets of a new category."""

    precision: Precision = 0.95
    recall: Recall = 0.90
    delta: Delta = 0.05
    method: NewMethod = CHEAPEST
    truth: Truth = "people"
    check: NewCheck = None


@dataclass(frozen=True, slots=True)
class PlanOptions(PromiseOptions):
    """The targets to plan for, and the prevalence to assume."""

    method: Annotated[
        str | None,
        typer.Option(
            help=f"{CHEAPEST}, {', '.join(PROVEN)}; default: the method of the category if it was named and has a "
            f"certificate, else {CHEAPEST}."
        ),
    ] = None
    answers: Answers = None
    prevalence: Annotated[
        float | None, typer.Option(help="Expected share of yes in the pool (0 to 1), used instead of the scores.")
    ] = None


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Where a harvest takes images from: one of four places, and whether known ones are read again."""

    folder: Annotated[Path | None, typer.Option(help="A folder of images, searched recursively.")] = None
    tar: Annotated[Path | None, typer.Option(help="A tar file of images.")] = None
    urls: Annotated[
        Path | None, typer.Option(help="A table with a column url, or a .txt file with one URL per line.")
    ] = None
    references: Annotated[
        Path | None,
        typer.Option(help="A table (columns sha256, url, width, height) of images that stay where they are."),
    ] = None
    again: Annotated[
        bool, typer.Option("--again", help="Read known files and fetch known URLs again, to find replaced ones.")
    ] = False


@dataclass(frozen=True, slots=True)
class CrowdOptions:
    """A simulated crowd, and the server it connects to."""

    truth: Annotated[
        Path, typer.Option(help="Table with one of the columns image, file or url, and the column truth (a class).")
    ]
    workers: Annotated[int, typer.Option(help="Number of simulated people.", min=1, max=1000)] = 20
    positive: Annotated[str, typer.Option(help="The class in the column truth that means yes.")] = "yes"
    replay: Annotated[bool, typer.Option(help="Answer with the recorded votes in the columns vote1, vote2, ...")] = (
        False
    )
    proxies: Annotated[
        float,
        typer.Option(help="Share of the people who hand in the answers of one model (proxies).", min=0.0, max=1.0),
    ] = 0.0
    seed: Annotated[int, typer.Option(help="Random seed of the crowd.")] = 1
    url: Annotated[str, typer.Option(help="Address of a running server; default: start one.")] = ""


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's parameters that are records of options by the fields of the records, as typer needs them.

    The fields carry `typer.Option` as parameters do; a field without a default is a required option.
    """
    signature = inspect.signature(command)
    kinds = {name: told.annotation for name, told in signature.parameters.items()}
    records = {name: kind for name, kind in kinds.items() if isinstance(kind, type) and is_dataclass(kind)}

    @wraps(command)
    def called(**given: Any) -> None:  # noqa: ANN401 -- typer has converted them to the types of the fields
        for name, record in records.items():
            given[name] = record(**{option.name: given.pop(option.name) for option in _options_of(record)})
        command(**given)

    shown: list[inspect.Parameter] = []
    for name, told in signature.parameters.items():
        # by keyword, so that a required option may stand behind others
        shown += _options_of(records[name]) if name in records else [told.replace(kind=told.KEYWORD_ONLY)]
    called.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]  # inspect and typer read it
    return called


def _options_of(record: type) -> list[inspect.Parameter]:
    """The fields of a record, as the parameters of a command."""
    return [told.replace(kind=told.KEYWORD_ONLY) for told in inspect.signature(record).parameters.values()]
