"""A study that was made: its queries, curves and best cells, in memory and on disk.

Shapes: R runs, Q queries, M cells.
"""

import functools
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from nas_tf import storage
from nas_tf.analysis.best_cells import BestCell, best_cells
from nas_tf.analysis.curves import StudyCurves, study_curves
from nas_tf.analysis.figures import study_figure
from nas_tf.core import History
from nas_tf.graphs import KEYS_VERSION, CellGraphs
from nas_tf.reports.finished_study import read_history, read_summary
from nas_tf.reports.notes import ReportNotes
from nas_tf.reports.search_report import write_search_report
from nas_tf.reports.wording import percent
from nas_tf.spaces import registry as spaces
from nas_tf.spaces.space import SearchSpace
from nas_tf.studies.pictures import figure_html
from nas_tf.studies.notes import notes_of_summary

TRACE, SUMMARY = "trace.npz", "summary.json"


class Study:
    """Many runs of one strategy over one benchmark.

    Attributes:
        history: every query, arrays [R, Q].
        notes: its name, and the published numbers that may stand beside it.
        remarks: lines that the strategy says of the search.
    """

    def __init__(
        self,
        history: History,
        summary: Mapping[str, Any],
        *,
        cells: CellGraphs | None = None,
        notes: ReportNotes | None = None,
        space: SearchSpace | None = None,
    ):
        """Args:
        history: every query.
        summary: as `summary.json` has it.
        cells: batch [M] that holds every cell queried; found by the space's name when None.
        notes: its name and published numbers; those of its strategy's name when None.
        space: of the cells; found by its name when None, where it is one of the library's.
        """
        self.history, self._summary, self._cells = history, dict(summary), cells
        self.notes = notes or notes_of_summary(summary)
        self.remarks: list[str] = []
        if space is None and summary["space"] in spaces.NAMES:
            space = spaces.named(summary["space"])
        self._costs = space.costs if space is not None and space.has("costs") else None

    @property
    def curves(self) -> StudyCurves:
        """Incumbents after every query: accuracies, regret and cost, arrays [R, Q]."""
        return self._curves

    @functools.cached_property
    def _curves(self) -> StudyCurves:
        return study_curves(
            self.history,
            best_test_accuracy=self._summary["best_test_accuracy"],
            best_validation_accuracy=self._summary.get("best_validation_accuracy"),
        )

    @property
    def label(self) -> str:
        """The strategy's name in figures and text."""
        return self.notes.strategy_label

    def summary(self) -> dict[str, Any]:
        """Returns the numbers of `summary.json`, under the same names."""
        return dict(self._summary)

    def best_cells(self, count: int = 3) -> list[BestCell]:
        """Returns the distinct cells of highest validation accuracy over all runs."""
        return best_cells(self.history, count=count)

    @property
    def cells(self) -> CellGraphs:
        """Cells [M] that hold every cell queried."""
        if self._cells is None and self.history.cells is not None:
            self._cells = self.history.cells.reshape(-1)
        if self._cells is None:
            self._cells = spaces.named(self._summary["space"]).enumerate_cells()
        return self._cells

    def plot(self):
        """Returns a Matplotlib figure: regret or accuracy of the incumbent after every query."""
        return study_figure({self.label: self.curves})

    def to_pandas(self):
        """Returns a `pandas.DataFrame` with one row a query.

        Its columns are run, query, key, validation_accuracy, test_accuracy, cost_sec and incumbent
        (the index of the run's best query so far). Runs that ended before have no rows afterwards.
        Without any test accuracy there is no such column.
        """
        import pandas

        history = self.history
        runs, queries = np.indices(history.key.shape)
        columns = {
            "run": runs,
            "query": queries,
            "key": history.key,
            "validation_accuracy": history.validation_accuracy,
            "test_accuracy": history.test_accuracy,
            "cost_sec": history.cost_sec,
            "incumbent": history.incumbent(),
        }
        if not self.curves.tested:
            del columns["test_accuracy"]
        made = history.key != 0
        return pandas.DataFrame({name: values[made] for name, values in columns.items()})

    def save(self, directory: str | pathlib.Path) -> pathlib.Path:
        """Writes trace, figures and report, and the summary as the last; returns the report's path.

        It is what `--job=search` leaves: `load` and the command read it.
        """
        directory = pathlib.Path(directory)
        storage.write_npz(
            directory / TRACE,
            **self.history.arrays(),
            incumbent=self.history.incumbent(),
            keys_version=np.int64(KEYS_VERSION),
        )
        report = write_search_report(
            directory,
            self._summary,
            history=self.history,
            cells=self.cells,
            op_names=tuple(self._summary["op_labels"]),
            notes=self.notes,
            costs=self._costs,
        )
        storage.write_json(directory / SUMMARY, self._summary)
        return report

    @classmethod
    def load(cls, directory: str | pathlib.Path) -> "Study":
        """Reads what `save` or a search job has left.

        Raises:
            ConfigError: it holds no finished search.
            DataError: a file is damaged.
        """
        summary = read_summary(directory, job="search")
        return cls(read_history(directory, summary), summary)

    def __repr__(self) -> str:
        incumbent, (runs, queries) = self._summary["incumbent"], self.history.key.shape
        found = {
            name: incumbent[f"{name}_accuracy_mean"] for name in ("validation", "test")
        }
        text = ", ".join(
            f"{name} accuracy {percent(value, 2)}"
            for name, value in found.items()
            if value is not None
        )
        return f"<Study: {self.label}, {runs} runs x {queries} queries, {text or 'nothing found'}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the line of `repr`, and the picture."""
        return figure_html(repr(self), self.plot())
