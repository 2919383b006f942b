"""nas_tf/layers/noise.py: whose random numbers layers draw."""

import threading

import keras
import numpy as np
import pytest

from nas_tf.layers import noise


class Constant:
    """A source of one number."""

    def __init__(self, value):
        self.value, self.shapes = value, []

    def uniform(self, shape):
        self.shapes.append(shape)
        return keras.ops.full(shape, self.value)


def test_a_source_is_asked_while_it_is_set():
    generator, outer, inner = keras.random.SeedGenerator(0), Constant(0.25), Constant(0.75)
    with noise.numbers_from(outer):
        np.testing.assert_array_equal(noise.uniform((2, 1), generator), [[0.25], [0.25]])
        with noise.numbers_from(inner):
            np.testing.assert_array_equal(noise.uniform((1,), generator), [0.75])
        np.testing.assert_array_equal(noise.uniform((1,), generator), [0.25])
    assert outer.shapes == [(2, 1), (1,)] and inner.shapes == [(1,)]
    numbers = np.asarray(noise.uniform((1000,), generator))
    assert numbers.dtype == np.float32 and 0 <= numbers.min() and numbers.max() < 1
    assert 0.45 < numbers.mean() < 0.55
    assert not np.array_equal(numbers, noise.uniform((1000,), generator))


def test_a_source_is_gone_after_an_error():
    with pytest.raises(KeyError), noise.numbers_from(Constant(0.5)):
        raise KeyError
    assert np.ptp(noise.uniform((9,), keras.random.SeedGenerator(0))) > 0


def test_a_source_is_its_threads_own():
    found = []
    with noise.numbers_from(Constant(0.5)):
        generator = keras.random.SeedGenerator(0)
        thread = threading.Thread(target=lambda: found.append(noise.uniform((9,), generator)))
        thread.start()
        thread.join()
    assert np.ptp(found[0]) > 0
