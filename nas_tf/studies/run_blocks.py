"""A study of more runs than fit into memory: block after block, each to its end.

Shapes: R runs, Q queries.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Sequence

import numpy as np

from nas_tf import core, search_loop
from nas_tf.evaluators.budget import Budget
from nas_tf.pools.record import Record


@dataclasses.dataclass(frozen=True)
class RunBlocks:
    """How the runs of a study are searched.

    Attributes:
        build: seeds -> a fresh searcher of as many runs.
        evaluator: seeds -> what measures their cells.
        seeds: of R runs.
        size: runs of a block.
    """

    build: Callable[[Sequence[int]], core.Strategy]
    evaluator: Callable[[Sequence[int]], core.Evaluator]
    seeds: Sequence[int]
    size: int

    def search(
        self,
        budget: Budget,
        *,
        checkpoint: search_loop.Checkpoint | None,
        logger: search_loop.Logger | None,
        progress: bool,
    ) -> search_loop.SearchResult:
        """Searches all blocks; arguments and errors as of `search_loop.run_search`.

        A block that is over keeps its checkpoint, so that a killed study goes on within the next.
        What is logged are means over all runs, at the end.
        """
        results = []
        for first in range(0, len(self.seeds), self.size):
            seeds = self.seeds[first : first + self.size]
            results.append(
                search_loop.run_search(
                    self.build(seeds),
                    self.evaluator(seeds),
                    budget,
                    num_runs=len(seeds),
                    checkpoint=_own(checkpoint, first),
                    progress=progress,
                    title=f"runs {first + 1}-{first + len(seeds)} of {len(self.seeds)}",
                )
            )
        history = core.History.of_runs([result.history for result in results])
        if logger is not None:
            _log(history, logger)
        return search_loop.SearchResult(history, sum(result.search_sec for result in results))


def _own(checkpoint: search_loop.Checkpoint | None, first: int) -> search_loop.Checkpoint | None:
    """Returns the checkpoint of the block that begins with a run."""
    if checkpoint is None:
        return None
    path = pathlib.Path(checkpoint.path)
    return dataclasses.replace(
        checkpoint,
        path=path.with_name(f"{path.stem}_{first}{path.suffix}"),
        settings={**checkpoint.settings, "first_run": first},
        at_end=True,
    )


def _log(history: core.History, logger: search_loop.Logger) -> None:
    """Logs what a search of all runs at once would have logged."""
    record = Record(len(history.key), keep_cells=False)
    for query in range(history.key.shape[1]):
        record.add_column(**{
            name: getattr(history, name)[:, query] for name in core.HISTORY_COLUMNS
        })
        logger.scalars(query + 1, search_loop.known_scalars(record.summary()))
