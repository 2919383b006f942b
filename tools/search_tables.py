"""Finished searches of one table side by side: accuracy after so many queries, paired tests, and how
many queries it took to ask for the best cell there is.

    python -m tools.search_tables --inputs=runs/cifar100_gp,runs/cifar100_re --name=cifar100 \
        --benchmark=nasbench201 --dataset=cifar100 --table=PATH \
        --output_dir=docs/searches/gaussian_process

The best cell is that of the highest mean validation accuracy in the table: what searches look for,
whatever its test accuracy. Accuracies are of the test images; of the validation images where the
table has no other. Several directories of one strategy (of several pre-trained models) are one row.
The others are tested against the first row over the seeds that both have (Wilcoxon's signed-rank
test; runs of one seed with several models count as one, by their mean; in queries, a run that has
not found the cell counts as the budget plus one). Writes `NAME.md` and `NAME.png`, the share of runs
that have found it against queries.

Shapes: R runs, Q queries.
"""

import itertools
import pathlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import app, flags
from matplotlib.figure import Figure
from scipy import stats

import nas_tf
from nas_tf import storage
from nas_tf.analysis.canvas import LINES, add_legend, new_panels, save_figure
from nas_tf.benchmarks.benchmark import Benchmark
from nas_tf.studies.study import Study


class Runs(NamedTuple):
    """What runs of a strategy found.

    Attributes:
        seeds: int64 [R].
        accuracy: of the incumbents, [R, Q].
        found: queries until the best cell, float64 [R]; infinite where it was not asked for.
    """

    seeds: np.ndarray
    accuracy: np.ndarray
    found: np.ndarray

    @classmethod
    def of_study(cls, study: Study, best: int, column: str) -> "Runs":
        """Args: study: finished; best: key of the best cell; column: of accuracies to show."""
        history, first = study.history, int(study.summary()["seed"])
        shown = np.take_along_axis(getattr(history, column), history.incumbent(), axis=1)
        seeds = np.arange(first, first + len(shown))
        return cls(seeds, shown, queries_until(history.key, best))

    @classmethod
    def joined(cls, parts: Sequence["Runs"]) -> "Runs":
        """Returns all runs of some."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def queries_until(key: np.ndarray, best: int) -> np.ndarray:
    """Returns the number of the first query for a cell, float64 [R]; infinite where there is none.

    Args:
        key: uint64 [R, Q].
        best: the cell's key.
    """
    hit = key == np.uint64(best)
    return np.where(hit.any(axis=1), hit.argmax(axis=1) + 1.0, np.inf)


def best_key(benchmark: Benchmark) -> int:
    """Returns the key of the cell of the highest mean validation accuracy."""
    return int(benchmark.cells.keys[int(np.nanargmax(benchmark.validation_accuracy))])


def p_value(
    values: np.ndarray, seeds: np.ndarray, reference: np.ndarray, reference_seeds: np.ndarray
) -> str:
    """Returns the p-value of a paired test over the seeds that both have.

    Args:
        values, seeds: [R] each.
        reference, reference_seeds: [S] each.
    """
    common = np.intersect1d(seeds, reference_seeds)
    if not len(common):
        return "no common seed"
    ours, theirs = (
        np.array([numbers[of == seed].mean() for seed in common])
        for numbers, of in ((values, seeds), (reference, reference_seeds))
    )
    if np.array_equal(ours, theirs):
        return "equal"
    p = stats.wilcoxon(ours, theirs, zero_method="pratt").pvalue
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def accuracy_table(
    strategies: Mapping[str, Runs], budgets: Sequence[int], kind: str = "test"
) -> str:
    """Returns accuracies after so many queries as Markdown, in per cent.

    Args:
        strategies: by their names; the first is tested against.
        budgets: numbers of queries.
        kind: of the accuracies, for the heading.
    """
    head = [f"{kind} accuracy (%) after", "runs", *(f"{budget} queries" for budget in budgets)]
    lines = ["| " + " | ".join(head) + " |", "| :-- |" + " --: |" * (len(head) - 1)]
    first = next(iter(strategies.values()))
    for name, runs in strategies.items():
        cells = [name, str(len(runs.seeds))]
        for budget in budgets:
            if budget > runs.accuracy.shape[1]:
                cells.append("–")
                continue
            now = 100 * runs.accuracy[:, budget - 1]
            cells.append(f"{now.mean():.2f} ± {now.std(ddof=1):.2f}")
            if runs is not first:
                then = 100 * first.accuracy[:, budget - 1]
                cells[-1] += f" ({p_value(now, runs.seeds, then, first.seeds)})"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def row(runs: Runs, first: Runs | None, budget: int) -> list[str]:
    """Returns what the table says of a strategy.

    Args:
        runs: of the strategy.
        first: what it is tested against; None where there is nothing.
        budget: queries of a run.
    """
    values, capped = runs.found, np.minimum(runs.found, budget + 1)
    share = 100 * np.isfinite(values).mean()
    quartiles = [f"{q:.0f}" if q <= budget else f"over {budget}"
                 for q in np.quantile(capped, (0.25, 0.5, 0.75))]
    mean = f"{values.mean():.1f}" if np.isfinite(values).all() else f"at least {capped.mean():.1f}"
    tested = "–"
    if first is not None:
        tested = p_value(capped, runs.seeds, np.minimum(first.found, budget + 1), first.seeds)
    return [str(len(values)), f"{share:.1f} %", mean, *quartiles, tested]


def table(strategies: Mapping[str, Runs], budget: int) -> str:
    """Returns the table as Markdown; the first strategy is what the others are tested against."""
    head = ["best cell of the table", "runs", "found it", "mean queries", "25 %", "median", "75 %",
            "p against the first"]
    lines = ["| " + " | ".join(head) + " |", "| :-- |" + " --: |" * (len(head) - 1)]
    first = next(iter(strategies.values()))
    for name, runs in strategies.items():
        cells = [name, *row(runs, None if runs is first else first, budget)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def figure(strategies: Mapping[str, Runs], budget: int) -> Figure:
    """Draws the share of runs that have found the best cell, against queries."""
    drawn, (axes,) = new_panels(1, width_in=7.2, height_in=3.6)
    queries = np.arange(1, budget + 1)
    handles = []
    for line, runs in zip(itertools.cycle(LINES), strategies.values()):
        share = (runs.found[:, None] <= queries).mean(axis=0)
        handles += axes.plot(queries, 100 * share, **line)
    axes.set(xlabel="queries", ylabel="runs that have found the best cell (%)", ylim=(-2, 102))
    add_legend(drawn, handles, list(strategies), loc="outside right center")
    return drawn


def opened(values: flags.FlagValues) -> Benchmark:
    """Returns the benchmark that flags name."""
    known = nas_tf.benchmarks
    if values.benchmark == "digits":
        return known.digits()
    if values.benchmark == "macro":
        return known.macro(values.table)
    opener = {"nasbench101": known.nasbench101, "nasbench201": known.nasbench201}
    return opener[values.benchmark](values.table, dataset=values.dataset)


def main(arguments: Sequence[str]) -> None:
    """Reads the studies, and writes figure and table."""
    del arguments
    values = flags.FLAGS
    benchmark, parts = opened(values), {}
    kind = "validation" if np.isnan(benchmark.best_test_accuracy) else "test"
    for number, place in enumerate(values.inputs):
        study = nas_tf.load(place)
        label = values.labels[number] if values.labels else study.label
        runs = Runs.of_study(study, best_key(benchmark), f"{kind}_accuracy")
        parts.setdefault(label, []).append(runs)
    strategies = {label: Runs.joined(runs) for label, runs in parts.items()}
    budget = max(runs.accuracy.shape[1] for runs in strategies.values())
    directory = pathlib.Path(values.output_dir)
    directory.mkdir(parents=True, exist_ok=True)
    save_figure(figure(strategies, budget), directory / f"{values.name}.png")
    budgets = [int(text) for text in values.budgets if int(text) <= budget]
    text = f"{accuracy_table(strategies, budgets, kind)}\n{table(strategies, budget)}"
    with storage.atomic_write(directory / f"{values.name}.md") as file:
        file.write(text.encode("utf-8"))
    print(text)


if __name__ == "__main__":
    flags.DEFINE_list("inputs", [], "Directories of finished searches; the first is the reference.")
    flags.DEFINE_list("labels", [], "Names of the inputs, one each; those of strategies if none.")
    flags.DEFINE_list("budgets", ["25", "50", "100", "150", "192", "300", "400"], "Numbers of queries.")
    flags.DEFINE_enum(
        "benchmark", "nasbench201", ["digits", "macro", "nasbench101", "nasbench201"],
        "What measured.",
    )
    flags.DEFINE_string("dataset", "cifar10", "Of the table.")
    flags.DEFINE_string("table", None, "Where the benchmark's table is.")
    flags.DEFINE_string("output_dir", "docs/searches/gaussian_process", "Where the files go.")
    flags.DEFINE_string("name", "best", "Of the files.")
    app.run(main)
