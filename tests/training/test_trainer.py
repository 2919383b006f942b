"""nas_tf/training/trainer.py: steps worked by hand, exact resume, the same noise on replicas."""

import os
import signal
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.core import ConfigError
from nas_tf.training.progress import Checkpoint
from nas_tf.training.schedules import cosine_decay
from nas_tf.training.step_random import StepRandom
from nas_tf.training.trainer import Trainer
from tests.forked import Forked


def squared_error(model, batch, random, training):
    """(w x - y)^2 and the bit of every example, so that a sum tells which were used."""
    del random, training
    error = model(batch["x"])[:, 0] - batch["y"]
    return {"loss": tf.square(error), "bit": batch.get("bit", tf.zeros_like(error))}


def noisy_error(model, batch, random, training):
    """As above with noise on the target while training."""
    noise = random.normal([2]) + random.uniform([2])
    error = model(batch["x"])[:, 0] - batch["y"] - (noise if training else 0.0)
    return {"loss": tf.square(error), "bit": noise}


def make_trainer(loss_fn=squared_error, optimizer=None, weights=(0.5, 0.25), **settings):
    """A trainer of y = w x with two weights."""
    layer = keras.layers.Dense(1, use_bias=False)
    model = keras.Sequential([keras.Input((2,)), layer])
    model.set_weights([np.array(weights, np.float32)[:, None]])
    settings = {"batch_size": 2, "metric_names": ("bit",)} | settings
    return Trainer(model, optimizer or keras.optimizers.SGD(), loss_fn, **settings)


def weights(trainer):
    return trainer.model.get_weights()[0][:, 0]


TWO = {"x": np.array([[1, 0], [0, 2]], np.float32), "y": np.array([1, 2], np.float32)}


def random_data(count=11):
    rng = np.random.default_rng(0)
    return {
        "x": rng.normal(size=(count, 2)).astype(np.float32),
        "y": rng.normal(size=count).astype(np.float32),
        "bit": (2.0 ** np.arange(count)).astype(np.float32),
    }


class CallTimes(keras.callbacks.Callback):
    """Seconds of every compiled call."""

    saved_attributes = ()

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        self.started = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds.append(time.monotonic() - self.started)


def test_calls_that_begin_at_other_steps_compile_nothing():
    times = CallTimes()
    trainer = make_trainer(jit_compile=True, steps_per_call=2)
    trainer.fit(random_data(21), epochs=1, callbacks=[times])  # steps 0, 2, 4, 6 and 8
    assert len(times.seconds) == 5
    assert min(times.seconds[1:]) < times.seconds[0] / 50  # compiled anew it is a tenth


# Steps.


def test_one_step_by_hand():
    """Errors are -1/2 and -3/2; the gradient of their mean square is (-1/2, -3)."""
    trainer = make_trainer()
    history = trainer.fit(TWO, epochs=1, learning_rate=0.1)
    np.testing.assert_allclose(weights(trainer), [0.55, 0.55], rtol=1e-6)
    assert history == [{"loss": 1.25, "bit": 0.0}]  # before the step


@pytest.mark.parametrize("clip_norm, gradient", [(10.0, (3, 4)), (5.0, (3, 4)), (1.0, (0.6, 0.8))])
def test_the_gradient_is_clipped_to_its_norm(clip_norm, gradient):
    data = {"x": np.eye(2, dtype=np.float32), "y": np.array([-3, -4], np.float32)}
    trainer = make_trainer(weights=(0, 0), clip_norm=clip_norm)  # the gradient is (3, 4)
    trainer.fit(data, epochs=1, learning_rate=0.5)
    np.testing.assert_allclose(weights(trainer), -0.5 * np.array(gradient), rtol=1e-6)


@pytest.mark.parametrize("steps_per_call", [1, 2])
def test_calls_of_any_length_do_the_same(steps_per_call):
    results = []
    for steps in (100, steps_per_call):
        trainer = make_trainer(noisy_error, keras.optimizers.Adam(), steps_per_call=steps)
        results.append((trainer.fit(random_data(), epochs=3, learning_rate=0.1), weights(trainer)))
    np.testing.assert_array_equal(results[0][1], results[1][1])
    for one, other in zip(results[0][0], results[1][0], strict=True):
        assert one == pytest.approx(other, rel=1e-6)


def test_xla_does_the_same():
    """Save for noise: XLA's generator gives other numbers for the same seed."""
    results = []
    for jit_compile in (False, True):
        trainer = make_trainer(optimizer=keras.optimizers.Adam(), jit_compile=jit_compile)
        results.append((trainer.fit(random_data(), epochs=3, learning_rate=0.1), weights(trainer)))
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-5)
    for one, other in zip(results[0][0], results[1][0], strict=True):
        assert one == pytest.approx(other, rel=1e-5)


def test_examples_beyond_the_last_batch_sit_a_pass_out():
    trainer = make_trainer()
    history = trainer.fit(random_data(7), epochs=20, learning_rate=0.0)
    used = [round(logs["bit"] * 6) for logs in history]
    assert all(number.bit_count() == 6 for number in used)  # six different ones every pass
    assert len(set(used)) > 3  # and not always the same
    assert history[0]["loss"] > 0


def test_seeds_decide_the_order():
    runs = {}
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        trainer = make_trainer(seed=seed)
        runs[name] = trainer.fit(random_data(7), epochs=5, learning_rate=0.1)
    assert runs["one"] == runs["same"] != runs["other"]


def test_learning_rates_are_those_of_the_global_step():
    numbers = []

    def schedule(steps):
        numbers.append(steps.tolist())
        return np.where(steps == 4, 0.25, 0.0)

    trainer = make_trainer(steps_per_call=2)
    before = weights(trainer)
    trainer.fit(random_data(7), epochs=1, learning_rate=schedule)
    np.testing.assert_array_equal(weights(trainer), before)
    trainer.fit(random_data(7), epochs=2, learning_rate=schedule)
    assert numbers == [[0, 1], [2], [0, 1], [2], [3, 4], [5]]
    assert (weights(trainer) != before).all()


def test_cosine_decay():
    np.testing.assert_allclose(
        cosine_decay(0.5, 4)(np.arange(5)), [0.5, 0.4267767, 0.25, 0.0732233, 0.0], atol=1e-7
    )


def test_callbacks_see_steps_and_means():
    calls = []

    class Watcher(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            calls.append("begin")

        def on_epoch_begin(self, epoch, logs=None):
            calls.append(("epoch", epoch))

        def on_train_batch_end(self, batch, logs=None):
            calls.append((batch, sorted(logs)))

        def on_epoch_end(self, epoch, logs=None):
            calls.append(("end", epoch, logs))

        def on_train_end(self, logs=None):
            calls.append("end")

    trainer = make_trainer(steps_per_call=2)
    history = trainer.fit(random_data(), epochs=2, learning_rate=0.1, callbacks=[Watcher()])
    names = ["bit", "loss"]
    batches = [(1, names), (3, names), (4, names)]
    assert calls == [
        "begin",
        ("epoch", 0), *batches, ("end", 0, history[0]),
        ("epoch", 1), *batches, ("end", 1, history[1]),
        "end",
    ]


def test_batches_that_cannot_be():
    with pytest.raises(ConfigError, match="^batch_size=0: expected a positive multiple"):
        make_trainer(batch_size=0)
    with pytest.raises(ConfigError, match="^batch_size=3: there are only 2 examples"):
        make_trainer(batch_size=3).fit(TWO, epochs=1, learning_rate=0.1)


# Measuring.


def test_predict_and_evaluate_do_not_train():
    trainer = make_trainer(noisy_error)
    before = weights(trainer)
    predicted = trainer.predict(TWO)
    assert list(predicted) == ["loss", "bit"]
    np.testing.assert_allclose(predicted["loss"], [0.25, 2.25])
    assert predicted["loss"].dtype == np.float32 and predicted["loss"].shape == (2,)
    means = trainer.evaluate(TWO)
    assert means["loss"] == 1.25 and type(means["loss"]) is float
    np.testing.assert_array_equal(weights(trainer), before)
    assert int(trainer.optimizer.iterations) == 0


# Randomness.


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_replicas_share_the_noise_of_one_device(kind):
    shape = [4, 3, 2]
    whole = StepRandom(7, 3, 0, 1)
    halves = [StepRandom(7, 3, replica, 2) for replica in (0, 1)]
    for _ in range(3):  # every draw of the step
        expected = getattr(whole, kind)([8, 3, 2]).numpy()
        parts = [getattr(half, kind)(shape).numpy() for half in halves]
        np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_noise_depends_on_seed_step_and_draw():
    def draws(seed, step):
        random = StepRandom(seed, tf.constant(step), 0, 1)
        return [random.normal([50]).numpy() for _ in range(3)]

    numbers = np.array([draws(seed, step) for seed in (0, 1) for step in (0, 1)]).reshape(12, 50)
    assert len(np.unique(numbers.round(6))) == 600
    np.testing.assert_array_equal(draws(1, 0), numbers[6:9])
    np.testing.assert_array_equal(StepRandom(tf.constant(1), 0, 0, 1).normal([50]), numbers[6])
    uniform = StepRandom(0, 0, 0, 1).uniform([1000]).numpy()
    assert uniform.min() >= 0 and uniform.max() < 1 and abs(uniform.mean() - 0.5) < 0.05


# Reset.


def test_reset_forgets_everything():
    data = random_data()
    fresh = make_trainer(noisy_error, keras.optimizers.Adam(), seed=5)
    fresh.reset(5)
    expected = fresh.fit(data, epochs=2, learning_rate=0.1)
    used = make_trainer(noisy_error, keras.optimizers.Adam(), seed=1)
    before = used.fit(data, epochs=2, learning_rate=0.1)
    used.reset(5)
    assert not any(np.any(variable.numpy()) for variable in used.optimizer.variables)
    assert used.fit(data, epochs=2, learning_rate=0.1) == expected != before  # noise included
    np.testing.assert_array_equal(weights(used), weights(fresh))


def test_reset_of_a_model_with_dropout():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5, seed=3)])
    trainer = Trainer(model, keras.optimizers.SGD(), squared_error, batch_size=1)
    (state,) = model.variables

    def draw(seed):
        trainer.reset(seed)
        return state.numpy().tolist()

    assert draw(5) == draw(5) != draw(6)


def test_reset_draws_he_normal_weights():
    model = keras.Sequential([
        keras.Input((8, 8, 16)),
        keras.layers.Conv2D(64, 3),
        keras.layers.BatchNormalization(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(100),
    ])
    trainer = Trainer(model, keras.optimizers.SGD(), squared_error, batch_size=1)
    for variable in model.variables:
        variable.assign(np.full(variable.shape, 9.0))
    trainer.reset(0)
    convolution, _, gamma, beta, mean, variance, dense, bias = model.get_weights()
    assert convolution.std() == pytest.approx(np.sqrt(2 / (9 * 16)), rel=0.02)
    assert dense.std() == pytest.approx(np.sqrt(2 / 64), rel=0.03)
    assert abs(convolution.mean()) < 0.003
    assert (gamma == 1).all() and (variance == 1).all()
    assert not beta.any() and not mean.any() and not bias.any()
    first = dense
    trainer.reset(1)
    assert (model.get_weights()[6] != first).all()


# Resume.


class Stop(Exception):
    """Stands for the end of a process."""


class Stopper(keras.callbacks.Callback):
    """Ends a training after a batch of an epoch."""

    def __init__(self, epoch, batch, action):
        super().__init__()
        self._place, self._epoch, self._action = (epoch, batch), None, action

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self._epoch, batch) == self._place:
            self._action()


def train(directory=None, callbacks=(), epochs=4, settings=None):
    """Trains for `epochs` passes of five steps, one a call; returns history and trainer."""
    trainer = make_trainer(noisy_error, keras.optimizers.Adam(), steps_per_call=1, seed=3)
    checkpoint = None
    if directory is not None:
        checkpoint = Checkpoint(directory, settings or {"rate": 0.1}, interval_sec=0.0)
    history = trainer.fit(
        random_data(), epochs=epochs, learning_rate=cosine_decay(0.1, 20), callbacks=callbacks,
        checkpoint=checkpoint,
    )
    return history, trainer


@pytest.fixture(scope="module", name="whole")
def _whole():
    history, trainer = train()
    return history, [variable.numpy() for variable in variables(trainer)]


def variables(trainer):
    return [*trainer.model.variables, *trainer.optimizer.variables]


def assert_same(result, whole):
    history, trainer = result
    assert history == whole[0]
    for variable, expected in zip(variables(trainer), whole[1], strict=True):
        np.testing.assert_array_equal(variable.numpy(), expected)


def _raise():
    raise Stop


@pytest.mark.parametrize("epoch, batch", [(0, 0), (0, 3), (1, 0), (2, 2), (3, 4)])
def test_a_stopped_training_goes_on_exactly(tmp_path, whole, epoch, batch):
    with pytest.raises(Stop):
        train(tmp_path, [Stopper(epoch, batch, _raise)])
    assert_same(train(tmp_path), whole)


def test_a_finished_training_can_be_made_longer_or_left(tmp_path, whole):
    train(tmp_path, epochs=2)
    assert_same(train(tmp_path), whole)
    history, trainer = train(tmp_path, [Stopper(0, 0, _raise)])  # nothing is left to do
    assert_same((history, trainer), whole)


def test_a_checkpoint_does_not_change_the_training(tmp_path, whole):
    assert_same(train(tmp_path), whole)


def test_a_killed_process_goes_on_exactly(tmp_path, whole):
    """Killed in the middle of a pass, in another process."""
    process = Forked(train_and_die, tmp_path, errors=tmp_path / "errors")
    assert process.wait() == -signal.SIGKILL, process.errors()
    assert (tmp_path / "checkpoint").exists()
    assert_same(train(tmp_path), whole)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    train(tmp_path, epochs=1)
    with pytest.raises(ConfigError, match="rate was 0.1, is now 0.2"):
        train(tmp_path, settings={"rate": 0.2})


def train_and_die(directory):
    """Is the killed process."""
    train(directory, [Stopper(2, 2, lambda: os.kill(os.getpid(), signal.SIGKILL))])
