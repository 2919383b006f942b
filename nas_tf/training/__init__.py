"""Everything that fits weights: the trainer and its distribution strategies."""

# Before Keras: refuses what the library does not run on.
from nas_tf.layers import backend as backend
