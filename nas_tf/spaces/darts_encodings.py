"""Cells of the DARTS space as categorical decisions.

Shapes: [...] any leading dimensions.
"""

import itertools

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces.darts_cells import from_edges, to_edges
from nas_tf.spaces.darts_edges import INTERIOR_OPS, NONE, NUM_INTERMEDIATE, NUM_SLOTS, NUM_SOURCES

_PAIRS = [np.array(list(itertools.combinations(range(size), 2))) for size in NUM_SOURCES]
_CHOOSING = range(1, NUM_INTERMEDIATE)  # intermediate nodes that have a choice of sources


class DartsDecisions:
    """Which pair of sources intermediate nodes 1 to 3 read, and the eight operations.

    Node 0 reads both inputs. Operations are those of the lower and of the higher source of each
    node in turn. Every code is a cell.
    """

    num_choices = tuple(len(_PAIRS[node]) for node in _CHOOSING) + (len(INTERIOR_OPS),) * NUM_SLOTS

    def encode(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [..., 11]."""
        sources, ops = to_edges(cells)
        order = np.argsort(sources, axis=-1)
        sources = np.take_along_axis(sources, order, axis=-1)[..., 1:, :].astype(np.int64)
        low, high = sources[..., 0], sources[..., 1]
        size = NUM_SOURCES[1:]
        pairs = low * size - low * (low + 1) // 2 + high - low - 1  # as combinations come
        codes = np.take_along_axis(ops, order, axis=-1) - np.int8(NONE)
        flat = codes.reshape(*cells.shape, NUM_SLOTS)
        return np.concatenate([pairs.astype(np.int8), flat], axis=-1)

    def decode(self, codes: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells [...] of codes [..., 11], and bool [...]: all are in the space."""
        lead = codes.shape[:-1]
        sources = np.empty((*lead, NUM_INTERMEDIATE, 2), np.int8)
        sources[..., 0, :] = _PAIRS[0][0]
        for place, node in enumerate(_CHOOSING):
            sources[..., node, :] = _PAIRS[node][codes[..., place]]
        ops = codes[..., len(_CHOOSING) :].reshape(sources.shape).astype(np.int8) + np.int8(NONE)
        return from_edges(sources, ops), np.ones(lead, bool)
