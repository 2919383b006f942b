"""Random search: cells drawn uniformly from the pool, without replacement.

The baseline of every study (Li and Talwalkar, 2019, arXiv:1902.07638).

Shapes: R runs, M cells of the pool.
"""

from collections.abc import Sequence

import numpy as np

from nas_tf.core import Stream
from nas_tf.graphs import CellGraphs
from nas_tf.pools import pool_search



class RandomSearch(pool_search.PoolSearch):
    """Strategy that queries every cell of a pool with the same probability."""

    def __init__(self, cells: CellGraphs, *, seeds: Sequence[int]):
        """Args: cells: the pool [M]; seeds: R non-negative seeds.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the pool is empty.
        """
        super().__init__(cells, seeds=seeds, stream=Stream.RANDOM_SEARCH, num_draws=1)

    def _propose(self, uniform: np.ndarray) -> np.ndarray:
        return self._queried.draw(uniform[:, 0])
