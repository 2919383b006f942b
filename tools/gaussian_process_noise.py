"""Does it pay to doubt what was measured? The Gaussian process on the embedded table's repeats.

    python -m tools.gaussian_process_noise --num_runs=200

A search sees one of three trainings of a cell, so that the best it has seen is an optimist. Tried,
with seeds that no reported number has, and judged by the cell that a run would keep: by the mean
validation accuracy of its three trainings, and, strictly, by the mean of those that the run has not
seen:

* the incumbent: the best observed; or, of the k best observed, that of the highest posterior mean;
* a second look: a cell that has just become the best observed is measured once more (which costs a
  query), and its measurements are averaged.

Prints a row a rule and number of queries: mean and standard error, and the difference to the best
observed without a second look, run by run.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from absl import app, flags

from nas_tf.benchmarks.embedded_digits import Digits
from nas_tf.core import Stream, generator
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.surrogates.acquisition import expected_improvement
from nas_tf.surrogates.cell_features import LISTED
from nas_tf.surrogates.feature_pool import FeaturePool, feature_pool
from nas_tf.surrogates.gaussian_process import Kernel
from nas_tf.surrogates.hyperparameters import Hyperparameters, normal_scores
from nas_tf.surrogates.pool_pairs import PoolPairs
from nas_tf.surrogates.pool_posterior import PoolPosterior

FIRST_SEED = 50000
CHECKPOINTS = (50, 100, 150, 300)
NUM_BEST = (3, 5, 10)
GROUPS = tuple(LISTED)


class Run:
    """One search over a table's repeats.

    Shapes: M cells, Q queries, n different cells.
    """

    def __init__(self, pool: FeaturePool, repeats: np.ndarray, seed: int, second_look: bool):
        """Args: pool: of M cells; repeats: accuracies [M, 3]; seed: of the run."""
        kernel = Kernel(tuple(LISTED.values()))
        self._pool, self._repeats, self._second_look = pool, repeats, second_look
        self._rng = generator(seed, Stream.REPEATS)
        self._first = self._rng.choice(len(repeats), 3, replace=False).tolist()
        self._pairs = PoolPairs(kernel, pool.features)
        self._belief, self._posterior = Hyperparameters(kernel), PoolPosterior(self._pairs)
        self.shown: dict[int, list[int]] = {}  # trainings of a cell that were seen

    def queries(self) -> Iterator[int]:
        """Makes queries for ever; yields how many there were."""
        number, best = 0, None
        while True:
            again = self._second_look and best is not None and len(self.shown[best]) == 1
            cell = best if again else self._next()
            self.shown.setdefault(cell, []).append(int(self._rng.choice(self.unseen(cell))))
            means = self.means()
            best = max(means, key=means.get)
            number += 1
            yield number

    def unseen(self, cell: int) -> list[int]:
        """Returns the trainings of a cell that were not seen."""
        return [number for number in range(3) if number not in self.shown.get(cell, ())]

    def means(self) -> dict[int, float]:
        """Returns the mean accuracy seen of every cell."""
        return {cell: self._repeats[cell, shown].mean() for cell, shown in self.shown.items()}

    def kept(self, num_best: int) -> int:
        """Returns the cell of highest posterior mean among some of the best observed."""
        means = self.means()
        best = sorted(means, key=means.get, reverse=True)[:num_best]
        if num_best == 1:
            return best[0]
        mean = self._learned()
        return max(best, key=lambda cell: mean[self._pool.kind[cell]])

    def _learned(self) -> np.ndarray:
        """Returns the posterior mean of every kind of cells."""
        cells = np.array(list(self.shown))
        accuracy = np.array(list(self.means().values()))
        kinds = self._pool.kind[cells]
        if self._belief.learn(self._pairs.features, kinds, accuracy):
            self._posterior.begin(self._belief.logarithms, kinds[: self._belief.size])
        self._posterior.follow(kinds)
        return self._posterior.mean(normal_scores(accuracy))

    def _next(self) -> int:
        if self._first:
            return self._first.pop()
        mean = self._learned()
        deviation = np.sqrt(self._posterior.variance + np.float32(self._posterior.noise))
        kinds = self._pool.kind[list(self.shown)]
        promise = expected_improvement(mean, deviation, float(mean[kinds].max()))
        left = np.bincount(kinds, minlength=self._pool.num_kinds) < self._pool.sizes
        kind = int(np.argmax(np.where(left, promise, -np.inf)))
        members = self._pool.members[self._pool.start[kind] : self._pool.start[kind + 1]]
        return next(cell for cell in members.tolist() if cell not in self.shown)


def kept_accuracies(
    pool: FeaturePool, repeats: np.ndarray, seeds: Sequence[int], second_look: bool
) -> dict[tuple[int, int], np.ndarray]:
    """Returns accuracies of what runs keep, by queries and number of best cells.

    Returns:
        float64 [R, 2]: the mean of all trainings, and of those that the run has not seen.
    """
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for seed in seeds:
        run = Run(pool, repeats, seed, second_look)
        for number in run.queries():
            if number in CHECKPOINTS:
                for best in (1, *NUM_BEST):
                    kept = run.kept(best)
                    strict = repeats[kept, run.unseen(kept)].mean()
                    found.setdefault((number, best), []).append((repeats[kept].mean(), strict))
            if number == CHECKPOINTS[-1]:
                break
    return {key: np.array(values) for key, values in found.items()}


def main(arguments: Sequence[str]) -> None:
    """Prints the table."""
    del arguments
    table = Digits().table()
    repeats = np.array(table.validation_accuracy[:, -1, :, 1])  # [M, 3], in full
    pool = feature_pool(NasBench101Space(), table.cells, GROUPS)
    seeds = range(FIRST_SEED, FIRST_SEED + flags.FLAGS.num_runs)
    rules = {look: kept_accuracies(pool, repeats, seeds, look) for look in (False, True)}
    print("| second look | incumbent | queries | all trainings (%) | more | not seen (%) | more |")
    print("| :-- | :-- | --: | --: | --: | --: | --: |")
    for look, found in rules.items():
        for (number, best), values in sorted(found.items()):
            name = "best observed" if best == 1 else f"posterior mean of {best} best"
            cells = ["yes" if look else "no", name, str(number)]
            for kind in (0, 1):
                more = values[:, kind] - rules[False][number, 1][:, kind]
                cells += [told(values[:, kind]), told(more, sign="+")]
            print("| " + " | ".join(cells) + " |")


def told(values: np.ndarray, sign: str = "") -> str:
    """Returns mean and standard error of accuracies [R], in per cent."""
    error = 100 * values.std(ddof=1) / np.sqrt(len(values))
    return f"{100 * values.mean():{sign}.3f} ± {error:.3f}"


if __name__ == "__main__":
    flags.DEFINE_integer("num_runs", 200, "Runs of a rule.")
    app.run(main)
