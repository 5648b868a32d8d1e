"""Tables of any kind and encoding are read alike; what is wrong with a line is told with its number."""

import gzip
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.tables.lists import A, B, C, urls, write

from thresher.errors import BadInput, BadLine
from thresher.tables import names, open_table
from thresher.tables.text import LONGEST_LINE, MOST_LINES

TEXTS = {
    "csv": f'url,caption\n{A},one\n{B},"two, and\nmore"\n{C},\n',
    "tsv": f'url\tcaption\n{A}\tone\n{B}\ta "quoted" word\n{C}\t"opened\n',
    "jsonl": "".join(f"{json.dumps({'url': url, 'caption': 'c'})}\n" for url in (A, B, C)),
    "json": json.dumps([{"url": url, "n": [{"x": "}"}]} for url in (A, B, C)], indent=1),
    "txt": f"# a comment\n{A}\n\n  {B}\n{C}",
}


def lines(path: Path, *columns: str) -> list[tuple[int, Sequence[str], str]]:
    return list(open_table(path).lines(*columns))


# --- kinds, encodings, line ends, separators --------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_a_text_is_read_in_any_encoding_that_names_itself_and_with_any_line_ends(
    kind: str, encoding: str, ending: str, tmp_path: Path
) -> None:
    data = TEXTS[kind].replace("\n", ending).encode(encoding)
    assert urls(write(tmp_path / f"list.{kind}", data)) == [A, B, C]
    assert urls(write(tmp_path / f"LIST.{kind.upper()}.gz", gzip.compress(data))) == [A, B, C]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_has_its_mark_whichever_byte_comes_first(encoding: str, tmp_path: Path) -> None:
    data = f"\ufeff{TEXTS['csv']}".encode(encoding)
    assert urls(write(tmp_path / "list.csv", data)) == [A, B, C]


@pytest.mark.parametrize("kind", ["csv", "tsv"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_first_line_tells_the_separator(separator: str, kind: str, tmp_path: Path) -> None:
    text = f"caption;url;n\na;{A};1\nb;{B};2\n".replace(";", separator)
    assert urls(write(tmp_path / f"list.{kind}", text)) == [A, B]
    assert urls(write(tmp_path / f"list.{kind}", f"sep={separator}\n{text}")) == [A, B]


@pytest.mark.parametrize("name", ["url", "URL", " Url ", "Image URL", "image_url", "imageUrl", "OriginalURL", "Image"])
def test_names_match_whatever_their_capitals_and_blanks(name: str, tmp_path: Path) -> None:
    assert urls(write(tmp_path / "list.csv", f"n,{name}\n1,{A}\n")) == [A]
    assert urls(write(tmp_path / "list.jsonl", json.dumps({name: A}))) == [A]
    parquet.write_table(pa.table({name: [A]}), tmp_path / "list.parquet")
    assert urls(tmp_path / "list.parquet") == [A]


def test_the_first_of_the_known_names_is_taken_wherever_it_stands(tmp_path: Path) -> None:
    assert open_table(write(tmp_path / "a.csv", "image,url\nx,y\n"), names.URL).chosen == ("url",)
    assert open_table(write(tmp_path / "a.csv", "url,image\nx,y\n"), names.IMAGE).chosen == ("image",)


def test_a_column_that_stands_alone_is_not_cut_up(tmp_path: Path) -> None:
    commas = "https://a.example/w_3,h_1/q;x?a=1,2"
    assert urls(write(tmp_path / "list.csv", f'url\n{commas}\n"{commas}"\n')) == [commas, commas]


def test_json_may_be_objects_one_behind_the_other(tmp_path: Path) -> None:
    text = f'{{"url": "{A}"}}\n{{"url": "{B}",\n "n": 1}} {{"url": null}}'
    assert urls(write(tmp_path / "list.json", text)) == [A, B, ""]
    assert [line for line, *_ in lines(write(tmp_path / "list.json", text), "url")] == [1, 2, 3]


def test_numbers_come_as_a_csv_would_have_them(tmp_path: Path) -> None:
    columns = {"whole": [640, None], "gaps": [480.0, None], "half": [0.5, 1e300], "right": [True, False]}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    write(tmp_path / "t.json", json.dumps(pa.table(columns).to_pylist()))
    for kind in ("parquet", "json"):
        found = lines(tmp_path / f"t.{kind}", "whole", "gaps", "half", "right")
        assert [list(values) for _, values, _ in found] == [
            ["640", "480", "0.5", "true"],
            ["", "", str(int(1e300)), "false"],
        ]


def test_a_column_of_pictures_does_not_hide_one_of_texts(tmp_path: Path) -> None:
    picture = [{"bytes": b"\xff\xd8", "path": "1.jpg"}]
    parquet.write_table(pa.table({"image": picture, "image_url": [A]}), tmp_path / "hf.parquet")
    assert urls(tmp_path / "hf.parquet") == [A]
    assert open_table(tmp_path / "hf.parquet", names.IMAGE).chosen == ("image_url",)
    parquet.write_table(pa.table({"image": picture, "label": [1]}), tmp_path / "hf.parquet")
    with pytest.raises(BadInput, match=r"the column 'image' contains struct<.*>, not text") as told:
        urls(tmp_path / "hf.parquet")
    assert told.value.next == "add a column called url, image_url or img_url"
    with pytest.raises(BadLine, match="the column 'image' contains an object, not text"):
        urls(write(tmp_path / "hf.jsonl", '{"image": {"path": "1.jpg"}}'))


def test_a_table_without_a_line_of_names_is_told_by_its_only_url(tmp_path: Path) -> None:
    def alone(value: str) -> bool:
        return value.startswith("https://") and " " not in value and "\t" not in value

    for name, text in (
        ("a.tsv", f"{A}\ta caption, with a comma\n{B}\tb\n"),
        ("a.csv", f"a caption,{A}\nb,{B}\n"),
        ("a.csv", f"\n{A}\n{B}\n"),
    ):
        table = open_table(write(tmp_path / name, text), names.URL, alone=alone)
        assert [values[0] for _, values in table.records(*table.chosen)] == [A, B]
    for text, what in (
        (f"{A},b\n", "could be one value or 2"),
        (f"{A}, {B}\n", "no column is called url"),
        ("a,b\n", "no column is called url"),
    ):
        with pytest.raises(BadInput, match=what):
            open_table(write(tmp_path / "a.csv", text), names.URL, alone=alone)


# --- what is wrong, and where -----------------------------------------------------------------------------------------


def test_a_line_that_cannot_be_used_is_numbered_as_an_editor_does(tmp_path: Path) -> None:
    text = f'n,url\n"two\nlines",{A}\n\n2\n3,{B},4\n5,{C},\n,\n6,"x"y\n7,{A}\n'
    found = lines(write(tmp_path / "list.csv", text), "url")
    assert found == [
        (2, (A,), ""),
        (5, (), "has 1 column, and the first line has 2"),
        (6, (), "has 3 columns, and the first line has 2: put quotes around a value that contains a separator"),
        (7, (C,), ""),
        (9, (), "is not CSV: ',' expected after '\"'"),
        (10, (A,), ""),
    ]


def test_a_quote_that_never_closes_spoils_its_own_line_only(tmp_path: Path) -> None:
    text = f'url,note\n{A},"open\n' + f"{B},x\n" * (MOST_LINES + 5)
    found = urls(write(tmp_path / "list.csv", text))
    assert found[0] == "2: has a quote that is never closed"
    assert found[1:] == [B] * (MOST_LINES + 5)
    assert urls(write(tmp_path / "list.csv", f'url,note\n{A},"open\n{B},x')) == [found[0], B]


@pytest.mark.parametrize("kind", ["csv", "txt", "jsonl"])
def test_bytes_that_are_not_utf_8_spoil_their_line_only_and_only_where_they_are_wanted(
    kind: str, tmp_path: Path
) -> None:
    texts = {
        "csv": b"url,note\n%s,\xff\nhttp://\xe4,x\n%s,\n",
        "txt": b"%s\nhttp://\xe4\n%s\n",
        "jsonl": b'{"url": "%s", "n": "\xff"}\n{"url": "http://\xe4"}\n{"url": "%s"}\n',
    }
    found = urls(write(tmp_path / f"list.{kind}", texts[kind] % (A.encode(), C.encode())))
    assert (found[0], found[2]) == (A, C)
    assert found[1].partition(": ")[2].startswith("byte 0xE4 is not UTF-8 (Windows-1252, perhaps)")


def test_half_a_letter_is_no_text(tmp_path: Path) -> None:
    assert urls(write(tmp_path / "a.jsonl", '{"url": "\\ud83d"}')) == ["1: contains characters that cannot be decoded"]
    spoiled = write(tmp_path / "a.csv", codecs_utf_16_with_half_a_letter())
    assert urls(spoiled) == ["2: contains characters that cannot be decoded", A]


def codecs_utf_16_with_half_a_letter() -> bytes:
    return "url\n".encode("utf-16") + b"\x3d\xd8" + f"x\n{A}\n".encode("utf-16-le")


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.csv", "url\n".encode("utf-16-le"), "looks like UTF-16 without a byte order mark. Next: save it in UTF-8"),
        ("a.csv", b"url\n\x00\x01\x02", "contains zero bytes"),
        ("a.csv", b"PAR1....", "is a Parquet table, not text. Next: rename it to .parquet"),
        ("a.csv", b"PK\x03\x04...", "is a zip or a spreadsheet, not text. Next: save it as CSV"),
        ("a.csv", gzip.compress(b"url\n", mtime=0), "is gzipped, not text. Next: add .gz to its name"),
        ("a.csv.gz", b"url\n", "is not gzipped, or damaged"),
        ("a.parquet", b"url\n", "not a Parquet table"),
        ("a.parquet.gz", b"url\n", "the name of a table must end in .txt, .csv"),
        ("a.xlsx", b"PK", "the name of a table must end in .txt, .csv"),
        ("a", b"url\n", "the name of a table must end in .txt, .csv"),
        ("a.csv", b"", "the table is empty"),
        ("a.jsonl", b"\n\n", "the table is empty"),
        ("a.json", b"[]", "the table is empty"),
        ("a.json", b'["x"]', "line 1: expected an object, found a text"),
        ("a.json", b"url,n", "line 1: is not JSON: Expecting value at character 1"),
        ("a.csv", b"name,link\nx,y\n", "line 1: no column is called url, image_url or img_url; there are: name, link"),
        ("a.csv", b"\nurl,n,URL\n", "line 2: 2 columns are called 'url'. Next: keep one of them"),
        ("a.csv", b"x" * (LONGEST_LINE + 1), "line 1: is longer than 1,000,000 characters"),
    ],
)
def test_a_table_that_cannot_be_used_is_told_at_once(name: str, data: bytes, what: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as told:
        urls(write(tmp_path / name, data))
    assert what in str(told.value)
    assert str(told.value).startswith(str(tmp_path / name))


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    with pytest.raises(BadInput, match=r"is a folder\. Next: give a file in it"):
        urls(tmp_path / "parts")
    for kind in ("csv", "parquet", "json", "csv.gz"):
        with pytest.raises(BadInput, match="cannot be read: No such file"):
            urls(tmp_path / f"none.{kind}")


def test_a_txt_has_no_columns(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="one value per line and no columns") as told:
        open_table(write(tmp_path / "a.txt", "x"), names.IMAGE, names.ANSWER)
    assert "give a .csv with the columns" in told.value.next


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f'[{{"url": "{A}"}},\n {{"url": "{B}"', "line 2: is not JSON: Expecting ',' delimiter"),
        (f'[{{"url": "{A}"}}\n {{"url": "{B}"}}]', "line 2: is not JSON: a comma is missing"),
        (f'[{{"url": "{A}"}},\n\n', "line 3: is not JSON: Expecting value"),
        (f'[{{"url": "{A}"}}\n', "line 2: the list does not end"),
        (f'[{{"url": "{A}"}},\n\n{{"x": {"[" * 100_000}', "line 3: is not JSON: it is nested too deeply"),
        (f'[{{"url": "{A}"}}, {{"x": "{"y" * 3_000_000}"}}]', "line 1: an object is longer than 1,000,000 characters"),
    ],
)
def test_a_json_that_breaks_off_is_told_behind_what_is_whole(text: str, what: str, tmp_path: Path) -> None:
    table = open_table(write(tmp_path / "a.json", text), names.URL)
    feed = table.lines("url")
    assert next(feed) == (1, [A], "")
    with pytest.raises(BadLine) as told:
        list(feed)
    assert what in str(told.value)


def test_a_gzipped_file_that_breaks_off_is_told_behind_what_is_whole(tmp_path: Path) -> None:
    import random

    chance = random.Random(1)
    rows = [f"https://a.example/{chance.random()}" for _ in range(50_000)]
    data = gzip.compress(("url\n" + "\n".join(rows)).encode())
    path = write(tmp_path / "a.csv.gz", data[: len(data) // 2])
    found: list[str] = []
    with pytest.raises(BadLine, match=r"a\.csv\.gz, line \d+: the gzipped file is damaged"):
        found.extend(values[0] for _, values, _ in open_table(path, names.URL).lines("url"))
    assert len(found) > 20_000
    assert found[:-1] == rows[: len(found) - 1]


def test_one_who_takes_all_or_nothing_hears_of_the_first_wrong_line(tmp_path: Path) -> None:
    table = open_table(write(tmp_path / "a.csv", f"n,url\n1,{A}\n2\n"), names.URL)
    feed = table.records("url")
    assert next(feed) == (2, (A,))
    with pytest.raises(
        BadLine, match=r"a\.csv, line 3: has 1 column, and the first line has 2\. Next: correct the line"
    ):
        next(feed)


def test_a_column_that_may_be_missing_is_empty(tmp_path: Path) -> None:
    for name, data in (("a.csv", f"url,n\n{A},1\n"), ("a.jsonl", f'{{"url": "{A}", "n": 1}}')):
        table = open_table(write(tmp_path / name, data), names.URL)
        assert table.column(names.WIDTH) is None
        assert [list(values) for _, values, _ in table.lines(None, "url", None, "n")] == [["", A, "", "1"]]


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["txt", "csv", "jsonl"])
def test_a_line_without_end_is_passed_over_and_never_held(kind: str, tmp_path: Path) -> None:
    first, last = {"jsonl": (f'{{"url": "{A}"}}', f'{{"url": "{C}"}}')}.get(kind, (A, C))
    head = "url\n" if kind == "csv" else ""
    with (tmp_path / f"a.{kind}").open("w") as file:
        file.write(f"{head}{first}\n")
        for _ in range(60):
            file.write("x" * 1_000_000)
        file.write(f"\n{last}\n")
    tracemalloc.start()
    found = urls(tmp_path / f"a.{kind}")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [A, f"{2 + bool(head)}: is longer than 1,000,000 characters", C]
    assert most < 20_000_000


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "parquet"])
def test_a_long_list_is_read_as_it_passes_by(kind: str, tmp_path: Path) -> None:
    path, count, note = tmp_path / f"a.{kind}", 60_000, "x" * 400
    rows = [f"{A}?{number}" for number in range(count)]
    if kind == "parquet":
        notes = [f"{number}{note}" for number in range(count)]
        parquet.write_table(pa.table({"url": rows, "note": notes}), path, row_group_size=10_000)
        del notes
    elif kind == "json":
        path.write_text("[" + ",\n".join(f'{{"url": "{url}", "note": "{note}"}}' for url in rows) + "]")
    else:
        one = '{{"url": "{}", "note": "{}"}}' if kind == "jsonl" else "{},{}"
        path.write_text("url,note\n" * (kind == "csv") + "".join(f"{one.format(url, note)}\n" for url in rows))
    del rows
    table = open_table(path, names.URL)
    last = ""
    tracemalloc.start()
    for _, values, _ in table.lines(*table.chosen):
        last = values[0]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert last == f"{A}?{count - 1}"
    assert most < 12_000_000  # of 25 million


def test_the_number_of_lines_is_known_beforehand_where_that_costs_little(tmp_path: Path) -> None:
    assert open_table(write(tmp_path / "a.csv", f"url\n{A}\n{B}\n"), names.URL).count == 2
    assert open_table(write(tmp_path / "a.txt", f"{A}\n{B}"), names.URL).count == 2
    assert open_table(write(tmp_path / "a.csv", f"url\r{A}\r{B}\r"), names.URL).count == 2
    parquet.write_table(pa.table({"url": [A]}), tmp_path / "a.parquet")
    assert open_table(tmp_path / "a.parquet", names.URL).count == 1
    assert open_table(write(tmp_path / "a.csv.gz", gzip.compress(f"url\n{A}\n".encode())), names.URL).count == 0
