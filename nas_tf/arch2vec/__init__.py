"""arch2vec: unsupervised embeddings of cells, and searches in them (Yan et al., 2020)."""
