"""Tests of nas_tf.analysis.figures: what is drawn, for every shape a study can have."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from nas_tf.analysis import figures
from nas_tf.analysis.canvas import save_figure, short_number
from nas_tf.analysis.curves import study_curves
from nas_tf.core import ConfigError, History


def _curves(runs, queries, *, infeasible=0.0, ends=False, cost=100.0):
    rng = np.random.default_rng(0)
    validation = rng.uniform(0.85, 0.943, (runs, queries))
    validation[rng.random((runs, queries)) < infeasible] = np.nan
    if ends:
        validation[: runs // 2, queries // 2 :] = np.nan
    history = History(
        key=np.ones((runs, queries), np.uint64),
        validation_accuracy=validation,
        test_accuracy=np.round(validation, 2),
        cost_sec=np.where(np.isnan(validation), 0.0, cost),
    )
    return study_curves(history, best_test_accuracy=0.94)


def _legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "curves",
    [
        _curves(20, 30),
        _curves(1, 30),
        _curves(1, 1),
        _curves(4, 20, infeasible=0.5, ends=True),
        _curves(3, 5, infeasible=1.0),
        _curves(3, 5, cost=0.0),
        _curves(500, 400),
    ],
    ids=["study", "one run", "one query", "ends early", "nothing feasible", "free", "large"],
)
def test_every_study_can_be_drawn(curves, tmp_path):
    paths = figures.save_study_figures(tmp_path, {"random": curves})
    assert sorted(paths) == ["incumbents", "regret"]
    for path in paths.values():
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size < 150_000


def test_the_mean_regret_is_drawn_and_zero_stays_on_the_axis():
    curves = _curves(50, 100)
    left = figures.regret_figure({"random": curves}).axes[0]
    np.testing.assert_allclose(left.lines[0].get_ydata(), curves.test_regret.mean(axis=0))
    assert left.get_yscale() == "symlog"
    assert left.get_ylim()[0] < 0.0  # the last drop is not on the frame
    assert left.get_xlim()[0] == 1.0 and 100.0 < left.get_xlim()[1] < 130.0
    assert 0.0 in left.get_yticks() and left.get_xticks().tolist() == [1, 2, 5, 10, 20, 50, 100]
    away = dataclasses.replace(curves, test_regret=curves.test_regret + 0.02)
    assert figures.regret_figure({"random": away}).axes[0].get_yscale() == "log"


def test_bands_are_one_standard_error_and_the_middle_half_of_the_runs():
    """Regrets 0.01, 0.02, 0.03, 0.06: mean 0.03, variance of the sample 14 / 3 e-4."""
    regret = np.array([[0.01], [0.02], [0.03], [0.06], [np.nan]])
    curves = dataclasses.replace(_curves(5, 1, cost=0.0), test_regret=regret)
    (axes,) = figures.regret_figure({"random": curves}).axes
    bands = [area.get_paths()[0].get_extents() for area in axes.collections]
    error = 0.01 * np.sqrt(14.0 / 3.0 / 4)
    np.testing.assert_allclose((bands[0].y0, bands[0].y1), (0.03 - error, 0.03 + error))
    np.testing.assert_allclose((bands[1].y0, bands[1].y1), (0.0175, 0.0375))


def test_there_is_no_panel_of_costs_where_there_are_none():
    assert len(figures.regret_figure({"random": _curves(3, 5, cost=0.0)}).axes) == 1
    queries, costs = figures.regret_figure({"a": _curves(5, 30), "b": _curves(3, 5, cost=0.0)}).axes
    assert (len(queries.lines), len(costs.lines)) == (2, 2) and costs.get_xscale() == "log"
    assert costs.get_xlim()[0] == pytest.approx(100.0) and costs.get_xlim()[1] > 3000.0


@pytest.mark.parametrize("number", [1, 9])
def test_nothing_is_cut_or_covered(number):
    for draw in (figures.regret_figure, figures.incumbent_figure):
        figure = draw({f"a study with a name {i}": _curves(4, 9) for i in range(number)})
        figure.canvas.draw()
        legend, (width, height) = figure.legends[0].get_window_extent(), figure.bbox.size
        assert 0 <= legend.x0 and legend.x1 <= width and 0 <= legend.y0
        for axes in figure.axes:
            box = axes.get_tightbbox()
            assert box.y0 >= legend.y1 - 1 and box.y1 <= height + 1
            assert 0 <= box.x0 and box.x1 <= width


def test_the_legend_says_what_lines_and_bands_are():
    figure = figures.regret_figure({"ours": _curves(20, 30), "random": _curves(1, 30)})
    bands = ["mean ± standard error", "25–75 % of the runs"]
    assert _legend(figure) == ["ours (20 runs)", "random (1 run)", *bands]
    alone = figures.regret_figure({"random": _curves(1, 30)})
    assert not alone.axes[0].collections and _legend(alone) == ["random (1 run)"]


def test_many_studies_have_one_band_each_and_lines_of_their_own():
    studies = {f"study {i}": _curves(20, 30) for i in range(9)}
    figure = figures.regret_figure(studies)
    lines = figure.axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 9
    np.testing.assert_allclose(lines[8].get_ydata(), studies["study 8"].test_regret.mean(axis=0))
    assert _legend(figure) == [*(f"{name} (20 runs)" for name in studies), "mean ± standard error"]


def test_long_names_and_dollar_signs_are_taken_as_they_are():
    figure = figures.regret_figure({"$x$ " + 60 * "y": _curves(1, 3)})
    (text,) = figure.legends[0].get_texts()
    assert text.get_text().startswith("$x$ yyy") and text.get_text().endswith("…")
    assert not text.get_parse_math()


def test_the_distribution_of_final_regrets():
    regrets = {"ours": np.array([0.02, 0.0, np.nan, 0.01]), "none": np.full(3, np.nan)}
    axes = figures.distribution_figure(regrets).axes[0]
    line = axes.lines[0]
    np.testing.assert_allclose(line.get_xdata()[:-1], [0.0, 0.0, 0.01, 0.02])
    np.testing.assert_allclose(line.get_ydata()[:-1], [0.0, 0.25, 0.5, 0.75])
    assert axes.get_xscale() == "symlog" and axes.get_xlim()[0] < 0.0
    assert 0.02 < axes.get_xlim()[1] < 0.03 < axes.lines[1].get_xdata().min()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [[0.01], [0.0, 0.0], [np.nan], [0.01, 0.03]])
def test_every_distribution_can_be_drawn(values, tmp_path):
    figure = figures.distribution_figure({"random": np.array(values)})
    assert save_figure(figure, tmp_path / "distribution.png").stat().st_size > 1000


def test_losses_are_drawn(tmp_path):
    figure = figures.training_figure({"training": np.array([2.0, 1.0])})
    assert figure.axes[0].lines[0].get_xdata().tolist() == [1, 2]
    save_figure(figure, tmp_path / "loss.png")


def test_unknown_best_accuracy_leaves_the_regret_out(tmp_path):
    blind = dataclasses.replace(_curves(2, 5), best_test_accuracy=np.nan)
    assert list(figures.save_study_figures(tmp_path, {"random": blind})) == ["incumbents"]
    with pytest.raises(ConfigError, match="'random'"):
        figures.regret_figure({"random": blind})


def test_no_study_and_too_many_are_refused():
    with pytest.raises(ConfigError, match="got 0"):
        figures.regret_figure({})
    with pytest.raises(ConfigError, match="expected 1 to 21 lines, got 22"):
        figures.incumbent_figure({str(i): _curves(1, 2) for i in range(22)})


def test_a_report_needs_neither_pyplot_nor_tensorflow():
    program = (
        "import sys, nas_tf.reports.search_report\n"
        "print(*sorted({'matplotlib.pyplot', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == ""


def _untested(runs, queries, best=0.95):
    history = dataclasses.replace(
        _history_of(runs, queries), test_accuracy=np.full((runs, queries), np.nan)
    )
    return study_curves(history, best_validation_accuracy=best)


def _history_of(runs, queries):
    validation = np.random.default_rng(1).uniform(0.85, 0.94, (runs, queries))
    cost = np.full(validation.shape, 100.0)
    return History(np.ones(validation.shape, np.uint64), validation, validation, cost)


@pytest.mark.filterwarnings("error")
def test_studies_without_test_accuracy(tmp_path):
    studies = {"one": _untested(5, 12), "other": _untested(3, 12)}
    regret, incumbents = figures.regret_figure(studies), figures.incumbent_figure(studies)
    assert regret.axes[0].get_ylabel() == "validation regret" and len(regret.axes) == 2
    assert [axes.get_ylabel() for axes in incumbents.axes] == ["incumbent validation accuracy (%)"]
    expected = 0.95 - studies["one"].validation_accuracy.mean(axis=0)
    np.testing.assert_allclose(regret.axes[0].lines[0].get_ydata(), expected)
    values = {"one": np.array([0.1, 0.2])}
    distribution = figures.distribution_figure(values, "validation_regret")
    assert distribution.axes[0].get_xlabel() == "validation regret at the end"
    assert set(figures.save_study_figures(tmp_path, studies)) == {"regret", "incumbents"}


def test_regrets_of_different_accuracies_are_not_drawn_together():
    with pytest.raises(ConfigError, match="some studies have no test accuracy, others have"):
        figures.regret_figure({"one": _untested(2, 3), "other": _curves(2, 3)})


@pytest.mark.parametrize("value, expected", [
    (0, "0"), (1e-5, "1e-05"), (0.02, "0.02"), (5000, "5000"), (2e4, "20k"), (5e5, "500k"), (1e6, "1M"),
])
def test_ticks_are_short(value, expected):
    assert short_number(value) == expected
