"""Tests of nas_tf.analysis.figures: what is drawn, for every shape a study can have."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from nas_tf.analysis import figures
from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.curves import study_curves
from nas_tf.core import ConfigError, History


def _curves(runs, queries, *, infeasible=0.0, ends=False, cost=100.0):
    rng = np.random.default_rng(0)
    validation = rng.uniform(0.85, 0.943, (runs, queries))
    validation[rng.random((runs, queries)) < infeasible] = np.nan
    if ends:
        validation[: runs // 2, queries // 2 :] = np.nan
    test = np.round(validation, 2)
    history = History(
        key=np.ones((runs, queries), np.uint64),
        validation_accuracy=validation,
        test_accuracy=test,
        cost_sec=np.where(np.isnan(validation), 0.0, cost),
    )
    return study_curves(history, best_test_accuracy=0.94)


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
    figure = figures.regret_figure({"random": curves})
    left = figure.axes[0]
    np.testing.assert_allclose(left.lines[0].get_ydata(), curves.test_regret.mean(axis=0))
    assert left.get_yscale() == "symlog"
    assert left.get_ylim()[0] == 0.0
    assert left.get_xlim() == (1.0, 100.0)


def test_regret_that_stays_away_from_zero_is_logarithmic():
    curves = _curves(50, 100)
    curves = dataclasses.replace(
        curves, test_regret=0.96 - curves.test_accuracy, best_test_accuracy=0.96
    )
    assert figures.regret_figure({"random": curves}).axes[0].get_yscale() == "log"


def test_the_legend_says_what_the_bands_are():
    legend = figures.regret_figure({"ours": _curves(20, 30), "random": _curves(1, 30)}).legends[0]
    assert [text.get_text() for text in legend.get_texts()] == [
        "ours: mean of 20 runs",
        "random: one run",
        "± standard error of the mean",
        "25–75 % of the runs",
    ]


def test_one_run_has_no_band():
    figure = figures.regret_figure({"random": _curves(1, 30)})
    assert not figure.axes[0].collections
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["random: one run"]


def test_many_studies_have_one_band_each_and_lines_of_their_own():
    studies = {f"study {i}": _curves(20, 30) for i in range(9)}
    figure = figures.regret_figure(studies)
    lines = figure.axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 9
    np.testing.assert_allclose(lines[8].get_ydata(), studies["study 8"].test_regret.mean(axis=0))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [*studies, "± standard error (20 runs)"]
    studies["another"] = _curves(5, 30)
    texts = [t.get_text() for t in figures.regret_figure(studies).legends[0].get_texts()]
    assert texts[-2:] == ["another: mean of 5 runs", "± standard error of the mean"]


def test_long_names_and_dollar_signs_are_taken_as_they_are():
    figure = figures.regret_figure({"$x$ " + 60 * "y": _curves(1, 3)})
    (text,) = figure.legends[0].get_texts()
    assert text.get_text().startswith("$x$ yyy") and text.get_text().endswith("…")
    assert not text.get_parse_math()


def test_the_distribution_of_final_regrets():
    regrets = {"ours": np.array([0.02, 0.0, np.nan, 0.01]), "none": np.full(3, np.nan)}
    axes = figures.distribution_figure(regrets).axes[0]
    (line,) = axes.lines
    np.testing.assert_allclose(line.get_xdata(), [0.0, 0.0, 0.01, 0.02, 0.023])
    np.testing.assert_allclose(line.get_ydata(), [0.0, 0.25, 0.5, 0.75, 0.75])
    assert axes.get_xscale() == "symlog" and axes.get_xlim()[0] == 0.0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [[0.01], [0.0, 0.0], [np.nan], [0.01, 0.03]])
def test_every_distribution_can_be_drawn(values, tmp_path):
    figure = figures.distribution_figure({"random": np.array(values)})
    assert save_figure(figure, tmp_path / "distribution.png").stat().st_size > 1000


def test_losses_are_drawn(tmp_path):
    figure = figures.training_figure({"training": np.array([2.0, 1.0])}, ylabel="loss")
    assert figure.axes[0].lines[0].get_xdata().tolist() == [1, 2]
    save_figure(figure, tmp_path / "loss.png")


def test_unknown_best_accuracy_leaves_the_regret_out(tmp_path):
    curves = _curves(2, 5)
    blind = dataclasses.replace(curves, best_test_accuracy=np.nan)
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
        "import sys, nas_tf.analysis.report\n"
        "print(*sorted({'matplotlib.pyplot', 'tensorflow'} & set(sys.modules)))"
    )
    output = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert output.strip() == ""
