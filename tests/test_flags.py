"""Flags mirror the settings, and a flagfile repeats them."""

import pathlib

import pytest
from absl import flags as absl_flags

from nas_tf import flags
from nas_tf.core import ConfigError
from nas_tf.settings import Settings

CONFIGS = sorted(pathlib.Path(__file__).parents[1].glob("configs/*.flags"))


def parse(*arguments):
    values = absl_flags.FlagValues()
    absl_flags.DEFINE_string("flagfile", "", "", flag_values=values)
    flags.define(values)
    values(["program", *arguments])
    return flags.read(values)


def test_defaults_are_those_of_the_settings():
    assert parse() == Settings()


def test_values_arrive_with_their_types():
    settings = parse(
        "--seed=7", "--kl_weight=0.5", "--positions", "--nojit_compile", "--num_queries=none",
        "--cost_budget_sec=3", "--nasbench101_records=a b.tfrecord", "--pooling=mean",
    )  # fmt: skip
    assert settings.job.seed == 7
    assert settings.pretrain.kl_weight == 0.5
    assert settings.pretrain.positions is True
    assert settings.pretrain.jit_compile is False
    assert settings.search.num_queries is None
    assert settings.search.cost_budget_sec == 3.0
    assert settings.table.nasbench101_records == "a b.tfrecord"
    assert settings.pretrain.pooling == "mean"


def test_a_written_flagfile_repeats_the_job(tmp_path):
    settings = parse("--seed=7", "--num_queries=none", "--cost_budget_sec=1e5", "--noadjacency_bias")
    path = tmp_path / "config.flags"
    path.write_text(flags.flagfile(settings))
    assert parse(f"--flagfile={path}") == settings


def test_an_impossible_value_is_a_config_error():
    with pytest.raises(ConfigError, match="--num_runs=0: expected at least 1"):
        parse("--num_runs=0")


@pytest.mark.parametrize(
    "argument, message",
    [
        ("--seed=1.5", "flag --seed=1.5: expected a whole number"),
        ("--kl_weight=much", "flag --kl_weight=much: expected a number"),
        ("--seed=none", "flag --seed=none: expected a whole number"),
        ("--pooling=max", "flag --pooling=max: value should be one of <sum|mean>"),
    ],
)
def test_a_malformed_value_is_named(argument, message):
    with pytest.raises(absl_flags.IllegalFlagValueError, match=message.replace("|", r"\|")):
        parse(argument)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_flagfile_is_valid_and_says_what_it_is(path, monkeypatch):
    monkeypatch.chdir(path.parents[1])
    assert path.read_text().startswith("# ")
    settings = parse(f"--flagfile={path}")
    if "base" not in path.stem:
        assert settings.job.output_dir == f"runs/{path.stem}"
        assert "Published" in path.read_text() or settings.job.job == "query"


def test_there_are_flagfiles():
    assert {path.stem for path in CONFIGS} >= {"nb101_base", "nb101_rl", "pretrain_nb101"}
