"""Finished searches of one table side by side: test accuracy after so many queries, paired tests,
and how many queries it took to ask for the best cell there is.

    python -m tools.search_tables --inputs=runs/cifar100_gp,runs/cifar100_re --name=cifar100 \
        --benchmark=nasbench201 --dataset=cifar100 --nasbench201_table=PATH \
        --output_dir=docs/searches/gaussian_process

The best cell is that of the highest mean validation accuracy in the table: what searches look for,
whatever its test accuracy. Several directories of one strategy (of several pre-trained models) are
one row. The others are tested against the first row run by run, over the seeds that both have
(Wilcoxon's signed-rank test; in queries, a run that has not found the cell counts as the budget
plus one). Writes `NAME.md` and `NAME.png`, the share of runs that have found it against queries.
"""

import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
from absl import app, flags
from matplotlib.figure import Figure
from scipy import stats

import nas_tf
from nas_tf import storage
from nas_tf.analysis.canvas import LINES, add_legend, new_panels, save_figure
from nas_tf.benchmarks.benchmark import Benchmark


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


def p_value(values: np.ndarray, reference: np.ndarray) -> str:
    """Returns the p-value of a paired test over the runs that both have, [R] and [S]."""
    count = min(len(values), len(reference))
    p = stats.wilcoxon(values[:count], reference[:count], zero_method="pratt").pvalue
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def accuracy_table(tests: Mapping[str, np.ndarray], budgets: Sequence[int]) -> str:
    """Returns test accuracies after so many queries as Markdown, in per cent.

    Args:
        tests: test accuracies of incumbents by strategy, [R, Q]; the first is tested against.
        budgets: numbers of queries.
    """
    head = ["test accuracy (%) after", "runs", *(f"{budget} queries" for budget in budgets)]
    lines = ["| " + " | ".join(head) + " |", "| :-- |" + " --: |" * (len(head) - 1)]
    first = next(iter(tests.values()))
    for name, values in tests.items():
        cells = [name, str(len(values))]
        for budget in budgets:
            if budget > values.shape[1]:
                cells.append("–")
                continue
            now = 100 * values[:, budget - 1]
            cells.append(f"{now.mean():.2f} ± {now.std(ddof=1):.2f}")
            if values is not first:
                cells[-1] += f" ({p_value(now, 100 * first[:, budget - 1])})"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def row(values: np.ndarray, reference: np.ndarray | None, budget: int) -> list[str]:
    """Returns what the table says of a strategy.

    Args:
        values: queries until the best cell, [R].
        reference: of the runs with the same seeds; None where there are none.
        budget: queries of a run.
    """
    capped = np.minimum(values, budget + 1)
    share = 100 * np.isfinite(values).mean()
    quartiles = [f"{q:.0f}" if q <= budget else f"over {budget}"
                 for q in np.quantile(capped, (0.25, 0.5, 0.75))]
    mean = f"{values.mean():.1f}" if np.isfinite(values).all() else f"at least {capped.mean():.1f}"
    tested = "–" if reference is None else p_value(capped, np.minimum(reference, budget + 1))
    return [str(len(values)), f"{share:.1f} %", mean, *quartiles, tested]


def table(found: Mapping[str, np.ndarray], budget: int) -> str:
    """Returns the table as Markdown; the first strategy is what the others are tested against."""
    head = ["best cell of the table", "runs", "found it", "mean queries", "25 %", "median", "75 %",
            "p against the first"]
    lines = ["| " + " | ".join(head) + " |", "| :-- |" + " --: |" * (len(head) - 1)]
    first = next(iter(found.values()))
    for name, values in found.items():
        cells = [name, *row(values, None if values is first else first, budget)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def figure(found: Mapping[str, np.ndarray], budget: int) -> Figure:
    """Draws the share of runs that have found the best cell, against queries."""
    drawn, (axes,) = new_panels(1, width_in=7.2, height_in=3.6)
    queries = np.arange(1, budget + 1)
    handles = []
    for line, values in zip(LINES, found.values()):
        share = (values[:, None] <= queries).mean(axis=0)
        handles += axes.plot(queries, 100 * share, **line)
    axes.set(xlabel="queries", ylabel="runs that have found the best cell (%)", ylim=(-2, 102))
    add_legend(drawn, handles, list(found), loc="outside right center")
    return drawn


def main(arguments: Sequence[str]) -> None:
    """Reads the studies, and writes figure and table."""
    del arguments
    values = flags.FLAGS
    benchmark = nas_tf.benchmarks.digits() if values.benchmark == "digits" else (
        nas_tf.benchmarks.nasbench201(values.nasbench201_table, dataset=values.dataset)
    )
    best, found, tests = best_key(benchmark), {}, {}
    for number, place in enumerate(values.inputs):
        study = nas_tf.load(place)
        label = values.labels[number] if values.labels else study.label
        found.setdefault(label, []).append(queries_until(study.history.key, best))
        index = study.history.incumbent()
        shown = np.take_along_axis(study.history.test_accuracy, index, axis=1)
        tests.setdefault(label, []).append(shown)
    found = {label: np.concatenate(parts) for label, parts in found.items()}
    tests = {label: np.concatenate(parts) for label, parts in tests.items()}
    budget = max(shown.shape[1] for shown in tests.values())
    directory = pathlib.Path(values.output_dir)
    directory.mkdir(parents=True, exist_ok=True)
    save_figure(figure(found, budget), directory / f"{values.name}.png")
    budgets = [int(text) for text in values.budgets if int(text) <= budget]
    text = f"{accuracy_table(tests, budgets)}\n{table(found, budget)}"
    with storage.atomic_write(directory / f"{values.name}.md") as file:
        file.write(text.encode("utf-8"))
    print(text)


if __name__ == "__main__":
    flags.DEFINE_list("inputs", [], "Directories of finished searches; the first is the reference.")
    flags.DEFINE_list("labels", [], "Names of the inputs, one each; those of strategies if none.")
    flags.DEFINE_list("budgets", ["25", "50", "100", "150", "192", "300"], "Numbers of queries.")
    flags.DEFINE_enum("benchmark", "nasbench201", ["digits", "nasbench201"], "What measured.")
    flags.DEFINE_string("dataset", "cifar10", "Of NAS-Bench-201.")
    flags.DEFINE_string("nasbench201_table", None, "NAS-Bench-201's table.")
    flags.DEFINE_string("output_dir", "docs/searches/gaussian_process", "Where the files go.")
    flags.DEFINE_string("name", "best", "Of the files.")
    app.run(main)
