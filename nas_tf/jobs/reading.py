"""From flags that were given to the components that a job reads, and nothing else.

A job asks a `Reader` for every component it uses. What was given and nobody asked for is refused:
a flag that changes nothing is a mistake.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from nas_tf.config import (
    Component, deciding_values, flag_line, flag_of, flag_values, settings_of,
)
from nas_tf.core import ConfigError

C = TypeVar("C", bound=Component)


@dataclasses.dataclass(frozen=True)
class Given:
    """The value of a flag.

    Attributes:
        value: of the flag.
        origin: "FILE, line 3: " where it stands in a flagfile; "" on the command line.
        shared: it stands in a file that another flagfile names, which several experiments share:
            not all of them need to read it.
    """

    value: Any
    origin: str = ""
    shared: bool = False

    @property
    def file(self) -> str:
        """The flagfile it stands in; "" on the command line."""
        return self.origin.rpartition(", line ")[0]


class Reader:
    """Makes components of the flags that were given."""

    def __init__(self, given: Mapping[str, Given | Any]):
        """Args: given: values by the names of flags, with or without where they stand."""
        self._given = {
            name: value if isinstance(value, Given) else Given(value)
            for name, value in given.items()
        }
        self._read: dict[type[Component], Component] = {}

    @property
    def given(self) -> Mapping[str, Given]:
        """The flags that were given, by name."""
        return self._given

    @property
    def components(self) -> tuple[Component, ...]:
        """What was read so far."""
        return tuple(self._read.values())

    def read(self, component: type[C], **values: Any) -> C:
        """Returns a component with the settings that were given, the others by default.

        Args:
            component: its type.
            **values: settings that are known whatever was given.

        Raises:
            ConfigError: a value is impossible; the message has the flag and where it stands.
        """
        for field in settings_of(component):
            found = self._given.get(flag_of(component, field))
            if found is not None:
                values.setdefault(field.name, found.value)
        try:
            self._read[component] = component(**values)
        except ConfigError as error:
            raise self.explained(error, component) from None
        return self._read[component]

    def stands_beside(self, component: type[Component], name: str, other: str) -> bool:
        """Tells whether a setting was given where another flag was: both on the command line, or
        in one file.

        Args:
            component: type of the setting's component.
            name: of the setting.
            other: name of the other flag.
        """
        field = next(field for field in settings_of(component) if field.name == name)
        here, there = self._given.get(flag_of(component, field)), self._given.get(other)
        return here is not None and (there is None or here.file == there.file)

    def overrule(self, component: type[Component]) -> None:
        """Lets flagfiles say more than is read of a component; the command line may not."""
        for field in settings_of(component):
            name = flag_of(component, field)
            found = self._given.get(name)
            if found is not None and found.origin:
                self._given[name] = dataclasses.replace(found, shared=True)

    def explained(self, error: ConfigError, of: type[Component] | None = None) -> ConfigError:
        """Returns an error of a library with the flag, and where it stands, for its argument.

        Args:
            error: begins with "argument=", where it is about one.
            of: type of the component that was being made, if one was.
        """
        name, told = self._named(error, of)
        found = self._given.get(name)
        return ConfigError(f"{found.origin if found else ''}{told}")

    def _named(self, error: ConfigError, of: type[Component] | None) -> tuple[str, str]:
        """Returns the flag that an error is about, if any, and its text with it."""
        text = str(error)
        begins = re.match(r"(--)?(\w+)=([^:]*)", text)
        if begins is None:
            return "", text
        if begins[1]:
            return begins[2], text
        found = [
            (str(getattr(self._read.get(component), field.name, None)) != begins[3], component, field)
            for component in ([of] if of else self._read)
            for field in settings_of(component)
            if field.name == begins[2]
        ]
        if not found:
            return "", text
        # Of components that call something alike, the one that has the value.
        _, component, field = min(found, key=lambda one: one[0])
        flag = flag_of(component, field)
        return flag, f"--{flag}{text[begins.end(2):]}"

    def refuse_unread(self, job: str, known: Iterable[type[Component]], hints) -> None:
        """Refuses flags that were given and not read, those of shared files apart.

        Args:
            job: name of the job.
            known: types of all components there are.
            hints: flag -> what to do instead.

        Raises:
            ConfigError: there is one; the message says who does not read it.
        """
        read = {
            flag_of(component, field) for component in self._read for field in settings_of(component)
        }
        for name, found in self._given.items():
            if name in read or found.shared:
                continue
            hint = f"; {hints[name]}" if name in hints else ""
            raise ConfigError(
                f"{found.origin}{flag_line(name, found.value)}: {self._blamed(name, job, known)} "
                f"does not read it{hint}"
            )

    def _blamed(self, name: str, job: str, known: Iterable[type[Component]]) -> str:
        """Returns the choice by which a flag is not read."""
        owners = [
            component.read_by
            for component in known
            for field in settings_of(component)
            if flag_of(component, field) == name
        ]
        values = self.values()
        chosen = next((by for by in owners if values.get(by) is not None), "job")
        return f"--{chosen}={values.get(chosen, job)}"

    def values(self) -> dict[str, Any]:
        """Returns every setting read, by the name of its flag; paths are absolute."""
        return flag_values(*self.components)

    def deciding(self) -> dict[str, Any]:
        """Returns the settings read that the result depends on; see `config.deciding_values`."""
        return deciding_values(*self.components)

    def text(self) -> str:
        """Returns the text of a flagfile that repeats the job, one flag a line, from anywhere."""
        return "".join(f"{flag_line(name, value)}\n" for name, value in self.values().items())
