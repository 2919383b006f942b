"""What a table knows of given cells.

    cells = from_specs([{"matrix": [[0, 1], [0, 0]], "ops": ["input", "output"]}])
    columns = query(NasBench101Table.load("nasbench_only108.tfrecord"), cells)
    columns["test_accuracy_108ep"]

Every cell gets its row. One that the table does not have is no error: `found` is false there,
`note` says why, and what was not measured is NaN, or None among whole numbers.

Shapes: B cells, M cells of the table.
"""

import functools

import numpy as np

from nas_tf import graphs
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101, nasbench201
from nas_tf.tables.measured_table import MeasuredTable
from nas_tf.tables.nasbench101 import NasBench101Table
from nas_tf.tables.nasbench201 import NasBench201Table
from nas_tf.tables.nasbench201_csv import METRIC

_FINAL = 1  # index of the last evaluation of a training in a NAS-Bench-101 table's metrics
_METRICS = ("validation_accuracy", "test_accuracy", "train_accuracy", "training_time_sec")
_KINDS = {"valid_acc": "validation_accuracy", "test_acc": "test_accuracy", "cost_sec": "cost_sec"}


@functools.singledispatch
def query(
    table: NasBench101Table | NasBench201Table | MeasuredTable,
    cells: CellGraphs,
    dataset: str | None = None,
) -> dict[str, np.ndarray]:
    """Looks cells up in a table.

    Args:
        table: a NAS-Bench-101 or NAS-Bench-201 table, or one of measured cells.
        cells: batch [B]; those of NAS-Bench-101 may have nodes on no path to the output.
        dataset: of a NAS-Bench-201 table, the one to look at; all of them when None.

    Returns:
        Columns [B]: `found` bool, `note` str and `key` uint64. Of NAS-Bench-101 then `module_hash`
        str, `trainable_parameters`, and of every number of epochs E `validation_accuracy_Eep`,
        `test_accuracy_Eep`, `train_accuracy_Eep` and `training_time_sec_Eep`, float64 means over
        the repeats at the end of training, and each repeat by itself, `..._Eep_1` and so on. Of
        NAS-Bench-201 `arch_str`, `arch_index` where the table numbers its cells, and float64
        `DATASET_validation_accuracy_Eep`, `DATASET_test_accuracy_Eep`, `DATASET_cost_sec_Eep`.
        Of measured cells what the file has, under its names. Accuracies are in [0, 1].

    Raises:
        ConfigError: the table has no such data set.
    """
    raise TypeError(f"{type(table).__name__}: expected a NAS-Bench-101 or NAS-Bench-201 table")


@query.register
def _(table: NasBench101Table, cells: CellGraphs, dataset: str | None = None):
    pruned, connected = graphs.prune(cells)
    space = nasbench101.NasBench101Space()
    reason = space.check(pruned)
    reason[~connected] = nasbench101.Invalid.DISCONNECTED
    words = [nasbench101.Invalid(code).text for code in reason.tolist()]
    pruned = _of_size(pruned, nasbench101.MAX_VERTICES)
    index, columns = _find(table, pruned, reason == 0, words)
    hashes = np.full(len(cells), "", "U32")
    hashes[reason == 0] = space.md5_hashes(pruned[reason == 0])
    columns["module_hash"] = hashes
    found = columns["found"]
    columns["trainable_parameters"] = _whole(table.trainable_parameters, index, found)
    for budget, epochs in enumerate(table.epochs):
        for name in _METRICS:
            values = _measured(getattr(table, name)[:, budget, :, _FINAL], index, found)
            columns[f"{name}_{epochs}ep"] = values.mean(axis=1)
            for repeat in range(table.num_repeats):
                columns[f"{name}_{epochs}ep_{repeat + 1}"] = values[:, repeat]
    return columns


@query.register
def _(table: MeasuredTable, cells: CellGraphs, dataset: str | None = None):
    index, columns = _find(table, cells, np.ones(len(cells), bool), [])
    found = columns["found"]
    if table.trainable_parameters is not None:
        columns["trainable_parameters"] = _whole(table.trainable_parameters, index, found)
    for kind, budgets in table.columns.items():
        for epochs, values in budgets.items():
            measured = _measured(values, index, found)
            columns[f"{kind}_{epochs}ep"] = measured.mean(axis=1)
            for repeat in range(values.shape[1] if values.shape[1] > 1 else 0):
                columns[f"{kind}_{epochs}ep_{repeat + 1}"] = measured[:, repeat]
    return columns


@query.register
def _(table: NasBench201Table, cells: CellGraphs, dataset: str | None = None):
    known = None if dataset is None else table.dataset(dataset)
    reason = nasbench201.NasBench201Space().check(cells)
    words = [nasbench201.Invalid(code).text for code in reason.tolist()]
    index, columns = _find(table, cells, reason == 0, words)
    strings = np.full(len(cells), "", object)
    strings[reason == 0] = nasbench201.to_strings(cells[reason == 0])
    columns["arch_str"] = strings.astype(np.str_)
    found = columns["found"]
    if table.numbered:
        columns["arch_index"] = _whole(np.arange(table.num_cells), index, found)
    for name, values in table.columns.items():
        parts = METRIC.fullmatch(name)
        if known in (None, parts["dataset"]):
            label = f"{parts['dataset']}_{_KINDS[parts['kind']]}_{parts['epochs']}ep"
            columns[label] = _measured(values, index, found)
    return columns


def _find(
    table: NasBench101Table | NasBench201Table | MeasuredTable,
    cells: CellGraphs,
    inside: np.ndarray,
    reasons: list[str],
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Returns indices in the table, int64 [B], and the columns that every table has.

    Args:
        table: to look in.
        cells: [B].
        inside: bool [B], the cell is in the space.
        reasons: B words on why it is not.
    """
    index, found = graphs.find(cells.keys, table.keys)
    found &= inside
    notes = np.where(inside, f"the cell is not in the table {table.name}", "")
    notes = np.where(found, "", notes).astype(object)
    for outside in np.flatnonzero(~inside):
        notes[outside] = f"outside the space: {reasons[outside]}"
    keys = np.where(inside, cells.keys, np.uint64(0))
    return index, {"found": found, "note": notes.astype(np.str_), "key": keys}


def _of_size(cells: CellGraphs, size: int) -> CellGraphs:
    """Returns cells padded to `size` nodes; what does not fit is cut off."""
    missing = max(0, size - cells.max_nodes)
    adjacency = np.pad(cells.adjacency, ((0, 0), (0, missing), (0, missing)))
    ops = np.pad(cells.ops, ((0, 0), (0, missing)), constant_values=graphs.PADDING_OP)
    return CellGraphs(adjacency[:, :size, :size], ops[:, :size], cells.num_nodes)


def _measured(values: np.ndarray, index: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Returns float64 [B, ...] of a table's [M, ...], NaN where the cell is not in it."""
    taken = np.full((len(index), *values.shape[1:]), np.nan)
    taken[found] = values[index[found]]
    return taken


def _whole(values: np.ndarray, index: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Returns whole numbers [B] of a table's [M], None where the cell is not in it."""
    taken = np.full(len(index), None, object)
    taken[found] = np.asarray(values)[index[found]].tolist()
    return taken
