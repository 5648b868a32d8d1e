"""When a task has waited as long as the setting `patience_seconds` says, which time alone brings about.

Then the last few asks are published (`fill_tasks`), and a task that nobody may take ends (out_of_people.py).
"""

import math
from dataclasses import dataclass

from thresher.settings import Settings
from thresher.store.contract import Store

PAGE = 1000


@dataclass
class Patience:
    """The tasks of a category that may still wait, as a process last read them: those numbered above `passed`."""

    passed: int = -1

    def ends_ms(self, category: str, *, after_ms: int, store: Store, settings: Settings) -> int | None:
        """The first time after `after_ms` at which a task will have waited long enough; None if there is none.

        What was waited out at `after_ms` is not read again: a task's number and time of publication never change.
        """
        first = math.inf
        patience_ms = settings.patience_seconds * 1000
        after, all_passed = self.passed, True
        while page := store.asks.tasks(category, after, PAGE):
            for task in page:
                ends = task.published_ms + patience_ms
                all_passed = all_passed and ends <= after_ms
                if all_passed:
                    self.passed = task.number
                elif ends > after_ms:
                    first = min(first, ends)
            after = page[-1].number
        return None if first == math.inf else math.ceil(first)
