"""Embeddings of many cells: computed once, kept on disk, checked against where they came from.

A cell's embedding is the sum over its node positions of the encoder's mean head (arch2vec, Yan et
al., 2020, section 3.1), or the mean over them (the released code). Padding positions are included,
as in the released code: they hold what the encoder gives an isolated node without operation, so
that the sum also tells how many nodes a cell has.

Shapes: M cells, N nodes, L latent dimensions.
"""

import os
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from nas_tf import caching, storage
from nas_tf.arch2vec.saving import weights_checksum
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.core import ConfigError, DataError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace

_POOLINGS = {"sum": tf.reduce_sum, "mean": tf.reduce_mean}  # over the nodes of a cell
_BATCH_SIZE = 1024
_CHUNK = 1 << 16  # cells turned into the encoder's input at a time


def encoder_inputs(space: SearchSpace, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
    """Encodes cells [M] into uint8 [M, N, N] adjacency and one-hot uint8 [M, N, D] operations."""
    parts = [tuple(array.astype(np.uint8) for array in space.encode(cells[start:start + _CHUNK]))
             for start in range(0, len(cells), _CHUNK)]
    adjacency, ops = zip(*parts)
    return np.concatenate(adjacency), np.concatenate(ops)


def node_means(model: VGAE, adjacency: np.ndarray, ops: np.ndarray, *,
               batch_size: int = _BATCH_SIZE) -> np.ndarray:
    """The encoder's means, batch by batch of one static shape.

    Args:
        model: the autoencoder.
        adjacency: 0-1 [M, N, N].
        ops: one-hot [M, N, D].
        batch_size: cells encoded at a time.

    Returns:
        float32 [M, N, L].
    """
    shape = (model.num_nodes, model.latent_dim)
    return _encode(model, adjacency, ops, lambda means: means, shape, batch_size)


def embed_cells(model: VGAE, space: SearchSpace, cells: CellGraphs, *, pooling: str = "sum",
                batch_size: int = _BATCH_SIZE) -> np.ndarray:
    """Embeds cells.

    Args:
        model: the autoencoder.
        space: encodes the cells.
        cells: batch [M].
        pooling: "sum" over node positions (paper) or "mean" (released code).
        batch_size: cells encoded at a time.

    Returns:
        float32 [M, L].

    Raises:
        ConfigError: an unknown pooling.
    """
    pool = node_pooling(pooling)
    adjacency, ops = encoder_inputs(space, cells)
    return _encode(model, adjacency, ops, lambda means: pool(means, axis=1), (model.latent_dim,),
                   batch_size)


def _encode(model: VGAE, adjacency: np.ndarray, ops: np.ndarray,
            finish: Callable[[tf.Tensor], tf.Tensor], shape: tuple[int, ...],
            batch_size: int) -> np.ndarray:
    """`finish` of the encoder's means, float32 [M, *shape]; one program, one batch size."""
    @tf.function(jit_compile=True)
    def encode(edges, codes):
        means, _ = model.encode(tf.cast(edges, tf.float32), tf.cast(codes, tf.float32))
        return finish(means)

    return in_equal_batches(encode, adjacency, ops, shape, batch_size)


def node_pooling(pooling: str) -> Callable[..., tf.Tensor]:
    """Returns what makes one vector of the vectors of a cell's nodes: "sum" or "mean".

    Raises:
        ConfigError: an unknown pooling.
    """
    if pooling not in _POOLINGS:
        raise ConfigError(f"pooling={pooling}: expected one of {', '.join(_POOLINGS)}")
    return _POOLINGS[pooling]


def in_equal_batches(encode: Callable[..., tf.Tensor], adjacency: np.ndarray, ops: np.ndarray,
                     shape: tuple[int, ...], batch_size: int = _BATCH_SIZE) -> np.ndarray:
    """Encodes cells in batches of one size, so that one compiled program serves all.

    Args:
        encode: makes of adjacency [B, N, N] and operations [B, N, D] an array [B, *shape].
        adjacency: [M, N, N].
        ops: [M, N, D].
        shape: of what is made of a cell.
        batch_size: B.

    Returns:
        float32 [M, *shape].
    """
    count = len(adjacency)
    encoded = np.empty((count, *shape), np.float32)
    for start in range(0, count, batch_size):
        rows = np.arange(start, start + batch_size) % count       # the last batch wraps around
        part = encoded[start:start + batch_size]
        part[:] = encode(adjacency[rows], ops[rows])[:len(part)]
    return encoded


def standardized(embedding: np.ndarray) -> np.ndarray:
    """Shifts and scales every dimension to mean 0 and variance 1 over the cells.

    A policy of unit variance that starts near 0 then begins where the cells are. In the embedding
    as it is, whose mean lies far from 0, the first actions of all runs reach the same few cells at
    its edge.

    Args:
        embedding: float32 [M, L].

    Returns:
        float32 [M, L]; a dimension that is the same for all cells becomes 0.
    """
    deviation = embedding.std(axis=0, dtype=np.float64)
    scale = np.where(deviation > 0, deviation, 1.0)
    return ((embedding - embedding.mean(axis=0, dtype=np.float64)) / scale).astype(np.float32)


def provenance(model: VGAE, space: SearchSpace, cells: CellGraphs, pooling: str) -> dict[str, str]:
    """What an embedding is stored with: space, pooling, checksums of the weights and the keys."""
    return {
        "space": space.name,
        "pooling": pooling,
        "weights": weights_checksum(model),
        "cells": cells_checksum(cells),
    }


def cells_checksum(cells: CellGraphs) -> str:
    """SHA-256 of the keys of cells [M] in their order, 64 hexadecimal digits."""
    return storage.arrays_checksum(cells.keys)


def cached_embedding(directory: str | os.PathLike, model: VGAE, space: SearchSpace,
                     cells: CellGraphs, *, pooling: str = "sum") -> np.ndarray:
    """Opens the embedding stored in `directory`, or computes it and stores it there.

    One that is damaged or came from something else is replaced, and a cache that cannot be written
    is done without, both with a warning.

    Args:
        directory: a column store, for this embedding alone.
        model: the autoencoder.
        space: encodes the cells.
        cells: batch [M].
        pooling: as in `embed_cells`.

    Returns:
        float32 [M, L], memory-mapped where it could be stored.

    Raises:
        ConfigError: an unknown pooling.
    """
    expected = provenance(model, space, cells, pooling)

    def make():
        return {"embedding": embed_cells(model, space, cells, pooling=pooling)}, expected

    def checked(columns: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> np.ndarray:
        for name, value in expected.items():
            if metadata[name] != value:
                raise DataError(f"embedding with {name} {metadata[name]}, expected {value}")
        return columns["embedding"]

    return caching.cached_columns(directory, make, checked, name="the embedding")
