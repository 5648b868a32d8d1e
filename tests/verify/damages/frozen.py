"""Damages of what was frozen before the audits."""

from typing import Any

from tests.verify.damages.part import CERTIFICATE, EVERY, Part
from tests.verify.tampering import Release, Row

damage = Part(first="precision")


def swapped(one: Release, name: str, value: object, *, log: bool) -> None:
    if log:
        one.frozen(lambda frozen: frozen.update({name: value}))
    else:
        one.json(CERTIFICATE, lambda found: found["frozen"].update({name: value}))


@damage("a field of a rung whose meaning nobody knows")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen["ladder"][0].update(unless=0.5))


@damage("a field of a prior whose meaning nobody knows")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen["accept_prior"].update(after=100))


FLAT = {"parts": [[1.0, 1.0, 1e6]]}
SWAPS: dict[str, Any] = {
    "ranking": "0" * 64,
    "known": "0" * 64,
    "copies": "0" * 64,
    "seed": "ab" * 32,
    "accept_prior": FLAT,
    "reject_prior": FLAT,
    "known_yes": 80,
    "known_unanswerable": 7,
    "epoch": 3,
    "looks": 1,
    "units": 10,
    "at_ms": 1_000_000_000_000,
    "adjudicated": 10**6,
    "ranks": 100,
    "ladder": [{"rank": 30, "accept_delta": 0.2, "reject_delta": 0.2}],
    "gold": {"yes_shown": 10, "yes_missed": 0, "no_shown": 10, "no_missed": 0, "audited": 0},
    "truth": "owner",
}
for _name, _value in SWAPS.items():
    damage(f"{_name} swapped in the certificate")(
        lambda one, name=_name, value=_value: swapped(one, name, value, log=False)  # type: ignore[misc]  # a default binds the value of this turn
    )
CAUGHT_BY_THE_HEAD_ALONE = {"accept_prior", "reject_prior", "at_ms", "adjudicated", "truth", "gold", "looks", "epoch"}
"""Whoever writes the log anew chooses these as if they froze; only its head, published before, tells."""
for _name, _value in SWAPS.items():
    if _name not in CAUGHT_BY_THE_HEAD_ALONE:
        damage(f"{_name} swapped in certificate and log")(
            lambda one, name=_name, value=_value: swapped(one, name, value, log=True)  # type: ignore[misc]  # a default binds the value of this turn
        )


@damage("the deltas of the ladder raised in certificate and log", *EVERY)
def _(one: Release) -> None:
    def change(frozen: Row) -> None:
        for rung in frozen["ladder"]:
            rung |= {"accept_delta": 2 * rung["accept_delta"], "reject_delta": 2 * rung["reject_delta"]}

    one.frozen(change)


@damage("a prior that is no distribution, in certificate and log")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen.update(accept_prior={"parts": [[1e9, 1.0, 1e6]]}))


@damage("a field that no freeze has, in certificate and log")
def _(one: Release) -> None:
    one.frozen(lambda frozen: frozen.update(bonus=1))
