"""Search spaces: enumerate, sample, mutate, encode and decode cells. NumPy only."""
