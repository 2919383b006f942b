"""Architectures of what users name: texts and files (`spaces.architecture`), and jobs' directories."""

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from nas_tf.core import ConfigError, DataError, NasError
from nas_tf.graphs import CellGraphs, find
from nas_tf.reports.finished_study import read_summary
from nas_tf.spaces import registry as spaces
from nas_tf.spaces.architecture import numbered, parse
from nas_tf.spaces.architecture_value import Architecture
from nas_tf.spaces.space import SearchSpace
from nas_tf.studies.study import Study

SAMPLES = "samples.json"


def architecture(text: Any, space: str | SearchSpace | None = None) -> Architecture:
    """Returns an architecture, from which a network can be built.

        nas_tf.architecture("darts_v2")
        nas_tf.architecture("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|")
        nas_tf.architecture("runs/search")    # the best that a search found
        nas_tf.architecture("runs/search#2")  # its second best

    Args:
        text: an architecture's text, in a form of its space; a value of JSON; the name of a
            published one; a file that holds one; or the output directory of a search (its cells by
            mean validation accuracy, the best first), of samples (in their order) or of a training.
            `DIR#2` is the second, every architecture counted once.
        space: what it has to be of, by name or as a space; None leaves it to the text.

    Raises:
        InvalidArchitectureError: the text stands for none, for one of another space, or could be of
            several.
        ConfigError: the directory is of another job, or holds fewer architectures.
        DataError: a file is damaged or does not hold one.
    """
    if isinstance(text, (str, os.PathLike)):
        path, number = numbered(os.fspath(text))
        if os.path.isdir(path):
            return parse(_of_directory(pathlib.Path(path), number), space)
    return parse(text, space)


def _of_directory(directory: pathlib.Path, number: int) -> Architecture:
    """Returns the architecture of an output directory that counts `number`, from 1."""
    summary = read_summary(directory, name="architecture")
    if "architecture" in summary:
        return _of_training(directory, summary, number)
    job = summary.get("job")
    if job not in _READERS:
        raise ConfigError(
            f"architecture={directory}: of --job={job}; expected a search, samples or a training"
        )
    return _READERS[job](directory, summary, number)


def _of_training(directory: pathlib.Path, summary: dict[str, Any], number: int) -> Architecture:
    """Returns the architecture that was trained."""
    _refuse_beyond(directory, 1, number)
    try:
        return parse(summary["architecture"], summary.get("space"))
    except NasError as error:
        raise DataError(f"{directory / 'summary.json'}: architecture: {error}") from None


def _of_search(directory: pathlib.Path, summary: dict[str, Any], number: int) -> Architecture:
    """Returns one of a search's best architectures."""
    space = _space(directory, summary["space"])
    study = Study.load(directory)
    best = study.best_cells(number)
    _refuse_beyond(directory, len(best), number)
    cells = study.cells
    index, found = find(np.array([best[-1].key], np.uint64), cells.keys)
    if not found[0]:
        raise DataError(
            f"{directory}: its cell {best[-1].key:#018x} is none of space {space.name}; run the "
            "study again"
        )
    return space.architectures(cells[index])[0]


def _of_samples(directory: pathlib.Path, summary: dict[str, Any], number: int) -> Architecture:
    """Returns one of the different architectures that a generator drew."""
    path = directory / SAMPLES
    space, different = _space(directory, summary["space"]), {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        records = [(record["matrix"], record["ops"]) for record in content["cells"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path}: damaged ({error!r}); run the job again") from None
    try:
        for matrix, ops in records:
            one = _cell_architecture(space, matrix, ops)
            different.setdefault(one.key, one)
            if len(different) == number:
                break
    except (NasError, ValueError, TypeError) as error:
        raise DataError(f"{path}: damaged ({error}); run the job again") from None
    _refuse_beyond(directory, len(different), number)
    return list(different.values())[-1]


def _cell_architecture(space: SearchSpace, matrix: Any, ops: Any) -> Architecture:
    """Returns the architecture of a cell as files have it; raises ValueError where it is none."""
    codes = [space.op_names.index(op) for op in ops]
    return space.architectures(CellGraphs.from_matrices([matrix], [codes], len(codes)))[0]


def _space(directory: pathlib.Path, name: str) -> SearchSpace:
    """Returns the space of a directory's cells; raises ConfigError where it has no networks."""
    if name not in spaces.NAMES:
        raise ConfigError(
            f"architecture={directory}: its cells are of space {name}, which has no networks"
        )
    return spaces.named(name)


def _refuse_beyond(directory: pathlib.Path, count: int, number: int) -> None:
    """Raises ConfigError where a directory holds fewer architectures than `number`."""
    if number > count:
        raise ConfigError(
            f"architecture={directory}#{number}: the directory holds {count} architectures"
        )


_READERS: dict[str, Callable[[pathlib.Path, dict[str, Any], int], Architecture]] = {
    "search": _of_search,
    "sample": _of_samples,
}
