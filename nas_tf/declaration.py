"""How a setting is declared, with what its flag needs to know, and how it is refused."""

import dataclasses
from typing import Any

from nas_tf.core import ConfigError


def setting(default: Any, help_text: str, choices: tuple[str, ...] | None = None):
    """Returns a dataclass field with what its flag needs to know."""
    return dataclasses.field(default=default, metadata={"help": help_text, "choices": choices})


def require(settings: Any, fits: bool, name: str, expected: str) -> None:
    """Raises ConfigError for a setting that does not fit, with what was received."""
    if not fits:
        raise ConfigError(f"--{name}={getattr(settings, name)}: expected {expected}")
