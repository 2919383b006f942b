"""GraphPNAS: an autoregressive generator of graphs that learns a distribution over good cells."""

# Before Keras: refuses what the library does not run on.
from nas_tf.layers import backend as backend
