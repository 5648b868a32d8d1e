"""The state of a category as `thresher status` prints it: a table row, and what is told below the table."""

from typing import TYPE_CHECKING

from thresher.cli.harvested import LISTED_MOST, same_answers

if TYPE_CHECKING:  # the records take a while to make, and `--help` needs none
    from thresher.records import Category
    from thresher.settings import Settings
    from thresher.store.contract import Store

WAITS_FOR, NEXT, HUMAN = "waits for", "next", "who acts"
GATE, ENDED, CLAIM, ALIKE = "gate", "audits ended", "certificate", "same answers"
METHOD, BESIDE = "method", "labels from elsewhere"
OFF_TABLE = {WAITS_FOR, NEXT, HUMAN, GATE, ENDED, CLAIM, ALIKE, METHOD, BESIDE}


def standing(category: "Category", store: "Store", settings: "Settings") -> dict[str, object]:
    """The state of a category, as a table row; what it waits for with the command for that, and who acts before."""
    from thresher.label.gold import gold_standing
    from thresher.loop.aims import method_in_words
    from thresher.loop.columns import columns_in_use
    from thresher.loop.decision import claim_of, decision
    from thresher.loop.growth import held_back, outgrown
    from thresher.loop.next_step import next_step_of

    name = category.name
    tally, decided = store.categories.tally(name), decision(name, store=store)
    step = next_step_of(decided, store=store, settings=settings)
    return {
        "category": name,
        "images": tally.images,
        "yes": decided.counts.yes,
        "yes labelled": decided.yes_by.labelled,
        "yes inherited": decided.yes_by.inherited,
        "no": decided.counts.no,
        "unknown": decided.counts.unknown,
        "answers": tally.answered,
        "reserved": tally.reserved,
        "open asks": sum(tally.asks_open.values()),
        "rounds": len(store.rounds.all(name)),
        METHOD: method_in_words(category.targets),
        GATE: gold_standing(store.labels.gold(name, category.question.version), settings).says,
        ENDED: outgrown(name, store=store) or held_back(name, store=store),
        WAITS_FOR: step.waits_for,
        NEXT: step.command,
        HUMAN: step.human,
        CLAIM: claim_of(decided),
        ALIKE: len(same_answers(name, LISTED_MOST, store=store)),
        BESIDE: "; ".join(column.says for column in columns_in_use(name, store=store)),
    }
