"""Searches over a pool of cells: what is one edit apart, what was queried, exact resume."""
