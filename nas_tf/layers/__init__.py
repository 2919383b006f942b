"""Keras layers; importing this package registers all that a saved network may hold.

The layers of images run on every backend of Keras, those of graphs (on Spektral) on TensorFlow.
"""

from nas_tf.layers import keras_import as keras_import  # before Keras: tells why there is none

import keras

from nas_tf.layers import class_probabilities as class_probabilities
from nas_tf.layers import drop_path as drop_path
from nas_tf.layers import normalization as normalization
from nas_tf.layers import pixel_scaling as pixel_scaling
from nas_tf.layers import pooling as pooling
from nas_tf.layers import slicing as slicing
from nas_tf.layers import weighted_sum as weighted_sum

if keras.backend.backend() == "tensorflow":
    from nas_tf.layers import gcn as gcn
    from nas_tf.layers import gin as gin
