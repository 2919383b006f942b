"""Tests of nas_tf.analysis.representation_figures: what is drawn, and what is refused."""

import types

import numpy as np
import pytest
from matplotlib.patches import PathPatch

from nas_tf.analysis import representation_figures as figures
from nas_tf.analysis.canvas import save_figure
from nas_tf.core import ConfigError

THRESHOLDS = np.array([0.80, 0.84, 0.88, 0.90, 0.92, 0.94])


def _predictions(cells=400, seeds=3, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.uniform(0.8, 0.95, cells)
    true[: cells // 25] = 0.1
    shape = (seeds, len(THRESHOLDS))
    return types.SimpleNamespace(
        true=true, predicted=true + rng.normal(0, 0.01, cells), thresholds=THRESHOLDS,
        rmse=rng.uniform(0.01, 0.02, shape), pearson=rng.uniform(0.4, 0.8, shape),
        counts=np.tile([15_600, 9_000, 5_000, 2_000, 980, 20], (seeds, 1)),
    )


def _distances(groups=6):
    edits = np.arange(1, groups + 1)
    return types.SimpleNamespace(
        edit_distances=edits, counts=100 * edits, spearman=0.8312,
        percentiles=edits[:, None] * np.array([0.5, 0.8, 1.0, 1.3, 2.0]),
    )


def _map(cells=500):
    rng = np.random.default_rng(0)
    accuracy = rng.uniform(0.88, 0.94, cells)
    accuracy[:8] = 0.1
    return types.SimpleNamespace(points=rng.normal(size=(cells, 2)), accuracy=accuracy)


def _nan(result):
    """The same with every float array full of NaN."""
    values = {
        name: np.full_like(value, np.nan) if np.asarray(value).dtype.kind == "f" else value
        for name, value in vars(result).items()
    }
    return types.SimpleNamespace(**values)


ALL = [
    (figures.predictive_figure, _predictions),
    (figures.distance_figure, _distances),
    (figures.map_figure, _map),
]


def _texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw, result", ALL)
def test_figures_of_one_to_four_embeddings_are_written(draw, result, tmp_path):
    for number in (1, 4):
        figure = draw({f"embedding {index} $x": result() for index in range(number)})
        for name, start in (("figure.png", b"\x89PNG"), ("figure.svg", b"<?xml")):
            path = save_figure(figure, tmp_path / name)
            assert path.read_bytes().startswith(start)
            assert path.stat().st_size < 600_000
        titles = [axes.get_title() for axes in figure.axes]
        assert titles[:number] == [f"embedding {index} $x" for index in range(number)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw, result", ALL)
def test_labels_are_inside_and_panels_apart(draw, result):
    figure = draw({"unsupervised": result(), "supervised": result()})
    figure.canvas.draw()
    width, height = figure.bbox.size
    extents = [axes.get_tightbbox() for axes in figure.axes]
    for extent in extents:
        assert -0.5 <= extent.x0 and extent.x1 <= width + 0.5
        assert -0.5 <= extent.y0 and extent.y1 <= height + 0.5
    for left, right in zip(extents, extents[1:]):
        assert left.x1 <= right.x0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw, result", ALL)
def test_without_numbers_the_panels_say_so(draw, result):
    figure = draw({"broken": _nan(result()), "sound": result()})
    assert _texts(figure.axes[0]) == ["no data"]
    assert "no data" not in _texts(figure.axes[1])
    figure = draw({"broken": _nan(result())})
    assert all(_texts(axes) == ["no data"] for axes in figure.axes)
    figure.canvas.draw()


@pytest.mark.parametrize("draw, result", ALL)
def test_bad_input_is_refused_in_one_line(draw, result):
    with pytest.raises(ConfigError, match="expected 1 to 4 embeddings, got 0"):
        draw({})
    with pytest.raises(ConfigError, match="got 5"):
        draw({str(index): result() for index in range(5)})


def test_shapes_that_do_not_fit_are_named():
    result = _predictions()
    result.rmse = result.rmse[:, :4]
    with pytest.raises(ConfigError, match=r"rmse of 'a': expected \[S=3, T=6\], got \[3, 4\]"):
        figures.predictive_figure({"a": result})
    result = _distances()
    result.percentiles = result.percentiles[:, :3]
    with pytest.raises(ConfigError, match=r"percentiles of 'a': expected \[G=6, 5\], got \[6, 3\]"):
        figures.distance_figure({"a": result})
    result = _map()
    result.accuracy = result.accuracy[:, None]
    with pytest.raises(ConfigError, match=r"accuracy of 'a': expected \[K=500\], got \[500, 1\]"):
        figures.map_figure({"a": result})


def test_empty_arrays_are_no_data():
    empty = np.empty(0)
    result = types.SimpleNamespace(
        true=empty, predicted=empty, thresholds=empty, rmse=empty.reshape(0, 0),
        pearson=empty.reshape(0, 0), counts=empty.reshape(0, 0),
    )
    figure = figures.predictive_figure({"a": result})
    assert [_texts(axes) for axes in figure.axes] == [["no data"]] * 3
    result = types.SimpleNamespace(points=np.empty((0, 2)), accuracy=empty)
    assert _texts(figures.map_figure({"a": result}).axes[0]) == ["no data"]


def test_curves_are_means_with_a_band_of_one_standard_deviation():
    result = _predictions()
    result.rmse[0, 1] = np.nan
    figure = figures.predictive_figure({"unsupervised": result, "supervised": _predictions(seed=1)})
    errors, correlations = figure.axes[2:]
    line = errors.lines[0]
    np.testing.assert_allclose(line.get_xdata(), 100 * THRESHOLDS)
    np.testing.assert_allclose(line.get_ydata(), 100 * np.nanmean(result.rmse, axis=0))
    vertices = errors.collections[0].get_paths()[0].vertices
    top = vertices[vertices[:, 0] == 84.0, 1].max()
    kept = 100 * result.rmse[1:, 1]
    np.testing.assert_allclose(top, kept.mean() + kept.std(ddof=1))
    np.testing.assert_allclose(correlations.lines[0].get_ydata(), result.pearson.mean(axis=0))
    assert errors.get_ylim()[0] == 0.0
    assert [text.get_text() for text in errors.get_legend().get_texts()] == [
        "unsupervised", "supervised"
    ]
    assert errors.lines[0].get_linestyle() != errors.lines[1].get_linestyle()
    figure.canvas.draw()
    labels = [label.get_text() for label in errors.get_xticklabels()]
    assert labels == ["80\n15.6k", "84\n9k", "90\n2k", "94\n20"]


def test_one_seed_has_no_band_and_one_embedding_no_legend():
    figure = figures.predictive_figure({"unsupervised": _predictions(seeds=1)})
    assert not figure.axes[1].collections
    assert figure.axes[1].get_legend() is None


def test_predictions_share_limits_that_bad_cells_do_not_set():
    figure = figures.predictive_figure({"a": _predictions(), "b": _predictions(seed=1)})
    first, second = figure.axes[:2]
    assert first.get_xlim() == first.get_ylim() == second.get_xlim()
    assert 70 < first.get_xlim()[0] < 80
    assert 95 < first.get_xlim()[1] < 102
    assert len(first.collections[0].get_offsets()) == 400
    np.testing.assert_array_equal(first.lines[0].get_xdata(), first.lines[0].get_ydata())
    assert _texts(first) == ["400 cells\n16 outside"]


def test_very_many_predictions_are_thinned_and_that_is_said():
    figure = figures.predictive_figure({"a": _predictions(cells=50_000)})
    assert len(figure.axes[0].collections[0].get_offsets()) == 16_667
    assert _texts(figure.axes[0])[0].startswith("16,667 of 50,000 cells")


def test_boxes_stand_at_their_edit_distance():
    result = _distances()
    result.edit_distances = np.array([1, 2, 3, 5, 8, 9])
    result.counts[4] = 0
    result.percentiles[5] = np.nan
    axes = figures.distance_figure({"unsupervised": result}).axes[0]
    boxes = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    assert [round(box.get_path().get_extents().x0 + 0.31, 6) for box in boxes] == [1, 2, 3, 5]
    extents = boxes[1].get_path().get_extents()
    np.testing.assert_allclose((extents.y0, extents.y1), (1.6, 2.6))
    assert _texts(axes) == [
        "Spearman's ρ = 0.831, 1,000 pairs\nbox: 25–75 %, whiskers: 5–95 %"
    ]
    assert axes.get_ylim()[0] == 0.0 and axes.get_ylim()[1] > 8.0  # the largest 95th percentile


def test_an_unknown_correlation_is_said():
    result = _distances()
    result.spearman = float("nan")
    axes = figures.distance_figure({"unsupervised": result}).axes[0]
    assert _texts(axes)[0].startswith("Spearman's ρ: no data")


def test_few_bad_cells_do_not_set_the_colours():
    result = _map()
    figure = figures.map_figure({"unsupervised": result, "supervised": _map()})
    first, second, bar = figure.axes
    assert bar.get_ylabel() == "accuracy (%)"
    low, high = first.collections[0].get_clim()
    assert 85 < low < 89 and 93 < high < 94.1
    assert second.collections[0].get_clim() == (low, high)
    assert list(first.get_xticks()) == list(first.get_yticks()) == []
    np.testing.assert_allclose(first.collections[0].get_array(), 100 * result.accuracy)


def test_unknown_accuracies_are_grey_and_unknown_places_left_out():
    result = _map()
    result.accuracy[:20] = np.nan
    result.points[20:25] = np.inf
    figure = figures.map_figure({"unsupervised": result})
    unknown, known = figure.axes[0].collections
    assert len(unknown.get_offsets()) == 20
    assert len(known.get_offsets()) == 475


def test_equal_accuracies_have_a_scale():
    result = _map()
    result.accuracy[:] = 0.9
    figure = figures.map_figure({"unsupervised": result})
    np.testing.assert_allclose(figure.axes[0].collections[0].get_clim(), (89.5, 90.5))
