"""arch2vec: unsupervised embeddings of cells, and searches in them (Yan et al., 2020)."""

# Before Keras: refuses what the library does not run on.
from nas_tf.layers import backend as backend
