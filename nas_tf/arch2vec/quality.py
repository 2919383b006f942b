"""What arch2vec measures of a pre-trained autoencoder (Yan et al., 2020, section 4.1).

Reconstruction accuracy, validity and uniqueness are those of D-VAE (Zhang et al., 2019,
arXiv:1904.11088, section 5.1). A cell counts as reconstructed when no edge and no operation is
wrong. The released arch2vec code, and with it table 1 of the paper, averages over entries; that is
`Reconstruction.entries`.

Shapes: M cells, N nodes, D operations, L latent dimensions.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from nas_tf.arch2vec.vgae import VGAE
from nas_tf.core import Stream, generator
from nas_tf.graphs import CellGraphs, graph_keys
from nas_tf.spaces.space import SearchSpace


@dataclasses.dataclass(frozen=True)
class PriorQuality:
    """What prior samples decode to.

    Attributes:
        validity: loose, share of samples that are valid as the published numbers count, see the
            space's `counts_as_valid`.
        uniqueness: loose, share of different graphs among these, as decoded: two that differ in
            dead nodes alone count as two (released code); NaN where none is valid.
        cell_validity: strict, share of samples that decode to a cell of the space. On NAS-Bench-101
            it is the validity; on NAS-Bench-201 that does not look at edges.
        unique_cells: strict, share of different cells among these, after pruning and up to
            isomorphism; NaN where there is none. Drawing 4,500 cells uniformly from all 423,624 of
            NAS-Bench-101 would give 0.995.
        num_samples: samples drawn.
    """

    validity: float
    uniqueness: float
    cell_validity: float
    unique_cells: float
    num_samples: int


@dataclasses.dataclass(frozen=True)
class LatentStatistics:
    """Mean and standard deviation of the training cells' means; float32 [N, L] each."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, node_means: np.ndarray) -> "LatentStatistics":
        """Returns the statistics of float32 [M, N, L] over M."""
        return cls(node_means.mean(axis=0, dtype=np.float64).astype(np.float32),
                   node_means.std(axis=0, dtype=np.float64).astype(np.float32))


def decode_latent(model: VGAE, latent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Most likely graph of every latent matrix.

    Args:
        model: the autoencoder.
        latent: float32 [M, N, L].

    Returns:
        bool [M, N, N], edges with probability above 1/2 above the diagonal, and int64 [M, N],
        the most likely operation of every node.
    """
    edges, ops = model.decode(tf.constant(latent, tf.float32))
    return np.triu(edges.numpy() > 0, 1), np.argmax(ops.numpy(), axis=-1)


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """How well cells are given back.

    Attributes:
        cells: strict, share of cells decoded without any error.
        entries: loose, share of right entries: the lower of that of the nodes' operations and that
            of the pairs of nodes with or without an edge.
    """

    cells: float
    entries: float


def reconstruction(model: VGAE, node_means: np.ndarray, adjacency: np.ndarray, ops: np.ndarray,
                   ) -> Reconstruction:
    """Compares what is decoded with what was encoded.

    An edge at a padding node is an error; the operation decoded there is not looked at.

    Args:
        model: the autoencoder.
        node_means: float32 [M, N, L], the encoder's means.
        adjacency: 0-1 [M, N, N].
        ops: one-hot [M, N, D], zeros at padding nodes.
    """
    edges, codes = decode_latent(model, node_means)
    above = np.triu_indices(edges.shape[-1], 1)
    same_edges = (edges == (np.asarray(adjacency) > 0))[:, above[0], above[1]]
    used = np.any(ops, axis=-1)
    wrong_ops = (codes != np.argmax(ops, axis=-1)) & used
    whole = same_edges.all(axis=-1) & ~wrong_ops.any(axis=-1)
    right_ops = 1.0 - wrong_ops.sum() / used.sum()
    return Reconstruction(float(whole.mean()), float(min(right_ops, same_edges.mean())))


def prior_samples(statistics: LatentStatistics, count: int, seed: int) -> np.ndarray:
    """Standard normal samples scaled and shifted by the statistics, float32 [count, N, L]."""
    rng = generator(seed, Stream.TRAINING)
    noise = rng.standard_normal((count, *statistics.mean.shape), dtype=np.float32)
    return noise * statistics.std + statistics.mean


def prior_quality(model: VGAE, space: SearchSpace, statistics: LatentStatistics, *,
                  count: int = 10_000, seed: int = 0) -> PriorQuality:
    """Validity and uniqueness of samples from the prior.

    Args:
        model: the autoencoder.
        space: tells what is valid, and which cells are the same.
        statistics: of the training cells.
        count: samples.
        seed: of the samples.
    """
    edges, codes = decode_latent(model, prior_samples(statistics, count, seed))
    cells, reasons = space.decode(edges, codes)
    is_cell = np.flatnonzero(reasons == 0)
    valid = np.flatnonzero(space.counts_as_valid(edges, codes))
    decoded = CellGraphs(edges.astype(np.uint8), codes.astype(np.int8),
                         np.full(count, edges.shape[-1], np.int8))
    return PriorQuality(validity=len(valid) / count,
                        uniqueness=_unique_share(graph_keys(decoded[valid])),
                        cell_validity=len(is_cell) / count,
                        unique_cells=_unique_share(cells[is_cell].keys), num_samples=count)


def _unique_share(keys: np.ndarray) -> float:
    return len(np.unique(keys)) / len(keys) if len(keys) else float("nan")
