"""What the recipe of a search strategy is.

A recipe is a frozen dataclass of settings that says what the strategy is called, what it needs of
a study, what was published of it, and how its searcher is built:

    @dataclasses.dataclass(frozen=True)
    class LocalSearch(Strategy):
        name = "local_search"
        title = "local search"
        needs = Needs(neighbours=True)
        full_neighbourhood: bool = setting(True, "Query all neighbours before moving.")

        def build(self, study: StudySetup) -> core.Strategy:
            return local_search.LocalSearch(study.cells, study.space, ...)

Importing a recipe imports no TensorFlow; `build` may.

Shapes: R runs of a study, M cells of its pool, L dimensions of an embedding.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from nas_tf import core
from nas_tf.config import Component
from nas_tf.core import ConfigError
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import CellGraphs
from nas_tf.reports.notes import Published
from nas_tf.spaces.space import SearchSpace

Watcher = Callable[[int, Mapping[str, float]], None]  # a callback of `search_loop.run_search`


@dataclasses.dataclass(frozen=True, kw_only=True)
class Needs:
    """What a strategy needs of a study.

    Attributes:
        pool: all cells that can be measured, listed.
        abilities: methods that the space has to have, see `spaces.space.SearchSpace`; one of those
            in a tuple will do.
        embedding: of every cell of the pool, by a pre-trained model.
        several_epochs: cells can be measured after trainings of two lengths or more.
    """

    pool: bool = True
    abilities: tuple[str | tuple[str, ...], ...] = ()
    embedding: bool = False
    several_epochs: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudySetup:
    """What a searcher is built for.

    Attributes:
        space: of the cells.
        cells: the pool [M]; None where cells cannot be listed.
        seeds: R seeds of the runs.
        epochs: training budgets that cells can be measured at, ascending.
        num_queries: the most that a run may make; None where only the cost limits it.
        measures_again: a cell that is measured again is shown by another training.
        embedding: float32 [M, L] of the pool; None for a strategy that needs none.
        devices: names of the devices that share the runs; empty leaves it to TensorFlow.
    """

    space: SearchSpace
    cells: CellGraphs | None
    seeds: Sequence[int]
    epochs: tuple[int, ...]
    num_queries: int | None = None
    measures_again: bool = False
    embedding: np.ndarray | None = None
    devices: Sequence[str] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Searched:
    """A search that has ended, for what a strategy leaves beside it.

    Attributes:
        searcher: what `Strategy.build` returned.
        history: every query.
        measured: the benchmark (`benchmarks.benchmark.Benchmark`).
        space: of the cells.
        title: of the study.
        seed: of the study.
        directory: where results go.
        log: takes histograms, scalars and images (`analysis.tensorboard.TensorBoardLogger`).
    """

    searcher: core.Strategy
    history: core.History
    measured: Any
    space: SearchSpace
    title: str
    seed: int
    directory: pathlib.Path
    log: Any


@dataclasses.dataclass(frozen=True)
class Strategy(Component):
    """Base of recipes.

    Attributes:
        name: the word of `--strategy`; "" for one that is used from Python alone.
        title: what people call it.
        needs: of a study.
        published: numbers of papers, each with its protocol.
        former_names: words that `--strategy` had for it.
        is_random: it draws cells evenly, which every comparison needs.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    needs: ClassVar[Needs] = Needs()
    published: ClassVar[tuple[Published, ...]] = ()
    former_names: ClassVar[tuple[str, ...]] = ()
    is_random: ClassVar[bool] = False
    read_by: ClassVar[str] = "strategy"

    def build(self, study: StudySetup) -> core.Strategy:
        """Returns a fresh searcher for R runs.

        Raises:
            ConfigError: a setting does not suit the study.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define build(study)")

    def num_random(self) -> tuple[str, int] | None:
        """Returns the setting that says how many queries are random, and that number, if any."""
        return None

    def runs_at_once(self, study: StudySetup) -> int | None:
        """Returns how many runs fit into memory side by side; None is all of them.

        More are searched block after block, each to its end.
        """
        return None

    def check(self, budget: Budget, epochs: tuple[int, ...]) -> None:
        """Checks the settings against what a run may spend, before any compute is spent.

        Args:
            budget: of every run.
            epochs: training budgets that cells can be measured at, ascending.

        Raises:
            ConfigError: all queries would be random, or no cell would be trained in full.
        """
        first = self.num_random()
        if first and budget.num_queries is not None and budget.num_queries <= first[1]:
            raise ConfigError(
                f"num_queries={budget.num_queries}: all would be random, {first[0]}={first[1]}"
            )

    def watchers(self, searcher: core.Strategy, measured: Any, log: Any) -> list[Watcher]:
        """Returns who looks on while the search goes on; see `Searched` for the arguments."""
        return []

    def leave(self, search: Searched) -> list[str]:
        """Writes what the strategy leaves beside a search; returns lines for the user."""
        return []


def check_needs(strategy: Strategy, space: SearchSpace, has_pool: bool) -> None:
    """Raises ConfigError where a space does not have what a strategy needs."""
    title = strategy.title or type(strategy).__name__
    if strategy.needs.pool and not has_pool:
        raise ConfigError(
            f"{title} searches a list of cells; those of {space.title} cannot be listed"
        )
    for wanted in strategy.needs.abilities:
        names = (wanted,) if isinstance(wanted, str) else wanted
        if not any(space.has(name) for name in names):
            raise ConfigError(f"{title} needs {' or '.join(names)}(), which {space.title} lacks")
