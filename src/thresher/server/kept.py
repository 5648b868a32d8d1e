"""The answers of the console's pages, kept while nothing that they show has changed: an open page costs one store call.

Pages ask again every few seconds. What an answer shows is in the store, so its change mark tells whether it is still
true; what is not in the store (whether a loop runs, the address of the server) is a part of the answer's key.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, TypeVar

from thresher.store.contract import Mark, Store

MOST: Final = 200
"""Answers that are kept: as many as pages that people have open, and no more than some megabytes."""

Answer = TypeVar("Answer")


class Kept:
    """Answers by what was asked, each with the mark that was read before it was made. Safe from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._answers: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, category: str, asked: Hashable, make: Callable[[], Answer], *, mark: Mark | None = None) -> Answer:
        """The answer about a category, made anew if its mark has moved; `mark` is that of now, if the caller has it.

        Raises NotFound for an unknown category.
        """
        mark = self._store.categories.mark(category) if mark is None else mark
        return self._of((category, asked), mark.page, make)

    def of_all(self, asked: Hashable, make: Callable[[Sequence[str]], Answer]) -> Answer:
        """The answer about the whole workspace, made anew if the mark of any category has moved, or one was added.

        It is made of the names of the categories.
        """
        marks = tuple((name, mark.page) for name, mark in self._store.categories.marks().items())
        # what is of the workspace moves the mark of each category: without any, nothing tells that it moved
        return self._of(("", asked), marks, lambda: make([name for name, _ in marks])) if marks else make([])

    def _of(self, key: Hashable, mark: Hashable, make: Callable[[], Answer]) -> Answer:
        with self._lock:
            there = self._answers.get(key)
        if there is None or there[0] != mark:
            there = (mark, make())
        with self._lock:
            self._answers[key] = there
            self._answers.move_to_end(key)
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        answer: Answer = there[1]
        return answer
