"""Architectures turned into Keras networks, and what these cost."""
