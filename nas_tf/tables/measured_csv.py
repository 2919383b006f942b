"""CSV files of measured cells: a row a cell, columns by training budget.

Which cell a row is of: see `cell_columns`. Columns of numbers, E epochs of training:

* `validation_accuracy_{E}ep`, in [0, 1]: what searches see; each E is a training budget;
* `test_accuracy_{E}ep`, in [0, 1], optional: what reports give;
* `training_time_sec_{E}ep`, optional;
* `trainable_parameters`, optional.

Several trainings of a cell are columns that end in `_1`, `_2`, ... A column may begin with the name
of a data set, `cifar100_validation_accuracy_200ep`; only those of the one asked for are read. Other
columns are ignored. No number may be missing.

Shapes: M cells, R trainings.
"""

import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nas_tf.core import ConfigError, DataError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace
from nas_tf.tables import cell_columns
from nas_tf.tables.csv_rows import CsvRows, read_rows, shortened

VALIDATION, TEST, TIME = "validation_accuracy", "test_accuracy", "training_time_sec"
PARAMETERS = "trainable_parameters"
UNKNOWN = "unknown"  # data set that nobody named

_METRIC = re.compile(
    rf"((?P<dataset>.+)_)?(?P<kind>{VALIDATION}|{TEST}|{TIME})_(?P<epochs>[0-9]+)ep"
    r"(_(?P<repeat>[0-9]+))?",
    re.ASCII,
)
_PER_CENT, _MOST_PARAMETERS = 100, 10**15

Names = dict[str, dict[int, list[str]]]  # kind -> epochs -> columns, a training each


class Measured(NamedTuple):
    """What a file holds; see `measured_table.MeasuredTable`."""

    cells: CellGraphs
    columns: Mapping[str, Mapping[int, np.ndarray]]
    trainable_parameters: np.ndarray | None


def has_metrics(header: Sequence[str]) -> bool:
    """Tells whether one of some columns is a validation accuracy of the names above."""
    found = (_METRIC.fullmatch(name) for name in header)
    return any(match and match["kind"] == VALIDATION for match in found)


def read_table(
    path: pathlib.Path, space: SearchSpace, dataset: str = UNKNOWN
) -> Measured:
    """Reads a file.

    Args:
        path: of the file.
        space: of its cells.
        dataset: chooses among columns that begin with the name of a data set.

    Raises:
        DataError: the file is missing, damaged or no such table; the message has row and column.
        ConfigError: the file has columns of other data sets alone.
    """
    rows = read_rows(path, _check_header, kind="table of measured cells", expected="a row a cell")
    names = _metric_names(rows, dataset)
    cells = cell_columns.cells_of_rows(rows, space)
    columns = {
        kind: {
            epochs: np.stack([_read(rows, name, kind) for name in found], axis=1)
            for epochs, found in sorted(budgets.items())
        }
        for kind, budgets in names.items()
    }
    return Measured(cells, columns, _read_parameters(rows))


def _check_header(path: pathlib.Path, header: Sequence[str]) -> None:
    found = shortened(", ".join(header))
    if not has_metrics(header):
        raise DataError(
            f"{path}: row 1: no column of validation accuracy such as {VALIDATION}_108ep; found "
            f"{found}"
        )
    if not cell_columns.names_cells(header):
        raise DataError(
            f"{path}: row 1: no column says which cell a row is of: expected "
            f"{cell_columns.NAMED_BY}; found {found}"
        )


def _metric_names(rows: CsvRows, dataset: str) -> Names:
    """Returns the columns that are read.

    Raises:
        DataError: budgets differ in their numbers of trainings, or these are not 1, 2, ...
        ConfigError: columns begin with names of data sets, and none with this one's.
    """
    matches = [match for name in rows.texts if (match := _METRIC.fullmatch(name))]
    _check_counted_from_one(rows, matches)
    own = [match for match in matches if match["dataset"] in (None, dataset)]
    if not any(match["kind"] == VALIDATION for match in own):
        known = ", ".join(dict.fromkeys(match["dataset"] for match in matches if match["dataset"]))
        if dataset == UNKNOWN:
            raise ConfigError(f"{rows.path} has columns of {known}: choose one as the dataset")
        raise ConfigError(f"dataset={dataset}: {rows.path} has {known}")
    numbers: dict[str, dict[int, dict[int | None, str]]] = {VALIDATION: {}, TEST: {}, TIME: {}}
    for match in sorted(own, key=lambda match: match["dataset"] is not None):  # its own are last
        repeats = numbers[match["kind"]].setdefault(int(match["epochs"]), {})
        repeats[match["repeat"] and int(match["repeat"])] = match.string
    names = {
        kind: {epochs: _in_order(rows, kind, epochs, found) for epochs, found in budgets.items()}
        for kind, budgets in numbers.items()
    }
    _check_repeats(rows, names)
    return names


def _check_counted_from_one(rows: CsvRows, matches: Sequence[re.Match]) -> None:
    """Raises DataError for 0 epochs, a training 0, and numbers that could be written shorter."""
    for match in matches:
        if any((match[name] or "1").startswith("0") for name in ("epochs", "repeat")):
            raise DataError(
                f"{rows.path}: row 1: column {match.string}: expected epochs and trainings counted "
                "from 1, without leading zeros"
            )


def _in_order(
    rows: CsvRows, kind: str, epochs: int, repeats: Mapping[int | None, str]
) -> list[str]:
    """Returns the columns of trainings 1, 2, ..., or the only one."""
    expected = [None] if None in repeats else list(range(1, len(repeats) + 1))
    if sorted(repeats, key=lambda number: number or 0) != expected:
        found = ", ".join(repeats.values())
        raise DataError(
            f"{rows.path}: row 1: {found}: expected {kind}_{epochs}ep alone, or with _1, _2 and so "
            "on, one a training"
        )
    return [repeats[number] for number in expected]


def _check_repeats(rows: CsvRows, names: Names) -> None:
    """Raises DataError where budgets have different numbers of trainings."""
    budgets = names[VALIDATION]
    longest = max(budgets)
    trainings = len(budgets[longest])
    for kind, allowed in ((VALIDATION, {trainings}), (TIME, {1, trainings})):
        for epochs, found in names[kind].items():
            if len(found) not in allowed:
                raise DataError(
                    f"{rows.path}: row 1: {len(found)} columns {kind}_{epochs}ep, but {trainings} "
                    f"{VALIDATION}_{longest}ep; every budget needs the same trainings"
                )
    for epochs in sorted(set(names[TEST]) - set(budgets)):
        known = ", ".join(map(str, sorted(budgets)))
        raise DataError(
            f"{rows.path}: row 1: {names[TEST][epochs][0]}, but no {VALIDATION}_{epochs}ep; there "
            f"are validation accuracies after {known} epochs"
        )


def _read(rows: CsvRows, name: str, kind: str) -> np.ndarray:
    """Returns a column, float64 [M]: accuracies from 0 to 1, or seconds."""
    _check_all_there(rows, name)
    values = rows.values(name)
    wrong = values < 0 if kind == TIME else (values < 0) | (values > 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        expected = "seconds, 0 or more" if kind == TIME else "a fraction from 0 to 1"
        if kind != TIME and 1 < np.median(values) and values.max() <= _PER_CENT:
            expected += "; these are per cent, divide them by 100"
        raise rows.error(row, name, f"{rows.texts[name][row]}, expected {expected}")
    return values


def _check_all_there(rows: CsvRows, name: str) -> None:
    for row, text in enumerate(rows.texts[name]):
        if text.strip().lower() in ("", "nan"):
            raise rows.error(
                row, name, "no number, and every cell needs one: leave out the row or the column"
            )


def _read_parameters(rows: CsvRows) -> np.ndarray | None:
    """Returns int64 [M], None without such a column."""
    if PARAMETERS not in rows.texts:
        return None
    values = rows.values(PARAMETERS)
    wrong = (values != np.floor(values)) | (values < 0) | (values > _MOST_PARAMETERS)
    if wrong.any():
        row = int(np.argmax(wrong))
        text = rows.texts[PARAMETERS][row]
        raise rows.error(row, PARAMETERS, f"{text}, expected a whole number, 0 to 10^15")
    return values.astype(np.int64)
