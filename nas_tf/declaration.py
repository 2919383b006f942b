"""How a setting is declared, with what its flag needs to know, and how it is refused."""

import dataclasses
import os
from typing import Any

from nas_tf.core import ConfigError


def setting(
    default: Any,
    help_text: str,
    choices: tuple[str, ...] | None = None,
    *,
    path: bool = False,
    several: bool = False,
    by_content: bool = False,
):
    """Returns a dataclass field with what its flag needs to know.

    Args:
        default: its value when nobody gives one.
        help_text: of its flag.
        choices: the values it may have; None leaves them open.
        path: it names a file or a directory.
        several: it names several, separated by commas.
        by_content: what it names is known by its content, wherever it lies.
    """
    metadata = {
        "help": help_text,
        "choices": choices,
        "path": path,
        "several": several,
        "by_content": by_content,
    }
    return dataclasses.field(default=default, metadata=metadata)


def require(settings: Any, fits: bool, name: str, expected: str) -> None:
    """Raises ConfigError for a setting that does not fit, with what was received."""
    if not fits:
        raise ConfigError(f"--{name}={getattr(settings, name)}: expected {expected}")


def absolute(field: dataclasses.Field, value: Any) -> Any:
    """Returns a setting's value as it means the same in any working directory."""
    if not field.metadata["path"] or value is None:
        return value
    parts = value.split(",") if field.metadata["several"] else [value]
    return ",".join(os.path.abspath(part.strip()) for part in parts if part.strip())
