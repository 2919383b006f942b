"""Random batches of a few examples."""

import numpy as np

from nas_tf.training.batches import shuffled_batches


def test_batches_are_passes_over_the_examples():
    examples = np.array([3, 5, 8, 13, 21])
    batches = shuffled_batches(np.random.default_rng(0), examples, 5, 32)
    assert batches.shape == (5, 32)
    passes = batches.ravel().reshape(-1, 5)
    assert (np.sort(passes, axis=1) == examples).all()
    assert len(np.unique(passes, axis=0)) > 20
