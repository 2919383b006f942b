"""What a kernel needs to know of the cells queried and all cells of a pool, for many runs at once.

Runs of a study query the same good cells: what is known of one and all others is kept, as far as
there is room, and neither runs nor other hyperparameters need it again.

Shapes: M cells of the pool, n queried, G groups, F features of a group.
"""

import threading
from collections.abc import Sequence

import numpy as np

from nas_tf.surrogates.gaussian_process import Kernel, squared_norms

_KEPT_BYTES = 900_000_000
_LEAST_KEPT = 1000  # cells; where fewer find room, keeping them is not worth its memory


class PoolPairs:
    """Products and squared distances of features.

    Attributes:
        kernel: of the groups.
        size: M.
        squares: squared norms of features, float32 [M] a group.
    """

    def __init__(self, kernel: Kernel, features: Sequence[np.ndarray]):
        """Args: kernel: of the groups; features: float32 [M, F] a group."""
        self.kernel, self._features = kernel, features
        self.size = len(features[0])
        self.squares = [squared_norms(group) for group in features]
        room = _KEPT_BYTES // (4 * len(features) * self.size)
        room = min(room, self.size) if room >= min(_LEAST_KEPT, self.size) else 0
        self._kept = np.empty((len(features), room, self.size), np.float32)
        self._place = np.full(self.size, -1)  # in what is kept
        self._count = 0
        self._lock = threading.Lock()

    def features(self, cells: np.ndarray) -> list[np.ndarray]:
        """Returns the features of cells, int [n], [n, F] a group."""
        return [group[cells] for group in self._features]

    def pairs(self, cells: np.ndarray, part: slice) -> list[np.ndarray]:
        """Returns `Kernel.pairs` of cells, int [n], and some of the pool, float32 a group.

        The arrays are the caller's.
        """
        place = self._places(cells)
        if place is not None:
            return [group[place, part] for group in self._kept]
        others = [group[part] for group in self._features]
        squares = [group[part] for group in self.squares]
        return self.kernel.pairs(self.features(cells), others, squares)

    def _places(self, cells: np.ndarray) -> np.ndarray | None:
        """Returns where the pairs of cells are kept, int [n]; None if there is no room for all."""
        if (self._place[cells] < 0).any():
            with self._lock:
                missing = np.unique(cells[self._place[cells] < 0])
                if self._count + len(missing) > self._kept.shape[1]:
                    return None
                self._keep(missing)
        return self._place[cells]

    def _keep(self, cells: np.ndarray) -> None:
        for cell in cells.tolist():  # one by one: rounding must not depend on who came before
            known = self.features(np.array([cell]))
            for group, row in enumerate(self.kernel.pairs(known, self._features, self.squares)):
                self._kept[group, self._count] = row[0]
            self._place[cell] = self._count
            self._count += 1
