"""The output directory of a job: whose it is, and when another job is refused.

A directory is ours by what we wrote: `config.flags` with a job that there is. Files of other
programs are left alone, those that a job would replace are refused.
"""

import contextlib
import json
import os
import pathlib
import time
from collections.abc import Collection, Iterator
from typing import Any

from nas_tf import caching, storage
from nas_tf.config import Component, expand_home, flag_line, flag_of, flag_values, settings_of
from nas_tf.core import ConfigError
from nas_tf.graphs import KEYS_VERSION
from nas_tf.jobs import flagfiles
from nas_tf.jobs.reading import Reader
from nas_tf.studies.directories import finished_summary

CONFIG, SUMMARY = "config.flags", "summary.json"

# What another job would destroy.
_WORK = ("checkpoints", "model", "model.keras", "trace.npz", SUMMARY, "steps")
_RESULTS = (
    *_WORK, "tensorboard", "report.md", "report.html", "regret.png", "incumbents.png",
    "best_cells.png", "losses.png", "curves.png", "confusion.png", "worst_images.png",
    "network.png", "samples.json", "generator.md", "generator.html",
    "generator.keras", "history.csv", "layers.csv", "predictions.csv", "saved_model", "model.onnx",
    "model.tflite", CONFIG,
)  # fmt: skip
_CONTENT = "# Content of"  # begins the line that tells a table wherever it lies
_KEYS = "# Version of keys:"  # begins the line that tells which cells are one, see `graphs`


class Output:
    """The output directory of a job.

    Args:
        reader: of the job's flags; it has read all that the job reads.
        jobs: names of all jobs there are.

    Attributes:
        directory: its path.
        follows: another process of --distribution=multi_worker writes it.
    """

    def __init__(self, reader: Reader, jobs: Collection[str]):
        self._reader, self._jobs = reader, set(jobs)
        self._started = time.monotonic()
        self.directory = pathlib.Path(expand_home(reader.values()["output_dir"]))
        several = reader.values().get("distribution") == "multi_worker"
        self.follows = several and _is_follower(os.environ.get("TF_CONFIG", ""))

    @property
    def components(self) -> tuple[Component, ...]:
        """Everything that the job reads."""
        return self._reader.components

    def wall_sec(self) -> float:
        """Returns the seconds since the job was started."""
        return time.monotonic() - self._started

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Locks the directory; a start that fails before it wrote anything leaves none.

        Raises:
            ConfigError: another process holds it, or it cannot be written.
        """
        if self.follows:
            yield
            return
        directory = self.directory
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

    def refuse_foreign_files(self) -> None:
        """Raises ConfigError where it holds what a job would replace and none has written."""
        if self.follows or _jobs_named(self.directory / CONFIG).intersection(self._jobs):
            return
        found = [name for name in _RESULTS if os.path.lexists(self.directory / name)]
        if found:
            raise ConfigError(
                f"--output_dir={self.directory}: holds {found[0]}, and no {CONFIG} says which job "
                "left it; choose another directory"
            )

    def refuse_other_work(self) -> None:
        """Raises ConfigError where it holds work that was done with other settings.

        Settings that decide nothing may differ. One that the work knew nothing of, because it is
        newer, counts as its default.
        """
        path = self.directory / CONFIG
        if not path.exists() or not any((self.directory / name).exists() for name in _WORK):
            return
        before = flagfiles.read_lines(path)
        self._refuse_other_keys(before)
        contents = self._contents()
        for name, now, default in self._deciding():
            named = (line for line in before if line.split("=")[0] in (f"--{name}", f"--no{name}"))
            then, content = next(named, default), contents.get(name)
            if content is None or not any(line.startswith(_content_line(name)) for line in before):
                same = now == then
            else:
                same = _content_line(name, content) in before
                now += " of other content" if now == then else ""
            if not same:
                raise ConfigError(
                    f"--output_dir={self.directory}: holds a job with {then}, received {now}; "
                    "choose another directory or the same settings"
                )

    def finished(self) -> bool:
        """Tells whether it holds the summary of a finished job.

        Raises:
            ConfigError: its summary is not of a job.
        """
        try:
            return finished_summary(self.directory, self._jobs) is not None
        except ConfigError as error:
            raise ConfigError(f"--{error}") from None

    def claim(self) -> None:
        """Writes `config.flags`; a job does this once its inputs are known good."""
        if self.follows:
            return
        known = [_content_line(name, content) for name, content in self._contents().items()]
        lines = [f"{_KEYS} {KEYS_VERSION}", *known]
        text = "".join(f"{line}\n" for line in lines) + self._reader.text()
        with storage.atomic_write(self.directory / CONFIG) as file:
            file.write(text.encode())

    def _refuse_other_keys(self, lines: list[str]) -> None:
        """Raises ConfigError for work of a version that told cells apart by other keys."""
        named = [line.removeprefix(_KEYS).strip() for line in lines if line.startswith(_KEYS)]
        if named != [str(KEYS_VERSION)]:
            raise ConfigError(
                f"--output_dir={self.directory}: holds a job of another version of nas_tf (keys "
                f"{named[0] if named else 1}, this one's are {KEYS_VERSION}), which cannot go on; "
                "choose another directory"
            )

    def _deciding(self) -> Iterator[tuple[str, str, str]]:
        """Yields what decides the result: name, flag, and the flag by default."""
        for component in self.components:
            values, defaults = flag_values(component), flag_values(type(component)())
            for field in settings_of(type(component)):
                name = flag_of(type(component), field)
                if field.metadata["decides"]:
                    yield name, flag_line(name, values[name]), flag_line(name, defaults[name])

    def _contents(self) -> dict[str, str]:
        """Returns checksums of what counts by its content, by the names of their flags."""
        found: dict[str, str] = {}
        values: dict[str, Any] = self._reader.values()
        for component in self.components:
            for field in settings_of(type(component)):
                name = flag_of(type(component), field)
                if field.metadata["by_content"] and values[name] is not None:
                    with contextlib.suppress(OSError):  # a missing file is told when it is read
                        found[name] = caching.content_checksum(values[name])
        return found


def _is_follower(tf_config: str) -> bool:
    """Tells whether TensorFlow's description of a cluster names another process as the chief."""
    try:
        config = json.loads(tf_config or "{}")
        task, cluster = config.get("task", {}), config.get("cluster", {})
        if "chief" in cluster:
            return task.get("type") != "chief"
        return bool(int(task.get("index", 0)))
    except (ValueError, TypeError, AttributeError):  # TensorFlow will say what is wrong
        return False


def _jobs_named(path: pathlib.Path) -> set[str]:
    """Returns the values of --job in a file of flags; nothing where it is none."""
    try:
        lines = flagfiles.read_lines(path)
    except ConfigError:
        return set()
    return {line.removeprefix("--job=") for line in lines if line.startswith("--job=")}


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
