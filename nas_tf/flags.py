"""Command-line flags, derived from the dataclasses of `settings`.

This is the only module that knows of absl flags.
"""

import dataclasses
import re
import textwrap
import types
import typing
from collections.abc import Iterator, Sequence

from absl import flags

from nas_tf import flagfiles
from nas_tf.core import ConfigError
from nas_tf.declaration import absolute
from nas_tf.paths import expand_home
from nas_tf.settings import Settings

_COMPONENTS = {field.name: field.type for field in dataclasses.fields(Settings)}
_NAMED = re.compile(r"--(\w+)=")  # at the start of what a setting is refused with


def parse(arguments: Sequence[str]) -> Settings:
    """Returns the settings that a command line describes, with its flagfiles.

    Raises:
        ConfigError: a flag is unknown or malformed, a value impossible, a flagfile at fault; of
            what stands in a file the message begins with its name and line.
    """
    expanded = flagfiles.expand(arguments)
    flag_values = flags.FlagValues()
    define(flag_values)
    if mistake := _mistake(flag_values, [argument.text for argument in expanded]):
        raise ConfigError(_with_origin(mistake, expanded))
    try:
        return read(flag_values)
    except ConfigError as error:
        raise ConfigError(f"{_origin_of_value(str(error), expanded)}{error}") from None


def define(flag_values: flags.FlagValues) -> list[str]:
    """Defines one flag for every setting and returns their names."""
    names = []
    for component in _COMPONENTS.values():
        for field in dataclasses.fields(component):
            _define(field, flag_values)
            names.append(field.name)
    return names


def read(flag_values: flags.FlagValues) -> Settings:
    """Returns the settings that parsed flags describe.

    Raises:
        ConfigError: a value is impossible.
    """
    return Settings(
        **{
            name: component(
                **{field.name: flag_values[field.name].value for field in dataclasses.fields(component)}
            )
            for name, component in _COMPONENTS.items()
        }
    )


def effective(settings: Settings) -> dict[str, typing.Any]:
    """Returns every setting by the name of its flag; paths are absolute."""
    return {
        field.name: absolute(field, getattr(getattr(settings, name), field.name))
        for name, field in _fields()
    }


def known_by_content(settings: Settings) -> dict[str, str]:
    """Returns the paths, by the names of their flags, of what counts by its content alone."""
    values = effective(settings)
    names = [field.name for _, field in _fields() if field.metadata["by_content"]]
    return {name: values[name] for name in names if values[name] is not None}


def is_path(name: str) -> bool:
    """Tells whether the flag of some name takes a path."""
    return any(field.name == name and field.metadata["path"] for _, field in _fields())


def flagfile(settings: Settings) -> str:
    """Returns the text of a flagfile that repeats a job, one flag a line, from anywhere."""
    return "".join(f"{line(name, value)}\n" for name, value in effective(settings).items())


def line(name: str, value: object) -> str:
    """Returns the flag that gives a setting its value."""
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no{name}"
    return f"--{name}={'none' if value is None else value}"


def help_text() -> str:
    """Returns what --help says: every flag with its default, by component."""
    parts = [
        "usage: nas_tf [--flagfile=FILE|EXPERIMENT] [--FLAG=VALUE ...]\n\n"
        "Later flags win over earlier ones, those after --flagfile over the file's.\n"
        f"Experiments: {flagfiles.experiments()}\n"
    ]
    for component in _COMPONENTS.values():
        described = "\n".join(_described(field) for field in dataclasses.fields(component))
        parts.append(f"{component.__doc__}\n{described}\n")
    return "\n".join([*parts, "--help and --version print this and the version.\n"])


def _fields() -> Iterator[tuple[str, dataclasses.Field]]:
    """Yields every setting with the name of its component."""
    for name, component in _COMPONENTS.items():
        for field in dataclasses.fields(component):
            yield name, field


def _mistake(flag_values: flags.FlagValues, arguments: Sequence[str]) -> str | None:
    """Parses arguments; returns what is wrong with them, in one line."""
    try:
        others = flag_values(["nas_tf", *arguments])[1:]
    except ConfigError as error:
        return str(error)
    except flags.Error as error:
        # absl shows some messages as the tuple they were raised with.
        return " ".join(re.sub(r"\('(.*?)', '.*?'\)", r"\1", str(error)).split())
    except ValueError as error:  # --noFLAG=VALUE
        return f"{' '.join(str(error).split())}; --FLAG=true and --FLAG=false do"
    return f"{others[0]}: unexpected argument; flags begin with --" if others else None


def _with_origin(mistake: str, arguments: Sequence[flagfiles.Argument]) -> str:
    """Returns what is wrong, of the first line of a flagfile that is wrong by itself if any is."""
    for argument in arguments:
        if argument.origin:
            flag_values = flags.FlagValues()
            define(flag_values)
            if own := _mistake(flag_values, [argument.text]):
                return argument.origin + own
    return mistake


def _origin_of_value(message: str, arguments: Sequence[flagfiles.Argument]) -> str:
    """Returns where the value stands that a message names."""
    named = _NAMED.match(message)
    given = [a for a in arguments if named and re.match(f"--?{named[1]}(=|$)", a.text)]
    return given[-1].origin if given else ""


def _define(field: dataclasses.Field, flag_values: flags.FlagValues) -> None:
    """Defines the flag of one field; a field that may be None takes the word 'none'."""
    options = {"flag_values": flag_values, "module_name": "nas_tf"}
    help_text, choices = field.metadata["help"], field.metadata["choices"]
    if bool in _kinds(field):
        flags.DEFINE_boolean(field.name, field.default, help_text, **options)
    elif choices:
        flags.DEFINE_enum(field.name, field.default, choices, help_text, **options)
    else:
        parser = _Parser(field)
        serializer = flags.ArgumentSerializer()
        flags.DEFINE(parser, field.name, field.default, help_text, serializer=serializer, **options)


def _kinds(field: dataclasses.Field) -> tuple[type, ...]:
    return typing.get_args(field.type) if isinstance(field.type, types.UnionType) else (field.type,)


def _described(field: dataclasses.Field) -> str:
    """Returns the lines of --help about one flag."""
    name = f"--[no]{field.name}" if bool in _kinds(field) else f"--{field.name}"
    if choices := field.metadata["choices"]:
        name += f"=<{'|'.join(choices)}>"
    default = line(field.name, field.default)
    text = f"{field.metadata['help']} Default: {default}"
    text = textwrap.fill(text, 94, break_on_hyphens=False)
    return f"  {name}\n{textwrap.indent(text, '      ')}"


class _Parser(flags.ArgumentParser):
    """Reads a number, a text or a path, or None where that is allowed."""

    def __init__(self, field: dataclasses.Field):
        super().__init__()
        kinds = _kinds(field)
        self._path, self._several = field.metadata["path"], field.metadata["several"]
        self._optional = types.NoneType in kinds
        self._kind = next(kind for kind in kinds if kind is not types.NoneType)
        self.syntactic_help = {int: "a whole number", float: "a number", str: "a text"}[self._kind]

    def parse(self, argument):
        """Returns the value of a flag's text.

        Raises:
            ValueError: it is none.
        """
        if argument is None or (self._optional and argument == "none"):
            return None
        if self._optional and str(argument).lower() == "none":
            raise ValueError("nothing is written 'none', in small letters")
        if self._kind is str:
            return self._text(argument)
        try:
            return self._kind(argument)
        except ValueError:
            expected = f"expected {self.syntactic_help}"
            raise ValueError(f"{expected}, or none" if self._optional else expected) from None

    def _text(self, argument: str) -> str:
        """Returns a text or path that a line of a flagfile can hold."""
        if argument != argument.strip() or re.search("[\0\r\n]", argument):
            raise ValueError("expected one line without blanks at its ends")
        if argument.encode("utf-8", "replace").decode() != argument:
            raise ValueError("expected UTF-8 text")
        if not self._path:
            return argument
        parts = argument.split(",") if self._several else [argument]
        try:
            return ",".join(expand_home(part.strip()) for part in parts)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    def flag_type(self) -> str:
        """The type's name in --help."""
        return self._kind.__name__
