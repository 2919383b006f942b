"""How a setting is declared and refused, once for Python and for the command line.

A component is a frozen dataclass of settings:

    @dataclasses.dataclass(frozen=True)
    class Tournament(Component):
        size: int = setting(10, "Members drawn for a tournament.", at_least(1))

It refuses what it cannot be when it is made: `Tournament(size=0)` raises "size=0: expected at least
1". On the command line the same setting is the flag `--size`, which jobs name in its stead.
"""

import dataclasses
import math
import numbers
import os
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from nas_tf.core import ConfigError


class SettingError(ConfigError):
    """A setting is impossible.

    Attributes:
        component: type of the component that refuses it; None where it is none of them.
        name: of the setting.
        value: what was received.
        expected: what is expected, in words.
    """

    def __init__(self, component: type | None, name: str, value: Any, expected: str):
        super().__init__(f"{name}={value}: expected {expected}")
        self.component, self.name, self.value, self.expected = component, name, value, expected


@dataclasses.dataclass(frozen=True)
class Expected:
    """What a setting must be.

    Attributes:
        text: in words, after "expected".
        fits: tells of a value that is not None.
    """

    text: str
    fits: Callable[[Any], bool]


def at_least(least: float) -> Expected:
    """Expects a finite number that is not smaller."""
    return Expected(f"at least {least:g}", lambda value: least <= value < math.inf)


def above(bound: float, text: str = "") -> Expected:
    """Expects a finite number that is larger."""
    text = text or ("a positive number" if bound == 0 else f"a number above {bound:g}")
    return Expected(text, lambda value: bound < value < math.inf)


def within(least: float, most: float, text: str = "") -> Expected:
    """Expects a number between two, both included."""
    return Expected(text or f"{least:g} to {most:g}", lambda value: least <= value <= most)


SHARE = within(0, 1, "a share from 0 to 1")
SEED = within(0, 2**31 - 1, "a number from 0 to 2147483647")
FINITE = Expected("a number", math.isfinite)
NOT_EMPTY = Expected("a text", bool)


def setting(
    default: Any,
    help_text: str,
    expected: Expected | tuple[str, ...] | None = None,
    *,
    flag: str | None = None,
    former: str | None = None,
    path: bool = False,
    several: bool = False,
    by_content: bool = False,
    decides: bool = True,
):
    """Returns a dataclass field with what its flag and its check need to know.

    Args:
        default: its value when nobody gives one.
        help_text: of its flag.
        expected: the values it may have, one by one or as a rule; None leaves them open.
        flag: its name on the command line; None is its own after the component's prefix.
        former: name that the flag had before.
        path: it names a file or a directory.
        several: it names several, separated by commas.
        by_content: what it names is known by its content, wherever it lies.
        decides: the result depends on it.
    """
    choices = expected if isinstance(expected, tuple) else None
    metadata = {
        "help": help_text,
        "choices": choices,
        "expected": None if choices else expected,
        "flag": flag,
        "former": former,
        "path": path,
        "several": several,
        "by_content": by_content,
        "decides": decides,
    }
    return dataclasses.field(default=default, metadata=metadata)


class Component:
    """Base of frozen dataclasses of settings.

    Attributes:
        flag_prefix: begins the names of its flags.
        read_by: what chooses whether it is read: "job", or "strategy" or "benchmark".
        name: the word of that choice which chooses it; "" where several do.
    """

    name: ClassVar[str] = ""

    flag_prefix: ClassVar[str] = ""
    read_by: ClassVar[str] = "job"

    def __post_init__(self):
        """Raises SettingError for the first setting that is not what it must be."""
        for field in settings_of(type(self)):
            self._check(field, getattr(self, field.name))
            self._make_plain(field)

    def require(self, fits: bool, name: str, expected: str) -> None:
        """Raises SettingError for a setting that does not go with the others."""
        if not fits:
            raise SettingError(type(self), name, getattr(self, name), expected)

    def _check(self, field: dataclasses.Field, value: Any) -> None:
        optional = types.NoneType in kinds(field)
        if value is None and optional:
            return
        known, expected = field.metadata["choices"], field.metadata["expected"]
        if known is not None:
            text, fits = f"one of {', '.join(known)}", value in known
        else:
            kind = kind_of(field)
            fits = isinstance(value, _ACCEPTED[kind])
            fits = fits and (kind is bool or not isinstance(value, bool))
            text = _KINDS[kind]
            if fits and expected is not None:
                text, fits = expected.text, expected.fits(value)
        self.require(fits, field.name, f"{text}, or none" if optional else text)


    def _make_plain(self, field: dataclasses.Field) -> None:
        """Turns what NumPy has for a number into one of Python, so that settings compare alike."""
        value = getattr(self, field.name)
        if value is not None and kind_of(field) in (int, float):
            object.__setattr__(self, field.name, kind_of(field)(value))


_ACCEPTED = {int: numbers.Integral, float: numbers.Real, str: str, bool: bool}
_KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def settings_of(component: type) -> list[dataclasses.Field]:
    """Returns the settings among the fields of a component."""
    return [field for field in dataclasses.fields(component) if "help" in field.metadata]


def flag_of(component: type[Component], field: dataclasses.Field) -> str:
    """Returns the name of a setting's flag."""
    return field.metadata["flag"] or component.flag_prefix + field.name


def kinds(field: dataclasses.Field) -> tuple[type, ...]:
    """Returns the types a setting's value may have."""
    return typing.get_args(field.type) if isinstance(field.type, types.UnionType) else (field.type,)


def kind_of(field: dataclasses.Field) -> type:
    """Returns the type of a setting's value where it is not None."""
    return next(kind for kind in kinds(field) if kind is not types.NoneType)


def flag_values(*components: Component) -> dict[str, Any]:
    """Returns every setting of some components by the name of its flag; paths are absolute."""
    return {
        flag_of(type(component), field): absolute(field, getattr(component, field.name))
        for component in components
        for field in settings_of(type(component))
    }


def deciding_values(*components: Component) -> dict[str, Any]:
    """Returns the settings that a result depends on, by the names of their flags.

    Paths are not among them: what is read is known by its checksum.
    """
    return {
        flag_of(type(component), field): getattr(component, field.name)
        for component in components
        for field in settings_of(type(component))
        if field.metadata["decides"] and not field.metadata["path"]
    }


def changed_lines(*components: Component) -> list[str]:
    """Returns the flags of the deciding values that are not as they are by default."""
    return [
        flag_line(name, value)
        for component in components
        for name, value in deciding_values(component).items()
        if value != deciding_values(type(component)())[name]
    ]


def flag_line(name: str, value: object) -> str:
    """Returns the flag that gives a setting its value."""
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no{name}"
    return f"--{name}={'none' if value is None else value}"


def by_name(known: Iterable[Any], name: str, setting_name: str) -> Any:
    """Returns the one of a registry that has a name.

    Raises:
        ConfigError: there is none; the message has the names there are.
    """
    known = tuple(known)
    for one in known:
        if one.name == name:
            return one
    names = ", ".join(one.name for one in known)
    raise ConfigError(f"{setting_name}={name}: expected one of {names}")


def absolute(field: dataclasses.Field, value: Any) -> Any:
    """Returns a setting's value as it means the same in any working directory."""
    if not field.metadata["path"] or value is None:
        return value
    parts = value.split(",") if field.metadata["several"] else [value]
    return ",".join(os.path.abspath(part.strip()) for part in parts if part.strip())


def expand_home(path: str | os.PathLike) -> str:
    """Returns a path with the home directory that its leading `~` or `~USER` stands for.

    Shells do so for words that begin with it, but not in `--output_dir=~/runs`, nor in files.

    Raises:
        ConfigError: no home directory of that user is known.
    """
    text = os.fspath(path)
    expanded = os.path.expanduser(text)
    if expanded.startswith("~"):
        user = expanded.split("/")[0]
        raise ConfigError(
            f"{text}: no home directory is known for {user}; ./{text} is a file of that name"
        )
    return expanded

