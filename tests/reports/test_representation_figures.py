"""Tests of nas_tf.reports.representation_figures: what is drawn, and what is refused."""

import types

import numpy as np
import pytest
from matplotlib.patches import PathPatch

from nas_tf.analysis.canvas import save_figure
from nas_tf.core import ConfigError
from nas_tf.reports import representation_figures as figures

THRESHOLDS = np.array([0.80, 0.84, 0.88, 0.90, 0.92, 0.94])


def _predictions(seeds=3, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.uniform(0.8, 0.95, 400)
    true[:16] = 0.1
    shape = (seeds, len(THRESHOLDS))
    return types.SimpleNamespace(
        true=true, predicted=true + rng.normal(0, 0.01, 400), thresholds=THRESHOLDS,
        rmse=rng.uniform(0.01, 0.02, shape), pearson=rng.uniform(0.4, 0.8, shape),
        counts=np.tile([15_600, 9_000, 5_000, 2_000, 980, 20], (seeds, 1)),
    )


def _distances():
    edits = np.array([1, 2, 3, 5, 8, 9])
    return types.SimpleNamespace(
        edit_distances=edits, counts=100 * edits, spearman=0.8312,
        percentiles=edits[:, None] * np.array([0.5, 0.8, 1.0, 1.3, 2.0]),
    )


def _map():
    rng = np.random.default_rng(0)
    accuracy = rng.uniform(0.88, 0.94, 500)
    accuracy[:8] = 0.1
    return types.SimpleNamespace(points=rng.normal(size=(500, 2)), accuracy=accuracy)


def _nan(result):
    """The same with every float array full of NaN."""
    values = {
        name: np.full_like(value, np.nan) if np.asarray(value).dtype.kind == "f" else value
        for name, value in vars(result).items()
    }
    return types.SimpleNamespace(**values)


EVERY_FIGURE = pytest.mark.parametrize(
    "draw, result",
    [
        (figures.predictive_figure, _predictions),
        (figures.distance_figure, _distances),
        (figures.map_figure, _map),
    ],
)


def _texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.filterwarnings("error")
@EVERY_FIGURE
def test_nothing_is_cut_with_one_to_four_embeddings(draw, result, tmp_path):
    for number in (1, 4):
        figure = draw({f"embedding {index} $x": result() for index in range(number)})
        path = save_figure(figure, tmp_path / "figure.svg")
        assert path.stat().st_size < 600_000
        titles = [axes.get_title() for axes in figure.axes]
        assert titles[:number] == [f"embedding {index} $x" for index in range(number)]
        figure.canvas.draw()
        extents = [axes.get_tightbbox() for axes in figure.axes]
        whole = figure.bbox.padded(0.5)
        assert all(whole.contains(*corner) for e in extents for corner in (e.min, e.max))
        assert all(left.x1 <= right.x0 for left, right in zip(extents, extents[1:]))


@pytest.mark.filterwarnings("error")
@EVERY_FIGURE
def test_without_numbers_the_panels_say_so(draw, result):
    figure = draw({"broken": _nan(result()), "sound": result()})
    assert _texts(figure.axes[0]) == ["no data"]
    assert "no data" not in _texts(figure.axes[1])
    figure = draw({"broken": _nan(result())})
    assert all(_texts(axes) == ["no data"] for axes in figure.axes)
    figure.canvas.draw()


@EVERY_FIGURE
def test_no_embedding_and_too_many_are_refused(draw, result):
    with pytest.raises(ConfigError, match="expected 1 to 4 embeddings, got 0"):
        draw({})
    with pytest.raises(ConfigError, match="got 5"):
        draw({str(index): result() for index in range(5)})


def test_curves_are_means_with_a_band_of_one_standard_deviation():
    result = _predictions()
    result.rmse[0, 1] = np.nan
    figure = figures.predictive_figure({"unsupervised": result, "supervised": _predictions(seed=1)})
    errors, correlations = figure.axes[2:]
    line = errors.lines[0]
    assert line.get_xdata().tolist() == [0, 1, 2, 3, 4, 5]  # evenly apart, whatever they are
    np.testing.assert_allclose(line.get_ydata(), 100 * np.nanmean(result.rmse, axis=0))
    vertices = errors.collections[0].get_paths()[0].vertices
    kept = 100 * result.rmse[1:, 1]
    top = vertices[vertices[:, 0] == 1, 1].max()
    np.testing.assert_allclose(top, kept.mean() + kept.std(ddof=1))
    np.testing.assert_allclose(correlations.lines[0].get_ydata(), result.pearson.mean(axis=0))
    assert errors.get_ylim()[0] == 0.0
    names = [text.get_text() for text in errors.get_legend().get_texts()]
    assert names == ["unsupervised", "supervised"]
    assert errors.lines[0].get_linestyle() != errors.lines[1].get_linestyle()
    figure.canvas.draw()
    labels = [label.get_text() for label in errors.get_xticklabels()]
    assert len(labels) == 6 and labels[:2] == ["80\n15,600", "84\n9,000"]
    alone = figures.predictive_figure({"unsupervised": _predictions(seeds=1)}).axes[1]
    assert not alone.collections and alone.get_legend() is None


def test_predictions_share_limits_that_bad_cells_do_not_set():
    figure = figures.predictive_figure({"a": _predictions(), "b": _predictions(seed=1)})
    first, second = figure.axes[:2]
    assert first.get_xlim() == first.get_ylim() == second.get_xlim()
    assert 70 < first.get_xlim()[0] < 80 and 95 < first.get_xlim()[1] < 102
    assert len(first.collections[0].get_offsets()) == 400
    assert _texts(first) == ["400 cells\n16 outside"]


def test_boxes_stand_at_their_edit_distance():
    result = _distances()
    result.counts[4], result.percentiles[5], result.spearman = 0, np.nan, np.nan
    axes = figures.distance_figure({"unsupervised": result}).axes[0]
    boxes = [p.get_path().get_extents() for p in axes.patches if isinstance(p, PathPatch)]
    assert [round(box.x0 + 0.31, 6) for box in boxes] == [1, 2, 3, 5]
    np.testing.assert_allclose((boxes[1].y0, boxes[1].y1), (1.6, 2.6))
    note = "Spearman's ρ: no data, 1,100 pairs\nbox: 25–75 %, whiskers: 5–95 %"
    assert _texts(axes) == [note]
    assert axes.get_ylim()[0] == 0.0 and axes.get_ylim()[1] > 10.0  # the largest 95th percentile


def test_few_bad_cells_do_not_set_the_colours_and_unknown_ones_are_grey():
    result = _map()
    result.accuracy[10:30] = np.nan
    result.points[30:35] = np.inf  # not drawn
    first, second, bar = figures.map_figure({"unsupervised": result, "supervised": _map()}).axes
    assert bar.get_ylabel() == "accuracy (%)"
    (points,) = first.collections
    low, high = points.get_clim()
    assert 85 < low < 89 and 93 < high < 94.1
    assert second.collections[0].get_clim() == (low, high)
    assert len(points.get_offsets()) == 495
    grey = (points.to_rgba(points.get_array())[:, :3] == 0.8).all(axis=1)
    assert np.flatnonzero(grey).tolist() == list(range(10, 30))
    result.accuracy[:] = 0.9
    equal = figures.map_figure({"unsupervised": result}).axes[0].collections[0]
    np.testing.assert_allclose(equal.get_clim(), (89.5, 90.5))
