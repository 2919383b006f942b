"""What the generators of a study have learned, as its page shows it.

Figure 3 of GraphPNAS (Li et al., 2022, arXiv:2211.15155), and how samples move over a search.

Shapes: F fits, R runs, A samples a fit, M cells of the pool, N nodes.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from nas_tf.core import Stream, generator
from nas_tf.graphpnas.diagnostics import Diagnostics
from nas_tf.graphpnas.structure import clustering_and_path_length

NUM_RANDOM = 2000  # cells beside those that were drawn

_STEPS = 4  # fits whose samples are looked at
_POINTS = 500  # cells whose wiring is looked at


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Learned:
    """What a study's generators drew.

    Attributes:
        seen: int [F], queries before every fit, ascending.
        indices: int [F, R, A], cells drawn after it; negative is no cell of the pool.
        shares: "valid", "unique" and "new" -> float [F, R].
        num_fallbacks: queries that explored because nothing drawn would do.
        num_any_cell: queries that took any cell because the explorer drew nothing new either.
        acceptance: share of the explorer's graphs that were new cells; NaN where it drew none.
        num_runs: R.
        random: int [:], cells drawn evenly from the pool.
        accuracy: float [M], validation accuracy of the pool.
        edges: bool [M, N, N], its graphs.
    """

    seen: np.ndarray
    indices: np.ndarray
    shares: Mapping[str, np.ndarray]
    num_fallbacks: int
    num_any_cell: int
    acceptance: float
    num_runs: int
    random: np.ndarray
    accuracy: np.ndarray
    edges: np.ndarray

    def steps(self) -> np.ndarray:
        """Returns the fits that are looked at, ascending, at most four."""
        return np.unique(np.linspace(0, len(self.seen) - 1, _STEPS).round().astype(int))

    def samples(self) -> dict[str, np.ndarray]:
        """Returns cells drawn at random and at some fits, int [:] by label."""
        drawn = {"random": self.random}
        for fit in self.steps() if len(self.seen) else ():
            drawn[f"{self.seen[fit]}"] = self.indices[fit][self.indices[fit] >= 0]
        return drawn

    def wiring(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns path lengths, clustering coefficients and accuracies of different cells.

        Args:
            cells: int [:], of the pool; equal ones count once, and 500 are drawn from more.
        """
        cells = np.unique(cells)
        if len(cells) > _POINTS:
            cells = generator(0, Stream.FIGURES).choice(cells, _POINTS, replace=False)
        clustering, lengths = clustering_and_path_length(self.edges[cells])
        return lengths, clustering, self.accuracy[cells]


def learned(
    diagnostics: Diagnostics, *, num_runs: int, accuracy: np.ndarray, edges: np.ndarray, seed: int
) -> Learned:
    """Returns what a study's generators have learned.

    Args:
        diagnostics: of the search.
        num_runs: R.
        accuracy: float [M], validation accuracy of the pool's cells.
        edges: bool [M, N, N], their graphs.
        seed: of the random cells.
    """
    arrays = diagnostics.arrays()
    return Learned(
        seen=arrays["seen"],
        indices=arrays["indices"],
        shares=diagnostics.shares(),
        num_fallbacks=diagnostics.num_fallbacks,
        num_any_cell=diagnostics.num_any_cell,
        acceptance=diagnostics.acceptance,
        num_runs=num_runs,
        random=generator(seed, Stream.RANDOM_CELLS).integers(len(accuracy), size=NUM_RANDOM),
        accuracy=accuracy,
        edges=edges,
    )
