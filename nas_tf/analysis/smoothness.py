"""How little do cells change from one point of the embedding to the next?

arch2vec (Yan et al., NeurIPS 2020, arXiv:2006.06936), section 4.1, figures 5 and 11-13: from a cell
always on to the nearest that was not visited yet. In a smooth embedding neighbours are few edits
apart.

A step is one matrix product of all walks with all cells: x is nearest to p where |x|^2 / 2 - p.x is
smallest. In 16 dimensions a k-d tree opens so many of its leaves that it takes two to six times as
long. The product is in float64, and still only bounds the distance: cells within its rounding of
the smallest are measured by subtraction. A walk therefore does not depend on how cells are cut
into chunks or on the other walks.

Memory: the embedding in float64, and chunks of some MiB; never [W, M].

Shapes: M cells, D embedding dimensions, W walks, L cells of a walk, C cells of a chunk.
"""

import dataclasses

import numpy as np

from nas_tf import graphs
from nas_tf.analysis.latent_distance import check_embedding
from nas_tf.core import ConfigError, Stream, generator
from nas_tf.graphs import CellGraphs

NUM_RANDOM_PAIRS = 10_000

# Multiplications of one product, W x D x C. OpenBLAS runs this many on one thread; more would
# have threads wait for each other longer than they work.
_PRODUCT = 1 << 18
_MIN_CHUNK = 64  # cells


@dataclasses.dataclass(frozen=True, eq=False)
class Smoothness:
    """Greedy walks through an embedding.

    Attributes:
        walks: int64 [W, L], the cells visited.
        edit_distances: int64 [W, L - 1], between neighbours in a walk.
        random_mean: mean edit distance of random pairs of different cells, which is what
            neighbours would have in an embedding that means nothing.
    """

    walks: np.ndarray
    edit_distances: np.ndarray
    random_mean: float

    @property
    def walk_means(self) -> np.ndarray:
        """Mean edit distance between neighbours, float64 [W]."""
        return self.edit_distances.mean(axis=1)

    @property
    def mean(self) -> float:
        """Mean of the walks' means."""
        return float(self.walk_means.mean())

    @property
    def std(self) -> float:
        """Standard deviation (population) of the walks' means."""
        return float(self.walk_means.std())


def greedy_walk(embedding: np.ndarray, *, start: int, length: int) -> np.ndarray:
    """Walks always to the nearest cell (L2) that was not visited yet, the lowest index of several.

    Args:
        embedding: float [M, D].
        start: the first cell, 0 to M - 1.
        length: L, cells of the walk, the first included.

    Returns:
        int64 [L], all different.

    Raises:
        ConfigError: there is no such cell, or fewer than `length`.
        ValueError: the embedding is no finite matrix.
    """
    embedding = check_embedding(embedding, len(embedding))
    _check_length(length, len(embedding), shortest=1)
    if not 0 <= start < len(embedding):
        raise ConfigError(f"start={start}: expected 0 to {len(embedding) - 1}")
    return _greedy_walks(embedding, np.array([start]), length)[0]


def walk_smoothness(
    cells: CellGraphs,
    embedding: np.ndarray,
    *,
    num_walks: int = 20,
    length: int = 80,
    seed: int,
) -> Smoothness:
    """Walks greedily from random cells and counts edits between neighbours.

    Edit distances are those of `graphs.edit_distance`, node by node: never below the fewest edits
    under any numbering of the nodes, and a node more or less counts as several.

    Args:
        cells: batch [M].
        embedding: float [M, D], of the same cells.
        num_walks: W, from different cells.
        length: L, cells of a walk.
        seed: of the starts and of the random pairs.

    Raises:
        ConfigError: fewer cells than walks, or than a walk has, or a walk without neighbours.
        ValueError: the embedding is not a finite matrix with a row a cell.
    """
    embedding = check_embedding(embedding, len(cells))
    _check_length(length, len(cells), shortest=2)
    if not 1 <= num_walks <= len(cells):
        raise ConfigError(f"num_walks={num_walks}: expected 1 to {len(cells)}, one from a cell")
    rng = generator(seed, Stream.WALKS)
    starts = rng.choice(len(cells), num_walks, replace=False)
    walks = _greedy_walks(embedding, starts, length)
    edits = graphs.edit_distance(cells[walks[:, :-1]], cells[walks[:, 1:]])
    first = rng.integers(len(cells), size=NUM_RANDOM_PAIRS)
    second = (first + rng.integers(1, len(cells), size=NUM_RANDOM_PAIRS)) % len(cells)
    random_mean = float(graphs.edit_distance(cells[first], cells[second]).mean())
    return Smoothness(walks, edits, random_mean)


def _check_length(length: int, num_cells: int, shortest: int) -> None:
    """Raises ConfigError when a walk would be too short or run out of cells."""
    if not shortest <= length <= num_cells:
        raise ConfigError(
            f"length={length}: expected {shortest} to {num_cells}, as no cell is visited twice"
        )


def _greedy_walks(embedding: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Returns int64 [W, L]; see `greedy_walk`. Walks do not meet."""
    embedding = np.ascontiguousarray(embedding, np.float64)
    half_norms = 0.5 * np.square(embedding).sum(axis=1)
    walks = np.empty((len(starts), length), np.int64)
    walks[:, 0] = starts
    for step in range(1, length):
        walks[:, step] = _nearest(embedding, half_norms, walks[:, :step])
    return walks


def _nearest(embedding: np.ndarray, half_norms: np.ndarray, visited: np.ndarray) -> np.ndarray:
    """Returns the cell nearest to each walk's last one that it has not visited, int64 [W].

    Args:
        embedding: float64 [M, D].
        half_norms: float64 [M], half of the rows' squared norms.
        visited: int64 [W, V], fewer than M cells.
    """
    points = embedding[visited[:, -1]]
    num_walks, depth = points.shape
    # Twice the rounding of a score: D + 2 roundings of numbers up to 1.5 times the largest norm
    # squared, doubled to be safe.
    margin = 12 * (depth + 2) * np.finfo(np.float64).eps * half_norms.max()
    bound = np.full(num_walks, np.inf)
    nearest = np.full(num_walks, -1)
    distance = np.full(num_walks, np.inf)
    chunk = max(_MIN_CHUNK, _PRODUCT // (num_walks * depth))
    for start in range(0, len(embedding), chunk):
        part = embedding[start : start + chunk]
        scores = half_norms[start : start + chunk] - points @ part.T  # [W, C]
        walk, place = np.nonzero((visited >= start) & (visited < start + chunk))
        scores[walk, visited[walk, place] - start] = np.inf
        smallest = scores.min(axis=1)
        np.minimum(bound, smallest + margin, out=bound)
        open_walks = np.flatnonzero((smallest <= bound) & np.isfinite(smallest))
        walk, cell = np.nonzero(scores[open_walks] <= bound[open_walks, None])
        walk = open_walks[walk]
        exact = np.square(part[cell] - points[walk]).sum(axis=1)
        order = np.lexsort((cell, exact, walk))
        first = order[np.unique(walk[order], return_index=True)[1]]  # each walk's nearest here
        first = first[exact[first] < distance[walk[first]]]  # an earlier chunk wins a tie
        nearest[walk[first]] = start + cell[first]
        distance[walk[first]] = exact[first]
    return nearest
