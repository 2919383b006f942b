"""nas_tf/analysis/network_drawing.py: what is drawn, and who draws it."""

import importlib.util
import shutil

import keras
import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from nas_tf.analysis import network_drawing
from nas_tf.analysis.network_drawing import draw_network, save_drawing
from nas_tf.core import ConfigError
from nas_tf.networks import randwire
from nas_tf.networks.layer_table import layer_table

SMALL = {"input_shape": (8, 8, 1), "num_classes": 2, "channels": 4}


@pytest.fixture(scope="module")
def model():
    return randwire.build_network(np.triu(np.ones((1, 3, 3)), 1), **SMALL)


def _texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_a_panel_for_the_network_and_one_for_each_structure(model):
    figure = draw_network(model)
    assert len(figure.axes) == 2
    counts = [
        tuple(sum(isinstance(patch, kind) for patch in axes.patches)
              for kind in (FancyBboxPatch, FancyArrowPatch))
        for axes in figure.axes
    ]
    assert counts == [(8, 7), (4, 4)]
    texts, table = _texts(figure), layer_table(model)
    caption = f"{table.parameters:,} parameters, {table.multiply_adds:,} multiply-adds"
    assert {"randwire, images 8×8×1", caption, "stage1, stage2, stage3"} < set(texts)
    assert "out: 1×1×4, 1×1×8, 1×1×16" in texts


def test_everything_lies_inside_the_figure(model):
    figure = draw_network(model)
    figure.canvas.draw()
    inside = figure.bbox
    for axes in figure.axes:
        for part in [*axes.patches, *axes.texts]:
            box = part.get_window_extent()
            assert inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0
            assert box.y1 <= inside.y1


def test_what_would_be_ink_alone_is_told_instead(model, monkeypatch):
    monkeypatch.setattr(network_drawing, "MAX_EDGES", 3)
    texts = _texts(draw_network(model))
    assert "8 boxes with 7 edges, not drawn" in " ".join(texts)
    assert "4 boxes with 4 edges, not drawn" in " ".join(texts)


@pytest.mark.parametrize("suffix, start", [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_files_without_graphviz(model, suffix, start, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    path = save_drawing(model, tmp_path / f"network{suffix}")
    assert path.read_bytes().startswith(start)


def test_keras_draws_where_pydot_and_graphviz_are(model, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "pydot")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(keras.utils, "plot_model", lambda model, **options: drawn.append(options))
    path = save_drawing(model, tmp_path / "network.png")
    assert drawn == [{"to_file": str(path), "show_shapes": True, "show_layer_names": True}]


def test_other_suffixes_are_refused(model, tmp_path):
    with pytest.raises(ConfigError, match=r"expected a name ending in .png or .svg"):
        save_drawing(model, tmp_path / "network.jpg")
