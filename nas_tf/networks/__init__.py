"""Cell graphs turned into Keras networks."""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do
