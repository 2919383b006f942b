"""The arithmetic behind the speeds of `tools.benchmark`, and the most this machine can do of it.

Counted are the multiplications and additions of matrix products, from the shapes in the traced
programs: 2 m k n for [m, k] times [k, n]. Element-wise work, batch-norm and eigenvalues are left
out, so that the share of the peak is one of time as well as of arithmetic only where matrix
products are the limit: in pre-training, in studies that train encoders, in DNGO's predictions.

Shapes: B graphs of a batch, M cells, N nodes, O operation types, D embedding dimensions, H hidden
units of DNGO, Q queries.
"""

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from nas_tf.arch2vec import dngo
from nas_tf.arch2vec.predictor import BATCH_SIZE, AccuracyPredictor
from nas_tf.arch2vec.vgae import VGAE, make_loss

# Tall matrices against 128 x 128, the layers' width: rows of a batch of 32 cells of 7 nodes, of
# eight such, of a chunk of cells.
TALL_ROWS = (224, 1_792, 14_336)
SQUARE = 2_048
_WIDTH = 128
_TRIALS = 5
_TRIAL_SEC = 0.1
_PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")


def product_flops(function: Callable[..., Any], *shapes: tuple[int, ...]) -> int:
    """Counts the arithmetic of the matrix products in a function.

    The body of a loop counts once.

    Args:
        function: of float32 tensors.
        shapes: of its arguments.

    Raises:
        ValueError: a product has no static shape.
    """
    specs = [tf.TensorSpec(shape) for shape in shapes]
    return _graph_flops(tf.function(function).get_concrete_function(*specs).graph)


def _graph_flops(graph: tf.Graph) -> int:
    """Returns the arithmetic of a graph's products and of what it calls."""
    total = 0
    for operation in graph.get_operations():
        if operation.type in _PRODUCTS:
            total += _operation_flops(operation)
        for name in operation.node_def.attr:
            function = operation.node_def.attr[name].func.name
            if function:
                total += _graph_flops(graph._get_function(function).graph)
    return total


def _operation_flops(operation: tf.Operation) -> int:
    """Returns 2 m k n of one product, times the size of its batch."""
    first, result = operation.inputs[0].shape, operation.outputs[0].shape
    if not (first.is_fully_defined() and result.is_fully_defined()):
        raise ValueError(f"{operation.name}: {first} to {result} is no static shape")
    transposed = any(
        operation.node_def.attr[name].b for name in ("transpose_a", "adj_x")
        if name in operation.node_def.attr
    )
    return 2 * math.prod(result) * first[-2 if transposed else -1]


def pretraining_flops(model: VGAE, batch: int = 32) -> float:
    """Returns the arithmetic of pre-training a graph: loss and gradients of a batch, its share."""
    loss_of = make_loss()

    def step(adjacency, ops):
        with tf.GradientTape() as tape:
            loss = loss_of(model, {"adjacency": adjacency, "ops": ops}, _NoNoise(), True)["loss"]
        return tape.gradient(loss, model.trainable_variables)

    return product_flops(step, *_batch_shapes(model, batch)) / batch


def encoder_flops(model: AccuracyPredictor, num_cells: int, steps: int) -> int:
    """Returns the arithmetic of training a supervised encoder and embedding M cells with it."""

    def step(adjacency, ops):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model((adjacency, ops), training=True)[1])
        return tape.gradient(loss, model.trainable_variables)

    def embed(adjacency, ops):
        return model.encoder.encode(adjacency, ops)[0]

    trained = product_flops(step, *_batch_shapes(model.encoder, BATCH_SIZE))
    return steps * trained + num_cells * product_flops(embed, *_batch_shapes(model.encoder, 1))


def bayesian_flops(
    depth: int, num_cells: int, queries: int, *, num_initial: int = 16, epochs: int = 100
) -> float:
    """Returns the arithmetic of a run of arch2vec-BO with one cell a round.

    Args:
        depth: D.
        num_cells: M.
        queries: of the run.
        num_initial: of them, before the first model.
        epochs: of every network's training.
    """
    # Linear in the number of points: the mean round is the mean of the first and the last.
    rounds = queries - num_initial
    ends = [_round_flops(depth, num_cells, points, epochs) for points in (num_initial, queries - 1)]
    return rounds * sum(ends) / 2


def _round_flops(depth: int, num_cells: int, points: int, epochs: int) -> int:
    """Returns the arithmetic of one round with Q points."""
    weights, inputs, row = (1, depth + 2, dngo.HIDDEN), (1, points, depth + 1), (1, points)

    def epoch(*arrays):
        return dngo.train(*arrays, epochs=1, learning_rate=1e-2)

    def regress(weights, inputs, targets, known):
        return dngo.regress(dngo.hidden(weights, inputs), targets, known)

    def score(weights, cells, mean, root):
        return dngo.predict(dngo.hidden(weights, cells), mean, root, 1.0)

    hidden = dngo.HIDDEN
    return (
        epochs * product_flops(epoch, weights, inputs, row, row)
        + product_flops(regress, weights, inputs, row, row)
        + product_flops(score, weights[1:], (num_cells, depth + 1), (hidden,), (hidden, hidden))
    )


def matrix_peak(rows: int, width: int = _WIDTH) -> float:
    """Measures products [rows, width] times [width, width] in float32; returns GFLOP/s.

    The median of a few trials, each of a tenth of a second in one program.
    """
    first = tf.random.stateless_uniform([rows, width], (0, 0))
    second = tf.random.stateless_uniform([width, width], (0, 1))
    second /= tf.reduce_sum(second, axis=0)  # means of means: nothing grows, nothing vanishes

    @tf.function(autograph=False)
    def repeat(times):
        def product(number, value):
            return number + 1, tf.matmul(value, second)

        return tf.while_loop(lambda number, _: number < times, product, [0, first])[1]

    def seconds(times: int) -> float:
        started = time.monotonic()
        repeat(tf.constant(times)).numpy()
        return time.monotonic() - started

    seconds(1)
    times = 1
    while seconds(times) < _TRIAL_SEC:
        times *= 2
    taken = statistics.median(seconds(times) for _ in range(_TRIALS))
    return 2 * rows * width * width * times / taken / 1e9


def matrix_products(full: bool) -> dict[str, Any]:
    """Measures the matrix products of this machine."""
    del full
    figures = {f"tall_{rows}_gflops": matrix_peak(rows) for rows in TALL_ROWS}
    return figures | {"square_gflops": matrix_peak(SQUARE, SQUARE), "note": "TensorFlow, float32"}


def beside(figure: str, gflop: float, seconds: float, rows: int) -> dict[str, float]:
    """Returns what an item says of the arithmetic of one of its figures.

    Args:
        figure: its name.
        gflop: done.
        seconds: taken.
        rows: of the tall matrices that most products have; the peak is measured with them, now.
    """
    return {f"{figure}_gflops": gflop / seconds, f"{figure}_peak_gflops": matrix_peak(rows)}


class _NoNoise:
    """Stands in for a step's random numbers: shapes are all that is looked at."""

    def normal(self, shape) -> tf.Tensor:
        """Returns zeros."""
        return tf.zeros(shape)

    uniform = normal


def _batch_shapes(model: VGAE, batch: int) -> tuple[tuple[int, ...], ...]:
    """Returns the shapes of adjacency and operations, [B, N, N] and [B, N, O]."""
    nodes = model.num_nodes
    return (batch, nodes, nodes), (batch, nodes, model.num_ops)
