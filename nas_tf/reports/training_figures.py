"""Pictures of a training: its curves, which classes it confuses, which images it gets wrong.

Shapes: n test images of height H, width W and C channels; K classes; m images that are shown.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from nas_tf.analysis.canvas import INK, LINES, add_legend, leave_empty, new_figure, new_panels

_MAX_NUMBERED = 20  # classes whose confusions are written into the matrix
_MAX_NAMED = 40  # classes that axes name
_COLUMNS = 8  # of pictures


def curves_figure(history: Sequence[Mapping[str, float]]) -> Figure:
    """Returns loss, accuracy and learning rate after every epoch.

    Args:
        history: means of every epoch: loss, accuracy, learning_rate, and of the validation images
            validation_loss and validation_accuracy.
    """
    titles = ("loss", "accuracy (%)", "learning rate")
    figure, (loss, accuracy, rate) = new_panels(3, titles=titles)
    for axes, name, factor in ((loss, "loss", 1), (accuracy, "accuracy", 100)):
        for line, which in zip(LINES, (name, f"validation_{name}")):
            _draw(axes, history, which, factor, line)
    _draw(rate, history, "learning_rate", 1, LINES[0])
    for axes in (loss, accuracy, rate):
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        if not axes.lines:
            leave_empty(axes)
    if loss.lines:
        add_legend(loss, loss.lines, [line.get_label() for line in loss.lines])
    return figure


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns int64 [K, K]: images of a class (row) that were taken for another (column).

    Args:
        labels: int [n], the true classes.
        predicted: int [n].
        num_classes: K.
    """
    codes = np.asarray(labels, np.int64) * num_classes + np.asarray(predicted, np.int64)
    counts = np.bincount(codes, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes)


def confusion_figure(matrix: np.ndarray, class_names: Sequence[str]) -> Figure:
    """Draws a confusion matrix [K, K]; colours are shares of a row, numbers are images."""
    size = len(matrix)
    side = float(np.clip(0.42 * size, 3.4, 8.0))
    figure = new_figure(side + 1.2, side + 0.6, layout="constrained")
    axes = figure.add_subplot()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    drawn = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    bar = figure.colorbar(drawn, ax=axes, shrink=0.8)
    bar.set_label("share of the class", size=9)
    bar.ax.tick_params(labelsize=8)
    axes.set(xlabel="predicted", ylabel="true class")
    if size <= _MAX_NAMED:
        names = [name if len(name) <= 14 else name[:13] + "…" for name in class_names]
        axes.set_xticks(range(size), names, rotation=90, fontsize=8, parse_math=False)
        axes.set_yticks(range(size), names, fontsize=8, parse_math=False)
    if size <= _MAX_NUMBERED:
        for row, column in zip(*np.nonzero(matrix)):
            colour = "white" if shares[row, column] > 0.6 else INK
            axes.text(
                column, row, f"{matrix[row, column]}", ha="center", va="center", fontsize=7,
                color=colour,
            )
    return figure


def images_figure(images: np.ndarray, captions: Sequence[str]) -> Figure:
    """Shows images with a line or two above each.

    Args:
        images: uint8 [m, H, W, C] with C of 1 or 3; at least one.
        captions: m texts.
    """
    columns = min(_COLUMNS, len(images))
    rows = -(-len(images) // columns)
    figure = new_figure(1.35 * columns, 1.75 * rows, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, image, caption in zip(panels, images, captions):
        shown = image[..., 0] if image.shape[-1] == 1 else image
        axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(caption, fontsize=7).set_parse_math(False)
    return figure


def _draw(axes, history, name: str, factor: float, line) -> None:
    known = [(epoch, values[name]) for epoch, values in enumerate(history, 1)
             if values.get(name) is not None]
    if not known:
        return
    epochs, values = np.array(known, np.float64).T
    style = {"marker": "o", "markersize": 3} if len(epochs) < 20 else {}
    label = "validation" if name.startswith("validation_") else "training"
    axes.plot(epochs, factor * values, label=label, **line, **style)
