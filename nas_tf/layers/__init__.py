"""Keras layers on Spektral: graph encoders."""

from nas_tf import backend as backend  # before Keras: refuses what the library does not run on
