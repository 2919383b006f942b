"""Keras layers on Spektral: graph encoders."""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do
