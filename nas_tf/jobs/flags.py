"""Command-line flags, derived from the settings of jobs and of what they use.

This is the only module that knows of absl flags.
"""

import dataclasses
import re
import textwrap
import types
from collections.abc import Sequence
from typing import Any

from absl import flags

from nas_tf.config import Component, expand_home, flag_line, flag_of, kind_of, kinds, settings_of
from nas_tf.core import ConfigError
from nas_tf.jobs import flagfiles, registry
from nas_tf.jobs.flagfiles import Argument
from nas_tf.jobs.reading import Given

_NAME = re.compile(r"--?(no)?(\w+)")


def parse(arguments: Sequence[str]) -> dict[str, Given]:
    """Returns the flags that a command line gives, with those of its flagfiles.

    Raises:
        ConfigError: a flag is unknown or malformed, or a flagfile at fault; of what stands in a file
            the message begins with its name and line.
    """
    expanded = flagfiles.expand(arguments)
    _refuse_former(expanded)
    flag_values = _defined()
    if mistake := _mistake(flag_values, [argument.text for argument in expanded]):
        raise ConfigError(_with_origin(mistake, expanded))
    given = {}
    for argument in expanded:
        for name in _names(argument):
            if name in flag_values and flag_values[name].present:
                value = flag_values[name].value
                given[name] = Given(value, argument.origin, argument.shared)
    return given


def help_text() -> str:
    """Returns what --help says: every flag with its default, by component."""
    parts = [
        "usage: nas_tf [--flagfile=FILE|EXPERIMENT] [--FLAG=VALUE ...]\n\n"
        "Later flags win over earlier ones, those after --flagfile over the file's. A flag that the\n"
        "job, the strategy or the benchmark does not read is refused.\n"
        f"Experiments: {flagfiles.experiments()}\n"
    ]
    told: set[str] = set()
    for component in registry.components():
        names = {flag_of(component, field): field for field in settings_of(component)}
        described = [_described(component, field) for n, field in names.items() if n not in told]
        again = [f"--{name}" for name in names if name in told]
        if again:
            text = textwrap.fill(f"and, as above: {', '.join(again)}", 98)
            described.append(textwrap.indent(text, "  "))
        if names:
            parts.append("\n".join([_title(component), *described, ""]))
        told.update(names)
    return "\n".join([*parts, "--help and --version print this and the version.\n"])


def _defined() -> flags.FlagValues:
    """Returns absl's flags: one for every name, without a value until it is given."""
    flag_values = flags.FlagValues()
    for component in registry.components():
        for field in settings_of(component):
            name = flag_of(component, field)
            if name not in flag_values:
                _define(name, field, flag_values)
    return flag_values


def _define(name: str, field: dataclasses.Field, flag_values: flags.FlagValues) -> None:
    options = {"flag_values": flag_values, "module_name": "nas_tf"}
    help_text = field.metadata["help"]
    if kind_of(field) is bool:
        flags.DEFINE_boolean(name, None, help_text, **options)
        return
    serializer = flags.ArgumentSerializer()
    flags.DEFINE(_Parser(field), name, None, help_text, serializer=serializer, **options)


def _names(argument: Argument) -> list[str]:
    """Returns the names of the flag that an argument may be: with and without "no"."""
    named = _NAME.match(argument.text)
    if named is None:
        return []
    return [named[2]] if not named[1] else [named[2], named[1] + named[2]]


def _refuse_former(arguments: Sequence[Argument]) -> None:
    """Raises ConfigError for the first flag that has another name now."""
    known, now = set(), {}
    for component in registry.components():
        for field in settings_of(component):
            name = flag_of(component, field)
            known.add(name)
            if field.metadata["former"]:
                now.setdefault(field.metadata["former"], {})[f"--{name}"] = None
    for argument in arguments:
        names = _names(argument)
        for name in names:
            if name in now and not known.intersection(names):
                raise ConfigError(
                    f"{argument.origin}{argument.text}: it is called {' or '.join(now[name])} now"
                )


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


def _with_origin(mistake: str, arguments: Sequence[Argument]) -> str:
    """Returns what is wrong, of the first line of a flagfile that is wrong by itself if any is."""
    for argument in arguments:
        if argument.origin and (own := _mistake(_defined(), [argument.text])):
            return argument.origin + own
    return mistake


def _title(component: type[Component]) -> str:
    """Returns the heading of a component in --help."""
    line = component.__doc__.strip().splitlines()[0].removesuffix(".")
    return f"{line} (--{component.read_by}={component.name})" if component.name else line


def _described(component: type[Component], field: dataclasses.Field) -> str:
    """Returns the lines of --help about one flag."""
    name = flag_of(component, field)
    written = f"--[no]{name}" if kind_of(field) is bool else f"--{name}"
    if choices := field.metadata["choices"]:
        written += f"=<{'|'.join(choices)}>"
    text = f"{field.metadata['help']} Default: {flag_line(name, field.default)}"
    text = textwrap.fill(text, 94, break_on_hyphens=False)
    return f"  {written}\n{textwrap.indent(text, '      ')}"


class _Parser(flags.ArgumentParser):
    """Reads a number, a text or a path, or None where that is allowed."""

    def __init__(self, field: dataclasses.Field):
        super().__init__()
        self._path, self._several = field.metadata["path"], field.metadata["several"]
        self._optional = types.NoneType in kinds(field)
        self._kind = kind_of(field)
        self.syntactic_help = {int: "a whole number", float: "a number", str: "a text"}[self._kind]

    def parse(self, argument: Any) -> Any:
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
