"""What the Gaussian process owes to what: the same search with one thing changed at a time.

    python -m tools.gaussian_process_ablations --output_dir=docs/searches/gaussian_process \
        --work_dir=runs/ablations --nasbench201_table=PATH

Every variant searches NAS-Bench-201 (CIFAR-100) and the embedded table, with seeds that no reported
number has, and is judged by validation accuracy alone: the regret of the incumbent's mean
validation accuracy. No variant measures a cell twice. Variants are paired run by run with the
strategy as it is otherwise. What was searched before is not searched again. Writes `ablations.png`, `ablations.csv` and `ablations.md`.
"""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from absl import app, flags
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import nas_tf
from nas_tf import storage
from nas_tf.analysis.canvas import LINES, new_panels, save_figure
from nas_tf.benchmarks.benchmark import Benchmark
from nas_tf.core import History
from nas_tf.strategies.gaussian_process import GaussianProcess

FIRST_SEED = 50000
BUDGETS = (25, 50, 100)
PAGE, FIGURE, TABLE = "ablations.md", "ablations.png", "ablations.csv"
AS_IS = "as it is"


def kernels(**changed: str) -> GaussianProcess:
    """Returns the strategy with other kernels; a group without one is left out."""
    kinds = {"summaries": "linear", "paths": "matern", "positions": "matern"} | changed
    text = ",".join(f"{group}:{kernel}" for group, kernel in kinds.items() if kernel)
    return GaussianProcess(gp_features=text)


# By what is changed, what is put in its place.
VARIANTS: Mapping[str, Mapping[str, GaussianProcess]] = {
    "": {AS_IS: GaussianProcess()},
    "features": {
        "paths and positions": kernels(summaries=""),
        "four numbers for the summaries": GaussianProcess(gp_summaries="four"),
        "without paths": kernels(paths=""),
        "without positions": kernels(positions=""),
        "summaries alone": kernels(paths="", positions=""),
        "paths alone": kernels(summaries="", positions=""),
        "positions alone": kernels(summaries="", paths=""),
    },
    "kernels": {
        "summaries Matérn": kernels(summaries="matern"),
        "paths linear": kernels(paths="linear"),
        "positions linear": kernels(positions="linear"),
        "all linear": kernels(paths="linear", positions="linear"),
    },
    "target": {"accuracies, standardised": GaussianProcess(gp_target="standardized")},
    "candidates": {"200 random cells": GaussianProcess(gp_candidates=200)},
    "acquisition": {
        "Thompson sampling": GaussianProcess(gp_acquisition="thompson"),
        "upper bound (2 deviations)": GaussianProcess(gp_acquisition="upper_bound"),
    },
    "batch": {f"{size} at a time": GaussianProcess(gp_round=size) for size in (2, 5, 10)},
    "first cells": {
        "1 random cell": GaussianProcess(gp_initial=1),
        "5 random cells": GaussianProcess(gp_initial=5),
        "10 random cells": GaussianProcess(gp_initial=10),
    },
}


def judged(history: History, benchmark: Benchmark) -> dict[str, np.ndarray]:
    """Returns what a study is judged by, of every run, float64 [R].

    Returns:
        `regret_N`: by how much the mean validation accuracy of the incumbent after N queries is
        below the best there is; `found`: queries until the cell of the best mean validation
        accuracy was asked for, infinite where it was not.
    """
    order = np.argsort(benchmark.cells.keys)
    place = order[np.searchsorted(benchmark.cells.keys, history.key, sorter=order)]
    accuracy = np.asarray(benchmark.validation_accuracy)[place]  # [R, Q]
    best = np.nanmax(benchmark.validation_accuracy)
    shown = np.take_along_axis(accuracy, history.incumbent(), axis=1)
    known = [budget for budget in BUDGETS if budget <= shown.shape[1]]
    found = accuracy == best
    first = np.where(found.any(axis=1), found.argmax(axis=1) + 1.0, np.inf)
    return {f"regret_{n}": best - shown[:, n - 1] for n in known} | {"found": first}


def compared(values: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Returns the mean difference of paired runs, and half of its 95 % confidence interval."""
    difference = values - reference
    return difference.mean(), 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))


def table(results: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]) -> pd.DataFrame:
    """Returns a row a variant and data set; accuracies in per cent.

    Args:
        results: `judged` by data set and variant.
    """
    rows = []
    for dataset, variants in results.items():
        for changed, group in VARIANTS.items():
            for name in group:
                values, reference = variants[name], variants[AS_IS]
                row = {"dataset": dataset, "changed": changed, "variant": name}
                for key in [key for key in values if key.startswith("regret")]:
                    mean, half = compared(100 * values[key], 100 * reference[key])
                    row |= {key: 100 * values[key].mean(), f"{key}_more": mean, f"{key}_ci": half}
                reached = values["found"][np.isfinite(values["found"])]
                row["found_median"] = np.median(values["found"])
                row["found_share"] = len(reached) / len(values["found"])
                rows.append(row)
    return pd.DataFrame(rows)


def figure(frame: pd.DataFrame, budget: int) -> Figure:
    """Draws by how much regret grows with every change, after some queries."""
    datasets = frame["dataset"].unique()
    drawn, panels = new_panels(len(datasets), width_in=5.4, height_in=6.4, titles=datasets)
    for axes, dataset in zip(panels, datasets):
        _draw(axes, frame[frame["dataset"] == dataset], budget)
    for axes in panels[1:]:
        axes.tick_params(labelleft=False)
    return drawn


def _draw(axes: Axes, rows: pd.DataFrame, budget: int) -> None:
    names = [f"{changed}: {name}" if changed else name
             for changed, name in zip(rows["changed"], rows["variant"])]
    places = -np.arange(len(rows))
    groups = list(dict.fromkeys(rows["changed"]))
    for place, (_, row) in zip(places, rows.iterrows()):
        axes.errorbar(
            row[f"regret_{budget}_more"], place, xerr=row[f"regret_{budget}_ci"], fmt="o",
            markersize=4, elinewidth=1, color=LINES[groups.index(row["changed"]) % 7]["color"],
        )
    axes.axvline(0, color="#888888", linewidth=0.8)
    axes.set_yticks(places, names, fontsize=8)
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set_xlabel(f"more validation regret after {budget} queries (points)")


def page(frame: pd.DataFrame, runs: int) -> str:
    """Returns the tables as Markdown."""
    budgets = [n for n in BUDGETS if f"regret_{n}" in frame]
    head = ["changed", "instead", *(f"regret after {n}" for n in budgets),
            *(f"more after {n}" for n in budgets), "best cell found by the end", "median query"]
    parts = [
        "# Gaussian process: one thing changed at a time",
        f"{runs} runs a variant, seeds from {FIRST_SEED}, up to {budgets[-1]} queries; made by "
        "`python -m tools.gaussian_process_ablations`. Regret is that of the incumbent's mean "
        "validation accuracy, in points; *more* is the difference to the strategy as it is, run by "
        "run, with its 95 % confidence interval. No variant measures a cell twice. No test accuracy "
        "was looked at.",
        f"![ablations]({FIGURE})",
    ]
    for dataset in frame["dataset"].unique():
        lines = ["| " + " | ".join(head) + " |", "|" + " :-- |" * 2 + " --: |" * (len(head) - 2)]
        for _, row in frame[frame["dataset"] == dataset].iterrows():
            median = row["found_median"]
            cells = [row["changed"], row["variant"], *(f"{row[f'regret_{n}']:.3f}" for n in budgets)]
            cells += [f"{row[f'regret_{n}_more']:+.3f} ± {row[f'regret_{n}_ci']:.3f}"
                      for n in budgets]
            cells += [f"{100 * row['found_share']:.0f} %",
                      f"{median:.0f}" if np.isfinite(median) else f"over {budgets[-1]}"]
            lines.append("| " + " | ".join(cells) + " |")
        parts += [f"## {dataset}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def search(
    benchmarks: Mapping[str, Benchmark], work_dir: pathlib.Path, runs: int
) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Searches with every variant what was not searched before; see `table`."""
    results = {}
    for dataset, benchmark in benchmarks.items():
        results[dataset] = {}
        for changed, group in VARIANTS.items():
            for name, strategy in group.items():
                place = work_dir / "-".join(f"{dataset} {changed} {name}".split())
                once = dataclasses.replace(strategy, gp_second_looks=False)
                study = nas_tf.search(
                    benchmark, once, num_runs=runs, num_queries=BUDGETS[-1], seed=FIRST_SEED,
                    output_dir=place,
                )
                results[dataset][name] = judged(study.history, benchmark)
                print(dataset, name, flush=True)
    return results


def main(arguments: Sequence[str]) -> None:
    """Searches, and writes page, figure and numbers."""
    del arguments
    values = flags.FLAGS
    benchmarks = {
        "NAS-Bench-201, CIFAR-100": nas_tf.benchmarks.nasbench201(
            values.nasbench201_table, dataset="cifar100"
        ),
        "NAS-Bench-101, digits": nas_tf.benchmarks.digits(),
    }
    results = search(benchmarks, pathlib.Path(values.work_dir), values.num_runs)
    frame, directory = table(results), pathlib.Path(values.output_dir)
    directory.mkdir(parents=True, exist_ok=True)
    save_figure(figure(frame, BUDGETS[-2]), directory / FIGURE)
    for name, text in ((TABLE, frame.to_csv(index=False)), (PAGE, page(frame, values.num_runs))):
        with storage.atomic_write(directory / name) as file:
            file.write(text.encode("utf-8"))


if __name__ == "__main__":
    flags.DEFINE_string("output_dir", "docs/searches/gaussian_process", "Where the page goes.")
    flags.DEFINE_string("work_dir", "runs/ablations", "Where the studies are kept.")
    flags.DEFINE_string("nasbench201_table", None, "NAS-Bench-201's table.", required=True)
    flags.DEFINE_integer("num_runs", 200, "Runs of a variant.")
    app.run(main)
