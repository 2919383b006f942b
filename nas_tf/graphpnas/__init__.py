"""GraphPNAS: an autoregressive generator of graphs that learns a distribution over good cells."""

from nas_tf import backend as backend  # before Keras: refuses what the library does not run on
