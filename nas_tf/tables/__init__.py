"""Benchmark tables: measured accuracies and training times of cells, as columns.

`query` says what a table knows of given cells; see `cell_query`.
"""

from nas_tf.tables.cell_query import query

__all__ = ("query",)
