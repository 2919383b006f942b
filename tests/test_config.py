"""nas_tf/config.py."""

import dataclasses
import pathlib
from typing import ClassVar

import pytest

from nas_tf.config import (
    Component, SettingError, above, at_least, changed_lines, deciding_values, expand_home,
    flag_values, setting, within,
)
from nas_tf.core import ConfigError


@dataclasses.dataclass(frozen=True)
class Oven(Component):
    """An oven."""

    flag_prefix: ClassVar[str] = "oven_"

    degrees: float = setting(180.0, "How hot.", above(0))
    minutes: int | None = setting(None, "How long.", at_least(1))
    rack: str = setting("middle", "Where.", ("top", "middle"))
    fan: bool = setting(True, "Whether.")
    recipe: str | None = setting(None, "From where.", flag="recipe", path=True)
    light: int = setting(0, "How bright.", within(0, 5), decides=False)


@pytest.mark.parametrize("name, value, expected", [
    ("degrees", 0.0, "a positive number"),
    ("degrees", float("inf"), "a positive number"),
    ("degrees", float("nan"), "a positive number"),
    ("degrees", "hot", "a number"),
    ("degrees", True, "a number"),
    ("minutes", 0, "at least 1, or none"),
    ("minutes", 1.5, "a whole number, or none"),
    ("rack", "floor", "one of top, middle"),
    ("rack", None, "one of top, middle"),
    ("fan", 1, "true or false"),
    ("light", 6, "0 to 5"),
])
def test_an_impossible_value_is_named(name, value, expected):
    with pytest.raises(SettingError) as caught:
        Oven(**{name: value})
    assert str(caught.value) == f"{name}={value}: expected {expected}"
    assert (caught.value.component, caught.value.name) == (Oven, name)


def test_possible_values_are_taken():
    oven = Oven(degrees=200, minutes=None, rack="top", fan=False)
    assert (oven.degrees, oven.minutes, oven.rack, oven.fan) == (200, None, "top", False)


def test_values_by_flag(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    oven = Oven(minutes=20, recipe="cake.txt", fan=False, light=3)
    assert flag_values(oven) == {
        "oven_degrees": 180.0, "oven_minutes": 20, "oven_rack": "middle", "oven_fan": False,
        "recipe": f"{tmp_path}/cake.txt", "oven_light": 3,
    }
    assert deciding_values(oven) == {
        "oven_degrees": 180.0, "oven_minutes": 20, "oven_rack": "middle", "oven_fan": False
    }
    assert changed_lines(oven) == ["--oven_minutes=20", "--nooven_fan"]


def test_a_home_directory_stands_at_the_start_alone(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert expand_home("~") == "/home/ada"
    assert expand_home(pathlib.Path("~/a b")) == "/home/ada/a b"
    for name in ("", "a/~", "a~", "./~/x", "/~"):
        assert expand_home(name) == name


def test_an_unknown_user_is_named():
    with pytest.raises(ConfigError) as caught:
        expand_home("~no_such_user/x")
    assert str(caught.value) == (
        "~no_such_user/x: no home directory is known for ~no_such_user; ./~no_such_user/x is a "
        "file of that name"
    )
