"""One unit everywhere: the image that counts for its similar group is drawn, counted, released and verified.

Each case ends in a release that its verifier accepts, and that says how many files it has.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.cli.commands import thresher
from tests.filled import NAME, new_image
from tests.loop.scored import SMALL, SMALL_YES_FROM, certify, frozen, label, scored

from thresher.evidence import Gold
from thresher.harvest.similar import put_in_groups
from thresher.learn.decide import NO, UNKNOWN, YES
from thresher.loop.decision import claim_of, decision
from thresher.loop.ship import ship
from thresher.loop.snapshot import in_force
from thresher.records import Label, Origin, Purpose, Says, Source, Targets
from thresher.store.contract import Store
from thresher.verify import verify

TARGETS = {
    "certified": Targets(0.8, 0.7, 0.2, method="certified"),
    "precision": Targets(0.8, 0.7, 0.2, answers=200, method="precision"),
    "recall": Targets(0.8, 0.7, 0.2, answers=200, method="recall"),
}


def own(row: int, says: Says) -> Label:
    return Label(row, says, Source.OWNER, Purpose.UPLOAD, 1, 1)


def codes(store: Store, rows: list[int]) -> list[int]:
    decided = decision(NAME, store=store)
    return [int(decided.codes[decided.rows.tolist().index(row)]) for row in rows]


def go_on(store: Store) -> None:
    """A correction may have taken a certificate back: adjudicate what its audits then ask for."""
    certify(store, in_force(store.categories.get(NAME), len(store.categories.pool(NAME)), store=store))


def shipped(store: Store, to: Path) -> dict[int, bool]:
    """The released rows, each with whether it was inherited; the release holds, and tells how many they are."""
    made = ship(NAME, to, store=store, now_ms=9)
    verdict = verify(to)
    assert verdict.holds, verdict.wrong
    table = pq.read_table(to / "images.parquet").to_pylist()
    yes = {line["id"]: line["inherited"] for line in table if line["decision"] == "yes"}
    units = sum(line["decision"] == "yes" and line["similar_to"] is None for line in table)
    assert made.images == len(yes)
    assert f" {units} released images" in verdict.claim
    files = f"Similar images count once: {len(yes)} files are released."
    assert files in verdict.claim
    assert files in (to / "README.md").read_text()
    assert verdict.claim == made.certificate["words"] == claim_of(decision(NAME, store=store))
    images = store.images.many(store.categories.pool(NAME))
    return {image.row: yes[image.sha256] for image in images if image.sha256 in yes}


@pytest.mark.parametrize("method", TARGETS)
def test_copies_follow_the_one_that_counts_and_are_marked(method: str, store: Store, tmp_path: Path) -> None:
    first, second, third = scored(store, alike=3)[-3:]
    snapshot = frozen(store, TARGETS[method])
    assert snapshot.copies.tolist() == [[second, first], [third, first]]
    assert snapshot.frozen.units == SMALL - 2
    certify(store, snapshot)
    found = shipped(store, tmp_path / "out")
    assert {row: found[row] for row in (first, second, third)} == {first: False, second: True, third: True}
    told = thresher("--workspace", store.place, "status")
    assert f"{NAME}: {claim_of(decision(NAME, store=store))}" in told.stdout


@pytest.mark.parametrize("method", TARGETS)
def test_two_labels_in_one_group_at_the_freeze_make_two_units(method: str, store: Store, tmp_path: Path) -> None:
    """The jpg is labelled no, the png yes: each counts for itself, and the third, unlabelled one too."""
    jpg, png, third = scored(store, alike=3)[-3:]
    store.labels.hold(NAME, [own(jpg, Says.NO), own(png, Says.YES)])
    snapshot = frozen(store, TARGETS[method])
    assert not len(snapshot.copies)
    assert snapshot.known_units == {jpg: 0, png: 1}
    certify(store, snapshot)
    found = shipped(store, tmp_path / "out")
    assert (jpg in found, found[png], found[third]) == (False, False, False)


@pytest.mark.parametrize("corrected", [Says.NO, Says.UNSURE])
def test_a_known_yes_that_is_corrected_takes_its_copies_along(corrected: Says, store: Store, tmp_path: Path) -> None:
    """Even one with a yes of its own: the two contradict each other, and that waits for the next freeze."""
    first, second, third = scored(store, alike=3)[-3:]
    store.labels.hold(NAME, [own(first, Says.YES), own(second, Says.YES)])
    snapshot = frozen(store, TARGETS["certified"])
    assert snapshot.known_units == {first: 1}
    certify(store, snapshot)
    assert {first, second, third} <= shipped(store, tmp_path / "before").keys()
    store.labels.hold(NAME, [own(first, corrected)])
    go_on(store)
    assert codes(store, [first, second, third]) == [NO, UNKNOWN, NO]
    found = shipped(store, tmp_path / "after")
    assert found.keys().isdisjoint({first, second, third})


@pytest.mark.parametrize("known", [True, False])
def test_a_copy_with_a_no_of_its_own_is_left_out_and_the_one_that_counts_stays(
    known: bool, store: Store, tmp_path: Path
) -> None:
    first, second, third = scored(store, alike=3)[-3:]
    if known:
        store.labels.hold(NAME, [own(first, Says.YES)])
    certify(store, frozen(store, TARGETS["certified"]))
    before = shipped(store, tmp_path / "before")
    store.labels.hold(NAME, [own(third, Says.NO)])
    go_on(store)
    found = shipped(store, tmp_path / "after")
    assert found.keys() == before.keys() - {third}
    assert {first, second} <= found.keys()


def test_a_copy_with_a_yes_of_its_own_waits_for_the_next_freeze_if_the_one_that_counts_is_no(
    store: Store, tmp_path: Path
) -> None:
    first, second, third = scored(store, alike=3)[-3:]
    certify(store, frozen(store, TARGETS["certified"]))
    store.labels.hold(NAME, [own(first, Says.NO), own(second, Says.YES)])
    go_on(store)
    assert codes(store, [first, second, third]) == [NO, UNKNOWN, NO]
    found = shipped(store, tmp_path / "out")
    assert found.keys().isdisjoint({first, second, third})


def test_a_group_whose_first_image_lies_in_another_category_only(store: Store, tmp_path: Path) -> None:
    """The image that represents the group in the workspace is not in the pool: another one counts for it."""
    first, second = scored(store, elsewhere=1)[-2:]
    elsewhere = int(store.images.similar(np.array([first]))[0])
    assert elsewhere not in store.categories.pool(NAME)
    store.categories.create(replace(store.categories.get(NAME), name="other"))
    store.categories.pool_add("other", [elsewhere], Origin("test", "", "", 1))
    store.labels.hold("other", [own(elsewhere, Says.NO)])  # of another question
    snapshot = frozen(store, TARGETS["certified"])
    assert snapshot.copies.tolist() == [[second, first]]
    certify(store, snapshot)
    found = shipped(store, tmp_path / "out")
    assert (found[first], found[second], elsewhere in found) == (False, True, False)


def test_a_group_that_grows_elsewhere_changes_nothing_and_in_the_pool_it_ends_the_freeze(
    store: Store, tmp_path: Path
) -> None:
    first, second = scored(store)[-2:]
    certify(store, frozen(store, TARGETS["certified"]))
    before = shipped(store, tmp_path / "before")
    (late,) = put_in_groups([replace(new_image(7_000), fingerprint="ab" * 32)], store=store, same=lambda *_: True)
    assert shipped(store, tmp_path / "elsewhere") == before
    store.categories.pool_add(NAME, [late], Origin("test", "", "", 1))
    category = store.categories.get(NAME)
    assert in_force(category, len(store.categories.pool(NAME)), store=store) is None
    assert decision(NAME, store=store).basis.certified is None
    snapshot = frozen(store, TARGETS["certified"])
    assert snapshot.epoch == 2
    assert late in snapshot.copies[:, 0]
    certify(store, snapshot)
    assert {first, second, late} <= shipped(store, tmp_path / "after").keys()


def test_the_owner_s_yes_is_delivered_wherever_it_is_ranked_and_people_s_is_withheld(
    store: Store, tmp_path: Path
) -> None:
    """With gold, `precision` cannot vouch for a yes of people among many no; the release says how many there are."""
    rows = scored(store)
    snapshot = frozen(store, TARGETS["precision"], gold=Gold(300, 1, 300, 1))
    certify(store, snapshot)
    before = shipped(store, tmp_path / "before")
    low = [row for row in snapshot.ranking.tolist() if row not in before][-6:]
    assert set(low) <= set(rows[:SMALL_YES_FROM])
    store.labels.hold(NAME, [label(row, says=Says.YES) for row in low[:4]])
    store.labels.hold(NAME, [own(row, Says.YES) for row in low[4:]])
    found = shipped(store, tmp_path / "after")
    assert found.keys() == before.keys() | set(low[4:])
    said = "4 further images that people called yes are withheld"
    assert said in (tmp_path / "after" / "README.md").read_text()
    assert said in claim_of(decision(NAME, store=store))
    assert codes(store, low) == [UNKNOWN] * 4 + [YES] * 2


def test_the_pool_is_written_as_it_was_frozen(store: Store, tmp_path: Path) -> None:
    rows = scored(store, alike=3)
    store.labels.hold(NAME, [own(rows[-1], Says.YES), own(rows[0], Says.UNSURE)])
    snapshot = frozen(store, TARGETS["certified"])
    certify(store, snapshot)
    store.labels.hold(NAME, [own(rows[0], Says.NO)])
    go_on(store)
    shipped(store, tmp_path / "out")
    lines = pq.read_table(tmp_path / "out" / "pool.parquet").to_pylist()
    names = {image.sha256: image.row for image in store.images.many(store.categories.pool(NAME))}
    ranked = [line for line in lines if line["rank"] is not None]
    assert [line["rank"] for line in ranked] == list(range(len(snapshot.ranking)))
    assert [names[line["id"]] for line in ranked] == snapshot.ranking.tolist()
    assert lines == ranked + sorted(lines[len(ranked) :], key=lambda line: line["id"])
    assert {names[line["id"]]: line["known"] for line in lines if line["known"]} == {rows[-1]: "yes", rows[0]: "unsure"}
    assert {names[line["id"]] for line in lines if line["unit"] != line["id"]} == set(rows[-3:-1])
    assert {line["unit"] for line in lines if names[line["id"]] in rows[-3:]} == {store.images.get(rows[-1]).sha256}
