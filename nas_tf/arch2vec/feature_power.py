"""What predicts accuracies without any embedding, to stand beside one: features of cells.

Shapes: M cells, D features.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nas_tf.arch2vec.predictive_power import Learner, radial_process
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace
from nas_tf.surrogates.cell_features import LISTED, CellFeatures
from nas_tf.surrogates.gaussian_process import Kernel, Training
from nas_tf.surrogates.hyperparameters import standardized
from nas_tf.surrogates.prediction import predict


class Described(NamedTuple):
    """Cells as vectors.

    Attributes:
        vectors: float32 [M, D].
        learner: what learns accuracies from them.
    """

    vectors: np.ndarray
    learner: Learner


def described(space: SearchSpace, cells: CellGraphs) -> dict[str, Described]:
    """Returns what cells [M] of a space are known by without an embedding, by its name.

    "path counts" are learned as an embedding is; "features" are those of the strategy
    `GaussianProcess`, with its kernel and its prior.
    """
    groups = CellFeatures(space, cells, tuple(LISTED))(cells)
    paths = groups[tuple(LISTED).index("paths")]
    splits = np.cumsum([group.shape[1] for group in groups[:-1]])
    return {
        # Of a mean variance of 1, as a standardised embedding is.
        "path counts": Described(paths * np.float32(np.sqrt(paths.shape[1])), radial_process),
        "features": Described(np.concatenate(groups, axis=1), _grouped(splits)),
    }


def _grouped(splits: np.ndarray) -> Learner:
    """Returns a Gaussian process over groups of columns that begin anew at some places."""
    kernel = Kernel(tuple(LISTED.values()))

    def learn(
        vectors: np.ndarray, accuracy: np.ndarray, unused_seed: int
    ) -> Callable[[np.ndarray], np.ndarray]:
        groups, target = np.split(vectors, splits, axis=1), standardized(accuracy)
        logarithms = Training(kernel, groups).fit(target, kernel.prior()[0])

        def read(others: np.ndarray) -> np.ndarray:
            features = np.split(others, splits, axis=1)
            mean = predict(kernel, logarithms, groups, target, features).mean
            return accuracy.mean() + accuracy.std() * mean

        return read

    return learn
