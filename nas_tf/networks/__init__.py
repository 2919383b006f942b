"""Cell graphs turned into Keras networks."""
