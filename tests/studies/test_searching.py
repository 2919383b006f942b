"""nas_tf/studies/searching.py: searches of a space that cannot be listed, with a function."""

import json

import numpy as np
import pytest

import nas_tf
from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.spaces import registry as spaces

CHOICES = {f"layer {index}": ("3x3", "5x5", "pool") for index in range(20)}  # 3.5e9 cells


@pytest.fixture(scope="module")
def benchmark():
    """Prefers 3x3; five pools in the beginning cannot be built."""
    space = nas_tf.ChoiceSpace("layers", CHOICES)

    def measure(choice):
        options = list(choice.values())
        if options[:2] == ["pool", "pool"]:
            raise InvalidArchitectureError("two pools in the beginning")
        return options.count("3x3") / 20

    return nas_tf.benchmarks.measured(space, measure, name="threes")


GRAPHPNAS = nas_tf.GraphPNAS(
    generator_hidden=4, generator_steps=1, generator_components=2, generator_epochs=1,
    generator_period=4, generator_samples=8, explore_queries=1, generator_jit_compile=False,
)
RNN = nas_tf.RNNGenerator(
    generator_hidden=4, generator_layers=1, generator_epochs=1, generator_period=4,
    generator_samples=8, explore_queries=1, generator_jit_compile=False,
)


@pytest.mark.parametrize("recipe", [
    nas_tf.RandomSearch(),
    nas_tf.LocalSearch(),
    nas_tf.RegularizedEvolution(population_size=4, tournament_size=2),
    nas_tf.Reinforce(),
    GRAPHPNAS,
    RNN,
], ids=lambda recipe: recipe.name)
def test_a_space_that_cannot_be_listed(benchmark, recipe, tmp_path):
    assert not benchmark.space.has("enumerate_cells") and benchmark.cells is None
    study = nas_tf.search(
        benchmark, recipe, num_runs=2, num_queries=16, output_dir=tmp_path, progress=False
    )
    assert all(len(set(keys)) == 16 for keys in study.history.key)
    loaded = nas_tf.load(tmp_path)
    np.testing.assert_array_equal(loaded.history.cells.keys, study.history.key)
    best = loaded.best_cells(1)[0]
    run, query = np.argwhere(loaded.history.key == best.key)[0]
    (options,) = benchmark.space.options(loaded.history.cells[run, query].reshape(1))
    assert list(options.values()).count("3x3") / 20 == best.validation_accuracy
    assert (tmp_path / "report.md").exists() and (tmp_path / "best_cells.png").exists()


EVOLUTION = nas_tf.RegularizedEvolution(population_size=3, tournament_size=2)


@pytest.mark.parametrize("name, recipe", [
    *(
        (name, recipe)
        for name in ("randwire", "enas")
        for recipe in (nas_tf.RandomSearch(), nas_tf.LocalSearch(), EVOLUTION, nas_tf.Reinforce())
    ),
    ("randwire", GRAPHPNAS),  # a generator takes seconds to trace: one each
    ("enas", RNN),
], ids=lambda value: getattr(value, "name", value))
def test_spaces_of_networks(name, recipe):
    space = spaces.named(name)
    measured = []

    def measure(value):
        (one,) = space.architectures(space.from_value(value).reshape(1))
        measured.append(one.key)
        return int(one.key[-4:], 16) / 65536

    own = nas_tf.benchmarks.measured(space, measure, name=name)
    study = nas_tf.search(own, recipe, num_runs=1, num_queries=6, progress=False)
    assert len(set(measured)) == len(set(study.history.key[0])) == 6
    best = space.architectures(study.history.cells[0])[int(study.history.incumbent()[0, -1])]
    assert int(best.key[-4:], 16) / 65536 == study.best_cells(1)[0].validation_accuracy


def test_a_killed_search_of_such_a_space_ends_the_same(benchmark, tmp_path, monkeypatch):
    recipe = nas_tf.RegularizedEvolution(population_size=4, tournament_size=2)
    options = {"num_runs": 2, "num_queries": 16, "checkpoint_sec": 0.0, "progress": False}
    whole = nas_tf.search(benchmark, recipe, output_dir=tmp_path / "whole", **options)
    measured = []

    def killed(choice):
        measured.append(choice)
        if len(measured) > 14:
            raise KeyboardInterrupt
        return benchmark_of(choice)

    def benchmark_of(choice):
        return list(choice.values()).count("3x3") / 20

    again = [
        nas_tf.benchmarks.measured(benchmark.space, measure, name="threes")
        for measure in (killed, benchmark_of, benchmark_of)
    ]
    with pytest.raises(KeyboardInterrupt):
        nas_tf.search(again[0], recipe, output_dir=tmp_path / "killed", **options)
    resumed = nas_tf.search(again[1], recipe, output_dir=tmp_path / "killed", **options)
    plain = nas_tf.search(again[2], recipe, output_dir=tmp_path / "plain", **options)
    np.testing.assert_array_equal(resumed.history.key, plain.history.key)
    assert whole.history.key.shape == plain.history.key.shape


@pytest.mark.parametrize("recipe, message", [
    (nas_tf.Bananas(), "BANANAS searches a list of cells; those of layers cannot be listed"),
    (nas_tf.Arch2vecRL(), "arch2vec-RL searches a list of cells; those of layers cannot be listed"),
])
def test_what_needs_a_list_says_so(benchmark, recipe, message):
    with pytest.raises(ConfigError, match=message):
        nas_tf.search(benchmark, recipe, num_runs=1, num_queries=5)


def test_what_a_space_lacks_is_said_before(benchmark):
    class Bare(nas_tf.SearchSpace):
        name = title = "bare"
        max_nodes, op_names = 2, ("input", "output")

    bare = nas_tf.benchmarks.measured(Bare(), lambda cell: 0.5)
    with pytest.raises(ConfigError, match=r"local search needs neighbours\(\), which bare lacks"):
        nas_tf.search(bare, nas_tf.LocalSearch(), num_runs=1, num_queries=5)
    with pytest.raises(ConfigError, match=r"evolution needs neighbours or mutate\(\), which bare la"):
        nas_tf.search(bare, nas_tf.RegularizedEvolution(), num_runs=1, num_queries=5)


@pytest.mark.parametrize("found", [1.5, -0.1, (0.5, 0.6, 0.7), "x", None])
def test_a_function_returns_accuracies(benchmark, found):
    other = nas_tf.benchmarks.measured(benchmark.space, lambda choice: found)
    with pytest.raises(ConfigError, match="expected a validation accuracy in"):
        nas_tf.search(other, nas_tf.RandomSearch(), num_runs=1, num_queries=2, progress=False)


def test_an_architecture_is_measured_once(benchmark):
    calls = []

    def measure(choice):
        calls.append(tuple(choice.values()))
        return 0.5, 0.4

    small = nas_tf.ChoiceSpace("small", {"a": (1, 2), "b": (1, 2, 3)})
    own = nas_tf.benchmarks.measured(small, measure)
    study = nas_tf.search(own, nas_tf.RandomSearch(), num_runs=4, num_queries=6, progress=False)
    assert sorted(calls) == [(a, b) for a in (1, 2) for b in (1, 2, 3)]
    assert (study.history.test_accuracy == 0.4).all()


def test_nan_is_no_accuracy(benchmark):
    found = iter([0.5, float("nan"), (0.4, float("nan")), 0.3])
    own = nas_tf.benchmarks.measured(benchmark.space, lambda choice: next(found))
    study = nas_tf.search(own, nas_tf.RandomSearch(), num_runs=1, num_queries=4, progress=False)
    np.testing.assert_array_equal(study.history.validation_accuracy, [[0.5, np.nan, 0.4, 0.3]])
    assert np.isnan(study.history.test_accuracy).all()


@pytest.fixture
def small():
    """A space that can be listed, measured by a function."""
    space = nas_tf.ChoiceSpace("small", {"a": (1, 2, 3, 4), "b": (1, 2, 3, 4), "c": (1, 2)})
    return nas_tf.benchmarks.measured(space, lambda choice: sum(choice.values()) / 20)


OPTIONS = {"num_runs": 2, "num_queries": 12, "progress": False}


def test_the_same_call_returns_what_it_had_finished(small, tmp_path):
    calls = [
        nas_tf.search(small, nas_tf.RandomSearch(), output_dir=tmp_path, **OPTIONS)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(calls[0].history.key, calls[1].history.key)
    stamp = (tmp_path / "summary.json").stat().st_mtime_ns
    for recipe, changed in (
        (nas_tf.LocalSearch(), {}), (nas_tf.RandomSearch(), {"seed": 9}),
    ):
        with pytest.raises(ConfigError, match="holds a finished job with another s"):
            nas_tf.search(small, recipe, output_dir=tmp_path, **OPTIONS, **changed)
    other = nas_tf.benchmarks.measured(
        nas_tf.ChoiceSpace("small", {"a": (1, 2, 3, 5), "b": (1, 2, 3, 4), "c": (1, 2)}),
        lambda choice: 0.5, name=small.name,
    )
    with pytest.raises(ConfigError, match="with another table_checksum"):
        nas_tf.search(other, nas_tf.RandomSearch(), output_dir=tmp_path, **OPTIONS)
    assert (tmp_path / "summary.json").stat().st_mtime_ns == stamp


def test_a_setting_that_a_finished_study_knew_nothing_of_counts_as_its_default(small, tmp_path):
    found = nas_tf.search(small, nas_tf.LocalSearch(), output_dir=tmp_path, **OPTIONS)
    path = tmp_path / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    assert summary["settings"].pop("full_neighbourhood") is True
    path.write_text(json.dumps(summary), encoding="utf-8")
    again = nas_tf.search(small, nas_tf.LocalSearch(), output_dir=tmp_path, **OPTIONS)
    np.testing.assert_array_equal(again.history.key, found.history.key)
    with pytest.raises(ConfigError, match="with another settings"):
        other = nas_tf.LocalSearch(full_neighbourhood=False)
        nas_tf.search(small, other, output_dir=tmp_path, **OPTIONS)


def test_a_checkpoint_of_another_strategy_is_refused(small, tmp_path):
    options = OPTIONS | {"checkpoint_sec": 0.0, "output_dir": tmp_path}
    nas_tf.search(small, nas_tf.RandomSearch(), **options)
    (tmp_path / "summary.json").unlink()
    with pytest.raises(ConfigError, match="saved with recipe='random', this search has recipe='loc"):
        nas_tf.search(small, nas_tf.LocalSearch(), **options)


def test_other_work_is_not_touched(small, tmp_path):
    (tmp_path / "config.flags").write_text("--job=search\n")
    with pytest.raises(ConfigError, match="holds an unfinished job; finish it with --flagfile="):
        nas_tf.search(small, nas_tf.RandomSearch(), output_dir=tmp_path, **OPTIONS)
    (tmp_path / "summary.json").write_text("[]")
    with pytest.raises(ConfigError, match="its summary.json is not what a job writes"):
        nas_tf.search(small, nas_tf.RandomSearch(), output_dir=tmp_path, **OPTIONS)


def test_an_embedding_of_ones_own_cells_is_searched(small, tmp_path):
    encoder = nas_tf.pretrain(small.space, epochs=1, batch_size=8, jit_compile=False)
    recipe = nas_tf.Arch2vecBO(num_initial=4, batch_queries=2, surrogate_epochs=2)
    study = nas_tf.search(small, recipe, encoder=encoder, output_dir=tmp_path, **OPTIONS)
    assert all(len(set(keys)) == 12 for keys in study.history.key)
    with pytest.raises(ConfigError, match="made for another space than NAS-Bench-101"):
        nas_tf.search(
            nas_tf.benchmarks.digits(), recipe, encoder=encoder, num_runs=1, num_queries=12
        )


@pytest.mark.parametrize("arguments, message", [
    (("digits", nas_tf.RandomSearch()), "benchmark='digits': expected one such as nas_tf.bench"),
    ((None, "random"), "strategy='random': expected a recipe such as nas_tf.RandomSearch()"),
    ((None, nas_tf.RandomSearch), "strategy=<class .*>: expected a recipe"),
])
def test_what_is_no_benchmark_or_recipe_is_named(small, arguments, message):
    benchmark, recipe = arguments
    with pytest.raises(ConfigError, match=message):
        nas_tf.search(benchmark or small, recipe)


@pytest.mark.parametrize("options, message", [
    ({"output_dir": ""}, "output_dir=: expected a directory, or None"),
    ({"checkpoint_sec": -1.0}, "checkpoint_sec=-1.0: expected at least 0"),
    ({"num_runs": 0}, "num_runs=0: expected at least 1"),
])
def test_impossible_arguments_are_named(small, options, message):
    with pytest.raises(ConfigError, match=message):
        nas_tf.search(small, nas_tf.RandomSearch(), **{"num_queries": 5, **options})


def test_numbers_may_be_numpys(small):
    study = nas_tf.search(
        small, nas_tf.RegularizedEvolution(population_size=np.int64(4), tournament_size=2),
        num_runs=np.int64(2), num_queries=np.int32(6), progress=False,
    )
    assert study.history.key.shape == (2, 6)
    assert type(nas_tf.Arch2vecRL(discount=np.float32(0.5)).discount) is float
