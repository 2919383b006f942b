"""Keras layers on Spektral: graph encoders."""
