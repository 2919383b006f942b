"""Does it pay to doubt what was measured? The Gaussian process on the embedded table's repeats.

    python -m tools.gaussian_process_noise --num_runs=200

A search sees one of three trainings of a cell, so that the best it has seen is an optimist. Tried,
with seeds that no reported number has, and judged by the mean validation accuracy of the cell that
a run would keep:

* the incumbent: the best observed; or, of the k best observed, that of the highest posterior mean;
* a second look: a cell that has just become the best observed is measured once more (which costs a
  query), and its measurements are averaged.

Prints a row a rule and number of queries: mean and standard error, and the difference to the best
observed without a second look, run by run.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from absl import app, flags

from nas_tf.baselines.gaussian_process import KINDS
from nas_tf.benchmarks.embedded_digits import Digits
from nas_tf.core import Stream, generator
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.surrogates.acquisition import expected_improvement
from nas_tf.surrogates.feature_pool import FeaturePool, feature_pool
from nas_tf.surrogates.gaussian_process import Kernel
from nas_tf.surrogates.hyperparameters import Hyperparameters, normal_scores
from nas_tf.surrogates.pool_pairs import PoolPairs
from nas_tf.surrogates.pool_posterior import PoolPosterior

FIRST_SEED = 50000
CHECKPOINTS = (50, 100, 150, 300)
NUM_BEST = (3, 5, 10)
GROUPS = tuple(KINDS)[:3]


class Run:
    """One search over a table's repeats.

    Shapes: M cells, Q queries, n different cells.
    """

    def __init__(self, pool: FeaturePool, repeats: np.ndarray, seed: int, second_look: bool):
        """Args: pool: of M cells; repeats: accuracies [M, 3]; seed: of the run."""
        kernel = Kernel(tuple(KINDS[name] for name in GROUPS))
        self._pool, self._repeats, self._second_look = pool, repeats, second_look
        self._rng = generator(seed, Stream.REPEATS)
        self._first = self._rng.choice(len(repeats), 3, replace=False).tolist()
        self._pairs = PoolPairs(kernel, pool.features)
        self._belief, self._posterior = Hyperparameters(kernel), PoolPosterior(self._pairs)
        self.seen: dict[int, list[float]] = {}  # measurements of a cell

    def queries(self) -> Iterator[int]:
        """Makes queries for ever; yields how many there were."""
        number, best = 0, None
        while True:
            again = self._second_look and best is not None and len(self.seen[best]) == 1
            cell = best if again else self._next()
            others = [r for r in range(3) if not again or r != self._shown]
            self._shown = int(self._rng.choice(others))
            self.seen.setdefault(cell, []).append(self._repeats[cell, self._shown])
            means = self.means()
            best = max(means, key=means.get)
            number += 1
            yield number

    def means(self) -> dict[int, float]:
        """Returns the mean measurement of every cell."""
        return {cell: float(np.mean(values)) for cell, values in self.seen.items()}

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
        cells = np.array(list(self.seen))
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
        kinds = self._pool.kind[list(self.seen)]
        promise = expected_improvement(mean, deviation, float(mean[kinds].max()))
        left = np.bincount(kinds, minlength=self._pool.num_kinds) < self._pool.sizes
        kind = int(np.argmax(np.where(left, promise, -np.inf)))
        members = self._pool.members[self._pool.start[kind] : self._pool.start[kind + 1]]
        return next(cell for cell in members.tolist() if cell not in self.seen)


def kept_accuracies(
    pool: FeaturePool, repeats: np.ndarray, seeds: Sequence[int], second_look: bool
) -> dict[tuple[int, int], np.ndarray]:
    """Returns mean accuracies of what runs keep, [R], by queries and number of best cells."""
    truth, last = repeats.mean(axis=1), CHECKPOINTS[-1]
    found: dict[tuple[int, int], list[float]] = {}
    for seed in seeds:
        run = Run(pool, repeats, seed, second_look)
        for number in run.queries():
            if number in CHECKPOINTS:
                for best in (1, *NUM_BEST):
                    found.setdefault((number, best), []).append(truth[run.kept(best)])
            if number == last:
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
    print("| second look | incumbent | queries | mean validation accuracy (%) | more |")
    print("| :-- | :-- | --: | --: | --: |")
    for look, found in rules.items():
        for (number, best), values in sorted(found.items()):
            reference = rules[False][number, 1]
            more, error = 100 * (values - reference), np.sqrt(len(values))
            name = "best observed" if best == 1 else f"posterior mean of {best} best"
            print(
                f"| {'yes' if look else 'no'} | {name} | {number} | {100 * values.mean():.3f} ± "
                f"{100 * values.std(ddof=1) / error:.3f} | {more.mean():+.3f} ± "
                f"{more.std(ddof=1) / error:.3f} |"
            )


if __name__ == "__main__":
    flags.DEFINE_integer("num_runs", 200, "Runs of a rule.")
    app.run(main)
