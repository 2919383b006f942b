"""Tests of random numbers that are functions of (seed, epoch, image)."""

import numpy as np
import tensorflow as tf

from nas_tf.datasets import random_numbers

MASK = (1 << 64) - 1


def mix(state):
    """SplitMix64's finaliser in Python's own integers."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


def uniform(key, images, count):
    return random_numbers.uniform(tf.constant(key, tf.uint64), tf.constant(images, tf.int64), count)


def test_splitmix_gives_its_published_first_numbers():
    # Of seed 0: 0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4.
    assert mix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF
    assert mix(2 * 0x9E3779B97F4A7C15 & MASK) == 0x6E789E6AA1B965F4


def test_numbers_follow_the_definition():
    golden, key, image = 0x9E3779B97F4A7C15, 2**63 + 12345, 7
    start = mix((key + mix((image + 1) * golden & MASK)) & MASK)
    expected = [(mix((start + (j + 1) * golden) & MASK) >> 40) / 2**24 for j in range(5)]
    np.testing.assert_array_equal(uniform(key, [image], 5)[0], expected)


def test_a_row_depends_on_its_image_alone():
    many = uniform(9, np.arange(50), 8).numpy()
    np.testing.assert_array_equal(uniform(9, [31, 4], 8), many[[31, 4]])
    np.testing.assert_array_equal(uniform(9, np.arange(50), 3), many[:, :3])
    assert not np.array_equal(uniform(10, np.arange(50), 8), many)


def test_numbers_are_uniform_and_independent():
    found = uniform(random_numbers.key_of(1, 2), np.arange(20_000), 4).numpy()
    assert found.min() >= 0 and found.max() < 1
    np.testing.assert_allclose(found.mean(axis=0), 0.5, atol=0.01)
    np.testing.assert_allclose(found.var(axis=0), 1 / 12, atol=0.002)
    pairs = np.concatenate([found[:-1], found[1:]], axis=1)  # of neighbouring images
    np.testing.assert_allclose(np.corrcoef(pairs.T), np.eye(8), atol=0.03)


def test_keys_differ_by_seed_and_epoch():
    keys = {random_numbers.key_of(seed, epoch) for seed in range(10) for epoch in range(10)}
    assert len(keys) == 100
    assert random_numbers.key_of(3, 4) == random_numbers.key_of(3, 4) < 2**64
