"""The page of what a generator of graphs has learned: `generator.md` and `generator.html`.

Shapes: F fits, R runs, A samples a fit, M cells of the pool.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nas_tf.core import Stream, generator
from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.generator_figures import accuracy_figure, shares_figure, structure_figure
from nas_tf.analysis.html_page import write_page
from nas_tf.analysis.structure import clustering_and_path_length
from nas_tf.analysis.wording import disclaimer, markdown_table, percent

_STEPS = 4  # fits whose samples are looked at
_POINTS = 500  # cells in a panel of figure 3
PAGE = "generator"


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Learned:
    """What a study's generators drew.

    Attributes:
        title: of the page.
        label: what the strategy is called.
        dataset: what the accuracies are of.
        seen: int [F], queries before every fit, ascending.
        places: int [F, R, A], cells drawn after it; -1 is no cell of the pool.
        shares: "valid", "unique" and "new" -> float [F, R].
        num_fallbacks: queries that explored because nothing drawn would do.
        num_any_cell: queries that took any cell because the explorer drew nothing new either.
        acceptance: share of the explorer's graphs that were new cells; NaN where it drew none.
        num_runs: R.
        random: int [:], cells drawn evenly from the pool.
        accuracy: float [M], validation accuracy of the pool.
        edges: bool [M, N, N], its graphs.
    """

    title: str
    label: str
    dataset: str
    seen: np.ndarray
    places: np.ndarray
    shares: Mapping[str, np.ndarray]
    num_fallbacks: int
    num_any_cell: int
    acceptance: float
    num_runs: int
    random: np.ndarray
    accuracy: np.ndarray
    edges: np.ndarray

    def steps(self) -> np.ndarray:
        """Returns the fits that are looked at, ascending, at most `_STEPS`."""
        return np.unique(np.linspace(0, len(self.seen) - 1, _STEPS).round().astype(int))

    def samples(self) -> dict[str, np.ndarray]:
        """Returns cells drawn at random and at some fits, int [:] by label."""
        random = {"random": self.random}
        if not len(self.seen):
            return random
        drawn = {f"{self.seen[fit]}": self.places[fit][self.places[fit] >= 0]
                 for fit in self.steps()}
        return random | drawn


def write_generator_page(directory: Path, learned: Learned) -> list[str]:
    """Writes the page and its figures, PNG and SVG.

    Returns:
        names of the figures' files, without their endings.

    Raises:
        ConfigError: the directory cannot be written.
    """
    samples = learned.samples()
    figures = {
        "generator_accuracy": accuracy_figure(
            {label: learned.accuracy[cells] for label, cells in samples.items()}
        ),
        "generator_shares": shares_figure(learned.seen, learned.shares),
        "generator_structure": structure_figure(_panels(learned, samples)),
    }
    for name, figure in figures.items():
        for suffix in ("png", "svg"):
            save_figure(figure, directory / f"{name}.{suffix}")
    write_page(directory, _text(learned, samples), name=PAGE)
    return list(figures)


def _panels(learned: Learned, samples: Mapping[str, np.ndarray]) -> dict[str, tuple]:
    """Returns the wiring of random cells, and of those of the last fit."""
    chosen = {"random cells": samples["random"]}
    if len(samples) > 1:
        chosen[f"drawn by {learned.label}"] = list(samples.values())[-1]
    panels = {}
    for title, cells in chosen.items():
        cells = np.unique(cells)
        if len(cells) > _POINTS:
            cells = generator(0, Stream.FIGURES).choice(cells, _POINTS, replace=False)
        clustering, lengths = clustering_and_path_length(learned.edges[cells])
        panels[title] = lengths, clustering, learned.accuracy[cells]
    return panels


def _text(learned: Learned, samples: Mapping[str, np.ndarray]) -> str:
    rows = []
    for label, cells in samples.items():
        known = learned.accuracy[cells]
        known = known[np.isfinite(known)]
        numbers = [known.mean(), *np.percentile(known, (50, 95))] if len(known) else [None] * 3
        rows.append([label, f"{len(cells):,}", *(percent(value, 2, unit="") for value in numbers)])
    headings = ["Queries seen", "Cells drawn", "Mean (%)", "Median (%)", "Best twentieth (%)"]
    sections = [
        f"# {learned.title}, what the generator learned",
        disclaimer(learned.dataset),
        f"The generators of {learned.num_runs:,} runs were fitted up to {len(learned.seen):,} "
        "times each. A search saw validation accuracies; so does this page.",
        "## Accuracy of samples",
        markdown_table(headings, rows),
        "![Accuracies of samples over the search](generator_accuracy.png)",
        "Validation accuracy of all that was drawn after a fit at temperature 1, whether it was "
        "queried or not; the whiskers end at 5 and 95 %. Random cells are any of the table.",
        "## Valid, different, new",
        "![Shares of samples over the search](generator_shares.png)",
        "Valid: a cell of the table. Different: architectures among the valid ones, isomorphic ones "
        "counted once. New: valid, and not queried by the run before. Means over runs; bands hold "
        f"their middle half. {learned.num_fallbacks:,} queries explored because none of the samples "
        f"would do. Of the graphs of the explorer {percent(learned.acceptance, 1)} were new cells; "
        f"{learned.num_any_cell:,} queries took any cell because it drew none.",
        "## Wiring",
        "![Average path length and clustering coefficient of cells](generator_structure.png)",
        "Average shortest path length and average clustering coefficient of different cells, their "
        "edges taken without directions (GraphPNAS, figure 3).",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"
