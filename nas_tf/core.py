"""The nouns every part shares: values, protocols and errors.

Architecture search is ask, evaluate, tell:

    suggestion = strategy.suggest()
    evaluation = evaluator.evaluate(suggestion, query)
    strategy.update(evaluation.feedback(active))

Shapes: R independent runs of a study, B suggestions a round, Q queries a run.
"""

import dataclasses
import enum
from typing import Protocol

import numpy as np

from nas_tf.graphs import CellGraphs


class NasError(Exception):
    """Root of every error the library raises on purpose."""


class InvalidArchitectureError(NasError):
    """One architecture cannot be built or trained; the search goes on without it."""


class DataError(NasError):
    """A file is missing, damaged or not what it claims to be."""


class ConfigError(NasError):
    """A setting is impossible; the message names the flag and the value."""


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
    PREDICTION = _OTHERS + 61
    DISTANCE_WALK = _OTHERS + 62
    DISTANCE_PAIRS = _OTHERS + 63
    MAP_CELLS = _OTHERS + 64
    WALKS = _OTHERS + 65
    PROJECTOR = _OTHERS + 66
    FIGURES = _OTHERS + 67


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


def pool_used_up(num_cells: int) -> ConfigError:
    """Returns the error of a strategy that has queried every cell of its pool."""
    return ConfigError(
        f"all {num_cells} cells of the pool have been queried; a search's budget must end before"
    )


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """Cells a strategy wants measured.

    Attributes:
        cells: batch of shape [R, B].
        epochs: training epochs to measure them at; None is the evaluator's full budget.
    """

    cells: CellGraphs
    epochs: int | None = None


@dataclasses.dataclass(frozen=True)
class Feedback:
    """What a strategy learns of its suggestion. It holds no test accuracy.

    Attributes:
        cells: the cells suggested, [R, B].
        feasible: bool [R, B].
        validation_accuracy: float64 [R, B] in [0, 1]; NaN where infeasible.
        cost_sec: float64 [R, B], training seconds spent.
        active: bool [R]; a run that is not active has no budget left and must not change.
    """

    cells: CellGraphs
    feasible: np.ndarray
    validation_accuracy: np.ndarray
    cost_sec: np.ndarray
    active: np.ndarray


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

    def feedback(self, active: np.ndarray) -> Feedback:
        """Returns the part a strategy may see; `active` is bool [R]."""
        return Feedback(
            cells=self.cells,
            feasible=self.feasible,
            validation_accuracy=self.validation_accuracy,
            cost_sec=self.cost_sec,
            active=active,
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
    """

    key: np.ndarray
    validation_accuracy: np.ndarray
    test_accuracy: np.ndarray
    cost_sec: np.ndarray
    partial: np.ndarray | None = None

    def __post_init__(self):
        if self.partial is None:
            self.partial = np.zeros(np.shape(self.key), bool)

    def incumbent(self) -> np.ndarray:
        """Returns int64 [R, Q]: index of the best validation accuracy so far (the first of ties).

        Before a run's first feasible query it is 0.
        """
        accuracy = np.where(np.isnan(self.validation_accuracy), -np.inf, self.validation_accuracy)
        best = np.maximum.accumulate(accuracy, axis=1)
        improved = np.ones(accuracy.shape, bool)
        improved[:, 1:] = accuracy[:, 1:] > best[:, :-1]
        index = np.where(improved, np.arange(accuracy.shape[1]), 0)
        return np.maximum.accumulate(index, axis=1)


class SearchSpace(Protocol):
    """A set of cells, and how they are sampled, varied and encoded."""

    name: str
    max_nodes: int
    op_names: tuple[str, ...]

    def enumerate_cells(self) -> CellGraphs:
        """Returns every unique cell once, [M], always in the same order."""

    def random_cells(self, rng: np.random.Generator, shape: tuple[int, ...]) -> CellGraphs:
        """Returns random valid cells of the given leading shape."""

    def mutate(self, cells: CellGraphs, rng: np.random.Generator) -> CellGraphs:
        """Returns cells one edit away, in the shape of `cells`."""

    def neighbours(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Returns all cells one edit away and, for each, the index of its origin."""

    def encode(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns float32 adjacency [..., N, N] and one-hot operations [..., N, D]."""

    def decode(self, adjacency: np.ndarray, ops: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns cells and reason codes (0 is valid) of decoded matrices."""

    def counts_as_valid(self, adjacency: np.ndarray, ops: np.ndarray) -> np.ndarray:
        """Tells, bool [...], which decoded matrices the published validity counts as valid."""


class Strategy(Protocol):
    """Suggests cells; R runs advance together.

    `suggest` never changes the strategy, `update` does. A strategy owns neither the budget, nor
    the history, nor the clock, nor the log.
    """

    def suggest(self) -> Suggestion:
        """Returns the next cells to measure, [R, B]."""

    def update(self, feedback: Feedback) -> None:
        """Learns from measured cells."""

    def state(self) -> dict[str, np.ndarray]:
        """Returns all that `restore` needs to go on exactly from here."""

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Takes up a state that `state` returned."""


class Evaluator(Protocol):
    """Measures cells."""

    def evaluate(self, suggestion: Suggestion, query: int) -> Evaluation:
        """Measures [R, B] cells; `query` is the number of queries already made in each run."""
