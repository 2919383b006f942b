"""What the networks of a NAS-Bench-101 table were trained on.

Record files do not say it, so that known ones are told by their numbers.

Shapes: M cells, E numbers of epochs, R repeats; the last axis of a metric is (half-way, final).
"""

from collections.abc import Sequence

import numpy as np

# What a table is known by, whatever its name: data set -> number of cells, training epochs, and the
# highest mean validation and test accuracy after them. CIFAR-10 is that of the official files (Ying
# et al., 2019), the digits are those of the embedded table.
_KNOWN_BY = {
    "cifar10": (423_624, 108, (0.9505542318, 0.9431757530)),
    "digits": (2_532, 36, (0.9003486667, 0.9030000000)),
}
_FINAL = 1  # index of the last evaluation of a training


def dataset_of(
    name: str,
    epochs: Sequence[int],
    validation_accuracy: np.ndarray,
    test_accuracy: np.ndarray,
) -> str:
    """Returns what a table's networks were trained on.

    Args:
        name: of the table.
        epochs: E numbers of training epochs.
        validation_accuracy: float [M, E, R, 2] in [0, 1].
        test_accuracy: likewise.

    Returns:
        "cifar10" (the official files) and "digits" (the embedded table) by their numbers, else
        "synthetic" (invented numbers) where the name says so, else "unknown".
    """
    for dataset, (num_cells, number, best) in _KNOWN_BY.items():
        if len(validation_accuracy) == num_cells and number in epochs:
            budget = epochs.index(number)
            found = [_best(metric, budget) for metric in (validation_accuracy, test_accuracy)]
            if np.allclose(found, best, rtol=0, atol=1e-5):
                return dataset
    return "synthetic" if "synthetic" in name else "unknown"


def _best(metric: np.ndarray, budget: int) -> float:
    """Returns the highest mean over the repeats at the end of trainings of one budget."""
    return float(metric[:, budget, :, _FINAL].mean(axis=1, dtype=np.float64).max())
