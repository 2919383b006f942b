"""The nouns every part shares: values, protocols and errors.

Architecture search is ask, evaluate, tell:

    suggestion = strategy.suggest()
    evaluation = evaluator.evaluate(suggestion, query)
    strategy.update(evaluation.feedback(active))

Shapes: R independent runs of a study, B suggestions a round, Q queries a run, N nodes.
"""

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf.graphs import CellGraphs, cell_arrays, cells_from_arrays


class NasError(Exception):
    """Root of every error the library raises on purpose."""


class InvalidArchitectureError(NasError):
    """One architecture cannot be built or trained; the search goes on without it."""


class Interrupted(NasError):
    """Work ended before its time because of a signal, and is saved."""


class DataError(NasError):
    """A file is missing, damaged or not what it claims to be."""


class ConfigError(NasError):
    """A setting is impossible; the message names the argument and the value."""


class DivergedError(NasError):
    """The loss of a training is no number any more; its last checkpoint is sound."""


_OTHERS = 1 << 16  # below are the passes of a training


class Stream(enum.IntEnum):
    """What random numbers of a seed are drawn for; what has another number draws other ones.

    Generators are seeded by (seed, stream, index). NumPy takes (s, 2) and (s, 2, 0) for one, so a
    stream has its number for itself, and always an index. Numbers are never given anew: traces
    depend on them.

    `TRAINING` makes a model: its first weights, samples of its prior, and, with the number of the
    pass added, the order of examples in every pass. The embedded table was trained so.
    """

    TRAINING = 0
    # Of a run.
    EMBEDDING_START = _OTHERS + 1
    EMBEDDING_NOISE = _OTHERS + 2
    SURROGATE_WEIGHTS = _OTHERS + 3
    SURROGATE_START = _OTHERS + 4
    RANDOM_SEARCH = _OTHERS + 11
    EVOLUTION = _OTHERS + 12
    LOCAL_SEARCH = _OTHERS + 13
    CATEGORICAL_REINFORCE = _OTHERS + 14
    BOHB = _OTHERS + 15
    BANANAS = _OTHERS + 17
    BANANAS_MODEL = _OTHERS + 18
    ENCODER_WEIGHTS = _OTHERS + 19
    ENCODER_BATCHES = _OTHERS + 20
    GAUSSIAN_PROCESS = _OTHERS + 21
    GAUSSIAN_PROCESS_DRAWS = _OTHERS + 22
    GRAPH_QUERIES = _OTHERS + 41
    GRAPH_WEIGHTS = _OTHERS + 42
    GRAPH_ORDER = _OTHERS + 43
    GRAPH_SAMPLES = _OTHERS + 44
    GRAPH_EXPLORER = _OTHERS + 45
    REPEATS = _OTHERS + 101
    # Of a model.
    HELD_OUT = 0x5B117
    # Of a job.
    SUPERVISED_CELLS = _OTHERS + 31
    SUPERVISED_WEIGHTS = _OTHERS + 32
    RANDOM_CELLS = _OTHERS + 51
    FEATURE_CELLS = _OTHERS + 52
    FEATURE_SHUFFLES = _OTHERS + 53
    PREDICTION = _OTHERS + 61
    DISTANCE_WALK = _OTHERS + 62
    DISTANCE_PAIRS = _OTHERS + 63
    MAP_CELLS = _OTHERS + 64
    WALKS = _OTHERS + 65
    PROJECTOR = _OTHERS + 66
    FIGURES = _OTHERS + 67
    # Of a data set.
    IMAGE_SPLIT = _OTHERS + 81
    IMAGE_ORDER = _OTHERS + 82
    AUGMENTATION = _OTHERS + 83


def seed_sequence(seed: int, stream: int, index: int = 0) -> np.random.SeedSequence:
    """Returns what seeds the generator of a stream.

    Args:
        seed: of a run, a model or a job; 0 to 2**32 - 1.
        stream: a `Stream`, to `TRAINING` the number of the pass added.
        index: which of the stream's generators: a block of queries, a round; 0 to 2**32 - 1.

    Raises:
        ConfigError: a number is out of range.
    """
    for name, value in (("seed", seed), ("stream", stream), ("index", index)):
        if not 0 <= value < 1 << 32:
            raise ConfigError(f"{name}={value}: expected 0 to {(1 << 32) - 1}")
    return np.random.SeedSequence((int(seed), int(stream), int(index)))


def generator(seed: int, stream: int, index: int = 0) -> np.random.Generator:
    """Returns the generator of a stream; see `seed_sequence`."""
    return np.random.default_rng(seed_sequence(seed, stream, index))


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """Cells a strategy wants measured.

    Attributes:
        cells: batch of shape [R, B].
        epochs: training epochs to measure them at; None is the evaluator's full budget.
        numbers: int64 [B], the number of each query, counted from 0 in the order of asking. All
            runs ask in step: number n is the n-th query of every run.
        measured_before: int64 [R, B], the number of the query in which the run had the cell
            measured; -1 where it had not. None: nowhere.
    """

    cells: CellGraphs
    epochs: int | None = None
    numbers: np.ndarray | None = None
    measured_before: np.ndarray | None = None

    def first(self, count: int) -> "Suggestion":
        """Returns its first `count` queries."""
        numbers = None if self.numbers is None else self.numbers[:count]
        before = None if self.measured_before is None else self.measured_before[:, :count]
        return Suggestion(self.cells[:, :count], self.epochs, numbers, before)


@dataclasses.dataclass(frozen=True)
class Feedback:
    """What a strategy learns of its suggestion. It holds no test accuracy.

    Attributes:
        cells: the cells suggested, [R, B].
        feasible: bool [R, B].
        validation_accuracy: float64 [R, B] in [0, 1]; NaN where infeasible.
        cost_sec: float64 [R, B], training seconds spent.
        active: bool [R]; a run that is not active has no budget left and must not change.
        numbers: int64 [B], which queries these answers are to, in any order. None are the next
            ones: those of `suggest()` that nobody has taken.
    """

    cells: CellGraphs
    feasible: np.ndarray
    validation_accuracy: np.ndarray
    cost_sec: np.ndarray
    active: np.ndarray
    numbers: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What an evaluator measured.

    Attributes:
        cells: the cells measured, [R, B].
        feasible: bool [R, B]; infeasible is a value, neither an exception nor accuracy 0. A cell
            whose validation accuracy is NaN is infeasible, whatever the evaluator says.
        validation_accuracy: float64 [R, B] in [0, 1]; NaN where infeasible.
        test_accuracy: float64 [R, B] in [0, 1]; NaN where infeasible.
        cost_sec: float64 [R, B], training seconds spent.
        reason: str [R, B]; why a cell is infeasible, "" where it is feasible.
        full_budget: measured at the evaluator's full epochs; what was not is no incumbent.
    """

    cells: CellGraphs
    feasible: np.ndarray
    validation_accuracy: np.ndarray
    test_accuracy: np.ndarray
    cost_sec: np.ndarray
    reason: np.ndarray
    full_budget: bool = True

    def __post_init__(self):
        unknown = self.feasible & np.isnan(self.validation_accuracy)
        if unknown.any():
            object.__setattr__(self, "feasible", self.feasible & ~unknown)
            said = np.where(unknown, "its validation accuracy is NaN", self.reason)
            object.__setattr__(self, "reason", said)

    def feedback(self, active: np.ndarray, numbers: np.ndarray | None = None) -> Feedback:
        """Returns the part a strategy may see, [R, B].

        Args:
            active: bool [R], as in `Feedback`.
            numbers: int64 [B], as in `Feedback`.
        """
        return Feedback(
            cells=self.cells,
            feasible=self.feasible,
            validation_accuracy=self.validation_accuracy,
            cost_sec=self.cost_sec,
            active=active,
            numbers=numbers,
        )


@dataclasses.dataclass
class History:
    """Every query of a study, in order. Arrays are [R, Q].

    Attributes:
        key: uint64, the cell's isomorphism-invariant key; 0 after a run's end.
        validation_accuracy: float64; NaN where infeasible, measured at fewer than the full epochs,
            or after a run's end.
        test_accuracy: float64; NaN likewise.
        cost_sec: float64; 0 after a run's end.
        partial: bool; measured at fewer than the full epochs. None is nowhere.
        cells: [R, Q], the cells themselves, where the search had no pool; anything after a run's
            end.
    """

    key: np.ndarray
    validation_accuracy: np.ndarray
    test_accuracy: np.ndarray
    cost_sec: np.ndarray
    partial: np.ndarray | None = None
    cells: CellGraphs | None = None

    def __post_init__(self):
        if self.partial is None:
            self.partial = np.zeros(np.shape(self.key), bool)

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns all of it as arrays by name, from which `from_arrays` makes it again.

        Cells are `cells_adjacency` uint8 [R, Q, N, N], `cells_ops` int8 [R, Q, N] and
        `cells_num_nodes` int8 [R, Q].
        """
        columns = {name: getattr(self, name) for name in HISTORY_COLUMNS}
        return columns | ({} if self.cells is None else cell_arrays(self.cells))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "History":
        """Reads what `arrays` returned; other names are left alone.

        Raises:
            KeyError: an array is missing.
        """
        columns = {name: arrays[name] for name in HISTORY_COLUMNS}
        cells = cells_from_arrays(arrays)
        return cls(**columns, cells=None if cells is None else cells.with_keys(columns["key"]))

    @classmethod
    def of_runs(cls, histories: Sequence["History"]) -> "History":
        """Joins the histories of some runs each, [R, Q], to that of all of them, in their order.

        Where one has fewer queries than another its runs have ended.
        """
        longest = max(history.key.shape[1] for history in histories)
        parts = [history._lengthened(longest) for history in histories]
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in HISTORY_COLUMNS
        }
        cells = [part.cells for part in parts if part.cells is not None]
        return cls(**columns, cells=CellGraphs.concatenate(cells) if cells else None)

    def _lengthened(self, queries: int) -> "History":
        """Returns the same with columns that no run has reached at the end."""
        more = queries - self.key.shape[1]
        last = np.minimum(np.arange(queries), self.key.shape[1] - 1)
        empty = {"validation_accuracy": np.nan, "test_accuracy": np.nan}
        columns = {
            name: np.pad(
                getattr(self, name), ((0, 0), (0, more)), constant_values=empty.get(name, 0)
            )
            for name in HISTORY_COLUMNS
        }
        return History(**columns, cells=None if self.cells is None else self.cells[:, last])

    def incumbent(self) -> np.ndarray:
        """Returns int64 [R, Q]: index of the best validation accuracy so far (the first of ties).

        A cell that a run had measured again counts as it was measured last. Before a run's first
        feasible query it is 0.
        """
        accuracy = np.where(np.isnan(self.validation_accuracy), -np.inf, self.validation_accuracy)
        best = np.maximum.accumulate(accuracy, axis=1)
        improved = np.ones(accuracy.shape, bool)
        improved[:, 1:] = accuracy[:, 1:] > best[:, :-1]
        index = np.maximum.accumulate(np.where(improved, np.arange(accuracy.shape[1]), 0), axis=1)
        measured = np.sort(np.where(accuracy > -np.inf, self.key, 0), axis=1)
        again = (measured[:, 1:] == measured[:, :-1]) & (measured[:, 1:] != 0)
        for run in np.flatnonzero(again.any(axis=1)).tolist():
            index[run] = _incumbents(self.key[run], accuracy[run])
        return index


def _incumbents(key: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Returns the incumbents of a run, int64 [Q], of keys [Q] and accuracies [Q], -inf for none."""
    last: dict[int, int] = {}  # query that measured a cell last
    best, index = 0, np.zeros(len(key), np.int64)
    for query, (cell, value) in enumerate(zip(key.tolist(), accuracy.tolist())):
        if value > -np.inf:
            again = last.get(cell) == best
            last[cell] = query
            if again:
                best = max(last.values(), key=lambda number: (accuracy[number], -number))
            elif value > accuracy[best]:
                best = query
        index[query] = best
    return index


HISTORY_COLUMNS = ("key", "validation_accuracy", "test_accuracy", "cost_sec", "partial")


class Strategy:
    """Base of strategies: they suggest cells; R runs advance together.

    `suggest` never changes the strategy, `take` and `update` do. A strategy owns neither the
    budget, nor the history, nor the clock, nor the log. Whoever measures one suggestion after the
    other needs `suggest` and `update` alone. Whoever measures many at a time says which are out:

        suggestion = strategy.suggest(idle)    # as many cells as workers are idle
        strategy.take(suggestion)              # they are out: never suggested again, not yet known
        ...                                    # one of them, or one taken earlier, is measured
        feedback = evaluation.feedback(active, numbers)
        strategy.update(feedback)              # in any order, by number

    What is out belongs to the state: a search that was killed goes on with it. A strategy's
    docstring says what it does meanwhile; one that has to wait suggests no cells.

    Attributes:
        has_pool: all cells that it may suggest are known beforehand; otherwise a history holds
            the cells themselves.
    """

    has_pool: bool = True

    def suggest(self, count: int | None = None) -> Suggestion:
        """Returns the next cells to measure, [R, B]; the same until `take` or `update`.

        Args:
            count: most cells a run that are wanted. Fewer come where a pool ends, and none where
                an answer has to come first. None leaves it to the strategy: one, or a round.
        """
        raise NotImplementedError

    def take(self, suggestion: Suggestion) -> None:
        """Notes that the first cells of `suggest` are being measured.

        Args:
            suggestion: as `suggest` returned it, or its first queries.
        """
        raise NotImplementedError

    def update(self, feedback: Feedback) -> None:
        """Learns from measured cells, whether `take` noted them or not."""
        raise NotImplementedError

    def state(self) -> dict[str, np.ndarray]:
        """Returns all that `restore` needs to go on exactly from here."""
        raise NotImplementedError

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Takes up a state that `state` returned."""
        raise NotImplementedError

    def metrics(self) -> dict[str, float]:
        """Returns what it wants to be logged, by name."""
        return {}


class Evaluator:
    """Base of evaluators: they measure cells."""

    def evaluate(self, suggestion: Suggestion, query: int) -> Evaluation:
        """Measures [R, B] cells; `query` is the number of queries already made in each run."""
        raise NotImplementedError

    def check_budget(self, budget: Any) -> None:
        """Raises ConfigError for a budget (`evaluators.budget.Budget`) that would never end."""


def ceil_div(number: int, size: int) -> int:
    """Returns how many parts of a size hold a number of things."""
    return -(-number // size)
