"""How far apart are cells in the embedding that are few edits apart?

arch2vec (Yan et al., NeurIPS 2020, arXiv:2006.06936), section 4.1 and figure 3: a random walk of
1,000 cells, each one edit from the one before, and the L2 distances of its members against their
edit distances. As in the released code the walk flips one entry of the adjacency matrix or changes
one operation, and all its cells have the same number of nodes. That code compares members at most
eight steps apart; here all pairs are compared.

Shapes: K cells of a walk, D embedding dimensions, P pairs, E distinct edit distances.
"""

import dataclasses

import numpy as np
from scipy import stats

from nas_tf import graphs
from nas_tf.core import ConfigError, Stream, generator
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace

PERCENTILES = (5, 25, 50, 75, 95)
MIN_PAIRS = 10  # of one edit distance, for a box of its own

_PAIR_CHUNK = 1 << 14  # pairs measured at a time
_FIRST_CELLS = 1024  # random ones, of which the walk begins at one with the most nodes


@dataclasses.dataclass(frozen=True, eq=False)
class DistanceRelation:
    """L2 distances in an embedding against edit distances.

    Attributes:
        spearman: Spearman's rank correlation over all pairs; NaN where one of the two distances is
            the same for all.
        num_pairs: P.
        edit_distances: int64 [E], those that occur, ascending.
        counts: int64 [E], pairs at each.
        percentiles: float64 [E, 5], the L2 distances' `PERCENTILES`; NaN for fewer than `MIN_PAIRS`
            pairs, which are counted and correlated like the others.
    """

    spearman: float
    num_pairs: int
    edit_distances: np.ndarray
    counts: np.ndarray
    percentiles: np.ndarray


def random_walk(space: SearchSpace, length: int, seed: int) -> CellGraphs:
    """Walks through a space at random.

    A step adds or removes one edge or changes one operation, all that lead to a valid cell being
    equally likely: neighbours in the walk are at `graphs.edit_distance` 1 and never isomorphic. No
    node comes or goes and none is renumbered, so that the edit distance of any two members means
    what it says. The walk begins at a cell of the largest size, 7 nodes in NAS-Bench-101. In
    NAS-Bench-201 and DARTS a single edge cannot change, and only operations do.

    Args:
        space: where the cells are from.
        length: K, cells of the walk; it may come back to one.
        seed: of the walk.

    Returns:
        cells [K].

    Raises:
        ConfigError: the length is not positive, or a cell has no neighbour in so small a space.
    """
    if length < 1:
        raise ConfigError(f"length={length}: a walk has at least one cell")
    rng = generator(seed, Stream.DISTANCE_WALK)
    first = space.random_cells(rng, (_FIRST_CELLS,))
    cell = first[[int(np.argmax(first.num_nodes))]]
    walk = [cell]
    while len(walk) < length:
        cell = _edit(space, cell, rng)
        walk.append(cell)
    return CellGraphs.concatenate(walk)


def _edit(space: SearchSpace, cell: CellGraphs, rng: np.random.Generator) -> CellGraphs:
    """Returns a random one of the valid cells [1] whose matrices differ in one entry."""
    size = int(cell.num_nodes[0])
    source, target = np.triu_indices(size, 1)
    node, op = np.nonzero(cell.ops[0, :size, None] != np.arange(len(space.op_names)))
    adjacency = np.repeat(cell.adjacency, len(source) + len(node), axis=0)
    ops = np.repeat(cell.ops, len(adjacency), axis=0)
    adjacency[np.arange(len(source)), source, target] ^= 1
    ops[np.arange(len(source), len(ops)), node] = op
    decoded, reason = space.decode(adjacency, ops)
    # A space may repair what it decodes, and drop nodes; that would be more than one edit.
    same = (decoded.adjacency == adjacency).all(axis=(1, 2)) & (decoded.ops == ops).all(axis=1)
    valid = np.flatnonzero(same & (reason == 0))
    if not len(valid):
        raise ConfigError(f"a cell of {size} nodes has no neighbour in so small a {space.name}")
    return decoded[valid[[rng.integers(len(valid))]]]


def distance_relation(
    cells: CellGraphs, embedding: np.ndarray, *, max_pairs: int = 200_000, seed: int
) -> DistanceRelation:
    """Compares edit distances of cells with L2 distances of their embeddings.

    The edit distance is `graphs.edit_distance`: entries of the adjacency matrix and operations that
    differ, node by node. It depends on the numbering of nodes and is never below the fewest edits
    under any numbering. Cells of different sizes can be compared, but padding differs from every
    operation and the outputs have different indices, so that one node more counts as several
    edits. The cells of `random_walk` are of one size.

    Pairs at edit distance 0, one cell visited twice, are left out.

    Args:
        cells: batch [K], such as a random walk.
        embedding: float [K, D], of the same cells.
        max_pairs: where there are more, so many are drawn, none twice.
        seed: of the draw.

    Raises:
        ConfigError: `max_pairs` is not positive.
        ValueError: the embedding is not a finite matrix with a row a cell, or no two cells differ.
    """
    if max_pairs < 1:
        raise ConfigError(f"max_pairs={max_pairs}: at least one pair is needed")
    embedding = check_embedding(embedding, len(cells))
    first, second = _pairs(len(cells), max_pairs, generator(seed, Stream.DISTANCE_PAIRS))
    edits = np.empty(len(first), np.int64)
    distances = np.empty(len(first))
    for start in range(0, len(first), _PAIR_CHUNK):
        part = slice(start, start + _PAIR_CHUNK)
        one, other = first[part], second[part]
        edits[part] = graphs.edit_distance(cells[one], cells[other])
        difference = embedding[one].astype(np.float64) - embedding[other]
        distances[part] = np.sqrt(np.square(difference).sum(axis=1))
    differ = edits > 0
    if not differ.any():
        raise ValueError(f"{len(cells)} cells, {len(first)} pairs: no two cells differ")
    return relate(edits[differ], distances[differ])


def relate(edits: np.ndarray, distances: np.ndarray) -> DistanceRelation:
    """Summarises pairs, whatever their order.

    Args:
        edits: int64 [P], edit distances.
        distances: float64 [P], L2 distances; P > 0.
    """
    constant = edits.min() == edits.max() or distances.min() == distances.max()
    spearman = float("nan") if constant else float(stats.spearmanr(edits, distances).statistic)
    present, counts = np.unique(edits, return_counts=True)
    percentiles = np.full((len(present), len(PERCENTILES)), np.nan)
    groups = np.split(distances[np.argsort(edits, kind="stable")], np.cumsum(counts)[:-1])
    for index in np.flatnonzero(counts >= MIN_PAIRS):
        percentiles[index] = np.percentile(groups[index], PERCENTILES)
    return DistanceRelation(spearman, len(edits), present, counts, percentiles)


def check_embedding(embedding: np.ndarray, num_cells: int) -> np.ndarray:
    """Returns an embedding as an array [M, D].

    Raises:
        ValueError: it is no finite matrix of M = `num_cells` rows, or it is empty.
    """
    embedding = np.asarray(embedding)
    if embedding.ndim != 2 or not embedding.size or len(embedding) != num_cells:
        raise ValueError(
            f"embedding of shape {embedding.shape} for {num_cells} cells: expected a matrix with a "
            "row for each"
        )
    finite = np.isfinite(embedding).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"embedding: {np.sum(~finite)} of {num_cells} rows are not finite, the first is row "
            f"{np.argmin(finite)}; encode the cells with other weights"
        )
    return embedding


def _pairs(
    num_cells: int, max_pairs: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns first and second member, int64 [P] each, of different pairs of different cells.

    Pair p is cell p mod K and the one p div K + 1 further, in a circle: for p below
    K (K - 1) / 2 these are all pairs, each once.
    """
    count = num_cells * (num_cells - 1) // 2
    if count > max_pairs:
        pair = rng.choice(count, max_pairs, replace=False, shuffle=False)
    else:
        pair = np.arange(count)
    first = pair % max(num_cells, 1)
    return first, (first + pair // max(num_cells, 1) + 1) % max(num_cells, 1)
