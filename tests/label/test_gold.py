import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.label.scene import NAME, Scene, says, scene, truth

from thresher.errors import BadInput, BadLine
from thresher.label.gold import gold_standing
from thresher.label.imports import import_gold, import_labels
from thresher.label.mining import mine
from thresher.label.votes import settle
from thresher.records import (
    Alias,
    Counts,
    Gold,
    NewAsk,
    NewImage,
    NewTask,
    Origin,
    Purpose,
    Round,
    Says,
    Source,
    Task,
    Thresholds,
)
from thresher.settings import Settings
from thresher.store.contract import Store


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    return scene(store, settings, images=400)


def dig(here: Scene, ranked: list[int] | None = None, *, size: int | None = None) -> list[Task]:
    return mine(NAME, ranked, store=here.store, settings=here.settings, now_ms=here.tick(), size=size, seed=1)


# --- mining -----------------------------------------------------------------------------------------------------------


def test_mining_makes_one_task_for_the_owner_alone(here: Scene) -> None:
    (task,) = dig(here)
    assert task.owner_only
    assert task.places == 1
    assert len(task.rows) == 110
    assert here.deal("a") is None
    assert here.must_deal("me", owner=True).task == task.number


def test_half_of_what_is_mined_is_the_top_of_the_ranking(here: Scene) -> None:
    (task,) = dig(here, ranked=list(range(399, 299, -1)), size=40)
    assert set(range(380, 400)) <= set(task.rows)
    assert len(set(task.rows) - set(range(380, 400))) == 20
    assert min(task.rows) < 300  # the other half is spread over the pool


def test_without_a_ranking_the_newest_scores_rank(here: Scene) -> None:
    column = f"scores/{NAME}/1"
    here.store.columns.create(column, 1, "float32")
    rows = np.arange(400)
    here.store.columns.write(column, rows, rows[:, None].astype(np.float32))
    done = Round(1, NAME, 1, "b", column, Thresholds(0, 1), Counts(), 2, 2, {}, "", 1, 1.0)
    here.store.rounds.add(done, b"head")
    (task,) = dig(here, size=40)
    assert set(range(380, 400)) <= set(task.rows)


def test_mining_twice_makes_one_task(here: Scene) -> None:
    assert len(dig(here)) == 1
    assert dig(here) == []


def test_nothing_is_mined_where_there_is_gold_enough(here: Scene) -> None:
    here.gild(range(60))
    assert dig(here) == []


def test_mining_goes_on_where_the_first_task_found_too_little(here: Scene) -> None:
    (first,) = dig(here, size=30)
    here.send(here.must_deal("me", owner=True))
    here.review()
    (second,) = dig(here, size=30)
    assert not set(first.rows) & set(second.rows)


# --- the owner's answers ----------------------------------------------------------------------------------------------


def asked_of_two(here: Scene, disputed: int) -> None:
    """Images 0 to 9 get two votes each, which disagree about one of them."""
    here.store.asks.wish(NAME, 1, [NewAsk(row, Purpose.AUDIT_RECALL, 2, 0.0, 3, row) for row in (8, 9)])
    here.store.asks.wish(NAME, 1, [NewAsk(row, Purpose.LEARN, 2) for row in range(8)])
    asks = here.store.asks.waiting(NAME, 1, 100)
    here.store.asks.publish(NAME, 1, NewTask("n", [a.id for a in asks], 1, places=2))
    here.work("a")
    here.work("b", lambda row: says(truth(row) != (row == disputed)))


def adjudicate(here: Scene, *asks: NewAsk) -> None:
    here.store.asks.wish(NAME, 1, asks)
    waiting = here.store.asks.waiting(NAME, 1, 100, owner_only=True)
    here.store.asks.publish(NAME, 1, NewTask("n", [a.id for a in waiting], 1, owner_only=True))
    here.send(here.must_deal("me", owner=True))
    here.review()


def test_an_adjudication_keeps_the_purpose_the_image_was_asked_for(here: Scene) -> None:
    asked_of_two(here, disputed=3)
    adjudicate(here, NewAsk(3, Purpose.ADJUDICATE), NewAsk(9, Purpose.ADJUDICATE, 1, 0.0, 3, 9))
    held = {label.row: label for label in here.store.labels.held(NAME, 1)}
    assert (held[3].source, held[3].says, held[3].purpose) == (Source.OWNER, Says.YES, Purpose.LEARN)
    assert (held[9].purpose, held[9].epoch, held[9].draw) == (Purpose.AUDIT_RECALL, 3, 9)
    assert held[3].votes == 2


def test_what_workers_disagreed_about_checks_nobody(here: Scene) -> None:
    asked_of_two(here, disputed=3)
    adjudicate(here, NewAsk(3, Purpose.ADJUDICATE), NewAsk(4, Purpose.ADJUDICATE))
    gold = {piece.row: piece for piece in here.store.labels.gold(NAME, 1, retired=True)}
    assert gold[3].retired == "workers disagreed about it: 1 of 2 said otherwise before the owner decided"
    assert gold[4].retired == ""
    assert (gold[4].source, gold[4].shown, gold[4].missed) == (Source.OWNER, 2, 0)


def test_an_audits_draw_never_becomes_gold(here: Scene) -> None:
    asked_of_two(here, disputed=3)
    adjudicate(here, NewAsk(9, Purpose.ADJUDICATE, 1, 0.0, 3, 9))
    assert here.store.labels.gold(NAME, 1, retired=True) == []


def test_labels_of_the_owner_that_were_lost_are_made_anew_from_the_answers(here: Scene) -> None:
    asked_of_two(here, disputed=3)
    adjudicate(here, NewAsk(3, Purpose.ADJUDICATE), NewAsk(9, Purpose.ADJUDICATE, 1, 0.0, 3, 9))
    before = [replace(label, at_ms=0) for label in here.store.labels.held(NAME, 1)]
    gold = here.store.labels.gold(NAME, 1, retired=True)
    here.store.labels.drop(NAME, 1, Source.OWNER, [3, 9])
    settle(NAME, store=here.store, settings=here.settings, now_ms=here.tick())
    held = [replace(label, at_ms=0) for label in here.store.labels.held(NAME, 1)]
    assert [label for label in held if label.source is Source.OWNER] == before
    assert here.store.labels.gold(NAME, 1, retired=True) == gold


def test_an_owner_who_changes_their_mind_changes_the_gold(here: Scene) -> None:
    here.gild([1])
    here.store.labels.score_gold(NAME, 1, [1], [])
    here.store.asks.wish(NAME, 1, [NewAsk(1, Purpose.UPLOAD)])
    asks = here.store.asks.waiting(NAME, 1, 9)
    here.store.asks.publish(NAME, 1, NewTask("n", [a.id for a in asks], 1))
    here.send(here.must_deal("me", owner=True), lambda _: Says.YES)
    here.review()
    (piece,) = here.store.labels.gold(NAME, 1)
    assert (piece.says, piece.shown) == (Says.YES, 0)


def test_gold_that_people_agreed_on_is_confirmed_when_the_owner_says_the_same(here: Scene) -> None:
    here.store.labels.gild(NAME, [Gold(0, Says.YES, 1, Source.ADJUDICATED, 5, 1)])
    here.store.asks.wish(NAME, 1, [NewAsk(0, Purpose.ADJUDICATE)])
    asks = here.store.asks.waiting(NAME, 1, 9, owner_only=True)
    here.store.asks.publish(NAME, 1, NewTask("n", [a.id for a in asks], 1, owner_only=True))
    here.send(here.must_deal("me", owner=True))
    here.review()
    (piece,) = here.store.labels.gold(NAME, 1)
    assert (piece.confirmed, piece.shown, piece.missed) == (True, 5, 1)


@pytest.mark.parametrize(
    ("yes", "no", "said"),
    [
        (48, 12, "needs 8 more no gold (48 yes and 12 no are confirmed by the owner; 20 of each are needed)"),
        (19, 1, "needs 1 more yes and 19 more no gold"),
        (0, 0, "needs 20 more yes and 20 more no gold"),
    ],
)
def test_what_gold_is_missing_is_said(here: Scene, yes: int, no: int, said: str) -> None:
    rows = [row for row in range(400) if truth(row)][:yes] + [row for row in range(400) if not truth(row)][:no]
    here.gild(rows)
    standing = gold_standing(here.store.labels.gold(NAME, 1), here.settings)
    assert standing.provisional
    assert said in standing.says


def test_gold_enough_of_both_classes_leaves_nothing_to_say(here: Scene) -> None:
    here.gild(range(60))
    standing = gold_standing(here.store.labels.gold(NAME, 1), here.settings)
    assert (standing.provisional, standing.says) == (False, "")
    off = gold_standing(here.store.labels.gold(NAME, 1), here.settings.but(gold_images=0))
    assert off.provisional
    assert "gate is off" in off.says


# --- from a file ------------------------------------------------------------------------------------------------------


@pytest.fixture
def named(store: Store, settings: Settings) -> Scene:
    """Three images with a file name and a URL each, and a fourth outside the pool."""
    here = scene(store, settings)
    batch = [
        NewImage(
            hashlib.sha256(name.encode()).hexdigest(), name.encode(), 8, 8, "JPEG", bytes=1,
            aliases=(Alias("file", f"{name}.jpg"), Alias("url", f"https://example.org/{name}.jpg")),
        )
        for name in "abcd"
    ]  # fmt: skip
    rows = store.images.put(batch)
    store.categories.pool_add(NAME, rows[:3], Origin("test"))
    return here


def take(here: Scene, path: Path, text: str, encoding: str = "utf-8") -> int:
    path.write_text(text, encoding)
    return import_gold(NAME, path, store=here.store, now_ms=here.tick())


@pytest.mark.parametrize(
    "text",
    [
        "file,answer\na.jpg,yes\nb.jpg,no\n",
        "answer,url,note\nyes,https://example.org/a.jpg,x\nNo ,https://example.org/b.jpg,\n",
        f"image,answer\n{hashlib.sha256(b'a').hexdigest()},Yes\n{hashlib.sha256(b'b').hexdigest()},NO\n",
        "\ufeffFile,Answer\r\na.jpg,yes\r\nb.jpg,no\r\n\r\n",
        "File name;ANSWER\ra.jpg;yes\rb.jpg;no\r",
        "file\turl\tanswer\na.jpg\thttps://elsewhere.example/1.jpg\tyes\nb.jpg\t\tno\n",
    ],
)
def test_gold_is_named_by_file_url_or_hash(named: Scene, tmp_path: Path, text: str) -> None:
    assert take(named, tmp_path / "gold.csv", text) == 2
    assert [(piece.row, piece.says) for piece in named.store.labels.gold(NAME, 1)] == [(0, Says.YES), (1, Says.NO)]
    labels = named.store.labels.held(NAME, 1)
    assert [(label.source, label.purpose) for label in labels] == [(Source.OWNER, Purpose.IMPORT)] * 2


def test_importing_the_same_gold_again_keeps_what_is_known_of_it(named: Scene, tmp_path: Path) -> None:
    take(named, tmp_path / "gold.csv", "file,answer\na.jpg,yes\n")
    named.store.labels.score_gold(NAME, 1, [0], [])
    take(named, tmp_path / "gold.csv", "file,answer\na.jpg,yes\nb.jpg,no\n")
    assert [piece.shown for piece in named.store.labels.gold(NAME, 1)] == [1, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "file,answer\na.jpg,yes\nx.jpg,no\n",
            "gold.csv, line 3: no image of car is called 'x.jpg'. Next: add it with thresher harvest",
        ),
        (
            "file,answer\na.jpg,yes\n" + "".join(f"{name}.jpg,no\n" for name in "xyzvw"),
            "line 3: 5 names are of no image of car: 'x.jpg' (line 3), 'y.jpg' (line 4), 'z.jpg' (line 5) and 2 more.",
        ),
        ("file,answer\na.jpg,maybe\n", "gold.csv, line 2: the answer 'maybe' is not yes or no. Next: write yes or no"),
        ("file,answer\na.jpg,unsure\n", "line 2: the answer 'unsure' is not yes or no."),
        ("file,answer\na.jpg,yes\na.jpg,no\n", "line 3: 'a.jpg' is no here and yes in line 2. Next: keep one of them"),
        ("file,answer\nd.jpg,yes\n", "line 2: no image of car is called 'd.jpg'."),
        ("file,answer\na.jpg\n", "line 2: has 1 column, and the first line has 2."),
        ("file,answer\na.jpg,yes,no\n", "line 2: has 3 columns, and the first line has 2:"),
        ("file,answer\n,yes\n", "line 2: names no image."),
        ("name,answer\na.jpg,yes\n", "line 1: no column is called image, file or url; there are: name, answer."),
        (
            "file,result\na.jpg,yes\n",
            "line 1: no column is called answer; there are: file, result. Next: name a column",
        ),
        ('file,answer\n"a.jpg,yes\n', "line 2: has a quote that is never closed."),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_kept(named: Scene, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadLine) as error:
        take(named, tmp_path / "gold.csv", text)
    assert said in str(error.value)
    assert named.store.labels.all_of(NAME, 1) == []
    assert named.store.labels.gold(NAME, 1) == []


def test_a_name_of_several_images_of_the_pool_is_refused_and_the_hash_is_the_way_out(
    named: Scene, tmp_path: Path
) -> None:
    first, second = (hashlib.sha256(data).hexdigest() for data in (b"a", b"e"))
    namesake = NewImage(second, b"e", 64, 48, "JPEG", aliases=(Alias("file", "a.jpg"),))
    rows = named.store.images.put([namesake])
    assert take(named, tmp_path / "gold.csv", "file,answer\na.jpg,yes\n") == 1  # it is in no pool yet
    named.store.categories.pool_add(NAME, rows, Origin("tar"))
    with pytest.raises(BadLine) as error:
        take(named, tmp_path / "gold.csv", "file,answer\nb.jpg,no\na.jpg,yes\n")
    assert error.value.where == f"{tmp_path / 'gold.csv'}, line 3"
    assert error.value.what == "2 images of car are called 'a.jpg'."
    assert error.value.next == f"replace the name by the SHA-256 of the image you mean: {first} or {second}"
    assert [piece.row for piece in named.store.labels.gold(NAME, 1)] == [0]
    assert take(named, tmp_path / "gold.csv", f"file,answer\n{second},no\n") == 1
    assert [piece.row for piece in named.store.labels.gold(NAME, 1)] == [0, *rows]


def test_a_file_that_cannot_be_read_is_named(named: Scene, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.csv: cannot be read: No such file or directory"):
        import_gold(NAME, tmp_path / "none.csv", store=named.store, now_ms=1)
    with pytest.raises(BadLine, match=r"gold\.csv, line 2: byte 0xE4 is not UTF-8"):
        take(named, tmp_path / "gold.csv", "file,answer\nä.jpg,yes\n", encoding="latin-1")
    with pytest.raises(BadInput, match="the table is empty"):
        take(named, tmp_path / "gold.csv", "")


def test_imported_labels_check_nobody(named: Scene, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("file,answer\na.jpg,yes\nb.jpg,unsure\n")
    assert import_labels(NAME, path, store=named.store, now_ms=1) == 2
    held = named.store.labels.held(NAME, 1)
    assert [(label.says, label.source) for label in held] == [
        (Says.YES, Source.IMPORTED),
        (Says.UNSURE, Source.IMPORTED),
    ]
    assert named.store.labels.gold(NAME, 1) == []
