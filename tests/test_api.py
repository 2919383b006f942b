"""nas_tf as a Python package: its names, how fast it is imported, and that it is what jobs call."""

import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import nas_tf
from nas_tf.config import Component
from nas_tf.core import ConfigError
from nas_tf.strategies.strategy import Strategy
from tests.job_runs import change, execute, trace

RECIPES = (
    "RandomSearch", "LocalSearch", "RegularizedEvolution", "Bohb", "Bananas", "Reinforce",
    "Arch2vecRL", "Arch2vecBO", "SupervisedRL", "SupervisedBO", "GraphPNAS", "RNNGenerator",
    "GaussianProcess",
)
FUNCTIONS = (
    "pretrain", "search", "compare", "load", "architecture", "build", "parameters", "multiply_adds",
    "train", "predict", "export",
)
BENCHMARKS = ("digits", "nasbench101", "nasbench201", "measured")


def test_importing_takes_no_time_and_no_tensorflow():
    program = (
        "import sys, time; started = time.perf_counter(); import nas_tf; "
        "print(time.perf_counter() - started < 0.1, 'tensorflow' in sys.modules, "
        "'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "True False False\n", done.stderr


def test_a_module_may_be_the_first_that_is_imported():
    program = "from nas_tf.strategies.bananas import Bananas; print(Bananas().title)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "BANANAS\n", done.stderr


def test_stable_names_survive_the_import_of_every_module():
    """A module named like a function of its package would take the function's place."""
    for module in pkgutil.walk_packages(nas_tf.__path__, "nas_tf."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in RECIPES:
        assert issubclass(getattr(nas_tf, name), Strategy) and isinstance(getattr(nas_tf, name)(), Component)
    for name in FUNCTIONS:
        assert callable(getattr(nas_tf, name)), name
    for name in BENCHMARKS:
        assert callable(getattr(nas_tf.benchmarks, name)), name
    assert set(RECIPES) | set(FUNCTIONS) <= set(dir(nas_tf))
    with pytest.raises(AttributeError, match="no attribute 'luck'"):
        nas_tf.luck


@pytest.fixture(scope="module")
def table(records):
    return nas_tf.benchmarks.nasbench101(records)


@pytest.fixture(scope="module")
def studies(table):
    """Two small studies."""
    return {
        recipe.title: nas_tf.search(table, recipe, num_runs=3, num_queries=20, progress=False)
        for recipe in (nas_tf.RandomSearch(), nas_tf.LocalSearch())
    }


def test_the_command_and_python_are_one(records, table, tmp_path):
    flags = change(
        {}, nasbench101_records=str(records), pretrain_cells="table", pretrain_epochs=1,
        pretrain_jit_compile=False, num_runs=2, num_queries=25, seed=3,
    )
    directory = execute(flags, tmp_path / "job")
    encoder = nas_tf.pretrain(table.space, table.cells, epochs=1, jit_compile=False)
    study = nas_tf.search(
        table, nas_tf.Arch2vecRL(), encoder=encoder, num_runs=2, num_queries=25, seed=3
    )
    np.testing.assert_array_equal(trace(directory)["key"], study.history.key)
    loaded = nas_tf.load(directory)
    np.testing.assert_array_equal(loaded.history.key, study.history.key)
    for name in ("incumbent", "curve", "best_test_accuracy", "model"):
        assert loaded.summary()[name] == study.summary()[name], name
    study.save(tmp_path / "mine")
    again = nas_tf.load(tmp_path / "mine")
    assert repr(again) == repr(study) == repr(loaded)
    assert (tmp_path / "mine" / "trace.npz").read_bytes() == (directory / "trace.npz").read_bytes()
    found = [(cell.key, cell.test_accuracy) for cell in again.best_cells(5)]
    assert found == [(cell.key, cell.test_accuracy) for cell in study.best_cells(5)]
    embedded = nas_tf.Encoder.load(directory, table.space)
    np.testing.assert_array_equal(embedded.embed(table.cells), encoder.embed(table.cells))


def test_a_study_as_a_table(studies):
    frame = studies["local search"].to_pandas()
    assert list(frame.columns) == [
        "run", "query", "key", "validation_accuracy", "test_accuracy", "cost_sec", "incumbent"
    ]
    assert len(frame) == 60 and frame["key"].dtype == np.uint64
    best = frame.groupby("run")["validation_accuracy"].max()
    last = studies["local search"].curves.validation_accuracy[:, -1]
    np.testing.assert_array_equal(best, last)


def test_a_comparison(studies, tmp_path):
    comparison = nas_tf.compare(studies)
    (legend,) = comparison.plot().legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels[0].startswith("random search") and labels[1].startswith("local search")
    frame = comparison.to_pandas()
    assert set(frame["study"]) == set(studies)
    last = frame[(frame["study"] == "random search") & (frame["num_queries"] == 20)]
    mean = studies["random search"].summary()["incumbent"]["test_accuracy_mean"]
    assert last["test_accuracy_mean"].item() == mean
    studies["random search"].save(tmp_path / "one")
    assert repr(nas_tf.compare({"it": tmp_path / "one"})).startswith("<Comparison:\n  it: <Study: ra")


def test_what_a_notebook_shows(studies, table):
    study = studies["random search"]
    assert repr(study).startswith("<Study: random search, 3 runs x 20 queries, validation accuracy ")
    for shown in (study, nas_tf.compare(studies)):
        html = shown._repr_html_()
        assert 'src="data:image/png;base64,iVBOR' in html and "&lt;" in html
    assert repr(table) == "<synthetic: 91 cells of NAS-Bench-101, synthetic>"


def test_mistakes_are_one_line(table, tmp_path):
    with pytest.raises(ConfigError, match="arch2vec-RL searches in an embedding: pass encoder=nas_tf"):
        nas_tf.search(table, nas_tf.Arch2vecRL(), num_runs=1, num_queries=20)
    with pytest.raises(ConfigError, match="^num_runs=0: expected at least 1"):
        nas_tf.search(table, nas_tf.RandomSearch(), num_runs=0)
    with pytest.raises(ConfigError, match="^num_queries=92: synthetic has only 91 cells"):
        nas_tf.search(table, nas_tf.RandomSearch(), num_queries=92)
    with pytest.raises(ConfigError, match="^epochs=0: expected at least 1"):
        nas_tf.pretrain(table.space, table.cells, epochs=0)
    with pytest.raises(ConfigError, match="expected the directory of a finished job; it has no summary"):
        nas_tf.load(tmp_path)
    with pytest.raises(ConfigError, match="expected at least one study"):
        nas_tf.compare({})
