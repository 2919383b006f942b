"""The page of a training: `report.md` and `report.html`, with their pictures.

Shapes: n test images of height H, width W and C channels; K classes; m images that are shown.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nas_tf.networks.layer_table import LayerRow, LayerTable
from nas_tf.reports.html_page import page, save_pictures, write_page
from nas_tf.reports.training_figures import (
    confusion_figure, confusion_matrix, curves_figure, images_figure,
)
from nas_tf.reports.wording import (
    count, dataset_name, duration, escaped, facts, is_missing, percent, plain, table,
)

MAX_LAYERS = 60  # rows of the table of layers
_MAX_PAIRS = 10  # of classes taken for one another
_EPOCHS_SHOWN = 12
_MAX_TEXT = 600  # characters of an architecture

_CURVES = """\
## Curves

![Loss, accuracy and learning rate after every epoch](curves.png)

Training: means over the epoch's augmented images, while the weights changed. Validation: images \
that were not trained on, after the epoch."""
_TEST = """\
## Test images

![Confusion matrix](confusion.png)

The test images were read once, after the last epoch; nothing was chosen by them."""
_WORST = """\
### Those it gets most wrong

![Worst-classified images](worst_images.png)

The test images to whose class the network gives the least probability."""
_DRAWING = """\
![The network, block by block](network.png)

The network without what only training needs; below it each kind of block once."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TestResults:
    """What a network says of the test images.

    Attributes:
        probabilities: float32 [n, K].
        labels: int [n].
        indices: int64 [n], positions in the split.
    """

    __test__ = False  # of pytest

    probabilities: np.ndarray
    labels: np.ndarray
    indices: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of every image, int64 [n]."""
        return self.probabilities.argmax(axis=1)

    def worst(self, most: int) -> np.ndarray:
        """Returns int64 [m], the rows that give their class the least probability, worst first."""
        given = self.probabilities[np.arange(len(self.labels)), self.labels]
        return np.argsort(given, kind="stable")[:most]


def write_training_report(
    directory: Path,
    summary: Mapping[str, Any],
    *,
    history: Sequence[Mapping[str, float]],
    class_names: Sequence[str],
    test: TestResults,
    images: np.ndarray,
    layers: LayerTable,
    drawing: Figure | None = None,
) -> Path:
    """Writes the page and its pictures; returns the path of `report.md`.

    Args:
        directory: where to.
        summary: of the training, as `summary.json` has it.
        history: means of every epoch.
        class_names: K names.
        test: what the network says of the test images.
        images: uint8 [m, H, W, C], those of `test.worst(m)`.
        layers: of the network.
        drawing: of the network.

    Raises:
        ConfigError: the directory cannot be written.
    """
    matrix = confusion_matrix(test.labels, test.predicted, len(class_names))
    worst = test.worst(len(images))
    figures = {
        "curves": curves_figure(history),
        "confusion": confusion_figure(matrix, class_names),
    }
    if len(images):
        captions = [_caption(test, row, class_names) for row in worst]
        figures["worst_images"] = images_figure(images, captions)
    if drawing is not None:
        figures["network"] = drawing
    save_pictures(directory, figures)
    blocks = [
        f"# {_title(summary)}",
        _scale_note(summary),
        facts(_result_facts(summary)),
        _CURVES,
        table(_epoch_rows(history)),
        _TEST,
        table(_pair_rows(matrix, class_names)),
        *([_WORST, table(_worst_rows(test, worst, class_names))] if len(images) else []),
        "## Network",
        _architecture(summary["architecture"]),
        facts(_network_facts(summary)),
        _DRAWING if drawing is not None else "",
        *_layer_blocks(layers),
        "## How it ran",
        facts(_run_facts(summary)),
    ]
    write_page(directory, page(blocks))
    return directory / "report.md"


def most_confused(matrix: np.ndarray, most: int) -> list[tuple[int, int, int]]:
    """Returns (true class, predicted class, images) of the most frequent confusions [K, K]."""
    wrong = np.array(matrix)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    rows, columns = np.unravel_index(order, wrong.shape)
    return [(int(r), int(c), int(wrong[r, c])) for r, c in zip(rows, columns) if wrong[r, c]]


def _title(summary: Mapping[str, Any]) -> str:
    title = summary.get("titles", {}).get("space", summary["space"])
    return f"{title}: a network trained on {dataset_name(summary['dataset'])}"


def _scale_note(summary: Mapping[str, Any]) -> str:
    if summary.get("scale", "full") == "full":
        return ""
    lines = ", ".join(f"`{line}`" for line in summary.get("reduced", ()))
    return (
        f"**A smoke run (`--scale={summary['scale']}`): the same code with smaller numbers "
        f"({lines}). Its accuracy says nothing of the architecture.**"
    )


def _result_facts(summary: Mapping[str, Any]) -> dict[str, str]:
    split = summary["split"]
    return {
        "Test accuracy": _accuracy(summary["test_accuracy"], _size(split, "test")),
        "Validation accuracy": _accuracy(
            summary["validation_accuracy"], _size(split, "validation")
        ),
        "Training images": count(_size(split, "train") or 0, "image"),
        "Epochs": plain(summary["epochs"]),
        "Parameters": plain(summary["parameters"]),
        "Multiply-adds": plain(summary["multiply_adds"]),
        "Images per second (training)": plain(summary["images_per_sec"]),
        "Wall time of the job since its last start": duration(summary["wall_sec"]),
    }


def _size(split: Mapping[str, Any], name: str) -> int | None:
    part = split.get(name)
    return part.get("images", part.get("num_examples")) if isinstance(part, Mapping) else part


def _accuracy(value: float | None, images: int | None) -> str:
    return "" if is_missing(value) else f"{percent(value, 2)} of {count(images or 0, 'image')}"


def _epoch_rows(history: Sequence[Mapping[str, float]]) -> list[dict[str, str]]:
    """Returns epochs spread evenly over the training, the last among them."""
    total = len(history)
    shown = np.unique(np.linspace(1, total, min(total, _EPOCHS_SHOWN)).round().astype(int))
    return [
        {
            "Epoch": str(epoch),
            "Loss": _decimal(history[epoch - 1].get("loss")),
            "Accuracy (%)": percent(history[epoch - 1].get("accuracy"), 2, unit=""),
            "Validation loss": _decimal(history[epoch - 1].get("validation_loss")),
            "Validation accuracy (%)": percent(
                history[epoch - 1].get("validation_accuracy"), 2, unit=""
            ),
            "Learning rate": _decimal(history[epoch - 1].get("learning_rate"), ".3g"),
        }
        for epoch in shown
    ]


def _decimal(value: float | None, form: str = ".4f") -> str:
    return "" if is_missing(value) else f"{value:{form}}"


def _pair_rows(matrix: np.ndarray, class_names: Sequence[str]) -> list[dict[str, str]]:
    totals = matrix.sum(axis=1)
    return [
        {
            "Class": escaped(class_names[true]),
            "taken for": escaped(class_names[predicted]),
            "Images": str(images),
            "of the class (%)": percent(images / totals[true], 1, unit=""),
        }
        for true, predicted, images in most_confused(matrix, _MAX_PAIRS)
    ]


def _caption(test: TestResults, row: int, class_names: Sequence[str]) -> str:
    true, taken = class_names[test.labels[row]], class_names[test.predicted[row]]
    return f"{true[:14]}\n→ {taken[:14]} {100 * test.probabilities[row].max():.0f} %"


def _worst_rows(
    test: TestResults, worst: np.ndarray, class_names: Sequence[str]
) -> list[dict[str, str]]:
    return [
        {
            "Test image": str(test.indices[row]),
            "Class": escaped(class_names[test.labels[row]]),
            "with probability (%)": percent(
                test.probabilities[row, test.labels[row]], 2, unit=""
            ),
            "taken for": escaped(class_names[test.predicted[row]]),
            "with (%)": percent(test.probabilities[row].max(), 2, unit=""),
        }
        for row in worst
    ]


def _network_facts(summary: Mapping[str, Any]) -> dict[str, str]:
    network = summary["network"]
    shape = "×".join(map(str, summary["input_shape"]))
    sizes = {name: network[name] for name in ("channels", "cells")}
    return {
        "Input": f"{shape}, pixels 0 to 255; `model.keras` normalises them itself",
        "Setting": network["setting"],
        **{
            name.capitalize(): "as published" if value is None else str(value)
            for name, value in sizes.items()
        },
        "Auxiliary head while it was trained": "yes" if network["auxiliary"] else "no",
    }


def _architecture(text: str) -> str:
    """Returns an architecture's text as code, or its beginning where it is long."""
    if len(text) <= _MAX_TEXT:
        return f"    {text}"
    return f"    {text[:_MAX_TEXT]}…\n\nThe whole of it is in `summary.json`."


def _layer_blocks(layers: LayerTable) -> list[str]:
    """Returns kinds of layers, and the layers one by one, those that a page has room for."""
    kinds: dict[str, list[LayerRow]] = {}
    for row in layers.rows:
        kinds.setdefault(row.type, []).append(row)
    order = sorted(kinds, key=lambda kind: -sum(row.parameters for row in kinds[kind]))
    by_kind = [_layer_line({"Layers": kind}, kinds[kind]) for kind in order]
    single = [
        _layer_line({"Layer": escaped(row.name), "Kind": row.type, "Output": row.cells()[2]}, [row])
        for row in layers.rows[:MAX_LAYERS]
    ]
    rest = len(layers.rows) - len(single)
    more = f"… and {count(rest, 'more layer')}; all of them are in `layers.csv`." if rest else ""
    return [table(by_kind), "### Layers", table(single), more]


def _layer_line(begin: dict[str, str], rows: Sequence[LayerRow]) -> dict[str, str]:
    number = {} if "Layer" in begin else {"Count": plain(len(rows))}
    return begin | number | {
        "Parameters": plain(sum(row.parameters for row in rows)),
        "Multiply-adds": plain(sum(row.multiply_adds for row in rows)),
    }


def _run_facts(summary: Mapping[str, Any]) -> dict[str, str]:
    changed = ", ".join(f"`{line}`" for line in summary.get("changed_settings") or ())
    versions = (f"{name} {version}" for name, version in summary["versions"].items())
    return {
        "Settings that are not as they are by default": changed,
        "Seed": str(summary["seed"]),
        "Versions": ", ".join(versions),
    }
