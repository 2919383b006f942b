"""Supervised counterparts of arch2vec's searches: encoders that learn from a run's own queries.

arch2vec (Yan et al., 2020, arXiv:2006.06936), section 4.2, asks what pre-training is worth by
searching in the embedding of an encoder that learned only from the accuracies of the cells queried
so far (see `predictor`). The search itself, REINFORCE or Bayesian optimisation, stays as it is and
reads an embedding that belongs to its run and changes with it.

A run's encoder is trained from scratch after the run's first queries and then every `period`
queries: when the queries made plus the run's seed are a multiple of it. So at every query about one
run in `period` is due, and a study moves on evenly.

What a run knows about its embedding follows from its seed and its queries: a state holds no weights
of encoders. A restored study trains the latest encoder of every run again.

Shapes: R runs, M cells, D embedding dimensions, Q queries so far, T steps of a training.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from nas_tf import caching
from nas_tf import core
from nas_tf.arch2vec import dngo
from nas_tf.arch2vec.pools import RunEmbeddings
from nas_tf.arch2vec.predictor import BATCH_SIZE, PredictorTraining
from nas_tf.core import Feedback, Strategy, Suggestion
from nas_tf.graphs import CellGraphs
from nas_tf.pools.asking import AskingSearch
from nas_tf.training.batches import shuffled_batches

_SLOW = 20  # trainings at a time that take long enough for a progress bar


class SupervisedSearch(Strategy):
    """A search in embeddings that are learned as it goes (a `core.Strategy`).

    Needs an enumerated pool. With answers still out it does what the search does, and waits where
    an encoder is due for the answers it learns from.

    The recipe (`strategies.supervised`) checks the ranges of settings.
    """

    def __init__(
        self,
        make_search: Callable[[RunEmbeddings], AskingSearch],
        cells: CellGraphs,
        training: PredictorTraining,
        *,
        seeds: Sequence[int],
        first: int,
        period: int = 16,
        steps: int = 50,
        finish: Callable[[np.ndarray], np.ndarray] = lambda embedding: embedding,
        progress: bool = False,
    ):
        """Makes R runs without encoders.

        Args:
            make_search: returns the search; it suggests cells of the pool.
            cells: the pool [M], no key twice.
            training: of encoders on that pool.
            seeds: R non-negative seeds.
            first: queries before the search needs an embedding.
            period: queries between two trainings of a run's encoder.
            steps: T.
            finish: turns what the encoder gives, float32 [M, D], into what is searched.
            progress: whether to show a bar when many encoders are trained at a time.

        Raises:
            ValueError: two cells have one key.
        """
        different = len(np.unique(cells.keys))
        if different != len(cells):
            raise ValueError(f"{len(cells)} cells with {different} different keys")
        self._embeddings = RunEmbeddings(training.num_cells, training.depth)
        self._search = make_search(self._embeddings)
        self._training, self._finish = training, finish
        self._seeds = np.array(seeds, np.int64)
        self._first, self._period, self._steps = first, period, steps
        self._progress = progress
        self._learned = np.zeros(len(seeds), np.int64)  # queries that the encoders have seen

    def suggest(self, count: int | None = None) -> Suggestion:
        """Returns the search's next cells; see `core.Strategy`.

        Raises:
            core.NasError: an encoder has diverged.
        """
        made = self._search.num_asked
        if made < self._first:
            return self._search.suggest(None if count is None else min(count, self._first - made))
        latest = self._latest(made)
        if not self._search.answered(range(latest.max(initial=0))):
            return self._search.suggest(0)
        self._train(latest)
        return self._search.suggest(count)

    def take(self, suggestion: Suggestion) -> None:
        """Notes that the first cells of `suggest` are out."""
        self._search.take(suggestion)

    def update(self, feedback: Feedback) -> None:
        """Takes answers to what was suggested.

        Raises:
            ValueError: the feedback is not about cells suggested.
        """
        self._search.update(feedback)

    def state(self) -> dict[str, np.ndarray]:
        """Returns the search's state, which has every query."""
        return self._search.state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from a state of the same settings, bit for bit."""
        self._search.restore(state)
        self._learned = np.zeros(len(self._seeds), np.int64)

    def _latest(self, made: int) -> np.ndarray:
        """Returns int64 [R], how many queries every run's latest encoder learns from."""
        return np.maximum(made - (made + self._seeds) % self._period, self._first)

    def _train(self, latest: np.ndarray) -> None:
        """Trains the encoders that are due, and embeds the pool with them."""
        due = np.flatnonzero(self._search.active & (latest != self._learned))
        if not due.size:
            return
        self._search.redraft()
        stream = core.Stream.ENCODER_WEIGHTS
        queried, accuracy = self._search.queried, self._search.accuracy
        data = ((run, queried[run], accuracy[run, : latest[run]]) for run in due)
        batches, targets = zip(*(self._batches(*of_run) for of_run in data))
        hidden = not self._progress or len(due) < _SLOW
        with caching.progress_bar(
            total=len(due), desc="encoders", leave=False, disable=hidden
        ) as bar:

            def take(number: int, embedding: np.ndarray) -> None:
                run = due[number]
                if not np.isfinite(embedding).all():
                    raise core.NasError(
                        f"run {run} (seed {self._seeds[run]}): its encoder diverged; lower "
                        "learning_rate"
                    )
                self._embeddings.assign(run, self._finish(embedding))
                bar.update()

            self._training.embed(
                [core.seed_sequence(seed, stream) for seed in self._seeds[due]],
                np.stack(batches),
                np.stack(targets),
                take,
            )
        self._learned[due] = latest[due]

    def _batches(
        self, run: int, queried: np.ndarray, accuracy: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the cells of a run's training, int32 [T, B], and their scaled accuracies.

        They are passes over its first queries, each in a random order, one after the other.
        Without a feasible one all are the first query, with accuracy 0: the mean.

        Args:
            run: its index.
            queried: int32 [Q].
            accuracy: float64 [<= Q], of the queries to learn from; NaN where infeasible.
        """
        known = np.isfinite(accuracy)
        centre, scale = dngo.centre_and_scale(accuracy[None], known[None])
        scaled = np.where(known, (accuracy - centre[0]) / scale[0], 0.0).astype(np.float32)
        points = np.flatnonzero(known) if known.any() else np.zeros(1, int)
        rng = core.generator(self._seeds[run], core.Stream.ENCODER_BATCHES, len(accuracy))
        chosen = shuffled_batches(rng, points, self._steps, BATCH_SIZE)
        return queried[chosen], scaled[chosen]
