"""nas_tf/layers/class_probabilities.py: softmax with the names of classes."""

import keras
import numpy as np

from nas_tf.layers.class_probabilities import ClassProbabilities


def test_logits_become_probabilities():
    logits = np.log([[1.0, 2.0, 5.0], [2.0, 2.0, 4.0]]).astype(np.float32)
    found = ClassProbabilities(("a", "b", "c"))(logits)
    np.testing.assert_allclose(found, [[0.125, 0.25, 0.625], [0.25, 0.25, 0.5]], atol=1e-6)


def test_it_computes_in_float32_and_large_logits_do_no_harm():
    found = ClassProbabilities(("a", "b"))(np.array([[60000.0, 0.0]], np.float16))
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    np.testing.assert_array_equal(found, [[1.0, 0.0]])


def test_names_are_kept_by_serialisation():
    layer = ClassProbabilities(["1", 2], name="last")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.class_names == ("1", "2") and again.name == "last"
