"""Curves, statistics and figures of studies, drawings of cells, TensorBoard."""
