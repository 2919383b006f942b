"""The page of learning curves, and which cells are compared."""

import dataclasses

import numpy as np
import pytest

from nas_tf.training.settings import Training
from tools import learning_curves, learning_page

HISTORY = [
    {"loss": 2.0, "validation_loss": 2.1, "validation_accuracy": 0.25},
    {"loss": 1.5, "validation_loss": 1.75, "validation_accuracy": 0.375},
]
CURVE = {"history": HISTORY, "parameters": 1234567, "multiply_adds": 43_444_736,
         "test_accuracy": 0.4321}


def row(validation, *, valid_12, valid_200, test=0.5, test_200=0.75):
    return {"cell": "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "validation": validation,
            "test": test, "valid_12": valid_12, "valid_200": valid_200, "test_200": test_200}


ROWS = [
    row(0.1, valid_12=0.2, valid_200=0.6, test=0.4, test_200=0.61),
    row(0.3, valid_12=0.3, valid_200=0.8, test=0.3, test_200=0.81),
    row(0.2, valid_12=0.4, valid_200=0.7, test=0.2, test_200=0.71),
    row(0.4, valid_12=0.5, valid_200=0.9, test=0.1, test_200=0.91),
]


def test_cells_are_the_middles_of_equal_parts_of_the_ranking():
    accuracy = np.array([0.5, 0.1, 0.9, 0.3, 0.7, 0.2, 0.4, 0.6])  # ranks 4 0 7 2 6 1 3 5
    assert learning_curves.spread(accuracy, 2).tolist() == [3, 4]
    assert learning_curves.spread(accuracy, 8).tolist() == [1, 5, 3, 6, 0, 7, 4, 2]


def test_rank_correlations():
    found = list(learning_page.correlations(ROWS).values())
    # Ours 1 3 2 4 against 1 2 3 4: rho = 1 - 6 * (0 + 1 + 1 + 0) / (4 * 15), five pairs of six agree.
    assert found[0][0] == pytest.approx(0.8) and found[0][2] == pytest.approx((5 - 1) / 6)
    assert found[1][0] == found[1][2] == pytest.approx(1.0)
    assert found[3][0] == pytest.approx(-0.8)
    assert found[4][0] == pytest.approx(0.8)


def test_the_page_says_what_was_trained(tmp_path):
    training = Training(epochs=12, batch_size=64, warmup_epochs=1.0, clip_norm=5.0)
    results = dict.fromkeys(learning_page.CURVES, CURVE) | {"ranking": {"rows": ROWS}}
    settings = {
        "curves": training, "ranking": dataclasses.replace(training, epochs=6),
        "cell": "the cell", "curve_images": (5000, 1000), "ranking_images": (4000, 2000),
    }
    learning_page.write(tmp_path, "python -m this", results, settings)
    text = (tmp_path / "learning.md").read_text("utf-8")
    assert "$ python -m this\n" in text
    assert "5,000 training images, 1,000 that validate, 5,000 test images, 12 epochs" in text
    assert "| 1,234,567 | 43.4 M | 1.500 | 37.5 | 43.2 |" in text
    assert "| 1 | \\|none~0\\|+\\|none~0\\|none~1\\|+" in text and "| 10.0 | 40.0 | 20.0 | 60.0 | 61.0 |" in text
    assert "| 0.80 (p = 0.2) | 0.67 (p = 0.33) |" in text
    assert "within 30.0 points, and 2,000 images" in text and "error of 1.0," in text  # .25 * .75
    for name in ("curves.png", "ranking.png"):
        assert f"]({name})" in text and (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_an_unknown_part_is_one_line(capsys):
    assert learning_curves.main(["--images=a", "--table=b", "--only=magic"]) == 1
    assert capsys.readouterr().err == (
        "learning_curves: --only=magic: expected some of curves,ranking,page\n"
    )
