"""Settings: one table, three places, and a clear error for each mistake."""

import pickle
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from thresher.errors import BadSetting
from thresher.settings import TABLE, Values, read_settings

ROOT = Path(__file__).parents[1]


def test_defaults_are_the_tables(tmp_path: Path) -> None:
    found = read_settings(tmp_path, {})
    assert {setting.name: getattr(found, setting.name) for setting in TABLE} == {s.name: s.default for s in TABLE}
    assert found.origins == dict.fromkeys((setting.name for setting in TABLE), "default")


def test_a_default_is_of_the_type_that_its_row_names() -> None:
    assert {row.name: row.type for row in fields(Values)} == {setting.name: type(setting.default) for setting in TABLE}


def test_a_flag_wins_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "thresher.toml").write_text("port = 1000\nvotes = 3\ngold_images = 20\n")
    found = read_settings(tmp_path, {"THRESHER_PORT": "2000", "THRESHER_VOTES": "5"}).but(port=3000)
    assert (found.port, found.votes, found.gold_images) == (3000, 5, 20)
    assert [found.origins[name] for name in ("port", "votes", "gold_images")] == [
        "flag",
        "environment",
        "thresher.toml",
    ]


def test_a_flag_that_was_not_given_changes_nothing(tmp_path: Path) -> None:
    found = read_settings(tmp_path, {}).given({"port": None})
    assert (found.port, found.origins["port"]) == (8765, "default")


def test_a_flag_is_held_to_the_table_too(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="flag: port: 70000 is out of range"):
        read_settings(tmp_path, {}).but(port=70000)
    with pytest.raises(BadSetting, match="unknown setting 'colour'"):
        read_settings(tmp_path, {}).given({"colour": "red"})


@pytest.mark.parametrize(
    ("file", "environment", "says"),
    [
        ("port = 'many'", {}, "thresher.toml: port: 'many' is not a whole number."),
        ("port = 70000", {}, "thresher.toml: port: 70000 is out of range."),
        ("gold_pass = nan", {}, "thresher.toml: gold_pass: nan is out of range."),
        ("port = 80.5", {}, "thresher.toml: port: 80.5 is not a whole number."),
        ("port = true", {}, "thresher.toml: port: True is not a whole number."),
        ("colour = 1", {}, "unknown setting 'colour'."),
        ("port = ", {}, "not valid TOML"),
        ("", {"THRESHER_VOTES": "two"}, "environment: votes: 'two' is not a whole number."),
        ("", {"THRESHER_FETCH_PRIVATE": "perhaps"}, "environment: fetch_private: 'perhaps' is not true or false."),
        ("", {"THRESHER_COLOUR": "red"}, "THRESHER_COLOUR: unknown setting 'colour'."),
    ],
)
def test_a_mistake_is_one_line_that_names_its_place(
    tmp_path: Path, file: str, environment: dict[str, str], says: str
) -> None:
    (tmp_path / "thresher.toml").write_text(file)
    with pytest.raises(BadSetting) as raised:
        read_settings(tmp_path, environment)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_words_for_true_and_false_are_understood_in_the_environment(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {"THRESHER_FETCH_PRIVATE": "yes"}).fetch_private is True
    assert read_settings(tmp_path, {"THRESHER_FETCH_PRIVATE": "0"}).fetch_private is False


def test_settings_travel_to_another_process(tmp_path: Path) -> None:
    found = read_settings(tmp_path, {}).but(port=1234)
    assert pickle.loads(pickle.dumps(found)) == found


SNIPPET = """from thresher.settings import Settings
settings = Settings()
images: int = settings.gold_images
settings.but(gold_images=20, sure=1)
settings.gold_imags
settings.but(gold_imags=20)
settings.but(gold_images="many")
host: int = settings.host
settings.port = 80
"""


def test_mypy_knows_every_setting_and_its_type(tmp_path: Path) -> None:
    (tmp_path / "snippet.py").write_text(SNIPPET, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "snippet.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line.partition("snippet.py:")[2] for line in done.stdout.splitlines()[:-1]]
    wanted = [
        '5: error: "Settings" has no attribute "gold_imags"',
        '6: error: Unexpected keyword argument "gold_imags"',
        '7: error: Argument "gold_images" has incompatible type "str"; expected "int"',
        "8: error: Incompatible types in assignment",
        '9: error: Property "port" defined in "Settings" is read-only',
    ]
    assert len(told) == len(wanted), done.stdout
    assert all(line.startswith(start) for line, start in zip(told, wanted, strict=True)), done.stdout
