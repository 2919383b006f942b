"""What every setting of a strategy changes, at the level of jobs."""

import functools

import numpy as np
import pytest

from nas_tf.benchmarks.trained_networks import Trained
from nas_tf.config import flag_of, settings_of
from nas_tf.datasets.settings import Data
from nas_tf.jobs.predict import PredictSettings
from nas_tf.jobs.train import TrainSettings
from nas_tf.networks.settings import Network
from nas_tf.studies.training_scale import Scale
from nas_tf.training.settings import Training
from tests.job_runs import FLAGS, change, execute, trace
from tests.jobs.test_analyze import ANALYZE
from tests.jobs.test_pretrain import PRETRAIN
from tests.jobs.test_search import SEARCH

pytestmark = pytest.mark.usefixtures("undrawn")

# Settings that change the trace of one strategy, with the strategy.
STRATEGY = {
    "population_size": ("evolution", 15),
    "tournament_size": ("evolution", 1),
    "full_neighbourhood": ("local_search", False),
    "logits_optimizer": ("categorical_reinforce", "adam"),
    "logits_learning_rate": ("categorical_reinforce", 5.0),
    "baseline_momentum": ("categorical_reinforce", 0.0),
    "eta": ("bohb", 2),
    "random_fraction": ("bohb", 0.0),
    "bohb_samples": ("bohb", 1),
    "top_percent": ("bohb", 60),
    "min_points": ("bohb", 20),
    "min_bandwidth": ("bohb", 1.0),
    "gp_initial": ("gaussian_process", 8),
    "gp_round": ("gaussian_process", 3),
    "gp_second_looks": ("gaussian_process", False),
    "gp_features": ("gaussian_process", "paths:matern"),
    "gp_summaries": ("gaussian_process", "four"),
    "gp_target": ("gaussian_process", "standardized"),
    "gp_acquisition": ("gaussian_process", "thompson"),
    "gp_candidates": ("gaussian_process", 20),
}


# Settings that change the trace of BANANAS.
BANANAS = {
    "bananas_initial": 5,
    "bananas_round": 5,
    "num_parents": 1,
    "num_candidates": 11,
    "path_length": 1,
    "ensemble_size": 2,
    "ensemble_layers": 1,
    "ensemble_width": 5,
    "ensemble_epochs": 2,
    "ensemble_batch_size": 4,
    "ensemble_learning_rate": 0.1,
}


# Settings that change the trace of arch2vec-BO in a given embedding.
BAYESIAN = {
    "num_initial": 5,
    "batch_queries": 2,
    "target_accuracy": None,
    "surrogate_epochs": 3,
    "surrogate_learning_rate": 0.5,
}


# Settings that change the trace of a search with encoders of its own.
SUPERVISED = {
    "encoder_period": 5,
    "encoder_steps": 2,
    "encoder_learning_rate": 0.05,
    "encoder_pooling": "mean",
    "encoder_positions": False,
    "encoder_epsilon_start": 0.0,
    "embedding_scale": 2.0,
    "standardize": False,
}


# Settings that change the trace of GraphPNAS, of its recurrent baseline where that is named.
GRAPHPNAS = {
    "generator_hidden": 5,
    "generator_components": 1,
    "generator_steps": 2,
    "generator_pooling": "sum",
    "generator_features": "operations",
    "generator_layers": ("rnn_generator", 1),
    "generator_epochs": 9,
    "generator_batch_size": 3,
    "generator_learning_rate": 0.2,
    "generator_clip_norm": None,
    "generator_period": 4,
    "generator_samples": 2,
    "generator_temperature": 1.0,
    "generator_restart": True,
    "objective": "reinforce",
    "negative_weight": 5.0,
    "reward_size": True,
    "negative_form": "decision",
    "keep_top": 2,
    "keep_first_share": ("share", 1.0),
    "keep_last_share": ("share", 0.9),
    "explorer": "watts_strogatz",
    "explorer_probability": 0.6,
    "explorer_most_probability": 0.9,
    "explorer_least_nodes": 2,
    "explorer_keep_dead": False,
    "explore_schedule": "step",
    "explore_start": 0.1,
    "explore_end": 0.9,
    "explore_queries": 30,
}


# Settings whose effect other tests show: here in this file, in test_main, test_search,
# test_two_edits, test_generators, test_explorer, test_gaussian_process_open or test_macro_files.
ELSEWHERE = {
    "job",
    "output_dir",
    "distribution",
    "cpu_devices",
    "checkpoint_sec",
    "space",
    "nasbench101_records",
    "nasbench101_table",
    "neighbour_edits",
    "nasbench201_table",
    "dataset",
    "pretrained",
    "pretrain_jit_compile",
    "pretrain_pooling",
    "generator_jit_compile",
    "benchmark",
    "strategy",
    "inputs",
    "reference",
    "generator",
    "num_samples",
    "cells",
    "op_indices",
    "generator_block",
    "explorer_neighbours",
    "gp_edits",
    "gp_random",
    "macro_table",
    "explorer_most_neighbours",
}
# Those of trainings, shown by the tests of training, datasets, networks, evaluators and test_train.
TRAINED = {
    flag_of(component, field)
    for component in (
        Training, Network, Data, Trained, Scale, TrainSettings, PredictSettings,
    )
    for field in settings_of(component)
}


def test_every_setting_is_shown_to_do_something():
    searches = SEARCH, STRATEGY, BAYESIAN, BANANAS, SUPERVISED, GRAPHPNAS
    kinds = *searches, ANALYZE, PRETRAIN, ELSEWHERE, TRAINED
    assert {name for kind in kinds for name in kind} == set(FLAGS)


@pytest.fixture(scope="module")
def small(base, tmp_path_factory):
    """Returns a function from a strategy to its settings and its trace with them."""

    @functools.cache
    def study(strategy):
        settings = change(base, strategy=strategy, population_size=10)
        return settings, trace(execute(settings, tmp_path_factory.mktemp("small")))

    return study


@pytest.mark.parametrize("name", STRATEGY)
def test_settings_of_a_strategy_change_its_trace(small, tmp_path, name):
    strategy, value = STRATEGY[name]
    settings, before = small(strategy)
    after = trace(execute(change(settings, **{name: value}), tmp_path))
    assert not np.array_equal(before["key"], after["key"])


@pytest.fixture(scope="module")
def bayesian(base, done, tmp_path_factory):
    """Settings and trace of arch2vec-BO in the embedding of `done`."""
    settings = change(
        base, strategy="arch2vec_bo", pretrained=str(done), num_queries=30, surrogate_epochs=10
    )
    return settings, trace(execute(settings, tmp_path_factory.mktemp("bayesian")))


@pytest.mark.parametrize("name", BAYESIAN)
def test_settings_of_bayesian_search_change_its_trace(bayesian, tmp_path, name):
    settings, before = bayesian
    after = trace(execute(change(settings, **{name: BAYESIAN[name]}), tmp_path))
    assert not np.array_equal(before["key"], after["key"])


@pytest.fixture(scope="module")
def bananas(base, tmp_path_factory):
    """Settings and trace of BANANAS with small networks."""
    settings = change(
        base, strategy="bananas", num_queries=40, ensemble_epochs=20, ensemble_layers=2
    )
    return settings, trace(execute(settings, tmp_path_factory.mktemp("bananas")))


@pytest.mark.parametrize("name", BANANAS)
def test_settings_of_bananas_change_its_trace(bananas, tmp_path, name):
    settings, before = bananas
    after = trace(execute(change(settings, **{name: BANANAS[name]}), tmp_path))
    assert not np.array_equal(before["key"], after["key"])


@pytest.fixture(scope="module")
def supervised(base, tmp_path_factory):
    """Settings and output directory of REINFORCE with encoders of its own."""
    settings = change(base, strategy="supervised_rl", num_queries=12, encoder_steps=4)
    return settings, execute(settings, tmp_path_factory.mktemp("supervised"))


@pytest.mark.parametrize("name", SUPERVISED)
def test_settings_of_supervised_searches_change_their_trace(supervised, tmp_path, name):
    settings, before = supervised
    after = trace(execute(change(settings, **{name: SUPERVISED[name]}), tmp_path))
    assert not np.array_equal(trace(before)["key"], after["key"])


def test_supervised_searches_pretrain_nothing(base, supervised, tmp_path):
    settings = change(base, strategy="supervised_bo", num_queries=18, encoder_steps=4)
    directory = execute(settings, tmp_path)
    assert all(len(set(keys)) == 18 for keys in trace(directory)["key"])
    for found, label in ((directory, "supervised BO"), (supervised[1], "supervised RL")):
        assert not (found / "model").exists()
        assert label in (found / "report.md").read_text()
