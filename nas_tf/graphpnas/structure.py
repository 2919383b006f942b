"""How cells are wired: clustering and path lengths of their graphs, directions left out."""

import networkx
import numpy as np


def clustering_and_path_length(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measures graphs without their unjoined nodes.

    Args:
        edges: bool [K, N, N], an edge in either direction.

    Returns:
        average clustering coefficients (Watts and Strogatz, 1998) and average shortest path lengths
        over pairs of nodes that are joined by a path, float64 [K] each; NaN without an edge.
    """
    found = np.full((2, len(edges)), np.nan)
    unique, index = np.unique(edges, axis=0, return_inverse=True)
    measured = [_measure(matrix) for matrix in unique]
    if measured:
        found[:] = np.array(measured).T[:, np.ravel(index)]
    return found[0], found[1]


def _measure(matrix: np.ndarray) -> tuple[float, float]:
    graph = networkx.from_numpy_array((matrix | matrix.T).astype(int))
    graph.remove_nodes_from(list(networkx.isolates(graph)))
    if not graph:
        return np.nan, np.nan
    lengths = [
        length
        for source, targets in networkx.all_pairs_shortest_path_length(graph)
        for target, length in targets.items()
        if source != target
    ]
    return networkx.average_clustering(graph), float(np.mean(lengths))
