"""What processes of `tests.forked` need."""

import pytest as pytest
import scipy.stats as stats
import tensorflow as tf

from nas_tf.training import classification as classification
