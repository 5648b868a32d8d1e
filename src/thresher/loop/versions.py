"""The versions of a question: which is asked, and how each was worded last."""

from collections.abc import Sequence
from dataclasses import replace

from thresher.errors import NotFound
from thresher.records import Category, Question
from thresher.store.contract import Store


def worded(asked: Sequence[Question], version: int, name: str) -> Question:
    """The last wording of a version among all wordings of category `name`. Raises NotFound."""
    found = [question for question in asked if question.version == version]
    if not found:
        known = ", ".join(str(one) for one in sorted({question.version for question in asked}))
        what = f"{name} has no question version {version}; there are {known}."
        raise NotFound(what, next=f"thresher category questions {name}")
    return found[-1]


def as_version(name: str, version: int | None, *, store: Store) -> Category:
    """The category with the question of this version, as it was worded last; None: the one in force."""
    category = store.categories.get(name)
    if version is None or version == category.question.version:
        return category
    return replace(category, question=worded(store.categories.questions(name), version, name))


def wordings_of(name: str, version: int, *, store: Store) -> tuple[Question, ...]:
    """The different wordings under which a version was asked, oldest first."""
    found: list[Question] = []
    for question in store.categories.questions(name):
        alike = bool(found) and (found[-1].text, found[-1].instructions) == (question.text, question.instructions)
        if question.version == version and not alike:
            found.append(question)
    return tuple(found)
