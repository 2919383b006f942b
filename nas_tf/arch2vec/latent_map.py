"""A map of the embedding in two dimensions, coloured by accuracy.

arch2vec (Yan et al., NeurIPS 2020, arXiv:2006.06936), section 4.1 and figure 4: t-SNE of 10,000
random cells, accuracies averaged over small areas of the map.

Shapes: M cells, D embedding dimensions, K points of the map.
"""

import dataclasses

import numpy as np
from sklearn.manifold import TSNE

from nas_tf.arch2vec.latent_distance import check_embedding
from nas_tf.core import ConfigError, Stream, generator

PERPLEXITY = 30.0  # of t-SNE, about how many neighbours a cell is kept close to
GRID = 60  # areas along a side of the map

_JOBS = 2  # of the search for neighbours


@dataclasses.dataclass(frozen=True, eq=False)
class LatentMap:
    """Cells on a map.

    Attributes:
        cells: int64 [K], the cells drawn, ascending.
        points: float32 [K, 2], their positions; the axes have no meaning.
        accuracy: float64 [K], mean accuracy of the cells in the same area.
    """

    cells: np.ndarray
    points: np.ndarray
    accuracy: np.ndarray


def latent_map(
    embedding: np.ndarray,
    accuracy: np.ndarray,
    *,
    num_cells: int = 10_000,
    perplexity: float = PERPLEXITY,
    seed: int,
) -> LatentMap:
    """Maps random cells by t-SNE (van der Maaten and Hinton, 2008), by Barnes and Hut's method.

    The same seed gives the same map, bit for bit, on up to two threads. scikit-learn takes as many
    as `OMP_NUM_THREADS`, or the cores, and sums their parts in the order in which they come.

    Args:
        embedding: float32 [M, D], D > 1.
        accuracy: float64 [M]; cells with NaN, which are not in the table, are left out.
        num_cells: K.
        perplexity: about how many neighbours a cell is to be kept close to.
        seed: of the draw and of t-SNE.

    Raises:
        ConfigError: fewer than `num_cells` have an accuracy, or these are too few for the
            perplexity.
        ValueError: the arrays do not fit each other.
    """
    accuracy = np.asarray(accuracy, np.float64)
    embedding = check_embedding(embedding, accuracy.size)
    if accuracy.ndim != 1 or embedding.shape[1] < 2:
        raise ValueError(
            f"accuracy of shape {accuracy.shape}, embedding of shape {embedding.shape}: expected "
            "one number a cell and at least two dimensions"
        )
    known = np.flatnonzero(np.isfinite(accuracy))
    if len(known) < num_cells:
        raise ConfigError(
            f"num_cells={num_cells}: only {len(known)} of {len(accuracy)} cells have an accuracy; "
            "ask for no more"
        )
    if not 0 < perplexity < num_cells:
        raise ConfigError(
            f"perplexity={perplexity} with num_cells={num_cells}: it must be positive and below "
            "the number of cells"
        )
    rng = generator(seed, Stream.MAP_CELLS)
    cells = np.sort(rng.choice(known, num_cells, replace=False))
    tsne = TSNE(
        perplexity=perplexity,
        init="pca",
        method="barnes_hut",
        n_jobs=_JOBS,
        random_state=int(rng.integers(1 << 32)),
    )
    points = tsne.fit_transform(embedding[cells])
    return LatentMap(cells, points, area_means(points, accuracy[cells]))


def area_means(points: np.ndarray, values: np.ndarray, grid: int = GRID) -> np.ndarray:
    """Averages values over small areas of a map.

    Args:
        points: float [K, 2].
        values: float [K].
        grid: the map is cut into `grid` x `grid` areas of equal size.

    Returns:
        float64 [K]: the mean value of the points in the same area.
    """
    points = np.asarray(points, np.float64)
    low = points.min(axis=0)
    extent = points.max(axis=0) - low
    relative = (points - low) / np.where(extent > 0, extent, 1.0)
    column, row = np.minimum((relative * grid).astype(np.int64), grid - 1).T
    area = row * grid + column
    total = np.bincount(area, weights=values)
    return (total / np.maximum(np.bincount(area), 1))[area]
