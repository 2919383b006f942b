"""What a table knows of a user's own cells: `--job=query`."""

import csv
import io
import pathlib
import time
from typing import Any

import numpy as np

from nas_tf import benchmarks, claim, experiment, storage
from nas_tf.analysis import summary as summaries
from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.settings import Settings
from nas_tf.spaces import cell_files, darts_genotype, nasbench101_text
from nas_tf.tables import query

CSV_FILE = "cells.csv"
JSON_FILE = "cells.json"

_ALL_DATASETS = "all"


def query_job(settings: Settings, directory: pathlib.Path, started: float) -> None:
    """Reads a file of cells and writes what the table knows of them, in the order of the file.

    Cells of a space without tables are read and written as they are.
    """
    path = settings.query.cells
    if not path:
        raise ConfigError(
            "--job=query looks a file of cells up in a table: name the file with --cells=PATH"
        )
    space = experiment.make_space(settings)
    table = benchmarks.open_table(settings) if benchmarks.has_table(settings) else None
    numbered = table.cells if getattr(table, "numbered", False) else None
    numbering = settings.query.op_indices
    cells = cell_files.read_cells(path, space.name, numbering=numbering, numbered=numbered)
    dataset = _dataset(settings, table)
    columns = _columns(settings, table, cells)
    claim.write_config(directory, settings)
    _write_csv(directory / CSV_FILE, columns)
    rows = _rows(space.name, cells, columns)
    storage.write_json(
        directory / JSON_FILE, {"space": space.name, "dataset": dataset, "cells": rows}
    )
    summary = {
        "job": "query",
        "space": space.name,
        "table": getattr(table, "name", None),
        "table_path": getattr(table, "path", None),
        "dataset": dataset,
        "cells": str(path),
        "num_cells": len(cells),
        "num_found": int(columns["found"].sum()),
        "wall_sec": time.monotonic() - started,
        "versions": summaries.library_versions(),
    }
    storage.write_json(directory / "summary.json", summary)
    print(
        f"{summary['num_cells']:,} cells, {summary['num_found']:,} of them in the table: "
        f"{directory / CSV_FILE} and {directory / JSON_FILE}"
    )


def _dataset(settings: Settings, table: Any) -> str | None:
    """Returns what the networks of a table were trained on; None without a table."""
    if table is None:
        return None
    if settings.table.dataset == _ALL_DATASETS and hasattr(table, "datasets"):
        return _ALL_DATASETS
    return benchmarks.dataset_of(table, settings)


def _columns(settings: Settings, table: Any, cells: CellGraphs) -> dict[str, np.ndarray]:
    """Returns the columns of `tables.query`, or those that need no table."""
    if table is None:
        note = f"no table measures the cells of {settings.table.space}"
        found = np.zeros(len(cells), bool)
        return {"found": found, "note": np.full(len(cells), note), "key": cells.keys}
    dataset = None if settings.table.dataset == _ALL_DATASETS else settings.table.dataset
    return query(table, cells, dataset)


def _rows(
    space: str, cells: CellGraphs, columns: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Returns a dict a cell; those of one file can be read again by --cells."""
    names = list(columns)
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    rows = [dict(zip(names, row, strict=True)) for row in values]
    forms = _FORMS[space](cells) if space in _FORMS else [{}] * len(rows)
    return [row | form for row, form in zip(rows, forms, strict=True)]


def _genotypes(cells: CellGraphs) -> list[dict[str, list]]:
    return [
        {name: list(value) for name, value in genotype._asdict().items()}
        for genotype in darts_genotype.to_genotypes(cells)
    ]


_FORMS = {"nasbench101": nasbench101_text.to_specs, "darts": _genotypes}


def _write_csv(path: pathlib.Path, columns: dict[str, np.ndarray]) -> None:
    """Writes columns with their names; what is not known is an empty field."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*(column.tolist() for column in columns.values()), strict=True):
        writer.writerow("" if value is None or value != value else value for value in row)
    with storage.atomic_write(path) as file:
        file.write(text.getvalue().encode())
