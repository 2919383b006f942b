"""The module `model_spec`; the class itself is tested with the rest of the official interface."""

import numpy as np

from nas_tf.tables import graph_util, model_spec
from nas_tf.tables import nasbench101 as api
from nas_tf.tables import nasbench_api


def test_one_class_under_every_name():
    assert api.ModelSpec is model_spec.ModelSpec is nasbench_api.ModelSpec


def test_is_upper_triangular():
    assert model_spec.is_upper_triangular(np.array([[0, 1], [0, 0]]))
    assert not model_spec.is_upper_triangular(np.array([[0, 1], [1, 0]]))
    assert not model_spec.is_upper_triangular(np.array([[1, 1], [0, 0]]))


def test_its_hash_is_that_of_the_pruned_matrix_and_labels():
    matrix = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    spec = model_spec.ModelSpec(matrix, ["input", "b", "a", "output"])
    expected = graph_util.hash_module([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [-1, 1, -2])
    assert spec.hash_spec(["a", "b"]) == expected
