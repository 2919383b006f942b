"""Benchmark tables: measured accuracies and training times of cells, as columns."""
