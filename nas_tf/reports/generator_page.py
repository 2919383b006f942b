"""What a search with a generator of graphs leaves beside its report.

The accuracies of what was drawn go to TensorBoard as the search goes on; in the end the page of the
generators, `generator.md` and `generator.html`, and one of them as a file are left.

Shapes: M cells of the pool.
"""

import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nas_tf.core import History
from nas_tf.graphpnas.learned import Learned
from nas_tf.graphpnas.saving import save_generator
from nas_tf.graphpnas.search import GraphSearch
from nas_tf.reports.generator_figures import accuracy_figure, shares_figure, structure_figure
from nas_tf.reports.html_page import page, save_pictures, write_page
from nas_tf.reports.wording import disclaimer, facts, percent, table

_PAGE, _GENERATOR = "generator", "generator.keras"

_ACCURACY = """## Accuracy of samples

{table}

![Accuracies of samples over the search](generator_accuracy.png)

Validation accuracy, as the search saw it, of all that was drawn after a fit at temperature 1, \
whether it was queried or not; the whiskers end at 5 and 95 %. Random cells are any of the table."""
_SHARES = """## Valid, different, new

![Shares of samples over the search](generator_shares.png)

Valid: a cell of the table. Different: architectures among the valid ones, isomorphic ones counted \
once. New: valid, and not queried by the run before. Means over runs; bands hold their middle half.

## Wiring

![Average path length and clustering coefficient of cells](generator_structure.png)

Average shortest path length and average clustering coefficient of different cells, their edges \
taken without directions (GraphPNAS, figure 3)."""


def samples_watcher(
    searcher: GraphSearch, accuracy: np.ndarray, log: Any
) -> Callable[[int, Mapping[str, float]], None]:
    """Returns a callback of `search_loop.run_search` that logs how accurate samples are.

    After every fit TensorBoard gets the validation accuracies of what all generators drew, as a
    histogram with its mean; those of all cells, which random search draws from, stand at step 0.

    Args:
        searcher: with a pool.
        accuracy: float64 [M], validation accuracy of its pool.
        log: an `analysis.tensorboard.TensorBoardLogger`.
    """
    log.histogram(0, "generator/random_accuracy", accuracy[np.isfinite(accuracy)])
    logged = [-1]

    def watch(unused_queries: int, unused_values: Mapping[str, float]) -> None:
        latest = searcher.diagnostics.latest
        if latest is None or latest[0] == logged[0]:
            return
        logged[0], indices = latest
        drawn = accuracy[indices[indices >= 0]]
        drawn = drawn[np.isfinite(drawn)]
        log.histogram(logged[0], "generator/sample_accuracy", drawn)
        if len(drawn):
            log.scalars(logged[0], {"generator/sample_accuracy_mean": drawn.mean()})

    return watch


def write_generator_page(
    directory: pathlib.Path, learned: Learned, *, title: str, label: str, dataset: str
) -> tuple[pathlib.Path, list[pathlib.Path]]:
    """Writes the page and its figures, PNG and SVG; returns the paths of its Markdown and the PNG.

    Args:
        directory: of the job.
        learned: what the study's generators drew.
        title: of the page.
        label: what the strategy is called.
        dataset: what the accuracies are of.

    Raises:
        ConfigError: the directory cannot be written.
    """
    samples = learned.samples()
    panels = {"random cells": learned.wiring(samples["random"])}
    if len(samples) > 1:
        panels[f"drawn by {label}"] = learned.wiring(list(samples.values())[-1])
    accuracies = {name: learned.accuracy[cells] for name, cells in samples.items()}
    figures = {
        "generator_accuracy": accuracy_figure(accuracies),
        "generator_shares": shares_figure(learned.seen, learned.shares),
        "generator_structure": structure_figure(panels),
    }
    save_pictures(directory, figures)
    text = page([
        f"# {title}, what the generator learned",
        disclaimer(dataset),
        facts({
            "Runs": f"{learned.num_runs:,}",
            "Fits of each": f"{len(learned.seen):,} at most",
            "Queries that explored because no sample would do": f"{learned.num_fallbacks:,}",
            "Graphs of the explorer that were new cells": percent(learned.acceptance, 1),
            "Queries that took any cell because it drew none": f"{learned.num_any_cell:,}",
        }),
        _ACCURACY.format(table=table([_row(name, drawn) for name, drawn in accuracies.items()])),
        _SHARES,
    ])
    write_page(directory, text, name=_PAGE)
    return directory / f"{_PAGE}.md", [directory / f"{name}.png" for name in figures]


def write_best_generator(
    directory: pathlib.Path, searcher: GraphSearch, history: History, space: str
) -> list[str]:
    """Writes the generator of the run with the best validation accuracy; returns lines for a user.

    Args:
        directory: the output directory.
        searcher: that has ended.
        history: every query.
        space: name of the space, which the file keeps.
    """
    best = np.where(np.isnan(history.validation_accuracy), -np.inf, history.validation_accuracy)
    run = int(np.argmax(best.max(axis=1)))
    path = directory / _GENERATOR
    save_generator(path, searcher.generator, searcher.fitted_weights(run), space=space)
    fell, queries = searcher.diagnostics.num_fallbacks, np.count_nonzero(history.key)
    collapsed = (
        f"{fell:,} of {queries:,} queries explored because the generator had collapsed: none of "
        "its samples was a new cell"
    )
    return [
        *[collapsed] * bool(fell),
        f"the generator of run {run} is in {path}; draw from it with --job=sample "
        f"--space={space} --generator={path}",
    ]


def _row(seen: str, accuracy: np.ndarray) -> dict[str, str]:
    """Returns the accuracies of what was drawn after so many queries."""
    known = accuracy[np.isfinite(accuracy)]
    mean, median, high = (
        [known.mean(), *np.percentile(known, (50, 95))] if len(known) else [None] * 3
    )
    return {
        "Queries seen": seen,
        "Cells drawn": f"{len(accuracy):,}",
        "Mean (%)": percent(mean, 2, unit=""),
        "Median (%)": percent(median, 2, unit=""),
        "Best twentieth (%)": percent(high, 2, unit=""),
    }
