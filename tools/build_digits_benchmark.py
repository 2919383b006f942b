"""Builds the embedded benchmark: small NAS-Bench-101 networks really trained on digits.

    python -m tools.build_digits_benchmark --work_dir=runs/digits

Every cell of at most five vertices (2,532) is trained on scikit-learn's handwritten digits for
every budget and repeat of `digits_training.DigitsProtocol`. One line a cell is appended to
WORK_DIR/cells.jsonl, so a build that was killed goes on where it stopped; cells that OUTPUT already
holds are not trained again. When all cells are done (or with --write_partial) OUTPUT is written in
the official record format, and the figures of the data card are printed.
"""

import base64
import gzip
import json
import multiprocessing
import os
import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tqdm
from absl import app, flags

from nas_tf import storage
from nas_tf.graphs import CellGraphs
from nas_tf.config import expand_home
from nas_tf.spaces import nasbench101
from nas_tf.tables import model_metrics, nasbench101_rows, records
from tools.digits_training import DigitsProtocol, Measurement, measure

MAX_VERTICES = 5
_CELLS_A_WORKER = 60  # then a new process takes over: graphs leave memory behind


def main(argv: list[str]) -> None:
    """Trains what is missing, then writes the table."""
    del argv
    work_dir = pathlib.Path(expand_home(flags.FLAGS.work_dir))
    work_dir.mkdir(parents=True, exist_ok=True)
    cells = nasbench101.enumerate_cells(MAX_VERTICES)
    output = pathlib.Path(expand_home(flags.FLAGS.output))
    with storage.DirectoryLock(work_dir):
        done = read_table(output, cells) | read_finished(work_dir / "cells.jsonl")
        missing = [index for index in range(len(cells)) if index not in done]
        train_cells(missing[: flags.FLAGS.limit], work_dir / "cells.jsonl")
        done |= read_finished(work_dir / "cells.jsonl")
    print(f"{len(done)} of {len(cells)} cells are done")
    if len(done) < len(cells) and not flags.FLAGS.write_partial:
        print("start again to go on")
        return
    finished = sorted(done)
    measurements = [done[index] for index in finished]
    output.parent.mkdir(parents=True, exist_ok=True)
    with storage.atomic_write(output) as file:
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as stream:
            rows = table_rows(cells[finished], measurements, DigitsProtocol())
            records.write_records(stream, rows)
    print_card(measurements, DigitsProtocol())


def read_table(path: pathlib.Path, cells: CellGraphs) -> dict[int, Measurement]:
    """Reads the measurements a table holds; none where it does not exist.

    Returns:
        measurements by index in `cells`.
    """
    if not path.exists():
        return {}
    payloads = [payload for chunk in records.read_chunks(path) for payload in chunk.payloads]
    rows = [json.loads(bytes(payload)) for payload in payloads]
    decoded = model_metrics.decode([base64.b64decode(row[4]) for row in rows])
    hashes = nasbench101.NasBench101Space().md5_hashes(cells)
    index_of = {str(md5_hash): index for index, md5_hash in enumerate(hashes)}
    budgets, repeats = len(DigitsProtocol().budgets), len(DigitsProtocol().seeds)
    evaluations = decoded.evaluations[..., 1:].reshape(-1, budgets, repeats, 3, 4)
    parameters = decoded.trainable_parameters[:: budgets * repeats]
    first_rows = rows[:: budgets * repeats]
    return {
        index_of[row[0]]: Measurement(int(count), values)
        for row, count, values in zip(first_rows, parameters, evaluations, strict=True)
    }


def read_finished(path: pathlib.Path) -> dict[int, Measurement]:
    """Reads the cells done so far; a line cut short by a kill is dropped from the file.

    Returns:
        measurements by index of the cell in `enumerate_cells(5)`.
    """
    if not path.exists():
        return {}
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        with storage.atomic_write(path) as file:
            file.write(whole)
    lines = map(json.loads, whole.splitlines())
    return {
        line["cell"]: Measurement(line["parameters"], np.array(line["evaluations"]))
        for line in lines
    }


def train_cells(indices: list[int], path: pathlib.Path) -> None:
    """Trains cells in worker processes and appends each to `path` as soon as it is done."""
    context = multiprocessing.get_context("spawn")
    workers = flags.FLAGS.workers
    with (
        context.Pool(workers, start_worker, maxtasksperchild=_CELLS_A_WORKER) as pool,
        open(path, "a", encoding="utf-8") as file,
        tqdm.tqdm(total=len(indices), unit="cell", smoothing=0.02) as bar,
    ):
        for index, result in pool.imap_unordered(train_cell, indices):
            line = {"cell": index, "parameters": result.trainable_parameters}
            line["evaluations"] = np.round(result.evaluations, 6).tolist()
            file.write(json.dumps(line) + "\n")
            file.flush()
            bar.update()


def start_worker() -> None:
    """One thread a worker: these networks are too small for more."""
    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    # Rewriting a graph takes longer than these short trainings gain from it.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def train_cell(index: int) -> tuple[int, Measurement]:
    """Trains cell `index` of `enumerate_cells(5)`."""
    matrix, ops = nasbench101.enumerate_cells(MAX_VERTICES).matrix(index)
    return index, measure(matrix, ops.tolist(), DigitsProtocol())


def table_rows(
    cells: CellGraphs, measurements: list[Measurement], protocol: DigitsProtocol
) -> Iterator[bytes]:
    """Yields the table's records in the official format, cell by cell, budget by budget."""
    hashes = nasbench101.NasBench101Space().md5_hashes(cells)
    for index, measurement in enumerate(measurements):
        matrix, ops = cells.matrix(index)
        names = [nasbench101.OP_NAMES[op] for op in ops]
        for budget, epochs in enumerate(protocol.budgets):
            messages = encode_repeats(measurement, budget, epochs)
            yield from nasbench101_rows.format_rows(
                str(hashes[index]), epochs, matrix, names, messages
            )


def encode_repeats(measurement: Measurement, budget: int, epochs: int) -> list[bytes]:
    """Returns one serialized ModelMetrics for every repeat."""
    evaluations = measurement.evaluations[budget]  # [repeats, 3, 4]
    repeats = len(evaluations)
    epoch = np.tile([0.0, epochs / 2, epochs], (repeats, 1))[..., None]
    return model_metrics.encode(
        model_metrics.ModelMetrics(
            evaluations=np.concatenate([epoch, evaluations], axis=-1),
            trainable_parameters=np.full(repeats, measurement.trainable_parameters),
            total_time_sec=evaluations[:, -1, 0],
        )
    )


def print_card(measurements: list[Measurement], protocol: DigitsProtocol) -> None:
    """Prints how accuracies are distributed and how far repeats and budgets agree."""
    final = np.array([measurement.evaluations[:, :, -1] for measurement in measurements])
    validation, test = final[..., 2], final[..., 3]  # [cells, budgets, repeats]
    means = validation.mean(axis=-1)
    quantiles = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)
    for budget, epochs in enumerate(protocol.budgets):
        repeats = np.corrcoef(validation[:, budget].T)[np.triu_indices(validation.shape[-1], 1)]
        print(f"{epochs} epochs")
        print("  mean validation accuracy, quantiles", quantiles)
        print("   ", np.quantile(means[:, budget], quantiles).round(4).tolist())
        print("  correlation of repeats", repeats.round(3).tolist())
        print("  deviation between repeats", validation[:, budget].std(axis=-1, ddof=1).mean().round(4))
        print("  correlation with the longest budget", _correlation(means[:, budget], means[:, -1]))
        print("  validation with test", _correlation(means[:, budget], test[:, budget].mean(-1)))
        print("  CPU seconds", final[:, budget, :, 0].mean().round(3))


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    return round(float(np.corrcoef(first, second)[0, 1]), 3)


if __name__ == "__main__":
    flags.DEFINE_string("work_dir", "runs/digits", "Where finished cells are collected.")
    flags.DEFINE_integer("workers", os.cpu_count(), "Processes that train.", lower_bound=1)
    flags.DEFINE_integer("limit", None, "Train at most so many cells, then stop.", lower_bound=0)
    flags.DEFINE_boolean("write_partial", False, "Write the table even if cells are missing.")
    flags.DEFINE_string("output", "nas_tf/data/nasbench101_digits.tfrecord.gz", "The table.")
    app.run(main)
