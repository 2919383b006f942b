"""Whose job an output directory holds: `config.flags`, and when another job is refused."""

import pathlib
from typing import Any

from nas_tf import flags, storage
from nas_tf.core import ConfigError
from nas_tf.settings import Settings

_WORK = ("checkpoints", "model", "trace.npz", "summary.json", "steps")  # what another job would destroy
_FREE = ("output_dir", "checkpoint_sec")  # settings that do not change what comes out


def refuse_other_work(directory: pathlib.Path, settings: Settings) -> None:
    """Raises ConfigError where a directory holds work that was done with other settings."""
    path = directory / "config.flags"
    if not path.exists() or not any((directory / name).exists() for name in _WORK):
        return
    before = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for name, value in deciding(settings).items():
        now = flags.line(name, value)
        if now not in before:
            named = (line for line in before if line.split("=")[0] in (f"--{name}", f"--no{name}"))
            raise ConfigError(
                f"--output_dir={directory}: holds a job with {next(named, f'no --{name}')}, "
                f"received {now}; choose another directory or the same settings"
            )


def write_config(directory: pathlib.Path, settings: Settings) -> None:
    """Writes `config.flags`; a job does this once its inputs are known good."""
    with storage.atomic_write(directory / "config.flags") as file:
        file.write(flags.flagfile(settings).encode())


def deciding(settings: Settings) -> dict[str, Any]:
    """Returns the settings that decide what comes out, by the names of their flags."""
    return {name: value for name, value in settings.values().items() if name not in _FREE}


def changed(settings: Settings) -> list[str]:
    """Returns the lines of the deciding settings that are not as they are by default."""
    default = deciding(Settings())
    return [
        flags.line(name, value)
        for name, value in deciding(settings).items()
        if value != default[name]
    ]
