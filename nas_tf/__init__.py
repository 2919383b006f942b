"""nas_tf: neural architecture search for TensorFlow and Keras 3."""

__version__ = "0.1.0"
