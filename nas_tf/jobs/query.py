"""`--job=query`: what a table knows of a user's own cells, in the order of a file.

Cells of a space without tables are read and written as they are.
"""

import csv
import dataclasses
import io
import pathlib
from typing import Any

import numpy as np

from nas_tf import storage
from nas_tf.analysis.summary import library_versions
from nas_tf.benchmarks import registry as benchmarks
from nas_tf.benchmarks.benchmark import BenchmarkRecipe
from nas_tf.config import Component, setting
from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.jobs.job import BenchmarkChoice, Job, SpaceChoice, read_benchmark, read_space
from nas_tf.jobs.output import SUMMARY, Output
from nas_tf.jobs.reading import Reader
from nas_tf.spaces import cell_files
from nas_tf.spaces.nasbench201_forms import NUMBERINGS
from nas_tf.spaces.space import SearchSpace
from nas_tf.tables import query

CSV_FILE = "cells.csv"
JSON_FILE = "cells.json"

_ALL_DATASETS = "all"


@dataclasses.dataclass(frozen=True)
class QuerySettings(Component):
    """Which cells are looked up."""

    cells: str | None = setting(
        None,
        "File of cells to look up with --job=query, one a line or a JSON list: NAS-Bench-201's "
        "strings, NAS-Bench-101's matrices and operations, genotypes, operation indices.",
        path=True,
        by_content=True,
    )
    op_indices: str = setting(
        "naslib",
        "What six operation indices of a NAS-Bench-201 cell mean: NASLib's numbers and order of "
        "edges, or NATS-Bench's.",
        NUMBERINGS,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class QueryJob(Job):
    """Cells looked up in a table."""

    name = "query"
    components = (SpaceChoice, BenchmarkChoice, *benchmarks.COMPONENTS, QuerySettings)

    space: SearchSpace
    benchmark: BenchmarkRecipe | None
    settings: QuerySettings

    @classmethod
    def of(cls, reader: Reader) -> "QueryJob":
        """See `Job.of`."""
        space = read_space(reader)
        return cls(
            space=space,
            benchmark=read_benchmark(reader, space),
            settings=reader.read(QuerySettings),
        )

    def run(self, output: Output) -> None:
        """See `Job.run`."""
        path = self.settings.cells
        if not path:
            raise ConfigError(
                "--job=query looks a file of cells up in a table: name the file with --cells=PATH"
            )
        table = self.benchmark and self.benchmark.table()
        numbered = table.cells if table and table.numbered else None
        cells = cell_files.read_cells(
            path, self.space, numbering=self.settings.op_indices, numbered=numbered
        )
        columns, dataset = self._columns(table, cells)
        output.claim()
        _write_csv(output.directory / CSV_FILE, columns)
        storage.write_json(
            output.directory / JSON_FILE,
            {"space": self.space.name, "dataset": dataset, "cells": self._rows(cells, columns)},
        )
        summary = {
            "job": self.name,
            "space": self.space.name,
            "table": table and table.name,
            "table_path": table and table.path,
            "dataset": dataset,
            "cells": str(path),
            "num_cells": len(cells),
            "num_found": int(columns["found"].sum()),
            "wall_sec": output.wall_sec(),
            "versions": library_versions(),
        }
        storage.write_json(output.directory / SUMMARY, summary)
        print(
            f"{summary['num_cells']:,} cells, {summary['num_found']:,} of them in the table: "
            f"{output.directory / CSV_FILE} and {output.directory / JSON_FILE}"
        )

    def _columns(self, table: Any, cells: CellGraphs) -> tuple[dict[str, np.ndarray], str | None]:
        """Returns the columns of `tables.query`, or those that need no table, and the data set."""
        if table is None:
            note = f"no table measures the cells of {self.space.name}"
            found = np.zeros(len(cells), bool)
            columns = {"found": found, "note": np.full(len(cells), note), "key": cells.keys}
            return columns, None
        dataset = self.benchmark.dataset_of(table)
        return query(table, cells, None if dataset == _ALL_DATASETS else dataset), dataset

    def _rows(self, cells: CellGraphs, columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
        """Returns a dict a cell; those of one file can be read again by --cells."""
        names = list(columns)
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        rows = [dict(zip(names, row, strict=True)) for row in values]
        return [row | form for row, form in zip(rows, self.space.to_values(cells), strict=True)]


def _write_csv(path: pathlib.Path, columns: dict[str, np.ndarray]) -> None:
    """Writes columns with their names; what is not known is an empty field."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*(column.tolist() for column in columns.values()), strict=True):
        writer.writerow("" if value is None or value != value else value for value in row)
    with storage.atomic_write(path) as file:
        file.write(text.getvalue().encode())
