"""Random search: cells drawn uniformly from the pool, without replacement.

The baseline of every study (Li and Talwalkar, 2019, arXiv:1902.07638). Without a pool cells are
drawn as the space draws them, again where the run has asked for one before.

Shapes: R runs, M cells of the pool.
"""

from collections.abc import Sequence

import numpy as np

from nas_tf.core import Stream
from nas_tf.graphs import CellGraphs
from nas_tf.pools import pool_search
from nas_tf.spaces.space import SearchSpace


class RandomSearch(pool_search.PoolSearch):
    """Strategy that queries every cell of a pool with the same probability.

    Cells that are out are not drawn again; nothing waits for them.
    """

    def __init__(
        self,
        cells: CellGraphs | None = None,
        space: SearchSpace | None = None,
        *,
        seeds: Sequence[int],
    ):
        """Makes R runs that have queried nothing.

        Args:
            cells: the pool [M]; None is all of the space, enumerated or not.
            space: draws cells where there is no pool.
            seeds: R non-negative seeds. Nothing else of a run is random.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the pool is empty, or there is neither a pool nor a space.
        """
        super().__init__(
            cells, seeds=seeds, stream=Stream.RANDOM_SEARCH, num_draws=1, space=space
        )
        self._runs = np.arange(len(self._seeds))

    def _propose(self, uniform: np.ndarray) -> np.ndarray:
        return self._any_new(self._runs, uniform[:, 0])
