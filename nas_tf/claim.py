"""Whose job an output directory holds: `config.flags`, and when another job is refused.

A directory is ours by what we wrote: `config.flags` with a job that there is. Files of other
programs are left alone, those that a job would replace are refused.
"""

import contextlib
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from nas_tf import caching, flagfiles, flags, storage
from nas_tf.core import ConfigError
from nas_tf.graphs import KEYS_VERSION
from nas_tf.settings import JOBS, Settings

CONFIG, SUMMARY = "config.flags", "summary.json"

_WORK = ("checkpoints", "model", "trace.npz", SUMMARY, "steps")  # what another job would destroy
_RESULTS = (
    *_WORK, "tensorboard", "report.md", "report.html", "regret.png", "incumbents.png",
    "best_cells.png", "losses.png", "samples.json", "generator.md", "generator.html",
    "generator.keras", CONFIG,
)  # fmt: skip
_FREE = ("output_dir", "checkpoint_sec")  # settings that do not change what comes out
_CONTENT = "# Content of"  # begins the line that tells a table wherever it lies
_KEYS = "# Version of keys:"  # begins the line that tells which cells are one, see `graphs`


@contextlib.contextmanager
def taken(directory: pathlib.Path) -> Iterator[None]:
    """Locks an output directory; a start that fails before it wrote anything leaves none.

    Raises:
        ConfigError: another process holds it, or it cannot be written.
    """
    places = (directory, *directory.parents)
    made = [path for path in places if not os.path.lexists(path)]
    before = set(os.listdir(directory)) if directory.is_dir() else set()
    with storage.DirectoryLock(directory):
        if not (directory / ".lock").exists():  # a start that failed has removed it this moment
            raise ConfigError(f"{directory} is in use by another job; start again")
        try:
            yield
        except BaseException:
            _remove_traces(directory, made, before)
            raise


def refuse_foreign_files(directory: pathlib.Path) -> None:
    """Raises ConfigError where a directory holds what a job would replace and none has written."""
    if _jobs_named(directory / CONFIG).intersection(JOBS):
        return
    found = [name for name in _RESULTS if os.path.lexists(directory / name)]
    if found:
        raise ConfigError(
            f"--output_dir={directory}: holds {found[0]}, and no {CONFIG} says which job left it; "
            "choose another directory"
        )


def refuse_other_work(directory: pathlib.Path, settings: Settings) -> None:
    """Raises ConfigError where a directory holds work that was done with other settings."""
    path = directory / CONFIG
    if not path.exists() or not any((directory / name).exists() for name in _WORK):
        return
    before, contents = flagfiles.read_lines(path), _contents(settings)
    _refuse_other_keys(directory, before)
    for name, value in deciding(settings).items():
        now = flags.line(name, value)
        named = (line for line in before if line.split("=")[0] in (f"--{name}", f"--no{name}"))
        then, content = next(named, f"no --{name}"), contents.get(name)
        if content is None or not any(line.startswith(_content_line(name)) for line in before):
            same = now == then
        else:
            same = _content_line(name, content) in before
            now += " of other content" if now == then else ""
        if not same:
            raise ConfigError(
                f"--output_dir={directory}: holds a job with {then}, received {now}; choose "
                "another directory or the same settings"
            )


def _refuse_other_keys(directory: pathlib.Path, lines: list[str]) -> None:
    """Raises ConfigError for work of a version that told cells apart by other keys."""
    named = [line.removeprefix(_KEYS).strip() for line in lines if line.startswith(_KEYS)]
    if named != [str(KEYS_VERSION)]:
        raise ConfigError(
            f"--output_dir={directory}: holds a job of another version of nas_tf (keys "
            f"{named[0] if named else 1}, this one's are {KEYS_VERSION}), which cannot go on; "
            "choose another directory"
        )


def finished(directory: pathlib.Path) -> bool:
    """Tells whether a directory holds the summary of a finished job.

    Raises:
        ConfigError: its summary is not of a job.
    """
    path = directory / SUMMARY
    if not os.path.lexists(path):
        return False
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        summary = None
    if not isinstance(summary, dict) or summary.get("job") not in JOBS:
        raise ConfigError(
            f"--output_dir={directory}: its {SUMMARY} is not what a job writes; move it away or "
            "choose another directory"
        )
    return True


def write_config(directory: pathlib.Path, settings: Settings) -> None:
    """Writes `config.flags`; a job does this once its inputs are known good."""
    known = [_content_line(name, content) for name, content in _contents(settings).items()]
    lines = [f"{_KEYS} {KEYS_VERSION}", *known]
    text = "".join(f"{line}\n" for line in lines) + flags.flagfile(settings)
    with storage.atomic_write(directory / CONFIG) as file:
        file.write(text.encode())


def deciding(settings: Settings) -> dict[str, Any]:
    """Returns the settings that decide what comes out, by the names of their flags."""
    return {name: value for name, value in flags.effective(settings).items() if name not in _FREE}


def deciding_values(settings: Settings) -> dict[str, Any]:
    """Returns those of `deciding` that are no paths: what is read is known by its checksum."""
    return {name: v for name, v in deciding(settings).items() if not flags.is_path(name)}


def changed(settings: Settings) -> list[str]:
    """Returns the lines of the deciding values that are not as they are by default."""
    default = Settings().values()
    return [
        flags.line(name, value)
        for name, value in deciding_values(settings).items()
        if value != default[name]
    ]


def _jobs_named(path: pathlib.Path) -> set[str]:
    """Returns the values of --job in a file of flags; nothing where it is none."""
    try:
        lines = flagfiles.read_lines(path)
    except ConfigError:
        return set()
    return {line.removeprefix("--job=") for line in lines if line.startswith("--job=")}


def _contents(settings: Settings) -> dict[str, str]:
    """Returns checksums of the tables, by the names of their flags; of a missing one nothing."""
    found = {}
    for name, path in flags.known_by_content(settings).items():
        with contextlib.suppress(OSError):
            found[name] = caching.content_checksum(path)
    return found


def _content_line(name: str, checksum: str = "") -> str:
    return f"{_CONTENT} --{name}: {checksum}"


def _remove_traces(directory: pathlib.Path, made: list[pathlib.Path], before: set[str]) -> None:
    """Removes the lock of a start that wrote nothing, and directories that were made for it.

    Args:
        directory: the output directory.
        made: directories that were not there before, the innermost first.
        before: names of what was in the output directory.
    """
    with contextlib.suppress(OSError):
        if set(os.listdir(directory)) - before == {".lock"}:
            os.unlink(directory / ".lock")
        for path in made:
            path.rmdir()
