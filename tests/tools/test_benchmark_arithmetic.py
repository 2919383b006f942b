"""The arithmetic behind benchmark figures, against counts worked out by hand."""

import keras
import pytest
import tensorflow as tf

from nas_tf.arch2vec.predictor import AccuracyPredictor
from nas_tf.arch2vec.vgae import VGAE
from tools import benchmark_arithmetic as arithmetic


@pytest.mark.parametrize(
    "function, shapes, flops",
    [
        (tf.matmul, [(3, 4), (4, 5)], 120),
        (lambda a, b: tf.matmul(a, b, transpose_a=True), [(4, 3), (4, 5)], 120),
        (lambda a, b: tf.matmul(a, b, transpose_b=True), [(2, 3, 4), (2, 5, 4)], 240),
        (lambda a, b: tf.matmul(a, b, transpose_a=True), [(2, 4, 3), (2, 4, 5)], 240),
        (tf.linalg.matvec, [(3, 4), (4,)], 24),
        (lambda a: a * a + 1.0, [(3, 4)], 0),
        (lambda a, b: tf.function(tf.matmul)(a, b) + tf.matmul(a, b), [(3, 4), (4, 5)], 240),
    ],
)
def test_products_are_counted(function, shapes, flops):
    assert arithmetic.product_flops(function, *shapes) == flops


def test_gradients_and_layers_are_counted():
    layer = keras.layers.Dense(5, use_bias=False)
    layer.build((None, 4))

    def step(values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            total = tf.reduce_sum(tf.square(layer(values)))
        return tape.gradient(total, [values, layer.kernel])

    assert arithmetic.product_flops(step, (3, 4)) == 3 * 120


def test_the_body_of_a_loop_counts_once():
    def loop(values, matrix):
        return tf.while_loop(
            lambda number, _: number < 7, lambda number, value: (number + 1, value @ matrix),
            [0, values],
        )[1]

    assert arithmetic.product_flops(loop, (3, 4), (4, 4)) == 96


def test_unknown_shapes_are_refused():
    with pytest.raises(ValueError, match="no static shape"):
        arithmetic.product_flops(tf.matmul, (None, 4), (4, 5))


def test_pretraining_of_a_graph():
    """Forward once; backward for inputs and for weights, without the first layer's inputs.

    7 nodes, 5 operations and a position, four GIN layers of two products 128 wide, two heads of 16;
    A h in every layer, z z^T.
    """
    nodes = 7
    first, wide, heads, operations = 6 * 128, 128 * 128, 2 * 128 * 16, 16 * 5
    layers = 2 * nodes * (2 * first + 3 * (7 * wide + heads + operations))
    # A^T of a gradient is another product; nothing needs the gradient of the first layer's input.
    neighbours = 2 * nodes * nodes * (6 + 2 * 3 * 128)
    decoder = 2 * nodes * nodes * 16 * 3
    found = arithmetic.pretraining_flops(VGAE(7, 5, seed=0))
    # Heads read one layer twice, and z z^T has two gradients; epsilon's needs no product.
    assert found == pytest.approx(layers + neighbours + decoder, rel=0.01)
    assert 5.0e6 < found < 5.3e6


def test_an_encoder_of_a_search():
    """What `predictor` says: 9 GFLOP a training of 50 steps, 29 to embed 15,625 cells."""
    model = AccuracyPredictor(8, 7)
    trained = arithmetic.encoder_flops(model, 0, 50)
    assert trained / 1e9 == pytest.approx(9.2, rel=0.05)
    embedded = arithmetic.encoder_flops(model, 15_625, 50) - trained
    assert embedded / 1e9 == pytest.approx(30, rel=0.05)


def test_a_run_of_bayesian_optimisation():
    depth, hidden, cells, queries = 16, 128, 1000, 21
    total = 0
    for points in range(16, queries):
        layer = 2 * points * (depth + 1) * hidden
        epoch = 2 * layer + 2 * points * hidden * 2  # hidden layer, its gradient, the output's
        regression = layer + 2 * points * hidden * hidden + 2 * points * hidden
        regression += 2 * 2 * hidden * hidden  # into and out of the eigenbasis
        scores = 2 * cells * ((depth + 1) * hidden + hidden * hidden + hidden)
        total += 100 * epoch + regression + scores
    assert arithmetic.bayesian_flops(depth, cells, queries) == total


def test_what_is_said_beside_a_figure(monkeypatch):
    monkeypatch.setattr(arithmetic, "_TRIAL_SEC", 0.0)
    figures = arithmetic.beside("a_sec", 12.0, 4.0, rows=16)
    assert set(figures) == {"a_sec_gflops", "a_sec_peak_gflops"}
    assert figures["a_sec_gflops"] == 3.0 and figures["a_sec_peak_gflops"] > 0
    assert set(arithmetic.matrix_products(full=False)) == {
        "square_gflops", "tall_224_gflops", "tall_1792_gflops", "tall_14336_gflops", "note"}
