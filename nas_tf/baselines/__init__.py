"""Searches over discrete encodings that published comparisons measure themselves against."""
