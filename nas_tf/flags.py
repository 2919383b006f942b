"""Command-line flags, derived from the dataclasses of `settings`.

This and `main` are the only modules that know of absl flags.
"""

import dataclasses
import types
import typing

from absl import flags

from nas_tf.settings import Settings

_COMPONENTS = {field.name: field.type for field in dataclasses.fields(Settings)}


def define(flag_values: flags.FlagValues = flags.FLAGS) -> list[str]:
    """Defines one flag for every setting and returns their names."""
    names = []
    for component in _COMPONENTS.values():
        for field in dataclasses.fields(component):
            _define(field, flag_values)
            names.append(field.name)
    return names


def read(flag_values: flags.FlagValues = flags.FLAGS) -> Settings:
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


def flagfile(settings: Settings) -> str:
    """Returns the text of a flagfile that repeats a job, one flag a line."""
    return "".join(f"{line(name, value)}\n" for name, value in settings.values().items())


def line(name: str, value: object) -> str:
    """Returns the flag that gives a setting its value."""
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no{name}"
    return f"--{name}={'none' if value is None else value}"


def _define(field: dataclasses.Field, flag_values: flags.FlagValues) -> None:
    """Defines the flag of one field; a field that may be None takes the word 'none'."""
    options = {"flag_values": flag_values, "module_name": "nas_tf"}
    help_text, choices = field.metadata["help"], field.metadata["choices"]
    kinds = typing.get_args(field.type) if isinstance(field.type, types.UnionType) else (field.type,)
    if bool in kinds:
        flags.DEFINE_boolean(field.name, field.default, help_text, **options)
    elif choices:
        flags.DEFINE_enum(field.name, field.default, choices, help_text, **options)
    else:
        parser = _Parser(kinds)
        serializer = flags.ArgumentSerializer()
        flags.DEFINE(parser, field.name, field.default, help_text, serializer=serializer, **options)


class _Parser(flags.ArgumentParser):
    """Reads a number or a text, or None where that is allowed."""

    def __init__(self, kinds: tuple[type, ...]):
        super().__init__()
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
        try:
            return self._kind(argument)
        except ValueError:
            raise ValueError(f"expected {self.syntactic_help}") from None

    def flag_type(self) -> str:
        """The type's name in --help."""
        return self._kind.__name__
