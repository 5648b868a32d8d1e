"""A command that would end answers or audits says what they are, and does so only when it is confirmed."""

import json
import os
import shlex
import subprocess
import sys
from contextlib import suppress

import pytest
from PIL import Image
from tests.cli.commands import is_one_clear_line, thresher
from tests.cli.states import COUNT, Place, audited, place, some_gold_of_both, told
from tests.filled import NAME

from thresher.loop.growth import may_grow
from thresher.server.listening import listening

__all__ = ["place"]


def test_a_question_is_reworded_at_the_command_line_only_by_one_who_knows_what_it_costs(place: Place) -> None:
    some_gold_of_both(place)
    other = ("category", "reword", NAME, "--question", "Is this another thing?")
    refused = thresher(*other, at=place.at)
    assert is_one_clear_line(refused, "version 1 has 0 answers, 6 labels and 6 gold", "--yes", "--keep-answers")
    reword = ("category", "reword", NAME)
    assert "nothing changed" in thresher(*reword, "--question", "Is this a thing?", at=place.at).stdout
    assert "new instructions of version 1" in thresher(*reword, "--instructions", "Look.", at=place.at).stdout
    assert "new wording of version 1" in thresher(*other, "--keep-answers", at=place.at).stdout
    more = thresher(*reword, "--question", "And this?", "--yes", at=place.at).stdout
    assert "question version 2" in more
    assert f"`thresher release {NAME} --version 1 --to DIR` releases it" in more
    old = thresher("release", NAME, "--version", "1", "--to", place.folder / "old", at=place.at)
    assert old.returncode == 0, old.stderr
    assert "version 1 is asked again" in thresher(*reword, "--version", "1", at=place.at).stdout
    asked = json.loads(thresher("category", "questions", NAME, "--json", at=place.at).stdout)
    assert [question["version"] for question in asked] == [1, 1, 1, 2, 1]
    assert asked[-1]["text"] == "Is this another thing?"
    assert is_one_clear_line(thresher(*reword, at=place.at), "nothing is to be changed")


@pytest.mark.parametrize(("typed", "versions"), [("n", 1), ("y", 2)])
def test_on_a_terminal_it_asks_before_answers_stop_counting(place: Place, typed: str, versions: int) -> None:
    some_gold_of_both(place)
    ours, theirs = os.openpty()
    command = ["category", "reword", NAME, "--question", "Is this another thing?"]
    with subprocess.Popen(
        [sys.executable, "-m", "thresher", "--workspace", str(place.at), *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
    ) as running:
        os.close(theirs)
        os.write(ours, f"{typed}\n".encode())
        said = b""
        with suppress(OSError):  # the terminal is gone with its process
            while some := os.read(ours, 1000):
                said += some
        assert running.wait(60) == 0, said
    os.close(ours)
    assert b"6 labels and 6 gold" in said
    assert b"Do it all the same?" in said
    assert place.store.categories.questions(NAME)[-1].version == versions


def test_a_harvest_into_a_pool_whose_audits_have_answers_asks_first_and_says_what_it_ended(place: Place) -> None:
    place.method = "certified"
    audited(place)
    for number in range(30, 40):
        place.answer()
        if may_grow(NAME, store=place.store, confirmed=True):
            break
        place.turn(number)
    more = place.folder / "more images"
    more.mkdir()
    Image.effect_noise((80, 60), 60).save(more / "another.png")
    with listening("127.0.0.1", 0) as busy:  # so that what would serve ends
        question, port = place.store.categories.get(NAME).question.text, str(busy.getsockname()[1])
        begun = thresher("start", NAME, question, more, at=place.at, THRESHER_PORT=port)
    typed = shlex.join(("thresher", "--workspace", str(place.at), "harvest", NAME, "--folder", str(more)))
    assert begun.stdout == f"The audits of {NAME} have answers, so its pool stays as it is. New images: {typed}\n"
    harvest = ("harvest", NAME, "--folder", more, "--processes", "1")
    refused = thresher(*harvest, at=place.at)
    assert is_one_clear_line(refused, "the audits of the present pool have", "answers stay as labels", "--yes")
    assert place.store.categories.tally(NAME).images == COUNT
    assert told(place)["audits ended"] == ""
    done = thresher(*harvest, "--yes", at=place.at)
    said = told(place)["audits ended"]
    assert said.startswith(f"The audits of {COUNT} images ended with ")
    assert said in done.stdout
    assert said in " ".join(thresher("status", at=place.at).stdout.split())
