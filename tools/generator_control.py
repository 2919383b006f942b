"""Does a generator add anything to a critic? The same critic over candidates from elsewhere.

    python -m tools.generator_control --nasbench201_table=PATH --work_dir=runs/generator_control \
        --output_dir=docs/searches

A Gaussian process chooses every query among candidates: random cells, neighbours of the best
cells, samples of GraphPNAS' generator, or two of these together, always as many draws
(`critic_search`). Beside them GraphPNAS without a critic, and the Gaussian process over all cells.
Searches are on the embedded table and NAS-Bench-201 (CIFAR-100), with seeds that no reported number
has, and are judged by validation accuracy alone: the regret of the incumbent's mean validation
accuracy. Pairs are compared run by run (Wilcoxon's signed-rank test).

What was searched before is not searched again; `--datasets` and `--arms` search a part, and the
page has all that is there. Writes `generator_control.md` and `generator_control.csv`.
"""

import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from absl import app, flags
from scipy import stats

import nas_tf
from nas_tf import storage
from nas_tf.strategies.strategy import Strategy
from tools.critic_search import OFFERED, CriticSearch
from tools.gaussian_process_ablations import BUDGETS, FIRST_SEED, compared, judged

QUERIES = {"digits": 100, "cifar100": 50}
PAGE, TABLE = "generator_control.md", "generator_control.csv"

# GraphPNAS as configs/nb101_graphpnas.flags and nb201_graphpnas.flags had it.
_GENERATOR = {"objective": "reweighted", "generator_pooling": "mean"}
SETTINGS: Mapping[str, Mapping[str, object]] = {
    "digits": _GENERATOR,
    "cifar100": _GENERATOR | {
        "generator_epochs": 3, "generator_period": 1, "keep_top": 10, "explorer_probability": 1.0,
        "explore_schedule": "step", "explore_queries": 15,
    },
}
SOURCES: Mapping[str, str] = {
    "random": "random cells",
    "neighbours": "neighbours of the best",
    "generator": "the generator's samples",
    "neighbours+random": "neighbours and random cells",
    "neighbours+generator": "neighbours and the generator's samples",
}
WITHOUT, WHOLE = "without", "whole"
ARMS = {
    **{source: f"critic over {name}" for source, name in SOURCES.items()},
    WITHOUT: "GraphPNAS, without a critic",
    WHOLE: "Gaussian process over all cells",
}
PAIRS = (
    ("generator", "random"),
    ("generator", "neighbours"),
    ("neighbours+generator", "neighbours+random"),
    ("generator", WITHOUT),
    ("generator", WHOLE),
    ("neighbours", "random"),
    ("neighbours", WHOLE),
)


def strategy(dataset: str, arm: str) -> Strategy:
    """Returns what an arm searches a data set with."""
    if arm == WHOLE:
        return nas_tf.GaussianProcess()
    settings = SETTINGS[dataset]
    return nas_tf.GraphPNAS(**settings) if arm == WITHOUT else CriticSearch(
        sources=arm, **settings
    )


def table(results: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]) -> pd.DataFrame:
    """Returns a row an arm and data set; accuracies in per cent.

    Args:
        results: `judged` by data set and arm; `offered` [R], new candidates of a query.
    """
    rows = []
    for dataset, arms in results.items():
        for arm, values in arms.items():
            row = {"dataset": dataset, "arm": arm, "runs": len(values["found"])}
            row["offered"] = np.median(values["offered"]) if "offered" in values else np.nan
            for budget in _budgets(dataset):
                regret = 100 * values[f"regret_{budget}"]
                row |= {f"regret_{budget}": regret.mean(),
                        f"error_{budget}": regret.std(ddof=1) / np.sqrt(len(regret))}
            row["found_share"] = np.isfinite(values["found"]).mean()
            rows.append(row)
    return pd.DataFrame(rows)


def pair(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> list[str]:
    """Returns by how much the first has less regret, with interval and p value, a cell a budget."""
    cells = []
    for budget in [budget for budget in BUDGETS if f"regret_{budget}" in first]:
        one, other = (100 * values[f"regret_{budget}"] for values in (first, second))
        mean, half = compared(other, one)
        p = stats.wilcoxon(one, other, zero_method="pratt").pvalue if (one != other).any() else 1.0
        cells.append(f"{mean:+.3f} ± {half:.3f} ({'p < 0.001' if p < 0.001 else f'p = {p:.3f}'})")
    return cells


def page(
    results: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]], frame: pd.DataFrame
) -> str:
    """Returns the tables as Markdown."""
    parts = [
        "# A critic over a generator, and over less",
        f"{frame['runs'].iloc[0]} runs an arm, seeds from {FIRST_SEED}; made by `python -m "
        "tools.generator_control`. The critic is the Gaussian process of `surrogates`, which takes "
        "the candidate of highest expected improvement. Every query draws 200 candidates, of which "
        "the new and different ones are counted; all arms with a critic begin with the same ten "
        "cells of GraphPNAS' explorer. Regret is that of the incumbent's mean validation accuracy, "
        "in points, with its standard error. The Gaussian process over all cells begins with three "
        "random ones. No test accuracy was looked at.",
    ]
    for dataset in results:
        parts += [f"## {dataset}, {QUERIES[dataset]} queries", _arms(dataset, frame)]
        parts += ["Points that the first is better by, run by run, with the 95 % interval:",
                  _pairs(dataset, results[dataset])]
    return "\n\n".join(parts) + "\n"


def _budgets(dataset: str) -> list[int]:
    return [budget for budget in BUDGETS if budget <= QUERIES[dataset]]


def _arms(dataset: str, frame: pd.DataFrame) -> str:
    budgets = _budgets(dataset)
    lines = [_line(["", "new candidates", *(f"regret after {n}" for n in budgets),
                    "best cell found"]), "| :-- |" + " --: |" * (len(budgets) + 2)]
    for _, row in frame[frame["dataset"] == dataset].iterrows():
        lines.append(_line([
            ARMS[row["arm"]], "–" if np.isnan(row["offered"]) else f"{row['offered']:.0f}",
            *(f"{row[f'regret_{n}']:.3f} ± {row[f'error_{n}']:.3f}" for n in budgets),
            f"{100 * row['found_share']:.0f} %",
        ]))
    return "\n".join(lines)


def _pairs(dataset: str, arms: Mapping[str, Mapping[str, np.ndarray]]) -> str:
    budgets = _budgets(dataset)
    lines = [_line(["", "against", *(f"after {n}" for n in budgets)]),
             "| :-- | :-- |" + " --: |" * len(budgets)]
    lines += [
        _line([ARMS[first], ARMS[second], *pair(arms[first], arms[second])])
        for first, second in PAIRS if first in arms and second in arms
    ]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def is_done(work_dir: pathlib.Path, dataset: str, arm: str) -> bool:
    """Tells whether an arm has been searched to its end."""
    return (work_dir / f"{dataset}-{arm}" / "summary.json").is_file()


def search(
    dataset: str, arm: str, benchmark, work_dir: pathlib.Path, runs: int
) -> dict[str, np.ndarray]:
    """Returns what an arm is judged by; it searches only where it has not before."""
    place = work_dir / f"{dataset}-{arm}"
    if is_done(work_dir, dataset, arm):
        study = nas_tf.load(place)
    else:
        study = nas_tf.search(
            benchmark, strategy(dataset, arm), num_runs=runs, num_queries=QUERIES[dataset],
            seed=FIRST_SEED, output_dir=place, progress=False,
        )
    found = judged(study.history, benchmark)
    if (place / OFFERED).exists():
        offered = storage.read_npz(place / OFFERED)["offered"]
        found["offered"] = np.array([np.median(row[row > 0]) for row in offered])
    print(dataset, arm, {name: float(value.mean()) for name, value in found.items()}, flush=True)
    return found


def main(arguments: Sequence[str]) -> None:
    """Searches, and writes page and numbers."""
    del arguments
    values = flags.FLAGS
    work_dir, directory = pathlib.Path(values.work_dir), pathlib.Path(values.output_dir)
    opened = {
        "digits": nas_tf.benchmarks.digits,
        "cifar100": lambda: nas_tf.benchmarks.nasbench201(
            values.nasbench201_table, dataset="cifar100"
        ),
    }
    results = {}
    for dataset, opener in opened.items():
        benchmark = opener()
        wanted = values.arms if dataset in values.datasets else ()
        arms = [arm for arm in ARMS if arm in wanted or is_done(work_dir, dataset, arm)]
        results[dataset] = {
            arm: search(dataset, arm, benchmark, work_dir, values.num_runs) for arm in arms
        }
    frame = table(results)
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in ((TABLE, frame.to_csv(index=False)), (PAGE, page(results, frame))):
        with storage.atomic_write(directory / name) as file:
            file.write(text.encode("utf-8"))


if __name__ == "__main__":
    flags.DEFINE_multi_enum("datasets", list(SETTINGS), list(SETTINGS), "What is searched.")
    flags.DEFINE_multi_enum("arms", list(ARMS), list(ARMS), "How.")
    flags.DEFINE_string("output_dir", "docs/searches", "Where the page goes.")
    flags.DEFINE_string("work_dir", "runs/generator_control", "Where the studies are kept.")
    flags.DEFINE_string("nasbench201_table", None, "NAS-Bench-201's table.", required=True)
    flags.DEFINE_integer("num_runs", 50, "Runs of an arm.")
    app.run(main)
