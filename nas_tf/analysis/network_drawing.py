"""Drawings of whole networks: how their blocks follow each other, and each kind of block inside.

The first panel has a box for each block and for what stands beside blocks; below it every structure
that blocks have is drawn once (`network_boxes`). Where pydot and Graphviz are installed,
`save_drawing` leaves it to Keras, which draws every layer.
"""

import importlib.util
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure

from nas_tf.analysis.canvas import new_figure, save_figure
from nas_tf.analysis.drawing import (
    CellPicture,
    OperationStyle,
    draw_panel,
    lay_out,
    operation_styles,
)
from nas_tf.analysis.network_boxes import JOINS, Boxes, Panel
from nas_tf.core import ConfigError
from nas_tf.networks.layer_table import layer_table

_GREY = (*JOINS, "dense", "global mean", "relu", "norm", "other")
MAX_EDGES = 220  # of a panel; beyond, a drawing shows nothing but ink


def save_drawing(model: keras.Model, path: str | Path) -> Path:
    """Draws a network into a PNG or SVG file and returns its path.

    With pydot and Graphviz every layer is drawn (`keras.utils.plot_model`), else blocks as in
    `draw_network`.

    Raises:
        ConfigError: the suffix is neither .png nor .svg.
    """
    path = Path(path)
    if path.suffix.lower() not in (".png", ".svg"):
        raise ConfigError(f"figure {str(path)!r}: expected a name ending in .png or .svg")
    if importlib.util.find_spec("pydot") and shutil.which("dot"):
        keras.utils.plot_model(model, to_file=str(path), show_shapes=True, show_layer_names=True)
        return path
    return save_figure(draw_network(model), path)


def draw_network(model: keras.Model, *, scale: float = 1.0) -> Figure:
    """Returns a figure of a functional model: its blocks in a row, below them each kind of block.

    Args:
        model: with layers named as the builders in `networks` do.
        scale: size of everything, letters too.
    """
    boxes, table = Boxes(model), layer_table(model)
    caption = f"{table.parameters:,} parameters, {table.multiply_adds:,} multiply-adds"
    if boxes.led_through:
        caption += f"; edges lead through {', '.join(boxes.led_through)}"
    titles = [f"{model.name}, images {_size(model.input_shape[1:])}"]
    panels, captions = [boxes.overview()], [caption]
    for names, panel in boxes.kinds():
        panels.append(panel)
        titles.append(_title([name.replace("_", " ") for name in names]))
        sizes = dict.fromkeys(_size(boxes.output(name)) for name in names)
        captions.append(f"out: {', '.join(sizes)}")
    return _figure(panels, titles, captions, scale)


def _size(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _title(names: Sequence[str]) -> str:
    if len(names) <= 4:
        return ", ".join(names)
    return f"{names[0]}, {names[1]}, … {names[-1]}: {len(names)} of one structure"


def _figure(
    panels: list[Panel], titles: Sequence[str], captions: Sequence[str], scale: float
) -> Figure:
    """Returns a figure of panels below each other, each in the middle."""
    colours = _colours(panels)
    placed = []
    for panel, title, caption in zip(panels, titles, captions):
        picture, styles = _picture(panel, title, caption, colours)
        (layout,), size = lay_out([picture], styles)
        placed.append((picture, layout, styles, size))
    width, height = max(size[0] for *_, size in placed), sum(size[1] for *_, size in placed)
    figure, top = new_figure(scale * width, scale * height), height
    for picture, layout, styles, size in placed:
        top -= size[1]
        axes = figure.add_axes((0, top / height, 1, size[1] / height))
        draw_panel(axes, picture, layout, styles, scale=scale)
    return figure


def _colours(panels: list[Panel]) -> Mapping[str, str]:
    """Returns a colour for everything that boxes do; what only joins is grey."""
    names = sorted({name for panel in panels for name in panel.operations} - set(_GREY))
    styles = operation_styles(names)
    return {name: style.colour for name, style in styles.items()} | dict.fromkeys(_GREY, "#E6E6E6")


def _picture(
    panel: Panel, title: str, caption: str, colours: Mapping[str, str]
) -> tuple[CellPicture, dict[str, OperationStyle]]:
    """Returns a panel's picture, with a style for each pair of a label and an operation."""
    if (edges := int(panel.matrix.sum())) > MAX_EDGES:
        caption += f"; {len(panel.labels)} boxes with {edges} edges, not drawn"
        panel = Panel(("…",), ("other",), np.zeros((1, 1), np.uint8))
    pairs = list(zip(panel.labels, panel.operations))
    styles = {"/".join(pair): OperationStyle(pair[0], colours[pair[1]]) for pair in pairs}
    return CellPicture(panel.matrix, ["/".join(pair) for pair in pairs], caption, title), styles
