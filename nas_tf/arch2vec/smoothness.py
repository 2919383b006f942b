"""How little do cells change from one point of the embedding to the next?

arch2vec (Yan et al., NeurIPS 2020, arXiv:2006.06936), section 4.1, figures 5 and 11-13: from a cell
always on to the nearest that was not visited yet. In a smooth embedding neighbours are few edits
apart.

A step measures all cells from all walks' ends, chunk by chunk: in 16 dimensions a k-d tree opens so
many of its leaves that it takes longer. Distances are exact differences, so that a walk does not
depend on how cells are cut into chunks or on the other walks.

Shapes: M cells, D embedding dimensions, W walks, L cells of a walk, C cells of a chunk.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist

from nas_tf import graphs
from nas_tf.arch2vec.latent_distance import check_embedding
from nas_tf.core import ConfigError, Stream, generator
from nas_tf.graphs import CellGraphs

NUM_RANDOM_PAIRS = 10_000

_CHUNK = 1 << 12  # cells whose distances to all walks are held at a time


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
    walks = greedy_walks(embedding, starts, length)
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


def greedy_walks(embedding: np.ndarray, starts: Sequence[int], length: int) -> np.ndarray:
    """Walks always to the nearest cell (L2) that was not visited yet, the lowest index of several.

    Args:
        embedding: float [M, D].
        starts: the first cell of each of W walks, 0 to M - 1; walks do not meet.
        length: L, cells of a walk, the first included.

    Returns:
        int64 [W, L]; no walk visits a cell twice.

    Raises:
        ConfigError: there are fewer than `length` cells.
        ValueError: the embedding is no finite matrix.
    """
    embedding = check_embedding(embedding, len(embedding))
    _check_length(length, len(embedding), shortest=1)
    embedding = np.ascontiguousarray(embedding, np.float64)
    walks = np.empty((len(starts), length), np.int64)
    walks[:, 0] = starts
    for step in range(1, length):
        walks[:, step] = _nearest(embedding, walks[:, :step])
    return walks


def _nearest(embedding: np.ndarray, visited: np.ndarray) -> np.ndarray:
    """Returns the cell nearest to each walk's last one that it has not visited, int64 [W].

    Args:
        embedding: float64 [M, D].
        visited: int64 [W, V], fewer than M cells.
    """
    distance = np.full(len(visited), np.inf)
    nearest = np.full(len(visited), -1)
    for start in range(0, len(embedding), _CHUNK):
        part = embedding[start : start + _CHUNK]
        found = cdist(embedding[visited[:, -1]], part, "sqeuclidean")  # [W, C]
        walk, index = np.nonzero((visited >= start) & (visited < start + len(part)))
        found[walk, visited[walk, index] - start] = np.inf
        first = found.argmin(axis=1)
        least = found[np.arange(len(found)), first]
        closer = least < distance  # an earlier chunk wins a tie
        distance[closer], nearest[closer] = least[closer], start + first[closer]
    return nearest
