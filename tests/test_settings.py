"""Settings: one table, three places, and a clear error for each mistake."""

import pickle
from pathlib import Path

import pytest

from thresher.errors import BadSetting
from thresher.settings import TABLE, read_settings


def test_defaults_are_the_tables(tmp_path: Path) -> None:
    found = read_settings(tmp_path, {})
    assert dict(found.values) == {setting.name: setting.default for setting in TABLE}
    assert set(found.origins.values()) == {"default"}


def test_a_flag_wins_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "thresher.toml").write_text("port = 1000\nvotes = 3\ngold_images = 20\n")
    found = read_settings(tmp_path, {"THRESHER_PORT": "2000", "THRESHER_VOTES": "5"}, port=3000)
    assert (found.port, found.votes, found.gold_images) == (3000, 5, 20)
    assert [found.origins[name] for name in ("port", "votes", "gold_images")] == [
        "flag",
        "environment",
        "thresher.toml",
    ]


def test_a_flag_that_was_not_given_changes_nothing(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {}, port=None).port == 8765


@pytest.mark.parametrize(
    ("file", "environment", "says"),
    [
        ("port = 'many'", {}, "thresher.toml: port: 'many' is not a whole number."),
        ("port = 70000", {}, "thresher.toml: port: 70000 is out of range."),
        ("gold_pass = nan", {}, "thresher.toml: gold_pass: nan is out of range."),
        ("port = 80.5", {}, "thresher.toml: port: 80.5 is not a whole number."),
        ("port = true", {}, "thresher.toml: port: True is not a whole number."),
        ("colour = 1", {}, "no setting is called 'colour'."),
        ("port = ", {}, "not valid TOML"),
        ("", {"THRESHER_VOTES": "two"}, "environment: votes: 'two' is not a whole number."),
        ("", {"THRESHER_FETCH_PRIVATE": "perhaps"}, "environment: fetch_private: 'perhaps' is not true or false."),
        ("", {"THRESHER_COLOUR": "red"}, "THRESHER_COLOUR: no setting is called 'colour'."),
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
    found = read_settings(tmp_path, {}, port=1234)
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_setting_that_is_not_in_the_table_is_an_attribute_error(tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        _ = read_settings(tmp_path, {}).colour
