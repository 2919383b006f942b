"""arch2vec: unsupervised embeddings of cells, and searches in them (Yan et al., 2020)."""

from nas_tf import backend as backend  # before Keras: refuses what the library does not run on
