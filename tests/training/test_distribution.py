"""nas_tf/training/distribution.py, and the trainer on two replicas.

Two logical CPU devices must be made before TensorFlow starts, so this file is also a program: it
trains on one device and on two replicas and prints what it got.
"""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.core import ConfigError
from nas_tf.networks.nasbench101 import build_network
from nas_tf.training.distribution import make_distribution, side_by_side
from nas_tf.training.trainer import Trainer

ROOT = pathlib.Path(__file__).parents[2]
TOLERANCE = 1e-4  # greatest difference of a weight after six steps; sums are ordered otherwise


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


@pytest.fixture(scope="module", name="measured")
def _measured():
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"}
    result = subprocess.run(
        [sys.executable, __file__], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


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


def _main() -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
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
    print(json.dumps({
        "replicas": strategy.num_replicas_in_sync, "plain": plain, "clipped": clipped,
        "evaluations": evaluations, "error": error,
    }))


if __name__ == "__main__":
    _main()
