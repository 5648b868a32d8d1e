"""Asking before something that was paid for stops counting: on a terminal, and elsewhere by the option --yes."""

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from thresher.errors import NotReady

Result = TypeVar("Result")


def sure(act: Callable[[bool], Result], *, yes: bool) -> Result | None:
    """The result of `act(confirmed)`; None if its owner, asked on a terminal, says no.

    Without confirmation `act` raises NotReady with what it costs; where nobody can be asked, that is the answer.
    """
    try:
        return act(yes)
    except NotReady as cost:
        if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        sys.stderr.write(f"{cost.where}: {cost.what}\n")
    if not typer.confirm("Do it all the same?", err=True):
        sys.stderr.write("Nothing was changed.\n")
        return None
    return act(True)
