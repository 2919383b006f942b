"""Columns of a live object of the official package `nasbench`, or of one like it.

The object has two mappings by hash:

* `fixed_statistics[hash]`: `module_adjacency`, `module_operations` and `trainable_parameters`;
* `computed_statistics[hash]`: epochs -> repeats -> the metrics `halfway_...` and `final_...`:
  `training_time` in seconds, `train_accuracy`, `validation_accuracy`, `test_accuracy`.

Shapes: M cells, E numbers of epochs, R repeats; the last axis of a metric is (half-way, final).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf import caching, core, graphs
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101
from nas_tf.tables import nasbench_api

_PROBED_HASHES = 64  # all of the benchmark take seconds
_NAMES = tuple(
    f"{time}_{name}" for time in nasbench_api.TIMES for name in nasbench_api.STATISTICS
)


def read_columns(nasbench: Any) -> dict[str, np.ndarray]:
    """Returns the columns of `nasbench101_columns.read_columns`, cells in the object's order.

    Args:
        nasbench: has `fixed_statistics` and `computed_statistics`.

    Raises:
        core.DataError: a cell is outside the space or there twice, a hash is wrong, or cells differ
            in the numbers of epochs or repeats; the message has the hash.
    """
    for name in ("fixed_statistics", "computed_statistics"):
        if not isinstance(getattr(nasbench, name, None), Mapping):
            raise core.DataError(f"{type(nasbench).__name__}: it has no {name} by hash")
    hashes = list(nasbench.fixed_statistics)
    if unmeasured := [text for text in hashes if text not in nasbench.computed_statistics]:
        raise core.DataError(f"hash {unmeasured[0]}: computed_statistics does not have it")
    if not hashes:
        raise core.DataError("fixed_statistics: no cells")
    epochs = sorted(nasbench.computed_statistics[hashes[0]])
    num_repeats = len(nasbench.computed_statistics[hashes[0]][epochs[0]])
    cells = _read_cells(nasbench, hashes)
    _check_hashes(cells, hashes)
    metrics = np.empty((len(hashes), len(epochs), num_repeats, len(_NAMES)))
    parameters = np.empty(len(hashes), np.int32)
    for index, text in enumerate(caching.progress_bar(hashes, desc="Reading cells", unit="cell")):
        parameters[index] = nasbench.fixed_statistics[text]["trainable_parameters"]
        metrics[index] = _read_metrics(
            text, nasbench.computed_statistics[text], epochs, num_repeats
        )
    half = len(_NAMES) // 2
    return {
        "adjacency": cells.adjacency,
        "ops": cells.ops,
        "num_nodes": cells.num_nodes,
        "keys": cells.keys,
        "hashes": np.array(hashes, "S32"),
        "epochs": np.array(epochs, np.int32),
        "trainable_parameters": parameters,
        **{
            column: np.ascontiguousarray(metrics[..., [number, half + number]])
            for number, column in enumerate(nasbench_api.STATISTICS.values())
        },
    }


def _read_cells(nasbench: Any, hashes: Sequence[str]) -> CellGraphs:
    """Returns the cells [M] of hashes, each once and all in the space."""
    size = nasbench101.MAX_VERTICES
    codes = {name: code for code, name in enumerate(nasbench101.OP_NAMES)}
    adjacency = np.zeros((len(hashes), size, size), np.uint8)
    ops = np.full((len(hashes), size), graphs.PADDING_OP, np.int8)
    num_nodes = np.zeros(len(hashes), np.int8)
    for index, text in enumerate(hashes):
        fixed = nasbench.fixed_statistics[text]
        names, matrix = fixed["module_operations"], np.asarray(fixed["module_adjacency"])
        fits = len(names) <= size and matrix.shape == (len(names), len(names))
        if not fits or not codes.keys() >= set(names):
            raise core.DataError(f"hash {text}: a cell outside the space, {list(names)}")
        num_nodes[index] = len(names)
        adjacency[index, : len(names), : len(names)] = matrix
        ops[index, : len(names)] = [codes[name] for name in names]
    cells = CellGraphs(adjacency, ops, num_nodes)
    reason = nasbench101.check(cells)
    if reason.any():
        index = int(np.argmax(reason != 0))
        text = nasbench101.Invalid(reason[index]).text
        raise core.DataError(f"hash {hashes[index]}: a cell outside the space, {text}")
    first = graphs.first_of_each_key(cells)
    if len(first) < len(cells):
        index = int(np.setdiff1d(np.arange(len(cells)), first)[0])
        earlier = int(np.flatnonzero(cells.keys == cells.keys[index])[0])
        raise core.DataError(f"hash {hashes[index]}: the same cell as {hashes[earlier]}")
    return cells


def _check_hashes(cells: CellGraphs, hashes: Sequence[str]) -> None:
    """Raises DataError for the first of some hashes that is not its cell's official one."""
    probe = np.unique(np.linspace(0, len(hashes) - 1, _PROBED_HASHES).astype(np.int64))
    expected = nasbench101.NasBench101Space().md5_hashes(cells[probe])
    for index, official in zip(probe, expected, strict=True):
        if hashes[index] != official:
            raise core.DataError(f"hash {hashes[index]}: its cell's is {official}")


def _read_metrics(
    text: str,
    computed: Mapping[int, Sequence[Mapping[str, float]]],
    epochs: Sequence[int],
    num_repeats: int,
) -> list[list[list[float]]]:
    """Returns the metrics of one cell, [E, R, 8] in the order of `_NAMES`."""
    found = {number: len(repeats) for number, repeats in sorted(computed.items())}
    if found != dict.fromkeys(epochs, num_repeats):
        raise core.DataError(
            f"hash {text}: {_counted(found)}; the first cell has "
            f"{_counted(dict.fromkeys(epochs, num_repeats))}"
        )
    return [
        [[repeat[name] for name in _NAMES] for repeat in computed[number]] for number in epochs
    ]


def _counted(repeats: Mapping[int, int]) -> str:
    return ", ".join(f"{count} trainings of {number} epochs" for number, count in repeats.items())
