import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.errors import Denied, Gone
from thresher.records import Assignment, Given, Says, Stage, new_id
from thresher.workforce.links import KINDS, LONGEST_TOKEN, Links

LINKS = Links(b"k" * 32)
TOKENS = tuple(kind for kind in KINDS if kind != "receipt")


def sent(*says: Says) -> Assignment:
    answers = tuple(Given(place, said, 0.5, 1.0) for place, said in enumerate(says))
    return Assignment(new_id(), 1, "car", 1, "w", Stage.SENT, (), 0, 0, sent_ms=5, answers=answers)


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_is_read_as_it_was_signed(kind: str) -> None:
    assert LINKS.read(kind, LINKS.sign(kind, "0192-ab")) == "0192-ab"


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_of_one_kind_never_passes_for_another(kind: str) -> None:
    for other in TOKENS:
        if other != kind:
            with pytest.raises(Denied):
                LINKS.read(other, LINKS.sign(kind, "0192-ab"))


def test_another_workspaces_token_is_refused() -> None:
    with pytest.raises(Denied):
        LINKS.read_worker(Links(b"o" * 32).worker("w1"))


@given(at=st.integers(0, len(LINKS.worker("w1")) - 1), character=st.characters(codec="utf-8"))
def test_a_token_changed_in_one_character_is_refused(at: int, character: str) -> None:
    token = LINKS.worker("w1")
    changed = token[:at] + character + token[at + 1 :]
    if changed == token:
        return
    with pytest.raises(Denied):
        LINKS.read_worker(changed)


@given(st.text(max_size=60))
def test_anything_else_is_refused_and_never_a_crash(token: str) -> None:
    with pytest.raises(Denied):
        LINKS.read_picture(token)


def test_no_other_last_character_passes_for_the_right_one() -> None:
    token = LINKS.worker("w1")
    for character in set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=") - {token[-1]}:
        with pytest.raises(Denied):
            LINKS.read_worker(token[:-1] + character)


def test_an_endless_token_is_refused_unread() -> None:
    token = LINKS.worker("w" * LONGEST_TOKEN)
    with pytest.raises(Denied):
        LINKS.read_worker(token)


def test_a_refusal_says_what_was_wrong_and_what_to_do() -> None:
    with pytest.raises(Denied, match=r"this personal link is not known here\. Next: open the link again"):
        LINKS.read_worker("nonsense")


def test_a_picture_key_names_a_place_not_an_image() -> None:
    first, second = new_id(), new_id()
    assert LINKS.read_picture(LINKS.picture(first, 149)) == (first, 149)
    assert LINKS.picture(first, 3) != LINKS.picture(second, 3)
    assert all(c.isalnum() or c in "-_." for c in LINKS.picture(first, 149))


def test_a_thumbnail_key_runs_out() -> None:
    key = LINKS.thumbnail(17, until_ms=1000)
    assert LINKS.read_thumbnail(key, now_ms=1000) == 17
    with pytest.raises(Gone):
        LINKS.read_thumbnail(key, now_ms=1001)


def test_a_receipt_proves_exactly_what_was_sent() -> None:
    assignment = sent(Says.YES, Says.NO)
    receipt = LINKS.receipt(assignment)
    assert LINKS.proves(receipt, assignment)
    assert not LINKS.proves(receipt, dataclasses.replace(assignment, answers=sent(Says.YES, Says.YES).answers))
    assert not LINKS.proves(receipt, dataclasses.replace(assignment, id=new_id()))
    assert not LINKS.proves("ü", assignment)
