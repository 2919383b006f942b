"""Measuring cells: look-ups in benchmark tables, and budgets. Nothing here trains a network."""
