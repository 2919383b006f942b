"""How well does an embedding of few cells predict the accuracy of all others?

arch2vec (Yan et al., NeurIPS 2020, arXiv:2006.06936), section 4.1 and figure 2: a Gaussian process
is fitted to the accuracies of 250 random cells, and what it predicts for the others is compared
with the truth, by root mean squared error and Pearson's r, above an accuracy threshold. Cells
count whose true accuracy is above it; the released code, which takes the predictions of DNGO, also
leaves out those predicted below it, so that a bad predictor is judged by fewer cells.

Shapes: M cells, D embedding dimensions, S seeds, T thresholds, P points of the scatter plot.
"""

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.metrics import root_mean_squared_error

from nas_tf.arch2vec.latent_distance import check_embedding
from nas_tf.core import ConfigError, Stream, generator

NUM_TRAIN = 250
MAX_POINTS = 5_000
THRESHOLDS = (0.8,)  # of the released code

# (vectors float64 [n, D], their accuracies float64 [n], seed) -> a function of other vectors float64
# [m, D] that predicts theirs, float64 [m].
Learner = Callable[[np.ndarray, np.ndarray, int], Callable[[np.ndarray], np.ndarray]]

_RESTARTS = 1  # of the kernel's fit, at random; it changes little
_CHUNK_ENTRIES = 1 << 21  # of a kernel matrix: 16 MiB, of which scikit-learn holds about five
_MIN_POINTS = 3  # of a correlation: any two lie on a line


@dataclasses.dataclass(frozen=True, eq=False)
class PredictivePower:
    """Errors of a Gaussian process fitted to few cells.

    Attributes:
        thresholds: float64 [T].
        rmse: float64 [S, T], over test cells whose accuracy is above the threshold; NaN where there
            is none.
        pearson: float64 [S, T], likewise; NaN where it is not defined, for fewer than 3 cells or
            where accuracies or predictions are all the same.
        counts: int64 [S, T], cells above the threshold.
        cells: int64 [P], for the first seed a random choice of test cells, ascending.
        true: float64 [P], their accuracies.
        predicted: float64 [P], what was predicted.
    """

    thresholds: np.ndarray
    rmse: np.ndarray
    pearson: np.ndarray
    counts: np.ndarray
    cells: np.ndarray
    true: np.ndarray
    predicted: np.ndarray


def radial_process(
    embedding: np.ndarray, accuracy: np.ndarray, seed: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Fits a Gaussian process to an embedding (a `Learner`).

    The kernel is a constant times a radial basis function with one length scale, plus white noise;
    its parameters maximise the marginal likelihood.
    """
    scale = np.sqrt(embedding.shape[1])  # two cells are about 1.4 times as far apart
    kernel = (
        ConstantKernel(1.0, (1e-3, 1e3)) * RBF(scale, (1e-2 * scale, 1e2 * scale))
        + WhiteKernel(0.1, (1e-6, 1e1))
    )
    process = GaussianProcessRegressor(
        kernel, normalize_y=True, n_restarts_optimizer=_RESTARTS, random_state=seed
    )
    with warnings.catch_warnings():
        # A parameter at its bound is an answer, not a failure: accuracies without noise, or an
        # embedding that tells nothing of them. What the fit is worth is measured on test cells.
        warnings.simplefilter("ignore", category=ConvergenceWarning)
        return process.fit(embedding, accuracy).predict


def predictive_power(
    embedding: np.ndarray,
    accuracy: np.ndarray,
    *,
    num_train: int = NUM_TRAIN,
    seeds: Iterable[int] = range(10),
    thresholds: Sequence[float] = THRESHOLDS,
    learner: Learner = radial_process,
) -> PredictivePower:
    """Predicts the accuracies of cells from those of `num_train` random ones.

    Args:
        embedding: float32 [M, D], for `radial_process` standardised: mean 0 and variance 1 in every
            dimension.
        accuracy: float64 [M].
        num_train: cells that are learned from.
        seeds: each draws its own training cells.
        thresholds: [T]; -inf is all test cells.
        learner: what learns from them.

    Raises:
        ConfigError: too few cells for `num_train`, or no seed or threshold.
        ValueError: the arrays do not fit each other or are not finite.
    """
    seeds = [int(seed) for seed in seeds]
    thresholds = np.asarray(thresholds, np.float64)
    if not seeds or thresholds.ndim != 1 or not thresholds.size:
        raise ConfigError(f"seeds={seeds}, thresholds={thresholds.tolist()}: give at least one")
    accuracy = check_accuracy(accuracy)
    embedding = check_embedding(embedding, len(accuracy))
    if num_train < 2 or len(accuracy) < num_train + 2:
        raise ConfigError(
            f"num_train={num_train} of {len(accuracy)} cells: at least 2 are needed, and 2 must be "
            "left to predict"
        )
    errors = []
    for seed in seeds:
        rng = generator(seed, Stream.PREDICTION)
        test, predicted = _predict(embedding, accuracy, num_train, rng, learner)
        if not errors:
            chosen = np.sort(rng.permutation(len(test))[:MAX_POINTS])
            points = (test[chosen], accuracy[test[chosen]], predicted[chosen])
        errors.append([_errors(accuracy[test], predicted, limit) for limit in thresholds])
    rmse, pearson, counts = np.moveaxis(np.array(errors, np.float64), 2, 0)
    return PredictivePower(thresholds, rmse, pearson, counts.astype(np.int64), *points)


def check_accuracy(accuracy: np.ndarray) -> np.ndarray:
    """Returns accuracies as float64 [M].

    Raises:
        ValueError: they are no vector, or some are not finite.
    """
    accuracy = np.asarray(accuracy, np.float64)
    if accuracy.ndim != 1:
        raise ValueError(f"accuracy of shape {accuracy.shape}: expected one number a cell")
    unknown = np.sum(~np.isfinite(accuracy))
    if unknown:
        raise ValueError(
            f"accuracy: {unknown} of {len(accuracy)} are not finite; leave out the cells that are "
            "not in the table"
        )
    return accuracy


def _predict(
    embedding: np.ndarray,
    accuracy: np.ndarray,
    num_train: int,
    rng: np.random.Generator,
    learner: Learner,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns test cells, int64 ascending, and their predicted accuracies, float64."""
    is_test = np.ones(len(accuracy), bool)
    is_test[rng.choice(len(accuracy), num_train, replace=False)] = False
    known = embedding[~is_test].astype(np.float64)
    predict = learner(known, accuracy[~is_test], int(rng.integers(1 << 32)))
    test = np.flatnonzero(is_test)
    predicted = np.empty(len(test))
    rows = max(1, _CHUNK_ENTRIES // num_train)
    for start in range(0, len(test), rows):
        part = slice(start, start + rows)
        predicted[part] = predict(embedding[test[part]].astype(np.float64))
    return test, predicted


def _errors(
    true: np.ndarray, predicted: np.ndarray, threshold: float
) -> tuple[float, float, int]:
    """Returns RMSE, Pearson's r and number of the cells above a threshold."""
    above = true > threshold
    if not above.any():
        return np.nan, np.nan, 0
    true, predicted = true[above], predicted[above]
    return root_mean_squared_error(true, predicted), _pearson(true, predicted), len(true)


def _pearson(first: np.ndarray, second: np.ndarray) -> float:
    # Compared before means are taken off: what is left of equal numbers is rounding, not 0.
    if len(first) < _MIN_POINTS or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])
