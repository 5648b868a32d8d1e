"""Corrections after a freeze may only hurt: first answers stay, what became worse counts at once, the rest waits."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.filled import NAME
from tests.loop.frozen_pool import COUNT, answered, frozen, held, hold, log, now, step, to_the_end, truth

from thresher.errors import BadInput, NotReady, StoreDamaged
from thresher.evidence import Ask, Certified, released
from thresher.loop.anew import freeze_anew, said_of_log
from thresher.loop.audit_log import lines_of
from thresher.loop.decision import decision
from thresher.loop.growth import held_back
from thresher.loop.promises import Purse
from thresher.loop.snapshot import freeze, in_force, latest, record_answers
from thresher.records import Says, Source
from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.store.copy import copy_store
from thresher.store.kinds import EVIDENCE
from thresher.store.rounds import FROZEN, LOG

METHODS = ("certified", "adjudicated", "precision", "recall")
OTHER = {Says.YES: Says.NO, Says.NO: Says.YES}


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_is_certified_and_its_log_has_each_label_once(method: str, store: Store) -> None:
    frozen(store, method)
    ended = to_the_end(store)
    assert isinstance(ended, Certified)
    snapshot = now(store)
    state = snapshot.state(held(store))
    assert state.answers == state.today == snapshot.log.first
    assert len(list(lines_of(NAME, 1, store=store))) == snapshot.log.lines
    assert step(store) == ended


def test_a_known_yes_corrected_to_no_is_taken_off_what_is_certified(store: Store) -> None:
    frozen(store, "certified")
    before = to_the_end(store)
    assert isinstance(before, Certified)
    known = [int(row) for row in now(store).known if truth(int(row)) is Says.YES][:2]
    hold(store, dict.fromkeys(known, Says.NO))
    after = to_the_end(store)
    assert isinstance(after, Certified)
    assert after.counts["base"] <= before.counts["base"] - 2
    decided = decision(NAME, store=store)
    assert after.delivered == decided.counts.yes
    assert not set(known) & set(decided.rows[decided.codes == 1].tolist())


@pytest.mark.parametrize("says", [Says.NO, Says.UNSURE])
def test_what_became_of_known_images_counts_for_the_worse_only(says: Says, store: Store) -> None:
    snapshot = frozen(store, "certified")
    rows = [int(row) for row in snapshot.known]
    yes, no = [row for row in rows if truth(row) is Says.YES], [row for row in rows if truth(row) is Says.NO]
    hold(store, {yes[0]: says, no[0]: Says.YES, no[1]: Says.UNSURE})
    state = now(store).state(held(store))
    opened = 1 + (says is Says.UNSURE)
    assert state.corrected.known_yes == snapshot.frozen.known_yes - 1
    assert state.corrected.known_unanswerable == snapshot.frozen.known_unanswerable + opened
    assert state.frozen == snapshot.frozen
    before = to_the_end(store)
    assert isinstance(before, Certified)
    assert before.delivered == decision(NAME, store=store).counts.yes


@pytest.mark.parametrize("method", METHODS)
def test_a_bad_draw_corrected_to_good_stays_bad_and_ends_nothing_sooner(method: str, store: Store) -> None:
    """At every step all draws that were bad are corrected, and the audits neither end sooner nor prove more."""
    frozen(store, method, seed="cd" * 32)
    going, turned = True, 0
    while going:
        going = answered(store)
        snapshot = log(store)
        honest = snapshot.step(held(store))
        first = snapshot.log.first
        reject = snapshot.frozen.reject_from
        top = snapshot.frozen.ladder[0].rank
        bad = {rank for rank, code in first.items() if (rank < top and code == 0) or (rank >= reject and code == 1)}
        labels, turned = held(store), max(turned, len(bad))
        for rank in bad:
            row = int(snapshot.ranking[rank])
            labels[row] = replace(labels[row], says=OTHER[labels[row].says])
        corrected = snapshot.step(labels)
        state = snapshot.state(labels)
        assert all(state.answers[rank] == 2 for rank in bad)
        if isinstance(honest, Ask):
            assert not isinstance(corrected, Certified) or corrected.asked >= honest.asked
        if isinstance(corrected, Certified) and isinstance(honest, Certified):
            for name in ("precision_at_least", "recall_at_least"):
                assert corrected.counts.get(name, 0.0) <= honest.counts.get(name, 1.0)
    assert turned


def test_a_correction_before_it_was_logged_is_the_first_answer(store: Store) -> None:
    snapshot = frozen(store, "certified")
    row = int(snapshot.ranking[0])
    hold(store, {row: Says.NO})
    hold(store, {row: Says.YES})
    assert log(store).log.first == {0: 1}
    hold(store, {row: Says.NO})
    assert log(store).log.first == {0: 1}
    assert now(store).state(held(store)).answers == {0: 2}
    hold(store, {row: Says.YES})  # and corrected back
    assert now(store).state(held(store)).answers == {0: 1}


def test_a_label_that_is_not_logged_is_no_evidence_but_decides_what_is_released(store: Store) -> None:
    frozen(store, "certified")
    before = to_the_end(store)
    assert isinstance(before, Certified)
    snapshot = now(store)
    late = next(rank for rank in range(before.accepted) if rank not in snapshot.log.first)
    hold(store, {int(snapshot.ranking[late]): Says.NO})
    state = snapshot.state(held(store))
    assert late not in state.answers
    assert late not in released(before, state).tolist()
    assert decision(NAME, store=store).counts.yes == before.delivered - 1


def test_two_machines_log_at_once_and_nothing_is_lost_or_said_twice(store: Store) -> None:
    snapshot = frozen(store, "certified")
    hold(store, {int(row): truth(int(row)) for row in snapshot.ranking[:60]})
    asked = set(snapshot.ranking[:60].tolist())
    labels = {row: label for row, label in held(store).items() if row in asked}

    def logs(part: int) -> None:
        mine = {row: label for at, (row, label) in enumerate(labels.items()) if at % 3 != part}
        record_answers(NAME, snapshot, mine, store=store, now_ms=4)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(logs, (0, 1, 2, 0)))
    found = now(store).log
    assert found.first == {rank: int(truth(int(snapshot.ranking[rank])) is Says.YES) for rank in range(60)}


def test_a_kill_before_the_first_line_of_the_log_loses_nothing(store: Store) -> None:
    snapshot = frozen(store, "certified")
    store.lines.drop(EVIDENCE, [1, f"{LOG} 0"], NAME)
    assert now(store).log.lines == 0
    assert log(store).log.head == snapshot.log.head


def test_a_log_that_lost_a_line_or_has_another_is_told_and_given_up(store: Store) -> None:
    frozen(store, "certified")
    answered(store)
    answered(store)
    log(store)
    lines = list(lines_of(NAME, 1, store=store))
    assert len(lines) >= 3
    store.lines.drop(EVIDENCE, [1, f"{LOG} 1"], NAME)
    store.rounds.keep_evidence(NAME, 1, f"{LOG} 1", lines[1].replace(b'"at_ms":3', b'"at_ms":4'))
    assert any("audit log of epoch 1" in line for line in store.changed(NAME))
    with pytest.raises(StoreDamaged, match="audit log of epoch 1"):
        now(store)
    store.check(mend=True)
    assert store.changed(NAME) == ()
    assert latest(store.categories.get(NAME), store=store) is None


def test_the_owner_ends_a_freeze_for_another_which_counts_the_corrections(store: Store) -> None:
    snapshot = frozen(store, "certified")
    answered(store)
    with pytest.raises(NotReady, match=r"draws anew, and may use 0\.0075 of delta"):
        freeze_anew(NAME, store=store, now_ms=7)
    assert not now(store).log.ended
    freeze_anew(NAME, store=store, now_ms=7, confirmed=True)
    category = store.categories.get(NAME)
    assert in_force(category, len(store.categories.pool(NAME)), store=store) is None
    with pytest.raises(BadInput, match="no freeze of"):
        freeze_anew(NAME, store=store, now_ms=8, confirmed=True)
    ended = latest(category, store=store)
    assert ended is not None
    assert (ended.epoch, ended.log.ended) == (snapshot.epoch, True)


def test_the_head_of_the_log_is_told_and_names_what_was_corrected(store: Store) -> None:
    frozen(store, "certified")
    answered(store)
    log(store)
    found = said_of_log(NAME, store=store)
    assert found.facts["head"] == hashlib.sha256(found.lines[-1]).hexdigest()
    assert found.facts["head of the freeze"] == hashlib.sha256(found.lines[0]).hexdigest()
    assert found.facts["corrected since"] == 0
    assert held_back(NAME, store=store) == ""
    snapshot = now(store)
    rank = next(iter(snapshot.log.first))
    hold(store, {int(snapshot.ranking[rank]): Says.UNSURE, int(snapshot.known[0]): Says.UNSURE})
    assert said_of_log(NAME, store=store).facts["corrected since"] == 2
    assert held_back(NAME, store=store).startswith("2 labels were corrected since the freeze, which may only hurt")


def test_a_copy_of_a_workspace_keeps_the_log_and_goes_on(store: Store, tmp_path: Path) -> None:
    frozen(store, "certified")
    answered(store)
    before = log(store)
    with closing(open_store(str(tmp_path / "copy"), read_settings(tmp_path), create=True)) as other:
        assert copy_store(store, other) is not None
        assert now(other).log == before.log
        assert list(lines_of(NAME, 1, store=other)) == list(lines_of(NAME, 1, store=store))
        assert isinstance(to_the_end(other), Certified)
        assert other.changed(NAME) == ()


def test_a_label_that_is_gone_or_comes_back_counts_as_its_log_says(store: Store) -> None:
    """Two who agreed turn out to be one person: their label is dropped, and asked for again from others."""
    snapshot = frozen(store, "certified")
    row = int(snapshot.ranking[4])
    for says, evidence in ((Says.YES, 1), (None, 2), (Says.YES, 1), (Says.NO, 2)):
        if says is None:
            store.labels.drop(NAME, 1, Source.OWNER.value, [row])
        else:
            hold(store, {row: says})
        state = log(store).state(held(store))
        assert state.answers == {4: evidence}
    assert list(log(store).log.first.items()) == [(4, 1)]


def test_a_freeze_of_an_earlier_version_is_not_continued_and_that_is_told(store: Store) -> None:
    frozen(store, "certified")
    kept = json.loads(store.rounds.evidence(NAME, 1, FROZEN) or b"")
    del kept["frozen"]["format"]
    store.lines.drop(EVIDENCE, [1, FROZEN], NAME)
    store.rounds.keep_evidence(NAME, 1, FROZEN, json.dumps(kept).encode())
    category = store.categories.get(NAME)
    assert in_force(category, COUNT, store=store) is None
    assert "made by an earlier version of thresher" in held_back(NAME, store=store)
    again = freeze(category, decision(NAME, store=store), Purse(), store=store, now_ms=9)
    assert (again.epoch, again.frozen.epoch) == (2, 1)
    assert held_back(NAME, store=store) == ""
