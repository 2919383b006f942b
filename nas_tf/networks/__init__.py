"""Cell graphs turned into Keras networks."""

from nas_tf import backend as backend  # before Keras: refuses what the library does not run on
