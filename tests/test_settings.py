"""Settings check themselves."""

import dataclasses

import pytest

from nas_tf.core import ConfigError
from nas_tf.settings import (
    EvolutionSettings,
    JobSettings,
    PretrainSettings,
    ReinforceSettings,
    SearchSettings,
    Settings,
    TableSettings,
)


@pytest.mark.parametrize(
    "component, name, value",
    [
        (JobSettings, "job", "train"),
        (JobSettings, "output_dir", ""),
        (JobSettings, "seed", -1),
        (JobSettings, "checkpoint_sec", -1.0),
        (JobSettings, "checkpoint_sec", float("nan")),
        (JobSettings, "cpu_devices", 0),
        (PretrainSettings, "epochs", 0),
        (PretrainSettings, "batch_size", 0),
        (PretrainSettings, "learning_rate", 0.0),
        (PretrainSettings, "learning_rate", float("inf")),
        (PretrainSettings, "held_out", 1.0),
        (PretrainSettings, "kl_weight", -0.1),
        (PretrainSettings, "free_nats", -1.0),
        (PretrainSettings, "dropout", 1.0),
        (PretrainSettings, "clip_norm", 0.0),
        (PretrainSettings, "epsilon_start", float("nan")),
        (TableSettings, "nasbench101_records", ""),
        (SearchSettings, "num_runs", 0),
        (SearchSettings, "num_queries", 0),
        (SearchSettings, "cost_budget_sec", 0.0),
        (SearchSettings, "cost_budget_sec", float("nan")),
        (EvolutionSettings, "population_size", 0),
        (EvolutionSettings, "tournament_size", 0),
        (ReinforceSettings, "episode_length", 0),
        (ReinforceSettings, "policy_learning_rate", 0.0),
        (ReinforceSettings, "discount", 1.1),
        (ReinforceSettings, "baseline", 95.0),
    ],
)
def test_an_impossible_value_is_named(component, name, value):
    with pytest.raises(ConfigError) as error:
        component(**{name: value})
    assert str(error.value).startswith(f"--{name}={value}: ")
    assert "\n" not in str(error.value)


def test_a_search_needs_a_budget():
    with pytest.raises(ConfigError, match="no budget: set --num_queries, --cost_budget_sec"):
        SearchSettings(num_queries=None)


def test_names_are_unique_over_components():
    fields = [
        field.name
        for component in dataclasses.fields(Settings)
        for field in dataclasses.fields(component.type)
    ]
    assert len(fields) == len(set(fields)) == len(Settings().values())


def test_every_setting_is_documented():
    for component in dataclasses.fields(Settings):
        assert component.type.__doc__
        for field in dataclasses.fields(component.type):
            assert field.metadata["help"].endswith("."), field.name


def test_defaults_are_the_paper():
    values = Settings().values()
    assert values["learning_rate"] == 1e-3
    assert (values["batch_size"], values["epochs"], values["held_out"]) == (32, 8, 0.1)
    assert (values["episode_length"], values["policy_learning_rate"]) == (16, 1e-2)
    assert (values["discount"], values["baseline"]) == (0.0, None)  # 0 as in the released code
    assert (values["pooling"], values["operation_loss"]) == ("sum", "softmax")
