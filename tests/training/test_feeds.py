"""nas_tf/training/feeds.py: which rows of a batch a replica reads, and a part of it."""

import numpy as np
import pytest
import tensorflow as tf

from nas_tf.training.feeds import ArrayFeed
from nas_tf.training.steps import Place


@pytest.mark.parametrize("replicas, parts", [(1, 1), (2, 1), (1, 3), (2, 3)])
def test_replicas_and_parts_divide_a_batch_of_arrays(replicas, parts):
    numbers = np.arange(24, dtype=np.int32)
    feed = ArrayFeed({"number": numbers}, 12, seed=0)
    feed.open(0, 0)
    whole = ArrayFeed.take(feed.arguments(), tf.constant(1))
    rows = [
        ArrayFeed.fetch(whole, Place(replica, replicas, part, parts))["number"].numpy()
        for replica in range(replicas) for part in range(parts)
    ]
    assert {len(some) for some in rows} == {12 // (replicas * parts)}
    order = feed.arguments()[1].numpy()
    assert np.concatenate(rows).tolist() == order[1].tolist()
    assert sorted(order.ravel().tolist()) == numbers.tolist()
