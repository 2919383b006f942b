"""What a table of measurements must be before a search looks anything up in it.

Shapes: M cells in the table, one a row; rows are counted from 0.
"""

import numpy as np

from nas_tf.core import DataError


def check(
    keys: np.ndarray,
    validation_accuracy: np.ndarray,
    test_accuracy: np.ndarray,
    cost_sec: np.ndarray,
) -> None:
    """Checks a table; NaN is an accuracy that was not measured.

    Args:
        keys: uint64 [M].
        validation_accuracy: float [M, repeats].
        test_accuracy: float [M].
        cost_sec: float [M, repeats].

    Raises:
        DataError: a cell is there twice, an accuracy is not in [0, 1], none is there, or a cost is
            negative, infinite or missing; the message has the first such row.
    """
    _check_each_once(keys)
    for name, values in (("validation", validation_accuracy), ("test", test_accuracy)):
        values = np.asarray(values, np.float64)
        outside = (values < 0) | (values > 1)
        _refuse(f"{name} accuracy", values, outside, _accuracy_expected(values))
    if np.isnan(np.asarray(validation_accuracy, np.float64)).all():
        raise DataError("the table has no validation accuracy: there is nothing to search")
    cost = np.asarray(cost_sec, np.float64)
    unpaid = np.isnan(cost) & ~np.isnan(np.asarray(validation_accuracy, np.float64))
    wrong = (cost < 0) | np.isinf(cost) | unpaid
    _refuse("cost", cost, wrong, "seconds, 0 or more")


def _check_each_once(keys: np.ndarray) -> None:
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    repeats = np.flatnonzero(first[inverse] != np.arange(len(keys)))
    if repeats.size:
        row = int(repeats[0])
        raise DataError(
            f"row {row} of the table: the same architecture as row {first[inverse[row]]}; "
            "keep one row a cell"
        )


def _accuracy_expected(values: np.ndarray) -> str:
    """Returns what was expected of accuracies, with a word on per cent where they are."""
    per_cent = np.nanmax(values, initial=0) <= 100 and np.nanmin(values, initial=0) >= 0
    return "a fraction from 0 to 1" + ("; per cent are divided by 100" if per_cent else "")


def _refuse(name: str, values: np.ndarray, wrong: np.ndarray, expected: str) -> None:
    """Raises DataError for the first row [M] with a wrong value, bool [M, ...]."""
    if wrong.any():
        index = tuple(np.argwhere(wrong)[0])
        value = np.format_float_positional(values[index], trim="-")
        raise DataError(f"row {index[0]} of the table: {name} {value}, expected {expected}")
