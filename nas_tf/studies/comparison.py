"""Finished studies side by side."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from nas_tf.analysis.figures import study_figure
from nas_tf.core import ConfigError
from nas_tf.reports.comparison_report import write_comparison
from nas_tf.studies.notes import notes_of_summary
from nas_tf.studies.pictures import figure_html
from nas_tf.studies.study import Study


class Comparison:
    """Studies by their labels.

    Attributes:
        studies: label -> study.
    """

    def __init__(self, studies: Mapping[str, Study]):
        self.studies = dict(studies)

    def plot(self):
        """Returns a Matplotlib figure: the regret of every study's incumbent."""
        return study_figure({label: study.curves for label, study in self.studies.items()})

    def to_pandas(self):
        """Returns a `pandas.DataFrame` of `curve` in every summary: a row a study and budget.

        Its columns are study, num_queries, and the means and sample standard deviations over runs.
        """
        import pandas

        rows = [
            {"study": label, "num_queries": int(queries), **point}
            for label, study in self.studies.items()
            for queries, point in study.summary()["curve"].items()
        ]
        return pandas.DataFrame(rows)

    def __repr__(self) -> str:
        lines = "".join(f"\n  {label}: {study!r}" for label, study in self.studies.items())
        return f"<Comparison:{lines}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the studies, and the picture."""
        return figure_html(repr(self), self.plot())


def compare(studies: Mapping[str, Study | str | pathlib.Path]) -> Comparison:
    """Puts studies side by side.

        nas_tf.compare({"random search": study, "evolution": "runs/nb101_re"}).plot()

    Args:
        studies: label -> study, or the output directory of a finished search.

    Raises:
        ConfigError: there is none.
        DataError: a directory holds no finished search.
    """
    if not isinstance(studies, Mapping) or not studies:
        raise ConfigError(f"studies={studies!r}: expected at least one study by its label")
    for label, study in studies.items():
        if not isinstance(study, (Study, str, pathlib.Path)):
            raise ConfigError(f"studies[{label!r}]={study!r}: expected a study or a directory")
    return Comparison({
        label: study if isinstance(study, Study) else Study.load(study)
        for label, study in studies.items()
    })


def write_comparison_of(
    directory: pathlib.Path, inputs: Sequence[str], reference: str | None
) -> dict[str, Any]:
    """Writes the page of finished studies, and returns its numbers for `summary.json`."""
    return write_comparison(directory, inputs, describe=notes_of_summary, reference=reference)


def load_comparison(summary: Mapping[str, Any]) -> Comparison:
    """Opens the studies of a finished report, by its summary."""
    return compare({pathlib.Path(name).name: name for name in summary["inputs"]})
