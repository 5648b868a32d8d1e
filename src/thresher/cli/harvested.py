"""What a harvest found besides new, known and refused images, in words and as a table."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thresher.harvest import Harvested
    from thresher.store.contract import Store

LISTED_MOST = 10_000


def besides(found: "Harvested") -> "Iterator[str]":
    """A sentence for each thing beside the counts that needs to be known."""
    if found.beside:
        counts = ", ".join(f"{count:,} {what}" for what, count in sorted(found.beside.items()))
        yield f"Left out and not counted: {counts}."
    if found.replaced:
        yield (
            f"{found.replaced:,} {_names(found.replaced)} another image than in an earlier harvest. Both images stay in"
            " the pool; a label by such a name is refused, so name these images by their SHA-256."
        )
    if found.same_answers:
        what = "image is the answer" if found.same_answers == 1 else "images are the answers"
        yield (
            f"{found.same_answers:,} {what} of several addresses, perhaps a placeholder of a site. A label by such an"
            " address is refused."
        )


def _names(count: int) -> str:
    return "name stands for" if count == 1 else "names stand for"


def same_answers(category: str, limit: int, *, store: "Store") -> list[tuple[int, str, str]]:
    """The images of a pool that several addresses gave: how many addresses, the SHA-256, and one of the addresses."""
    from thresher.store.kinds import SAME_ANSWER

    lines = store.lines.page(SAME_ANSWER, by=["addresses"], descending=True, limit=LISTED_MOST)
    held = store.categories.pool_holds(category, [line["row"] for line in lines])
    there = [line for line, holds in zip(lines, held, strict=True) if holds][:limit]
    images = store.images.many([line["row"] for line in there])
    return [(line["addresses"], image.sha256, line["address"]) for line, image in zip(there, images, strict=True)]
