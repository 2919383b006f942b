"""Output directories of work that is done from Python: nothing of other work is lost."""

import contextlib
import json
import os
import pathlib
from collections.abc import Collection, Iterator
from typing import Any

from nas_tf import storage
from nas_tf.config import expand_home
from nas_tf.core import ConfigError


def output_directory(name: str | os.PathLike | None) -> pathlib.Path | None:
    """Returns the directory of a name; None for None.

    Raises:
        ConfigError: the name is empty.
    """
    if name is None:
        return None
    if not os.fspath(name):
        raise ConfigError("output_dir=: expected a directory, or None to keep nothing on disk")
    return pathlib.Path(expand_home(name))


@contextlib.contextmanager
def held(directory: pathlib.Path) -> Iterator[None]:
    """Locks a directory that no command works in.

    Raises:
        ConfigError: another process holds it, a command has left it unfinished, or it cannot be
            written.
    """
    config = directory / "config.flags"
    if config.exists() and not (directory / "summary.json").exists():
        raise ConfigError(
            f"output_dir={directory}: holds an unfinished job; finish it with --flagfile={config}, "
            "or choose another directory"
        )
    with storage.DirectoryLock(directory):
        yield


def finished_summary(
    directory: pathlib.Path, jobs: Collection[str] | None = None
) -> dict[str, Any] | None:
    """Returns the summary that a directory holds; None where it holds none.

    Args:
        directory: the output directory.
        jobs: names of the jobs that it may be of; None takes any.

    Raises:
        ConfigError: it is not what a job writes.
    """
    path = directory / "summary.json"
    if not os.path.lexists(path):
        return None
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        summary = None
    job = summary.get("job") if isinstance(summary, dict) else None
    if not isinstance(job, str) or (jobs is not None and job not in jobs):
        raise ConfigError(
            f"output_dir={directory}: its summary.json is not what a job writes; move it away or "
            "choose another directory"
        )
    return summary
