"""Everything that fits weights: the trainer and its distribution strategies."""

from nas_tf import backend as backend  # before Keras: refuses what the library does not run on
