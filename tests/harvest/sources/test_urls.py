import gzip
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from thresher.errors import BadInput
from thresher.harvest.sources.urls import from_urls

ONE, TWO = "https://a.example/1.jpg", "http://b.example/2.jpg?x=1&y=ü"


def listed(path: Path) -> list[tuple[str, str]]:
    """Each candidate as its name and, where it is refused, why."""
    return [
        (candidate.name, ": ".join(candidate.problem or ()))
        for candidate in from_urls(path).candidates(bytes_most=10**9)
    ]


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    return path


def test_a_text_has_one_url_a_line(tmp_path: Path) -> None:
    path = write(tmp_path / "list.txt", f"\ufeff{ONE}\r\n\n  {TWO}  \n# {ONE}")
    assert listed(path) == [(ONE, ""), (TWO, "")]
    source = from_urls(path)
    assert (source.name, source.remote, source.expected()) == ("urls:list.txt", True, 4)


@pytest.mark.parametrize("column", ["url", "URL", "Image", " Url "])
def test_a_csv_has_a_column_of_urls(column: str, tmp_path: Path) -> None:
    path = write(tmp_path / "list.csv", f'\ufeffid,{column},note\n1,{ONE},"two\nlines"\n2,{TWO},\n')
    assert listed(path) == [(ONE, ""), (TWO, "")]


@pytest.mark.parametrize("column", ["url", "URL", "image"])
def test_a_parquet_has_a_column_of_urls(column: str, tmp_path: Path) -> None:
    parquet.write_table(pa.table({"id": [1, 2, 3], column: [ONE, None, TWO]}), tmp_path / "list.parquet")
    assert listed(tmp_path / "list.parquet") == [
        (ONE, ""),
        ("list.parquet, line 2", "bad-line: has no URL."),
        (TWO, ""),
    ]
    assert from_urls(tmp_path / "list.parquet").expected() == 3


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("a.jpg", "'a.jpg' is not a URL"),
        ("://x", "'://x' is not a URL"),
        ("https://", "'https://' is not a URL"),
        ("http://[bad/x.jpg", "'http://[bad/x.jpg' is not a URL"),
        ("https://a example/1.jpg", "'https://a example/1.jpg' is not a URL"),
        ("https://a.example/a\tb.jpg", "contains control characters"),
        ("https://a.example/\x07", "contains control characters"),
        ("https://a.example/" + "x" * 9000, "is longer than 8,192"),
    ],
)
def test_a_line_that_is_no_url_is_refused_by_file_and_line(line: str, what: str, tmp_path: Path) -> None:
    (first, (name, problem), last) = listed(write(tmp_path / "list.txt", f"{ONE}\n{line}\n{TWO}\n"))
    assert (first, last) == ((ONE, ""), (TWO, ""))
    assert name == "list.txt, line 2"
    assert problem.startswith("bad-line: ")
    assert what in problem


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("list.txt", f"{ONE} ".encode() * 300_000),
        ("list.csv", b"url,note\n" + f"{ONE},".encode() * 300_000),
        ("list.jsonl.gz", gzip.compress(b'{"url": "' + b"x" * 30_000_000)),
        ("list.json.gz", gzip.compress(b'[{"url": "' + b"x" * 30_000_000)),
    ],
)
def test_a_list_that_is_one_line_without_end_is_told_with_file_line_and_way_out(
    name: str, data: bytes, tmp_path: Path
) -> None:
    path = write(tmp_path / name, data)
    tracemalloc.start()
    with pytest.raises(BadInput, match="longer than 1,000,000 characters") as told:
        from_urls(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told.value.where in {f"{path}, line 1", f"{path}, line 2"}
    assert told.value.next
    assert most < 20_000_000


def test_addresses_that_a_browser_opens_are_taken(tmp_path: Path) -> None:
    odd = [f"https://a.example/{path}" for path in ("a,b;c.jpg", "Nazaré.jpg", "Big sage,+Lantana.jpg", "quo'te.jpg")]
    assert listed(write(tmp_path / "list.txt", "\n".join(odd))) == [(url, "") for url in odd]
    assert listed(write(tmp_path / "list.csv", "\n".join(("url", *odd)))) == [(url, "") for url in odd]


def test_a_list_needs_no_line_of_names_where_its_urls_are_told(tmp_path: Path) -> None:
    assert listed(write(tmp_path / "list.tsv", f"{ONE}\ta caption, long\n{TWO}\tb\n")) == [(ONE, ""), (TWO, "")]
    assert listed(write(tmp_path / "list.csv", f"{ONE}\n{TWO}\n")) == [(ONE, ""), (TWO, "")]


def test_a_line_without_a_url_is_told(tmp_path: Path) -> None:
    assert listed(write(tmp_path / "list.csv", f"id,url\n1,\n2,{ONE}\n")) == [
        ("list.csv, line 2", "bad-line: has no URL."),
        (ONE, ""),
    ]


def test_bytes_that_are_no_text_spoil_their_line_only(tmp_path: Path) -> None:
    spoiled = "bad-line: byte 0xFF is not UTF-8 (Windows-1252, perhaps): save the file in UTF-8."
    assert listed(write(tmp_path / "list.txt", f"{ONE}\n".encode() + b"\xff\xfe\n" + TWO.encode())) == [
        (ONE, ""),
        ("list.txt, line 2", spoiled),
        (TWO, ""),
    ]
    found = listed(write(tmp_path / "list.csv", f"url,n\n{ONE},1\n".encode() + b"\xff\xfe,2\n" + f"{TWO},3".encode()))
    assert found == [(ONE, ""), ("list.csv, line 3", spoiled), (TWO, "")]


def test_a_short_line_of_a_csv_is_refused_and_a_huge_one_too(tmp_path: Path) -> None:
    path = write(tmp_path / "list.csv", f"id,url\n1\n2,{ONE}\n3,{'x' * 200_000}\n4,{TWO}\n")
    found = listed(path)
    assert [name for name, _ in found] == ["list.csv, line 2", ONE, "list.csv, line 4", TWO]


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("list.txt", b"", "empty"),
        ("list.csv", b"url\n", "empty"),
        ("list.csv", b"", "empty"),
        ("list.csv", b"name,link\n1,2\n", "there are: name, link"),
        ("list.parquet", b"no table", "not a Parquet table"),
        ("list.docx", b"x", r"\.txt, \.csv"),
        ("list", b"x", r"\.txt, \.csv"),
    ],
)
def test_a_list_that_cannot_be_used_is_told_at_once(name: str, data: bytes, what: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=what) as caught:
        from_urls(write(tmp_path / name, data))
    assert caught.value.where.startswith(str(tmp_path / name))


def test_a_list_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    for name in ("list.txt", "list.csv", "list.parquet"):
        with pytest.raises(BadInput, match="No such file"):
            from_urls(tmp_path / name)
