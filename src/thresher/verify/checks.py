"""What was found wrong, as sentences; a few of them are enough."""

from dataclasses import dataclass, field

MOST = 20
CLOSE = 1e-6


@dataclass(slots=True)
class Checks:
    """The facts that do not hold so far."""

    wrong: list[str] = field(default_factory=list)
    more: int = 0

    def that(self, fact: bool, else_: str) -> bool:
        """Note the sentence if the fact does not hold; the fact."""
        if not fact:
            if len(self.wrong) < MOST:
                self.wrong.append(else_)
            else:
                self.more += 1
        return fact

    def all(self) -> tuple[str, ...]:
        """Every sentence, and how many were left out."""
        return (*self.wrong, f"and {self.more:,} more") if self.more else tuple(self.wrong)


def close(one: float, other: float) -> bool:
    """Whether two numbers are equal apart from rounding."""
    return abs(one - other) <= CLOSE * max(1.0, abs(one), abs(other))
