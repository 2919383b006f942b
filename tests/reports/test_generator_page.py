"""The page of what a generator learned."""

import dataclasses

import numpy as np
import pytest

from nas_tf.graphpnas.learned import Learned
from nas_tf.reports.generator_page import write_generator_page

NAMES = {"title": "A space: GraphPNAS", "label": "GraphPNAS", "dataset": "cifar10"}


@pytest.fixture
def learned():
    """Two runs, three fits of four samples; the pool has five cells."""
    rng = np.random.default_rng(0)
    places = np.array([
        [[0, 1, -1, 2], [0, 0, 0, 1]], [[3, 3, -1, 2], [4, 4, 2, 2]], [[4, 4, 4, 3], [4, 4, 4, 4]]
    ])
    return Learned(
        seen=np.array([10, 20, 30]),
        indices=places,
        shares={
            "valid": (places >= 0).mean(axis=-1),
            "unique": np.array([[1, 0.5], [2 / 3, 0.5], [0.5, np.nan]]),
            "new": np.full((3, 2), 0.25),
        },
        num_fallbacks=3,
        num_any_cell=2,
        acceptance=0.25,
        num_runs=2,
        random=np.array([0, 1, 2, 3, 4, 0]),
        accuracy=np.array([0.5, 0.6, 0.7, 0.8, 0.9]),
        edges=np.tril(rng.random((5, 4, 4)) < 0.7, -1),
    )


def test_page(learned, tmp_path):
    write_generator_page(tmp_path, learned, **NAMES)
    text = (tmp_path / "generator.md").read_text("utf-8")
    assert text.startswith("# A space: GraphPNAS, what the generator learned\n")
    assert "| random | 6 | 66.67 | 65.00 | 87.50 |" in text
    assert "| 10 | 7 | 55.71 | 50.00 | 67.00 |" in text
    assert "| 30 | 8 | 88.75 | 90.00 | 90.00 |" in text
    assert "| Queries that explored because no sample would do | 3 |" in text
    assert "| Graphs of the explorer that were new cells | 25.0 % |" in text
    assert "| Queries that took any cell because it drew none | 2 |" in text
    assert (tmp_path / "generator.html").read_text("utf-8").count("data:image/png") == 3
    for name in ("accuracy", "shares", "structure"):
        assert (tmp_path / f"generator_{name}.svg").stat().st_size > 2000


def test_a_generator_that_was_never_fitted(learned, tmp_path):
    never = dataclasses.replace(
        learned, seen=np.zeros(0, int), indices=np.zeros((0, 2, 4), int),
        shares=dict.fromkeys(("valid", "unique", "new"), np.zeros((0, 0))),
        num_fallbacks=0, acceptance=np.nan,
    )
    write_generator_page(tmp_path, never, **NAMES)
    text = (tmp_path / "generator.md").read_text("utf-8")
    assert "| Fits of each | 0 at most |" in text and "| 10 |" not in text


def test_nothing_that_was_drawn_is_a_cell(learned, tmp_path):
    nothing = dataclasses.replace(
        learned, indices=np.full((3, 2, 4), -1),
        shares={"valid": np.zeros((3, 2)), "unique": np.full((3, 2), np.nan),
                "new": np.zeros((3, 2))},
    )
    write_generator_page(tmp_path, nothing, **NAMES)
    assert "| 30 | 0 | – | – | – |" in (tmp_path / "generator.md").read_text("utf-8")
