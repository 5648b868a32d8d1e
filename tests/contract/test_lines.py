"""Every generic kind is kept alike, on every store: the released ones, and rows of the table that a test adds."""

import random
import threading
from collections import Counter as Tallied
from collections.abc import Iterator
from functools import partial
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from tests.contract.conftest import BACKENDS
from tests.contract.things import category
from tests.store.processes import killed

from thresher.errors import BadInput, NotFound, WrongSchema
from thresher.records import Invite
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.store.copy import copy_store
from thresher.store.kinds import INVITE, KINDS
from thresher.store.seals import SEAL
from thresher.store.shapes import Counter, Field, Index, Kind, Type, schema_of

NEXT = schema_of(KINDS) + 1
NOTE = Kind(
    "note",
    "a kind of every type",
    (
        Field("place"),
        Field("at", Type.INT),
        Field("title"),
        Field("points", Type.INT),
        Field("weight", Type.REAL),
        Field("seen", Type.BOOL),
        Field("more", Type.JSON),
        Field("said", null=True),
        Field("data", Type.BLOB),
    ),
    keys=2,
    generic=True,
    indexes=(Index("of_title", ("title", "points")),),
    counters=(Counter("notes"), Counter("notes_titled", by="title"), Counter("note_points", by="title", of="points")),
    since=NEXT,
    at_once=7,
)
MARK = Kind(
    "mark",
    "a kind of the workspace",
    (Field("name"), Field("side"), Field("turn", Type.INT)),
    keys=2,
    of_category=False,
    generic=True,
    counters=(Counter("turns", of="turn"),),
    since=NEXT,
    durable=False,
)
GROWN = (*KINDS, NOTE, MARK)
GENERIC = [kind for kind in GROWN if kind.generic]
FEW: dict[Type, list[Any]] = {
    Type.INT: [0, 1, 2, -7],
    Type.REAL: [0.0, 1 / 3, -2.5, 1e300],
    Type.TEXT: ["", "a", "A", "é\"'", "b b"],
    Type.BOOL: [False, True],
    Type.JSON: [{}, [], {"b": 1, "a.b": [1, None], "$c": "é"}, [1.5, True, {"x": float("inf")}]],
    Type.BLOB: [b"", b"\0\xff", b"x" * 1000],
}
TURNS = 60

Model = dict[tuple[Any, ...], dict[str, Any]]


@pytest.fixture
def grown(store: Store, settings: Settings) -> Iterator[Store]:
    """A workspace that was made before the test's kinds were rows of the table."""
    category(store)
    store.close()
    opened = open_store(store.place, settings, kinds=GROWN)
    yield opened
    opened.close()


def of(kind: Kind) -> str:
    return "car" if kind.of_category else ""


def a_line(kind: Kind, draw: random.Random) -> dict[str, Any]:
    drawn = {field.name: draw.choice(FEW[field.type] + [None] * field.null) for field in kind.fields}
    return {**drawn, SEAL: ""} if SEAL in drawn else drawn  # of an earlier version: `check` finds any other wrong


def note(place: str = "p", at: int = 0, **changes: Any) -> dict[str, Any]:
    line = {"title": "t", "points": 1, "weight": 0.5, "seen": False, "more": {}, "said": None, "data": b""}
    return {"place": place, "at": at, **line, **changes}


def mark(name: str, turn: int) -> dict[str, Any]:
    return {"name": name, "side": "left", "turn": turn}


def light(kind: Kind, line: dict[str, Any]) -> dict[str, Any]:
    return {field.name: line[field.name] for field in kind.light}


def counted(kind: Kind, lines: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """What the counters of a kind should say of these lines."""
    told: dict[str, Tallied[str]] = {counter.name: Tallied() for counter in kind.counters}
    for line in lines:
        for counter in kind.counters:
            told[counter.name][line[counter.by] if counter.by else ""] += line[counter.of] if counter.of else 1
    return {name: {which: n for which, n in tally.items() if n} for name, tally in told.items()}


def is_kept(store: Store, kind: Kind, model: Model) -> None:
    """A store says of a kind what the model says, in every order and a page at a time."""
    lines, fields = list(model.values()), [field.name for field in kind.light if field.type is not Type.JSON]
    assert store.lines.count(kind, of(kind)) == len(lines)
    assert store.lines.counted(kind, of(kind)) == counted(kind, lines)
    for key, line in model.items():
        assert store.lines.get(kind, key, of(kind)) == line
    absent = tuple("?" if field.type is Type.TEXT else 99 for field in kind.fields[: kind.keys])
    asked = [absent, *reversed(model), absent]
    there = [light(kind, model[key]) if key in model else None for key in asked]
    assert store.lines.many(kind, asked, of(kind)) == there
    orders: list[tuple[str, ...]] = [(), *((name,) for name in fields), *(index.fields for index in kind.indexes)]
    for by in orders:
        if any(line[name] is None for line in lines for name in by):
            continue
        for descending in (False, True):
            wanted = sorted(
                (light(kind, line) for line in lines), key=itemgetter(*by, *kind.key_names), reverse=descending
            )
            pages: list[dict[str, Any]] = []
            while page := store.lines.page(
                kind, of(kind), by=by, descending=descending, after=pages[-1] if pages else None, limit=4
            ):
                pages += page
            assert pages == wanted
            assert store.lines.page(kind, of(kind), by=by, descending=descending) == wanted
    for name in fields:
        for value in FEW[kind.by_name[name].type]:
            alike = [light(kind, line) for line in lines if line[name] == value]
            assert store.lines.count(kind, of(kind), where={name: value}) == len(alike)
            assert len(store.lines.page(kind, of(kind), where={name: value})) == len(alike)


@pytest.mark.parametrize("kind", GENERIC, ids=lambda kind: kind.name)
def test_a_generic_kind_is_kept_as_a_dictionary_would_and_is_the_same_in_every_copy(
    kind: Kind, grown: Store, settings: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    draw, model = random.Random(kind.name), Model()
    for _ in range(TURNS):
        line = a_line(kind, draw)
        key = tuple(line[name] for name in kind.key_names)
        turn = draw.choice(["add", "add", "add", "change", "change", "drop"])
        if turn == "add":
            lines = [line, *(a_line(kind, draw) for _ in range(draw.randrange(3)))]
            before = len(model)
            for one in lines:
                model.setdefault(tuple(one[name] for name in kind.key_names), one)
            assert grown.lines.add(kind, lines, of(kind)) == len(model) - before
        elif turn == "change":
            rest = list(kind.fields[kind.keys :])
            changes = {field.name: line[field.name] for field in draw.sample(rest, draw.randint(1, len(rest)))}
            watched = draw.choice([one.name for one in rest if one.type not in {Type.JSON, Type.BLOB}] or [""])
            where = {watched: draw.choice([line[watched], model.get(key, line)[watched]])} if watched else {}
            there = key in model and all(model[key][name] == value for name, value in where.items())
            if there:
                model[key] |= changes
            found = grown.lines.change(kind, key, changes, of(kind), where=where)
            assert found == (light(kind, model[key]) if there else None)
        else:
            assert grown.lines.drop(kind, key, of(kind)) == (model.pop(key, None) is not None)
    is_kept(grown, kind, model)
    assert grown.check(mend=False).found == ()
    over, back = copies(grown, settings, request, tmp_path)
    for copy in (over, back):
        if kind.travels:
            is_kept(copy, kind, model)
        assert copy.check(mend=False).found == ()
        copy.close()


def copies(grown: Store, settings: Settings, request: pytest.FixtureRequest, tmp_path: Path) -> list[Store]:
    """A workspace copied to a directory, and from there to a store of its own kind: both directions."""
    own = "mongodb" if "mongodb:" in grown.place else "directory"
    made = []
    for name, kind in (("over", "directory"), ("back", own)):
        (tmp_path / name).mkdir()
        made.append(open_store(BACKENDS[kind](request, tmp_path / name), settings, create=True, kinds=GROWN))
    over, back = made
    there = copy_store(grown, over)
    assert there is not None
    assert copy_store(over, back) == there
    return made


def test_a_field_that_a_kind_has_not_is_refused(grown: Store) -> None:
    lines = grown.lines
    for refused in (
        lambda: lines.add(NOTE, [{**note(), "nmae": 1}], "car"),
        lambda: lines.add(NOTE, [{"place": "p", "at": 1}], "car"),
        lambda: lines.change(NOTE, ["p", 0], {"nmae": 1}, "car"),
        lambda: lines.change(NOTE, ["p", 0], {"points": 1}, "car", where={"nmae": 1}),
        lambda: lines.page(NOTE, "car", where={"nmae": 1}),
        lambda: lines.page(NOTE, "car", by=["nmae"]),
        lambda: lines.count(NOTE, "car", where={"nmae": 1}),
        lambda: lines.get(NOTE, ["p"], "car"),
        lambda: lines.many(NOTE, [["p", 0], ["p"]], "car"),
    ):
        with pytest.raises(BadInput):
            refused()
    assert lines.page(NOTE, "car") == []


def test_a_line_keeps_its_name_and_something_changes(grown: Store) -> None:
    grown.lines.add(NOTE, [note()], "car")
    for changes in ({"at": 5}, {"at": 5, "points": 2}, {}):
        with pytest.raises(BadInput):
            grown.lines.change(NOTE, ["p", 0], changes, "car")
    assert grown.lines.get(NOTE, ["p", 0], "car") == note()


def test_lines_of_a_category_nobody_made_are_not_found(grown: Store) -> None:
    for asked in (
        lambda: grown.lines.add(NOTE, [note()], "cat"),
        lambda: grown.lines.get(NOTE, ["p", 0], "cat"),
        lambda: grown.lines.many(NOTE, [["p", 0]], "cat"),
        lambda: grown.lines.page(NOTE, "cat"),
        lambda: grown.lines.change(NOTE, ["p", 0], {"points": 1}, "cat"),
        lambda: grown.lines.drop(NOTE, ["p", 0], "cat"),
        lambda: grown.lines.count(NOTE, "cat"),
        lambda: grown.lines.counted(NOTE, "cat"),
    ):
        with pytest.raises(NotFound, match="car"):
            asked()


def test_lines_of_two_categories_are_apart(grown: Store) -> None:
    category(grown, name="cat")
    grown.lines.add(NOTE, [note(), note(at=1, points=4)], "car")
    assert grown.lines.add(NOTE, [note(title="u")], "cat") == 1
    assert grown.lines.drop(NOTE, ["p", 0], "car")
    assert [line["title"] for line in grown.lines.page(NOTE, "cat")] == ["u"]
    assert grown.lines.counted(NOTE, "car")["note_points"] == {"t": 4}
    assert grown.lines.counted(NOTE, "cat")["note_points"] == {"u": 1}


def test_many_lines_are_added_at_once(grown: Store) -> None:
    lines = [mark(f"m{number:04}", number) for number in range(2500)]
    assert grown.lines.add(MARK, lines[:1200]) == 1200
    assert grown.lines.add(MARK, lines) == 1300
    assert grown.lines.add(MARK, lines) == 0
    assert grown.lines.counted(MARK) == {"turns": {"": sum(range(2500))}}
    assert [line["turn"] for line in grown.lines.page(MARK, descending=True, limit=2)] == [2499, 2498]


def test_a_page_of_no_lines_is_empty(grown: Store) -> None:
    grown.lines.add(NOTE, [note()], "car")
    assert grown.lines.page(NOTE, "car", limit=0) == []


def together(grown: Store, settings: Settings, work: Any) -> None:
    """Work done by eight threads, in turns on one opened store and on another."""
    with open_store(grown.place, settings, kinds=GROWN) as another:  # type: ignore[attr-defined]  # each closes itself
        threads = [threading.Thread(target=work, args=((grown, another)[n % 2], n)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_of_many_who_add_a_line_at_once_one_adds_it(grown: Store, settings: Settings) -> None:
    added: list[int] = []

    def add(opened: Store, number: int) -> None:
        added.append(opened.lines.add(NOTE, [note(at=at, points=number + 1) for at in range(5)], "car"))

    together(grown, settings, add)
    assert sum(added) == 5
    kept = grown.lines.page(NOTE, "car")
    assert grown.lines.counted(NOTE, "car")["note_points"] == {"t": sum(line["points"] for line in kept)}


def test_of_many_who_compare_and_set_at_once_none_is_lost(grown: Store, settings: Settings) -> None:
    grown.lines.add(MARK, [mark("m", 0)])

    def count_on(opened: Store, _number: int) -> None:
        for _ in range(5):
            while True:
                there = opened.lines.get(MARK, ["m", "left"])
                assert there is not None
                if opened.lines.change(MARK, ["m", "left"], {"turn": there["turn"] + 1}, where={"turn": there["turn"]}):
                    break

    together(grown, settings, count_on)
    assert grown.lines.get(MARK, ["m", "left"]) == mark("m", 40)
    assert grown.lines.counted(MARK) == {"turns": {"": 40}}


def add_notes(place: str, settings: Settings, first: int) -> None:
    with open_store(place, settings, kinds=GROWN) as store:  # type: ignore[attr-defined]  # each closes itself
        for at in count(first, 4):  # without an end: on a fast machine any end comes before the kill
            store.lines.add(NOTE, [note(at=number, points=number) for number in range(at, at + 4)], "car")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # forking is what this test is about
def test_whoever_is_killed_leaves_lines_and_counters_that_agree(grown: Store, settings: Settings) -> None:
    draw, before = random.Random(4), 0

    def more_are_there() -> bool:
        return grown.lines.count(NOTE, "car") > before

    for _ in range(4):
        work = partial(add_notes, grown.place, settings, before)
        assert killed(work, draw.uniform(0.0, 0.3), more_are_there)
        before = grown.lines.count(NOTE, "car")
        points = sum(line["points"] for line in grown.lines.page(NOTE, "car"))
        assert grown.lines.counted(NOTE, "car")["note_points"] == {"t": points}
    assert grown.check(mend=False).sound


def test_a_page_of_some_lines_goes_on_where_the_last_one_ended(grown: Store) -> None:
    grown.lines.add(NOTE, [note(at=number, title=f"t{number % 5}", points=-number) for number in range(50)], "car")
    first = grown.lines.page(NOTE, "car", where={"title": "t3"}, by=["points"], limit=3)
    assert [line["at"] for line in first] == [48, 43, 38]
    again = grown.lines.page(NOTE, "car", where={"title": "t3"}, by=["points"], after=first[-1], limit=2)
    assert [line["at"] for line in again] == [33, 28]


def test_counters_that_went_astray_are_found_and_mended(grown: Store) -> None:
    grown.lines.add(NOTE, [note(points=3)], "car")
    grown.lines.add(MARK, [mark("m", 2)])
    spoil(grown)
    assert len(grown.check(mend=True).mended) == 2
    assert grown.lines.counted(NOTE, "car") == counted(NOTE, [note(points=3)])
    assert grown.lines.counted(MARK) == {"turns": {"": 2}}
    assert grown.check(mend=False).found == ()


def spoil(store: Any) -> None:
    """Move two counters past the store."""
    if hasattr(store, "catalog"):
        with store.catalog.writing() as sql:
            sql.execute("UPDATE counter SET value = value + 5 WHERE name IN ('note_points:t', 'turns:')")
        return
    store.link.table("counts").update_many({"_id.kind": {"$in": ["note_points", "turns"]}}, {"$inc": {"n": 5}})


def test_a_table_that_grew_is_refused_by_whoever_does_not_know_it(grown: Store, settings: Settings) -> None:
    with pytest.raises(WrongSchema):
        open_store(grown.place, settings)


def test_an_invite_is_a_line_like_any_other(grown: Store) -> None:
    """What a part of the contract does with a kind, and what the generic part says of it, is one thing."""
    grown.people.invite(Invite("i", "car", "note", 5))
    assert grown.lines.get(INVITE, ["i"]) == {
        "id": "i",
        "category": "car",
        "note": "note",
        "created_ms": 5,
        "revoked_ms": 0,
    }
