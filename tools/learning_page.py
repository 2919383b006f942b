"""The page and the figures of `tools.learning_curves`.

Shapes: M cells that are compared.
"""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.stats
from matplotlib.figure import Figure

from nas_tf import storage
from nas_tf.analysis.canvas import LINES, add_legend, new_panels, save_figure
from nas_tf.training.settings import Training
from tools import benchmark

CURVES = {
    "darts": "DARTS, second order (8 cells, 16 channels)",
    "nasbench201": "NAS-Bench-201 (1 cell a stack, 16 channels)",
    "resnet": "ResNet-18 (10 channels)",
}
CURVES_FIGURE, RANKING_FIGURE, PAGE = "curves.png", "ranking.png", "learning.md"
# Ours against a column of the table, and the table's own columns against each other.
COMPARED = {
    "here and the table, validation after 12 epochs": ("validation", "valid_12"),
    "here and the table, validation after 200 epochs": ("validation", "valid_200"),
    "here and the table, test after 200 epochs": ("validation", "test_200"),
    "test images here and the table, test after 200 epochs": ("test", "test_200"),
    "in the table: validation after 12 and after 200 epochs": ("valid_12", "valid_200"),
}


def write(
    directory: pathlib.Path, command: str, results: Mapping[str, Any], settings: Mapping[str, Any]
) -> None:
    """Writes the page and its figures.

    Args:
        directory: where they go.
        command: that makes them.
        results: what `learning_curves` kept, by name.
        settings: `curves` and `ranking`, trainings, and of both the images that train and
            validate.
    """
    histories = {name: results[name]["history"] for name in CURVES}
    rows = results["ranking"]["rows"]
    save_figure(curves_figure(histories), directory / CURVES_FIGURE)
    figure = ranking_figure(rows, settings["ranking_images"][1])
    save_figure(figure, directory / RANKING_FIGURE)
    with storage.atomic_write(directory / PAGE) as file:
        file.write(page(command, results, settings).encode("utf-8"))


def correlations(rows: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, ...]]:
    """Returns Spearman's and Kendall's correlation, each with its p-value, by what is compared.

    Args:
        rows: of M cells.
    """
    found = {}
    for text, names in COMPARED.items():
        first, second = ([row[name] for row in rows] for name in names)
        spearman = scipy.stats.spearmanr(first, second)
        kendall = scipy.stats.kendalltau(first, second)
        found[text] = (spearman.statistic, spearman.pvalue, kendall.statistic, kendall.pvalue)
    return {text: tuple(map(float, values)) for text, values in found.items()}


def curves_figure(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """Draws loss and validation accuracy of every network after every epoch."""
    titles = ("training loss", "validation loss", "validation accuracy (%)")
    figure, panels = new_panels(3, titles=titles)
    parts = (("loss", 1), ("validation_loss", 1), ("validation_accuracy", 100))
    for axes, (name, factor) in zip(panels, parts):
        for line, history in zip(LINES, histories.values()):
            values = factor * np.array([logs[name] for logs in history])
            axes.plot(np.arange(1, len(values) + 1), values, marker="o", markersize=3, **line)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
    names = [CURVES[name] for name in histories]
    add_legend(figure, panels[0].lines, names, loc="outside lower center", ncols=3)
    return figure


def standard_error(accuracy: np.ndarray, count: int) -> np.ndarray:
    """Returns the standard error of accuracies that were measured on `count` images."""
    return np.sqrt(accuracy * (1 - accuracy) / count)


def ranking_figure(rows: Sequence[Mapping[str, float]], count: int) -> Figure:
    """Draws the accuracies measured here against the table's, of M cells.

    Args:
        rows: of the cells.
        count: images that they were measured on here; bars are the standard error of that.
    """
    titles = ("against 12 epochs in the table", "against 200 epochs in the table")
    figure, panels = new_panels(2, titles=titles)
    shares = np.array([row["validation"] for row in rows])
    ours, errors = 100 * shares, 100 * standard_error(shares, count)
    for axes, epochs in zip(panels, (12, 200)):
        theirs = 100 * np.array([row[f"valid_{epochs}"] for row in rows])
        axes.errorbar(theirs, ours, errors, fmt="o", markersize=4, elinewidth=0.7,
                      color=LINES[0]["color"])
        for number, place in enumerate(zip(theirs, ours), 1):
            axes.annotate(str(number), place, xytext=(4, 3), textcoords="offset points",
                          fontsize=8)
        axes.set_xlabel("validation accuracy in the table (%)")
        axes.set_ylabel("validation accuracy here (%)")
    return figure


def page(command: str, results: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Returns the page as Markdown."""
    curves, ranking = settings["curves"], settings["ranking"]
    parts = [
        "# How networks learn here",
        f"Trained without a GPU, on {_machine()}. Made by",
        f"```console\n$ {command}\n```",
        "which goes on where it is killed. Of CIFAR-10 a part is used, drawn with all classes kept "
        "(split seed 0); its images were kept as JPEG, which costs a little accuracy.",
        "## Three networks of like size",
        f"{_images(settings['curve_images'])}, {_training(curves)}. All three see the same images "
        "in the same order, varied alike. The ResNet has "
        "as many parameters, and about a third of the multiply-adds. The NAS-Bench-201 cell is "
        f"`{settings['cell']}`.",
        f"![Curves of three networks]({CURVES_FIGURE})",
        _table(
            ("network", "parameters", "multiply-adds", "training loss", "validation (%)",
             "test (%)"),
            [_curve_row(name, results[name]) for name in CURVES],
        ),
        "## Ten NAS-Bench-201 cells",
        "The ranking of all 15,625 cells by the table's CIFAR-10 validation accuracy after 200 "
        "epochs was cut into ten equal parts; these are the cells in their middles, the worst "
        f"first, in a network of 1 cell a stack and 16 channels. {_images(settings['ranking_images'])}, "
        f"{_training(ranking)}.",
        f"![Accuracies here and in the table]({RANKING_FIGURE})",
        _table(
            ("", "cell", "here, validation", "here, test", "12 epochs, validation",
             "200 epochs, validation", "200 epochs, test"),
            [_cell_row(number, row) for number, row in enumerate(results["ranking"]["rows"], 1)],
        ),
        _errors(results["ranking"]["rows"], settings["ranking_images"][1]),
        _table(
            ("compared", "Spearman", "Kendall"),
            [(text, f"{rho:.2f} (p = {first:.2g})", f"{tau:.2f} (p = {second:.2g})")
             for text, (rho, first, tau, second)
             in correlations(results["ranking"]["rows"]).items()],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _errors(rows: Sequence[Mapping[str, float]], count: int) -> str:
    shares = np.array([row["validation"] for row in rows])
    return (
        "Accuracies in per cent. Here they lie within "
        f"{100 * np.ptp(shares):.1f} points, and {count:,} images measure one with a standard error "
        f"of {100 * standard_error(shares.mean(), count):.1f}, as the bars show: after so short a "
        "training neighbours in the ranking cannot be told apart. Rank correlations of the ten, "
        "with their p-values:"
    )


def _machine() -> str:
    where = benchmark.machine()
    return (f"{where['processor']}, {where['cores']} cores, TensorFlow "
            f"{where['versions']['tensorflow']}")


def _images(counts: Sequence[int]) -> str:
    return "{0:,} training images, {1:,} that validate, {0:,} test images".format(*counts)


def _training(settings: Training) -> str:
    return (
        f"{settings.epochs} epochs of batches of {settings.batch_size}, SGD with momentum "
        f"{settings.momentum:g}, learning rate {settings.learning_rate:g} after "
        f"{settings.warmup_epochs:g} epoch of warm-up, then {settings.schedule}, weight decay "
        f"{settings.weight_decay:g}, gradient clipped at {settings.clip_norm:g}, padded crops and "
        f"flips, seed {settings.seed}"
    )


def _curve_row(name: str, result: Mapping[str, Any]) -> tuple[str, ...]:
    last = result["history"][-1]
    return (
        CURVES[name], f"{result['parameters']:,}", f"{result['multiply_adds'] / 1e6:.1f} M",
        f"{last['loss']:.3f}", _percent(last["validation_accuracy"]),
        _percent(result["test_accuracy"]),
    )


def _cell_row(number: int, row: Mapping[str, Any]) -> tuple[str, ...]:
    cell = str(row["cell"]).replace("|", "\\|")  # a bar ends a column
    names = ("validation", "test", "valid_12", "valid_200", "test_200")
    return (str(number), cell, *(_percent(row[name]) for name in names))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
