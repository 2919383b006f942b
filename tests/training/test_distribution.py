"""nas_tf/training/distribution.py, and the trainer on two replicas.

Two logical CPU devices must be made before TensorFlow starts: what is measured is measured in a
process of its own, which trains on one device and on two replicas.
"""

import json
import pathlib
import signal
import socket
import tempfile
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.core import ConfigError
from nas_tf.networks.nasbench101 import build_network
from nas_tf.training.classification import make_classification_trainer
from nas_tf.training.distribution import is_chief, make_distribution, side_by_side
from nas_tf.training.losses import classification_loss
from nas_tf.training.settings import Training
from nas_tf.training.steps import TrainStep
from nas_tf.training.trainer import Trainer
from tests.forked import Forked, check, make_two_devices
from tests.training import train_toy
from tests.training.toy_images import ToyPipeline, make_network

TOLERANCE = 1e-4  # greatest difference of a weight after six steps; sums are ordered otherwise
# The same of the sixteen steps of a toy pipeline: four passes, some 3e-6 of weights of some 0.5.
PIPELINE_TOLERANCE = 2e-5


def test_none_is_one_device():
    strategy = make_distribution()
    assert strategy is tf.distribute.get_strategy() and strategy.num_replicas_in_sync == 1


def test_every_piece_of_work_is_done_and_an_error_is_not_lost():
    done = {}
    side_by_side(lambda piece: done.__setitem__(piece, tf.zeros([]).device), range(7), ["CPU:0"])
    assert sorted(done) == list(range(7)) and all(name.endswith("CPU:0") for name in done.values())

    def fail(piece):
        raise ConfigError(f"piece {piece}")

    with pytest.raises(ConfigError, match="piece 3"):
        side_by_side(fail, [3])


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="^distribution=gpu: expected none, mirrored"):
        make_distribution("gpu")


def test_the_only_process_writes():
    assert is_chief(make_distribution())


@pytest.fixture(scope="module", name="folder")
def _folder():
    with tempfile.TemporaryDirectory() as folder:
        yield pathlib.Path(folder)


@pytest.fixture(scope="module", name="measured")
def _measured(folder):
    check(folder, measure, folder)
    return json.loads((folder / "measured.json").read_text())


def test_mirrored_uses_every_logical_device(measured):
    assert measured["replicas"] == 2


@pytest.mark.parametrize("case", ["plain", "clipped"])
def test_two_replicas_give_the_weights_of_one_device(measured, case):
    result = measured[case]
    assert result["difference"] < TOLERANCE
    assert result["change"] > 1_000 * TOLERANCE  # training did something
    for one, two in zip(*result["losses"], strict=True):
        assert two == pytest.approx(one, rel=1e-4)


def test_clipping_matters(measured):
    assert measured["clipped"]["losses"][0] != measured["plain"]["losses"][0]


def test_two_replicas_measure_what_one_device_does(measured):
    assert measured["evaluations"][0] == pytest.approx(measured["evaluations"][1], rel=1e-3)


def test_a_batch_must_be_a_multiple_of_the_replicas(measured):
    assert measured["error"] == "batch_size=5: expected a positive multiple of the 2 replicas"


def _npz_difference(first, second):
    with np.load(first) as one, np.load(second) as two:
        names = [name for name in one if name.startswith("weight")]
        return max(float(np.abs(one[name] - two[name]).max()) for name in names)


def test_two_replicas_share_a_pipeline(measured, folder):
    """Dropped paths, synchronised norms, validation, averages and all."""
    assert _npz_difference(folder / "one.npz", folder / "two.npz") < PIPELINE_TOLERANCE
    with np.load(folder / "one.npz") as one, np.load(folder / "two.npz") as two:
        np.testing.assert_allclose(two["history"], one["history"], atol=1e-4)


def test_parts_and_loss_scaling_on_two_replicas(measured):
    assert measured["gathered"] < PIPELINE_TOLERANCE


def test_a_batch_smaller_than_the_replicas(measured):
    assert measured["small"] == "batch_size=1: expected a positive multiple of the 2 replicas"


# Two workers.


def _free_ports():
    sockets = [socket.socket() for _ in range(2)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _start_workers(folder, *of_the_second):
    workers = [f"localhost:{port}" for port in _free_ports()]
    processes = []
    for index, more in enumerate(((), of_the_second)):
        task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        arguments = [str(folder / "checkpoints"), str(folder / f"worker{index}.npz"), "--workers"]
        processes.append(Forked(
            train_toy.main, [*arguments, *more], errors=folder / f"errors{index}",
            environment={"TF_CONFIG": json.dumps(task)},
        ))
    return processes


def test_a_killed_worker_ends_the_other_and_both_go_on(measured, folder):
    first, second = _start_workers(folder, "--kill=SIGKILL,1,2")
    assert second.wait() == -signal.SIGKILL
    since = time.monotonic()
    assert first.wait() > 0 and time.monotonic() - since < 60
    error = first.errors()
    lines = [line for line in error.splitlines() if line.startswith("toy:")]
    assert len(lines) == 1 and "another worker has ended" in lines[0], error[-2000:]
    again = _start_workers(folder)
    statuses = [process.wait() for process in again]
    assert statuses == [0, 0], [process.errors() for process in again]
    assert _npz_difference(folder / "worker0.npz", folder / "worker1.npz") == 0.0
    assert _npz_difference(folder / "one.npz", folder / "worker0.npz") < PIPELINE_TOLERANCE


# The program.


def _loss(model, batch, random, training):
    """Cross-entropy under noise on the images."""
    images = batch["image"]
    if training:
        images += 0.1 * random.normal(images.shape)
    logits = model(images, training=training)
    return {"loss": tf.nn.sparse_softmax_cross_entropy_with_logits(batch["label"], logits)}


def _train(strategy, data, **settings):
    with strategy.scope():
        model = build_network(
            np.array([[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]),
            [0, 2, 3, 4],
            input_shape=(8, 8, 1),
            num_classes=3,
            stem_channels=4,
            num_stacks=1,
            cells_per_stack=1,
            batch_norm_momentum=0.9,
        )
        optimizer = keras.optimizers.SGD(momentum=0.9)
    trainer = Trainer(model, optimizer, _loss, batch_size=8, distribution=strategy, **settings)
    trainer.reset(3)
    before = model.get_weights()
    history = trainer.fit(data, epochs=2, learning_rate=0.1)
    return before, model.get_weights(), history, trainer.evaluate(data)["loss"]


def _compare(strategy, data, **settings):
    before, one, history, evaluation = _train(tf.distribute.get_strategy(), data, **settings)
    _, two, other, other_evaluation = _train(strategy, data, **settings)
    result = {
        "difference": _largest(one, two),
        "change": _largest(one, before),
        "losses": [[logs["loss"] for logs in part] for part in (history, other)],
    }
    return result, [evaluation, other_evaluation]


def _largest(first, second) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True))


def measure(folder) -> None:
    """Trains on one device and on two replicas."""
    make_two_devices()
    strategy = make_distribution("mirrored")
    rng = np.random.default_rng(0)
    data = {
        "image": rng.random((25, 8, 8, 1), dtype=np.float32),
        "label": rng.integers(0, 3, 25).astype(np.int32),
    }
    plain, evaluations = _compare(strategy, data)
    clipped, _ = _compare(strategy, data, clip_norm=0.5)
    try:
        Trainer(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]),
                keras.optimizers.SGD(), _loss, batch_size=5, distribution=strategy)
        error = None
    except ConfigError as caught:
        error = str(caught)
    small, gathered = _train_pipelines(folder, strategy)
    (folder / "measured.json").write_text(json.dumps({
        "replicas": strategy.num_replicas_in_sync, "plain": plain, "clipped": clipped,
        "evaluations": evaluations, "error": error,
        "small": small, "gathered": gathered,
    }))


def _train_pipelines(folder, strategy):
    """Trains the toy network on both; returns the error of a small batch, and a difference."""
    train_toy.save(folder / "one.npz", train_toy.train())
    train_toy.save(folder / "two.npz", train_toy.train(distribution=strategy))
    gathered = []
    for distribution in (None, strategy):
        with (distribution or tf.distribute.get_strategy()).scope():
            model = make_network(norm=False, dropout=0.3)
        settings = Training(epochs=1, batch_size=8, clip_norm=0.5, accumulate=2, drop_path=0.3)
        trainer = make_classification_trainer(model, settings, distribution)
        trainer.step = TrainStep(
            model, trainer.optimizer, classification_loss(), names=trainer.names, batch_size=8,
            distribution=trainer.distribution, clip_norm=0.5, parts=2, loss_scaling=True,
        )
        trainer.fit(ToyPipeline(34), epochs=1, learning_rate=0.1)
        gathered.append(model.get_weights())
    try:
        train_toy.train(distribution=strategy, settings=Training(batch_size=1))
        error = None
    except ConfigError as caught:
        error = str(caught)
    return error, _largest(*gathered)

