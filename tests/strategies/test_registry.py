"""nas_tf/strategies/: what every recipe owes, whoever wrote it."""

import dataclasses

import numpy as np
import pytest

import nas_tf
from nas_tf import benchmarks
from nas_tf.config import flag_values, settings_of
from nas_tf.core import ConfigError
from nas_tf.evaluators.budget import Budget
from nas_tf.search_loop import run_search
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.strategies import registry
from nas_tf.strategies.strategy import StudySetup

NUM_CELLS = 28
SMALL = {
    "num_initial": 5,
    "surrogate_epochs": 2,
    "standardize": False,
    "encoder_period": 16,
    "encoder_steps": 2,
    "bananas_initial": 5,
    "ensemble_size": 1,
    "ensemble_epochs": 1,
    "population_size": 8,
    "tournament_size": 3,
    "generator_jit_compile": False,
    "generator_hidden": 4,
    "generator_components": 2,
    "generator_steps": 1,
    "generator_epochs": 2,
    "generator_samples": 100,
    "explore_queries": 5,
}


def small(recipe):
    """Returns a recipe with small numbers, as far as it has these settings."""
    names = {field.name for field in settings_of(recipe)}
    return recipe(**{name: value for name, value in SMALL.items() if name in names})


def queried(recipe, benchmark, index):
    """Returns the history of a search over some of a table's cells."""
    embedding = np.random.default_rng(0).normal(size=(len(benchmark.cells), 4)).astype(np.float32)
    seeds = [0, 1]
    study = StudySetup(
        space=NasBench101Space(),
        cells=benchmark.cells[index],
        seeds=seeds,
        epochs=benchmark.epochs,
        num_queries=NUM_CELLS,
        embedding=embedding[index],
    )
    searcher = small(recipe).build(study)
    return run_search(searcher, benchmark.evaluator(seeds), Budget(NUM_CELLS), num_runs=2).history


@pytest.fixture(scope="module")
def table(records):
    return benchmarks.nasbench101(str(records))


@pytest.mark.parametrize("recipe", registry.STRATEGIES, ids=registry.NAMES)
def test_no_architecture_of_a_pool_is_queried_twice(table, recipe):
    """Cells that a pool has twice change nothing, not even for a strategy that never looks."""
    once = 3 * np.arange(NUM_CELLS)
    twice = np.concatenate([once, once[5:20]])
    found, expected = queried(recipe, table, twice), queried(recipe, table, once)
    np.testing.assert_array_equal(found.key, expected.key)
    if not recipe.needs.several_epochs:  # which trains a cell again, for longer
        assert [len(set(run)) for run in found.key.tolist()] == [NUM_CELLS] * 2


def test_words_of_the_command_line():
    assert registry.NAMES == (
        "gaussian_process", "arch2vec_rl", "arch2vec_bo", "random", "categorical_reinforce",
        "evolution", "bohb", "local_search", "bananas", "graphpnas", "rnn_generator",
        "supervised_rl", "supervised_bo",
    )
    assert registry.named("bohb") is nas_tf.Bohb
    with pytest.raises(ConfigError, match="strategy=luck: expected one of gaussian_process, arch"):
        registry.named("luck")


@pytest.mark.parametrize("word, now", [
    ("reinforce", "arch2vec_rl or categorical_reinforce"),
    ("bayesian", "arch2vec_bo"),
    ("supervised_reinforce", "supervised_rl"),
    ("supervised_bayesian", "supervised_bo"),
])
def test_old_words_are_refused_with_the_new_ones(word, now):
    with pytest.raises(ConfigError) as caught:
        registry.named(word)
    assert str(caught.value) == f"strategy={word}: it is called {now} now"


@pytest.mark.parametrize("recipe", registry.STRATEGIES, ids=registry.NAMES)
def test_a_recipe_says_what_it_is(recipe):
    assert recipe.name and recipe.title and recipe.__doc__
    assert flag_values(recipe()).keys() == {field.name for field in settings_of(recipe)}
    for number in recipe.published:
        assert (number.queries is None) != (number.cost_sec is None), number
        assert number.source and 0.5 < number.value < 1


def test_every_number_is_of_one_budget():
    protocols = [
        (recipe.name, one.space, one.dataset, one.queries, one.cost_sec)
        for recipe in registry.STRATEGIES for one in recipe.published
    ]
    assert len(set(protocols)) == len(protocols) == 17


def test_only_what_was_changed_is_another_recipe():
    assert nas_tf.LocalSearch() == nas_tf.LocalSearch(full_neighbourhood=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        nas_tf.LocalSearch().full_neighbourhood = False


@pytest.mark.parametrize("recipe, values, message", [
    (nas_tf.RegularizedEvolution, {"tournament_size": 101}, "tournament_size=101: expected 1 to the"),
    (nas_tf.RegularizedEvolution, {"population_size": 0}, "population_size=0: expected at least 1"),
    (nas_tf.Arch2vecRL, {"discount": 1.1}, "discount=1.1: expected a share from 0 to 1"),
    (nas_tf.Arch2vecRL, {"baseline": 95.0}, "baseline=95.0: expected a share from 0 to 1, or none"),
    (nas_tf.Arch2vecRL, {"policy_learning_rate": 0.0}, "policy_learning_rate=0.0: expected a posit"),
    (nas_tf.GraphPNAS, {"keep_top": 1}, "keep_top=1: expected at least 2 (of one, rewards have no"),
    (nas_tf.GraphPNAS, {"generator_temperature": 9.0}, "generator_temperature=9.0: expected a numb"),
    (nas_tf.Reinforce, {"logits_optimizer": "rmsprop"}, "logits_optimizer=rmsprop: expected one of"),
    (nas_tf.Bohb, {"eta": 1}, "eta=1: expected at least 2"),
    (nas_tf.GaussianProcess, {"gp_features": "paths"}, "gp_features=paths: expected GROUP:KERNEL se"),
    (nas_tf.GaussianProcess, {"gp_features": "paths:matern,paths:linear"}, "gp_features=paths:mate"),
    (nas_tf.GaussianProcess, {"gp_target": "scores"}, "gp_target=scores: expected one of ranks, st"),
])
def test_an_impossible_setting_is_named(recipe, values, message):
    with pytest.raises(ConfigError) as caught:
        recipe(**values)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("recipe, queries, epochs, message", [
    (nas_tf.Arch2vecBO(), 16, (36,), "num_queries=16: all would be random, num_initial=16"),
    (nas_tf.SupervisedBO(), 16, (36,), "num_queries=16: all would be random, num_initial=16"),
    (nas_tf.Bananas(), 10, (36,), "num_queries=10: all would be random, bananas_initial=10"),
    (nas_tf.GraphPNAS(), 5, (36,), "num_queries=5: all would be random, generator_period=5"),
    (nas_tf.RNNGenerator(explore_schedule="step"), 15, (36,), "random, explore_queries=30"),
    (nas_tf.Bohb(), 3, (12, 36), "BOHB's first training of 36 epochs is query 4 with eta=3"),
    (nas_tf.Bohb(), 30, (36,), "BOHB needs two training budgets or more"),
])
def test_a_budget_that_does_not_do_is_refused(recipe, queries, epochs, message):
    with pytest.raises(ConfigError) as caught:
        recipe.check(Budget(queries), epochs)
    assert message in str(caught.value)


def test_a_budget_that_does_passes():
    for recipe in registry.STRATEGIES:
        recipe().check(Budget(150), (12, 36))
        recipe().check(Budget(None, 1e6), (12, 36))
