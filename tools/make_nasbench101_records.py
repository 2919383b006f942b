"""Writes a record file in the format of NAS-Bench-101 with invented metrics.

The file serves tests and measurements of the reader. Its numbers say nothing about any network,
therefore its name must say "synthetic":

    python -m tools.make_nasbench101_records --output=synthetic.tfrecord --max_vertices=7

A score grows smoothly with the cell's convolutions, depth and edges; accuracies follow from the
score and the number of epochs, with noise between repeats.
"""

import argparse
import concurrent.futures
import gzip
import multiprocessing
import os
import pathlib
import sys
from collections.abc import Iterator

import numpy as np

from nas_tf import core, storage
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101
from nas_tf.tables import model_metrics, nasbench101_rows, records

_PARALLEL_CELLS = 20_000  # from here on hashing is shared between processes
_CHUNK_CELLS = 8192
_SECONDS_PER_EPOCH = 10.0


def depth(cells: CellGraphs) -> np.ndarray:
    """Returns int64 [M]: edges on the longest path from input to output."""
    longest = np.zeros(cells.ops.shape, np.int64)
    for node in range(1, cells.max_nodes):
        reach = np.where(cells.adjacency[:, :node, node] == 1, longest[:, :node] + 1, 0)
        longest[:, node] = reach.max(axis=1)
    return np.take_along_axis(longest, cells.num_nodes[:, None].astype(np.int64) - 1, 1)[:, 0]


def invent_metrics(
    cells: CellGraphs, *, epochs: int, repeats: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Invents what training the cells would give.

    Args:
        cells: [M].
        epochs: of training.
        repeats: R.
        rng: source of the noise.

    Returns:
        float64 [M, R, 3, 5], evaluations in the order of `model_metrics.EVALUATION_FIELDS`, and
        int64 [M], numbers of trainable parameters.
    """
    count = {op: (cells.ops == op).sum(axis=1) for op in nasbench101.INTERIOR_OPS}
    conv3x3, conv1x1 = count[nasbench101.CONV3X3], count[nasbench101.CONV1X1]
    pools = count[nasbench101.MAXPOOL3X3]
    score = 0.5 * conv3x3 + 0.25 * conv1x1 - 0.1 * pools
    score = score + 0.3 * depth(cells) + 0.05 * cells.num_edges
    parameters = 200_000 + 1_200_000 * conv3x3 + 150_000 * conv1x1 + 20_000 * cells.num_edges
    cost = _SECONDS_PER_EPOCH * (1.0 + 0.4 * conv3x3 + 0.15 * conv1x1 + 0.05 * pools)
    done = epochs * np.array([0.0, 0.5, 1.0])
    learned = (done / (done + 8.0)) / (1.0 + np.exp(-score))[:, None, None]
    noise = 0.004 * rng.standard_normal((len(cells), repeats, 3, 3))
    gap = np.array([0.02, 0.0, -0.005])  # train, validation, test
    accuracy = np.clip(0.1 + 0.85 * learned[..., None] + gap + noise, 0.0, 1.0)
    seconds = cost[:, None, None] * done * rng.uniform(0.98, 1.02, (len(cells), repeats, 1))
    epoch = np.broadcast_to(done, seconds.shape)
    evaluations = np.concatenate([np.stack([epoch, seconds], axis=-1), accuracy], axis=-1)
    return evaluations.astype(np.float32).astype(np.float64), parameters


def generate_rows(
    cells: CellGraphs, hashes: np.ndarray, *, epochs: list[int], repeats: int, seed: int
) -> Iterator[bytes]:
    """Yields the rows of every cell, epochs outermost within a cell.

    Args:
        cells: [M].
        hashes: str [M], their official hashes.
        epochs: numbers of epochs.
        repeats: rows a cell and number of epochs.
        seed: of the noise.
    """
    rng = np.random.default_rng(seed)
    for start in range(0, len(cells), _CHUNK_CELLS):
        part = cells[start:start + _CHUNK_CELLS]
        messages = [_messages(part, epoch, repeats, rng) for epoch in epochs]
        for index in range(len(part)):
            matrix, codes = part.matrix(index)
            ops = [nasbench101.OP_NAMES[code] for code in codes.tolist()]
            for epoch, encoded in zip(epochs, messages):
                yield from nasbench101_rows.format_rows(
                    str(hashes[start + index]), epoch, matrix, ops,
                    encoded[index * repeats:(index + 1) * repeats],
                )


def write_file(
    path: str | os.PathLike,
    *,
    max_vertices: int = nasbench101.MAX_VERTICES,
    epochs: tuple[int, ...] = (108,),
    repeats: int = 3,
    seed: int = 0,
    compress: bool = False,
) -> int:
    """Writes the file and returns its number of records.

    Args:
        path: must have "synthetic" in its name.
        max_vertices: all cells of at most so many nodes, 2 to 7.
        epochs: numbers of epochs.
        repeats: trainings a cell and number of epochs.
        seed: of the noise.
        compress: with gzip.

    Raises:
        core.ConfigError: the name does not say what the file is, a value is impossible, or the
            directory cannot be written.
    """
    path = pathlib.Path(path)
    if "synthetic" not in path.name:
        raise core.ConfigError(
            f"--output={path}: invented metrics need a file name with 'synthetic' in it"
        )
    if compress != (path.suffix == ".gz"):
        raise core.ConfigError(
            f"--output={path}: the name ends in .gz with --compress, and only then"
        )
    if repeats < 1 or not epochs or min(epochs) < 1:
        raise core.ConfigError(f"--repeats={repeats}, --epochs={epochs}: expected positive numbers")
    cells = nasbench101.NasBench101Space(max_vertices).enumerate_cells()
    rows = generate_rows(
        cells, hash_cells(cells), epochs=list(epochs), repeats=repeats, seed=seed
    )
    with storage.atomic_write(path) as handle:
        if not compress:
            return records.write_records(handle, rows)
        with gzip.GzipFile(filename="", fileobj=handle, mode="wb", mtime=0) as stream:
            return records.write_records(stream, rows)


def hash_cells(cells: CellGraphs) -> np.ndarray:
    """Returns the official hashes, str [M], on all cores where there are many cells."""
    space = nasbench101.NasBench101Space()
    if len(cells) < _PARALLEL_CELLS:
        return space.md5_hashes(cells)
    parts = [cells[start:start + _CHUNK_CELLS] for start in range(0, len(cells), _CHUNK_CELLS)]
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        return np.concatenate(list(pool.map(space.md5_hashes, parts)))


def _messages(
    cells: CellGraphs, epochs: int, repeats: int, rng: np.random.Generator
) -> list[bytes]:
    """Returns the serialized metrics of cells x repeats."""
    evaluations, parameters = invent_metrics(cells, epochs=epochs, repeats=repeats, rng=rng)
    evaluations = evaluations.reshape(-1, *evaluations.shape[2:])
    total = evaluations[:, -1, 1] * 1.1
    metrics = model_metrics.ModelMetrics(evaluations, np.repeat(parameters, repeats), total)
    return model_metrics.encode(metrics)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--output", required=True, help="file to write; 'synthetic' in its name")
    parser.add_argument("--max_vertices", type=int, default=7, help="nodes of a cell, 2 to 7")
    parser.add_argument("--epochs", type=int, nargs="+", default=[108], help="e.g. 4 12 36 108")
    parser.add_argument("--repeats", type=int, default=3, help="trainings a cell")
    parser.add_argument("--seed", type=int, default=0, help="of the noise between repeats")
    parser.add_argument("--compress", action="store_true", help="with gzip (name it ….gz)")
    options = parser.parse_args(arguments)
    try:
        count = write_file(
            options.output,
            max_vertices=options.max_vertices,
            epochs=tuple(options.epochs),
            repeats=options.repeats,
            seed=options.seed,
            compress=options.compress,
        )
    except core.NasError as error:
        print(f"make_nasbench101_records: {error}", file=sys.stderr)
        return 1
    print(f"{options.output}: {count} records of invented metrics")
    return 0


if __name__ == "__main__":
    sys.exit(main())
