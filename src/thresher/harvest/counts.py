"""The result of a harvest, in numbers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Harvested:
    """The result of a harvest: of the candidates `seen`, those `new` to the pool, `known` to it, and `refused`.

    `replaced` of them are names that stood for another image in an earlier harvest; `same_answers` are the images that
    several addresses gave. `beside` counts the files that are no candidates, by why.
    """

    new: int = 0
    known: int = 0
    refused: int = 0
    seen: int = 0
    replaced: int = 0
    same_answers: int = 0
    beside: Mapping[str, int] = field(default_factory=dict)

    def and_more(self, more: "Harvested") -> "Harvested":
        """The sum of two results."""
        return Harvested(
            self.new + more.new,
            self.known + more.known,
            self.refused + more.refused,
            self.seen + more.seen,
            self.replaced + more.replaced,
            self.same_answers + more.same_answers,
            dict(Counter(self.beside) + Counter(more.beside)),
        )
