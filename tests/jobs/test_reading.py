"""nas_tf/jobs/reading.py."""

import dataclasses
from typing import ClassVar

import pytest

from nas_tf.config import Component, at_least, setting
from nas_tf.core import ConfigError
from nas_tf.jobs.reading import Given, Reader


@dataclasses.dataclass(frozen=True)
class Oven(Component):
    """An oven."""

    flag_prefix: ClassVar[str] = "oven_"

    minutes: int = setting(10, "How long.", at_least(1))
    rack: str = setting("top", "Where.", decides=False)


@dataclasses.dataclass(frozen=True)
class Fridge(Component):
    """A fridge."""

    read_by: ClassVar[str] = "kitchen"

    degrees: int = setting(4, "How cold.")


@dataclasses.dataclass(frozen=True)
class Kitchen(Component):
    """A kitchen."""

    kitchen: str = setting("small", "Which.")


KNOWN = (Oven, Fridge, Kitchen)


def test_a_component_has_what_was_given():
    reader = Reader({"oven_minutes": 20, "degrees": Given(3)})
    assert reader.read(Oven) == Oven(minutes=20)
    assert reader.read(Fridge, degrees=5).degrees == 5
    assert reader.values() == {"oven_minutes": 20, "oven_rack": "top", "degrees": 5}
    assert reader.deciding() == {"oven_minutes": 20, "degrees": 5}
    assert reader.text() == "--oven_minutes=20\n--oven_rack=top\n--degrees=5\n"


def test_an_impossible_value_is_named_with_its_flag_and_place():
    with pytest.raises(ConfigError) as caught:
        Reader({"oven_minutes": Given(0, "mine.flags, line 3: ")}).read(Oven)
    assert str(caught.value) == "mine.flags, line 3: --oven_minutes=0: expected at least 1"


def test_what_is_not_read_is_refused_by_who_does_not_read_it():
    for given, said in (
        ({"oven_minutes": 5}, "--oven_minutes=5: --job=cook does not read it; use the stove"),
        ({"degrees": Given(5, "f, line 1: ")}, "f, line 1: --degrees=5: --kitchen=small does not r"),
    ):
        reader = Reader(given)
        reader.read(Kitchen)
        with pytest.raises(ConfigError) as caught:
            reader.refuse_unread("cook", KNOWN, {"oven_minutes": "use the stove"})
        assert str(caught.value).startswith(said)


def test_what_stands_in_a_shared_file_may_go_unread():
    reader = Reader({"degrees": Given(5, "base.flags, line 1: ", shared=True)})
    reader.read(Oven)
    reader.refuse_unread("cook", KNOWN, {})


def test_errors_of_libraries_name_arguments_and_are_told_by_flag():
    reader = Reader({"oven_minutes": Given(9, "mine.flags, line 3: ")})
    reader.read(Oven)
    for text, told in {
        "minutes=9: the cake burns": "mine.flags, line 3: --oven_minutes=9: the cake burns",
        "--oven_minutes=9: too hot": "mine.flags, line 3: --oven_minutes=9: too hot",
        "colour=9: no such thing": "colour=9: no such thing",
        "the cake burns": "the cake burns",
    }.items():
        assert str(reader.explained(ConfigError(text))) == told


def test_of_two_arguments_with_one_name_the_value_decides():
    @dataclasses.dataclass(frozen=True)
    class Grill(Component):
        """A grill."""

        minutes: int = setting(3, "How long.", flag="grill_minutes")

    reader = Reader({"grill_minutes": 7})
    reader.read(Oven)
    reader.read(Grill)
    assert str(reader.explained(ConfigError("minutes=7: burnt"))) == "--grill_minutes=7: burnt"
    assert str(reader.explained(ConfigError("minutes=10: burnt"))) == "--oven_minutes=10: burnt"
