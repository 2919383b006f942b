"""nas_tf/reports/training_report.py and training_figures.py: the page of a training."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from nas_tf.networks.layer_table import LayerRow, LayerTable
from nas_tf.reports import training_figures
from nas_tf.reports.training_report import MAX_LAYERS, TestResults, most_confused, write_training_report

NAMES = ("cat", "dog", "o|wl")
TEST = TestResults(
    probabilities=np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.05, 0.9, 0.05]]),
    labels=np.array([0, 1, 1, 2]),
    indices=np.array([0, 1, 2, 3]),
)
HISTORY = [
    {"loss": 2.0 - epoch / 10, "accuracy": 0.1 + epoch / 50, "validation_loss": 2.1,
     "validation_accuracy": 0.2, "learning_rate": 0.1, "images_per_sec": 100.0}
    for epoch in range(30)
]  # fmt: skip
SUMMARY = {
    "architecture": "|skip_connect~0|", "space": "nasbench201", "titles": {"space": "NAS-Bench-201"},
    "dataset": "digits", "split": {"train": {"images": 90}, "test": {"images": 4}}, "epochs": 30,
    "parameters": 1234567, "multiply_adds": 7654321, "validation_accuracy": None,
    "test_accuracy": 0.5, "images_per_sec": float("nan"), "wall_sec": 12.0, "seed": 3,
    "scale": "full", "reduced": [], "input_shape": [8, 8, 3], "versions": {"keras": "3.15"},
    "network": {"channels": None, "cells": 2, "auxiliary": False, "setting": "cifar"},
    "changed_settings": ["--train_epochs=30"],
}  # fmt: skip


def layers(count):
    return LayerTable("net", tuple(
        LayerRow(f"conv_{n}", "Conv2D" if n % 2 else "ReLU", (4, 4, 2), 10 * n, 100) for n in range(count)
    ))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A page on four test images, two of them shown."""
    directory = tmp_path_factory.mktemp("page")
    write_training_report(
        directory, SUMMARY, history=HISTORY, class_names=NAMES, test=TEST,
        images=np.zeros((2, 8, 8, 3), np.uint8), layers=layers(MAX_LAYERS + 5), drawing=Figure(),
    )
    return directory


def test_confusions_are_counted():
    matrix = training_figures.confusion_matrix(TEST.labels, TEST.predicted, 3)
    np.testing.assert_array_equal(matrix, [[1, 0, 0], [1, 1, 0], [0, 1, 0]])
    assert most_confused(matrix, 5) == [(1, 0, 1), (2, 1, 1)]
    assert most_confused(np.diag([3, 4]), 5) == []


def test_the_worst_come_first():
    assert TEST.worst(2).tolist() == [3, 1]  # their classes have 0.05 and 0.3


def test_the_page_has_numbers_pictures_and_layers(written):
    text = (written / "report.md").read_text("utf-8")
    for line in (
        "# NAS-Bench-201: a network trained on handwritten digits",
        "| Test accuracy | 50.00 % of 4 images |",
        "| Parameters | 1,234,567 |",
        "| Multiply-adds | 7,654,321 |",
        "| 30 | -0.9000 | 68.00 | 2.1000 | 20.00 | 0.1 |",
        "| o\\|wl | dog | 1 | 100.0 |",
        "| 3 | o\\|wl | 5.00 | dog | 90.00 |",
        "    |skip_connect~0|",
        "| Channels | as published |",
        "| Cells | 2 |",
        f"| Conv2D | {(MAX_LAYERS + 5) // 2} |",
        "… and 5 more layers; all of them are in `layers.csv`.",
        "`--train_epochs=30`",
    ):
        assert line in text, line
    assert "smoke" not in text and "nan" not in text and "Validation accuracy |" not in text
    for name in ("curves", "confusion", "worst_images", "network"):
        assert f"({name}.png)" in text and (written / f"{name}.svg").exists()
    html = (written / "report.html").read_text("utf-8")
    assert html.count("data:image/png;base64") == 4 and "|skip_connect~0|" in html


def test_a_smoke_run_says_so(tmp_path):
    write_training_report(
        tmp_path, SUMMARY | {"scale": "smoke", "reduced": ["--train_epochs=6"]}, history=HISTORY[:1],
        class_names=NAMES, test=TEST, images=np.zeros((0, 8, 8, 1), np.uint8), layers=layers(2),
    )
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "**A smoke run (`--scale=smoke`): the same code with smaller numbers (`--train_epochs=6`" in text
    assert "worst" not in text and "network.png" not in text and not (tmp_path / "worst_images.png").exists()


def test_curves_have_a_line_for_what_was_measured():
    figure = training_figures.curves_figure(HISTORY)
    assert [len(axes.lines) for axes in figure.axes] == [2, 2, 1]
    np.testing.assert_allclose(figure.axes[1].lines[1].get_ydata(), 20.0)  # per cent
    without = [{"loss": 1.0, "accuracy": 0.5}]
    assert [len(axes.lines) for axes in training_figures.curves_figure(without).axes] == [1, 1, 0]


def test_many_classes_are_coloured_and_not_written():
    figure = training_figures.confusion_figure(np.eye(100, dtype=int), [str(n) for n in range(100)])
    assert not figure.axes[0].texts and len(figure.axes[0].get_xticklabels()) < 20
    few = training_figures.confusion_figure(np.array([[3, 1], [0, 2]]), ["a", "b"])
    assert sorted(text.get_text() for text in few.axes[0].texts) == ["1", "2", "3"]


def test_images_of_one_and_three_channels_are_shown():
    for channels in (1, 3):
        images = np.full((9, 4, 4, channels), 7, np.uint8)
        figure = training_figures.images_figure(images, [f"{n} $x" for n in range(9)])
        assert sum(bool(axes.images) for axes in figure.axes) == 9
        figure.canvas.draw()  # a dollar sign starts no formula
