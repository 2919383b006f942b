"""GraphPNAS as a job: what each setting changes, the page, the file, samples."""

import functools
import os
import pathlib
import signal
import sys
import time

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from nas_tf import main
from nas_tf.graphpnas.saving import load_generator
from nas_tf.jobs import running
from nas_tf.studies.searching import Execution, plan
from tests.forked import Forked
from tests.job_runs import change, execute, trace
from tests.jobs.test_strategy_settings import GRAPHPNAS


@pytest.fixture(scope="module")
def base(records):
    """Settings of a study that takes a moment."""
    return change(
        {},
        nasbench101_records=str(records),
        generator_jit_compile=False,
        strategy="graphpnas",
        num_runs=2,
        num_queries=30,
        generator_hidden=4,
        generator_components=2,
        generator_steps=1,
        generator_block=1,
        generator_epochs=4,
        generator_period=5,
        generator_learning_rate=0.05,
        generator_samples=400,
        keep_top=8,
        explorer_probability=0.3,
        explorer_neighbours=2,
        explore_queries=10,
    )


@pytest.fixture(scope="module")
def variants(base):
    """Settings with a prerequisite of others."""
    return {
        "graphpnas": base,
        "rnn_generator": change(base, strategy="rnn_generator"),
        "share": change(base, keep_top=None),
    }


@pytest.fixture(scope="module")
def found(variants):
    """Returns what a variant queries."""
    return functools.cache(lambda name: queried(variants[name]))


@pytest.fixture(scope="module")
def done(base, tmp_path_factory):
    """Output directory of the whole job."""
    return execute(base, tmp_path_factory.mktemp("graphpnas"))


def queried(flags):
    """Returns the keys of a search without its reports, uint64 [R, Q]."""
    job, _ = running.resolve(flags)
    benchmark = job.benchmark.open(job.space)
    planned = plan(benchmark, job.strategy, job.settings, Execution(progress=False))
    return planned.run().history.key


@pytest.mark.parametrize("name", GRAPHPNAS)
def test_settings_change_the_queries(variants, found, name):
    value = GRAPHPNAS[name]
    variant, value = value if isinstance(value, tuple) else ("graphpnas", value)
    after = queried(change(variants[variant], **{name: value}))
    assert not np.array_equal(found(variant), after)


def test_what_a_search_leaves(done, found):
    np.testing.assert_array_equal(trace(done)["key"], found("graphpnas"))
    assert all(len(set(keys)) == 30 for keys in found("graphpnas"))
    page = (done / "generator.md").read_text("utf-8")
    assert "GraphPNAS" in page and "| random | 2,000 |" in page
    assert (done / "generator.html").exists()
    assert load_generator(done / "generator.keras").space == "nasbench101"
    assert "| Strategy | GraphPNAS |" in (done / "report.md").read_text("utf-8")


def test_tensorboard_shows_what_was_drawn(done):
    events = EventAccumulator(str(done / "tensorboard"), size_guidance={"tensors": 0})
    events.Reload()
    means = events.Tensors("generator/sample_accuracy_mean")
    assert [event.step for event in means] == [5, 10, 15, 20, 25]
    drawn = tensor_util.make_ndarray(events.Tensors("generator/sample_accuracy")[-1].tensor_proto)
    assert 0 < drawn[:, 2].sum() <= 2 * 200  # half of the 400 samples are at temperature 1
    assert drawn[0, 0] <= tensor_util.make_ndarray(means[-1].tensor_proto) <= drawn[-1, 1]
    every = tensor_util.make_ndarray(events.Tensors("generator/random_accuracy")[0].tensor_proto)
    assert every[:, 2].sum() == 91
    pictures = {tag for tag in events.Tags()["tensors"] if tag.startswith("generator/generator_")}
    assert len(pictures) == 3


def command(arguments):
    """Is a process of the command."""
    os.chdir(pathlib.Path(__file__).parents[2])
    sys.exit(main.run(arguments))


def number_fitted(path):
    """Returns the queries that the weights in a checkpoint have seen; 0 where there are none."""
    if not path.exists():
        return 0
    with np.load(path) as state:
        return int(state.get("strategy_fitted", 0))


def test_a_command_that_is_killed_between_two_fits_ends_the_same(base, done, tmp_path):
    """Weights, Adam's moments and what was drawn come back from the checkpoint."""
    flags = change(base, checkpoint_sec=0.0, output_dir=str(tmp_path / "out"))
    arguments = [f"--{name}={given.value}" for name, given in flags.items()]
    checkpoint = tmp_path / "out" / "checkpoints" / "search.npz"
    first = Forked(command, arguments, errors=tmp_path / "first")
    while first.alive and number_fitted(checkpoint) < 10:
        time.sleep(0.005)
    first.kill()
    assert first.wait() == -signal.SIGKILL, first.errors()
    assert 10 <= number_fitted(checkpoint) < 30
    assert not (tmp_path / "out" / "trace.npz").exists()
    second = Forked(command, arguments, errors=tmp_path / "second")
    assert second.wait() == 0, second.errors()
    for name, value in trace(done).items():
        np.testing.assert_array_equal(trace(tmp_path / "out")[name], value, err_msg=name)
    assert (tmp_path / "out" / "generator.md").read_text() == (done / "generator.md").read_text()


def test_blocks_of_runs_change_rounding_alone(base, found):
    blocks = queried(change(base, generator_block=2))
    np.testing.assert_array_equal(found("graphpnas")[:, :10], blocks[:, :10])
