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

from collections.abc import Callable, Sequence

import numpy as np
from tqdm import tqdm

from nas_tf import core
from nas_tf.arch2vec import dngo
from nas_tf.arch2vec.pools import RunEmbeddings
from nas_tf.arch2vec.predictor import BATCH_SIZE, PredictorTraining
from nas_tf.core import Feedback, Strategy, Suggestion
from nas_tf.graphs import CellGraphs
from nas_tf.training.batches import shuffled_batches

_SLOW = 20  # trainings at a time that take long enough for a progress bar


class SupervisedSearch:
    """A search in embeddings that are learned as it goes (a `core.Strategy`)."""

    def __init__(
        self,
        make_search: Callable[[RunEmbeddings], Strategy],
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
            core.ConfigError: a setting is out of range.
            ValueError: two cells have one key.
        """
        for name, value in (("first", first), ("period", period), ("steps", steps)):
            if value < 1:
                raise core.ConfigError(f"{name}={value}: expected at least 1")
        self._keys, self._order = np.unique(cells.keys, return_index=True)
        if len(self._keys) != len(cells):
            raise ValueError(f"{len(cells)} cells with {len(self._keys)} different keys")
        self._embeddings = RunEmbeddings(training.num_cells, training.depth)
        self._search = make_search(self._embeddings)
        self._training, self._finish = training, finish
        self._seeds = np.array(seeds, np.int64)
        self._first, self._period, self._steps = first, period, steps
        self._progress = progress
        self._active = np.ones(len(seeds), bool)
        self._queried = np.zeros((len(seeds), 0), np.int32)  # [R, Q]
        self._accuracy = np.zeros((len(seeds), 0))  # [R, Q], NaN where infeasible
        self._learned = np.zeros(len(seeds), np.int64)  # queries that the encoders have seen

    def suggest(self) -> Suggestion:
        """Returns the search's next cells; the same until `update`.

        Raises:
            core.NasError: an encoder has diverged.
        """
        if self._queried.shape[1] >= self._first:
            self._train()
        return self._search.suggest()

    def update(self, feedback: Feedback) -> None:
        """Takes the answers to the last suggestion.

        Raises:
            ValueError: the feedback is not about the cells suggested.
        """
        self._search.update(feedback)
        self._active = self._active & feedback.active
        cells = self._order[np.searchsorted(self._keys, feedback.cells.keys)]
        accuracy = np.where(feedback.feasible, feedback.validation_accuracy, np.nan)
        self._queried = np.concatenate([self._queried, cells.astype(np.int32)], axis=1)
        self._accuracy = np.concatenate([self._accuracy, accuracy], axis=1)

    def state(self) -> dict[str, np.ndarray]:
        """Returns the search's state and every query."""
        search = {f"search_{name}": array for name, array in self._search.state().items()}
        own = {"active": self._active, "queried": self._queried, "accuracy": self._accuracy}
        return search | own

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Goes on from a state of the same settings, bit for bit."""
        marked = len("search_")
        self._search.restore(
            {name[marked:]: array for name, array in state.items() if name.startswith("search_")}
        )
        self._active = state["active"].astype(bool)
        self._queried = state["queried"].astype(np.int32)
        self._accuracy = state["accuracy"].astype(np.float64)
        self._learned = np.zeros(len(self._seeds), np.int64)

    def _train(self) -> None:
        """Trains the encoders that are due, and embeds the pool with them."""
        made = self._queried.shape[1]
        latest = np.maximum(made - (made + self._seeds) % self._period, self._first)
        due = np.flatnonzero(self._active & (latest != self._learned))
        if not due.size:
            return
        batches, targets = zip(*(self._batches(run, latest[run]) for run in due))
        hidden = not self._progress or len(due) < _SLOW
        with tqdm(total=len(due), desc="encoders", leave=False, disable=hidden) as bar:

            def take(number: int, embedding: np.ndarray) -> None:
                run = due[number]
                if not np.isfinite(embedding).all():
                    raise core.NasError(
                        f"run {run} (seed {self._seeds[run]}): its encoder diverged; lower "
                        "--encoder_learning_rate"
                    )
                self._embeddings.assign(run, self._finish(embedding))
                bar.update()

            self._training.embed(
                [core.seed_sequence(seed, core.Stream.ENCODER_WEIGHTS) for seed in self._seeds[due]],
                np.stack(batches),
                np.stack(targets),
                take,
            )
        self._learned[due] = latest[due]

    def _batches(self, run: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the cells of a run's training, int32 [T, B], and their scaled accuracies.

        They are passes over its first `count` queries, each in a random order, one after the other.
        Without a feasible one all are the first query, with accuracy 0: the mean.
        """
        accuracy = self._accuracy[run : run + 1, :count]
        known = np.isfinite(accuracy)
        centre, scale = dngo.centre_and_scale(accuracy, known)
        scaled = np.where(known, (accuracy - centre) / scale, 0.0)[0].astype(np.float32)
        points = np.flatnonzero(known[0]) if known.any() else np.zeros(1, int)
        rng = core.generator(self._seeds[run], core.Stream.ENCODER_BATCHES, count)
        chosen = shuffled_batches(rng, points, self._steps, BATCH_SIZE)
        return self._queried[run][chosen], scaled[chosen]
