"""The cost of a certificate, as the console tells it."""

from thresher.server.wire.base import Wire


class RangeWire(Wire):
    """An estimate with its 80 % interval."""

    low: float
    expected: float
    high: float


class PlanWire(Wire):
    """The expected cost of a certificate from here on, before anybody is paid.

    `pictures` to ask about, `answers` on them and on gold, `hours` of people, `dollars` with the fee. No method needs
    fewer than `floor` pictures. `certified` is the share of simulated runs that ended in a certificate, `delivered` the
    pictures then released: None before there are scores. `advice` may be empty, and `chosen`, which says why the method
    was chosen if it was; `words` are the plan in sentences.
    """

    method: str
    pictures: RangeWire
    answers: RangeWire
    hours: RangeWire
    dollars: RangeWire
    floor: int
    prevalence: float
    certified: float | None
    delivered: int | None
    advice: str
    chosen: str = ""
    words: list[str]
