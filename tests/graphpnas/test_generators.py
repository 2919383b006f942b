"""Probabilities of graphs: exact where every graph of a space can be listed."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from nas_tf.core import ConfigError
from nas_tf.spaces.graph_form import RANDWIRE, GraphDescription, all_graphs
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.graphpnas.distribution import GraphDistribution
from nas_tf.graphpnas.generator import GraphGenerator
from nas_tf.graphpnas.rows import (
    Graphs,
    graph_log_prob,
    num_uniform,
    row_log_prob,
    sample_graphs,
)


@pytest.fixture(scope="module")
def everything(description):
    """All graphs of the space, for both runs."""
    return Graphs(*(tf.constant(np.stack([array] * 2)) for array in all_graphs(description)))


@pytest.fixture(scope="module")
def log_prob(generator, weights, everything):
    """Their log-probabilities, float32 [2, B]."""
    return graph_log_prob(generator, weights, everything).numpy()


def flat(graphs):
    """Returns graphs as rows of numbers, int [..., :]."""
    edges, labels = (np.asarray(array) for array in graphs)
    return np.concatenate([edges.reshape(*labels.shape[:-1], -1), labels], axis=-1)


def counts(graphs, everything):
    """Returns how often each of all graphs was drawn, int [B]; none may be missing from them."""
    indices = {tuple(row): index for index, row in enumerate(flat(everything)[0].tolist())}
    drawn = [indices[tuple(row)] for row in flat(graphs).tolist()]
    return np.bincount(drawn, minlength=len(indices))


def test_probabilities_sum_to_one(log_prob):
    np.testing.assert_allclose(np.exp(log_prob.astype(np.float64)).sum(axis=1), 1.0, atol=1e-5)
    assert log_prob.max() < 0 and log_prob[0].std() > 0.3


def test_frequencies_of_samples_match(generator, weights, everything, log_prob):
    uniform = np.random.default_rng(1).random(
        (2, 20_000, len(generator.description.rows), num_uniform(generator.description)), np.float32
    )
    draw = tf.function(lambda numbers: sample_graphs(generator, weights, numbers))
    graphs = draw(tf.constant(uniform))
    for run in range(2):
        found = counts(Graphs(*(array[run] for array in graphs)), everything)
        assert_drawn_from(found, np.exp(log_prob[run].astype(np.float64)))


def assert_drawn_from(found, probability):
    """Fails if counts, int [B], are not of these probabilities, float64 [B].

    Graphs drawn often are compared by chi-squared. Every graph alone, however rare, is held to the
    exact binomial tails: one of probability 1e-9 must not be drawn even once in 20,000.
    """
    total = found.sum()
    below = scipy.stats.binom.cdf(found, total, probability)
    above = scipy.stats.binom.sf(found - 1, total, probability)
    assert min(below.min(), above.min()) > 1e-4 / len(found)
    often = total * probability >= 5
    expected = np.append(probability[often], max(1 - probability[often].sum(), 1e-12))
    merged = np.append(found[often], found[~often].sum())
    if merged[-1] == 0 and total * expected[-1] < 5:
        expected, merged = expected[:-1], merged[:-1]
    expected *= merged.sum() / expected.sum()
    assert scipy.stats.chisquare(merged, expected).pvalue > 1e-3


@pytest.mark.parametrize("found", [
    [9_900, 10_099, 1],  # the last is impossible
    [9_000, 11_000, 0],  # and this is not one half
], ids=["impossible", "unequal"])
def test_frequencies_that_are_wrong_are_noticed(found):
    assert_drawn_from(np.array([9_950, 10_050, 0]), np.array([0.5, 0.5, 1e-12]))
    with pytest.raises(AssertionError):
        assert_drawn_from(np.array(found), np.array([0.5, 0.5, 1e-12]))


def test_sampling_and_scoring_agree_row_for_row(generator, weights, everything):
    """A row's logits do not change when later rows are known, nor when others are asked for."""
    description = generator.description
    rows = tf.constant(description.rows)
    together = generator.rows(weights, everything, rows)
    scores = row_log_prob(
        description,
        together,
        tf.gather(everything.edges, rows, axis=-2),
        tf.gather(everything.labels, rows, axis=-1),
    )
    for number, row in enumerate(description.rows):
        before = np.arange(description.num_nodes) < row
        known = Graphs(
            everything.edges * before[:, None].astype(np.int8),
            everything.labels * before.astype(np.int8),
        )
        alone = generator.rows(weights, known, tf.constant([row]))
        score = row_log_prob(
            description, alone, everything.edges[:, :, row][:, :, None],
            everything.labels[:, :, row][:, :, None],
        )
        np.testing.assert_allclose(score[..., 0], scores[..., number], rtol=1e-4, atol=1e-4)


def test_the_order_of_a_batch_does_not_matter(generator, weights, everything, log_prob):
    order = np.random.default_rng(2).permutation(log_prob.shape[1])
    permuted = Graphs(*(tf.gather(array, order, axis=1) for array in everything))
    found = graph_log_prob(generator, weights, permuted)
    np.testing.assert_allclose(found, log_prob[:, order], rtol=1e-5, atol=1e-5)


def test_runs_do_not_touch_each_other(generator, weights, everything, log_prob):
    for run in range(2):
        alone = {name: value[run : run + 1] for name, value in weights.items()}
        graphs = Graphs(*(array[run : run + 1] for array in everything))
        found = graph_log_prob(generator, alone, graphs)
        np.testing.assert_allclose(found[0], log_prob[run], rtol=1e-5, atol=1e-5)


def test_gradients_match_finite_differences(generator, weights, everything):
    rng = np.random.default_rng(3)
    coefficients = rng.standard_normal((2, everything.labels.shape[1])).astype(np.float32)
    direction = {
        name: tf.constant(rng.standard_normal(value.shape).astype(np.float32))
        for name, value in weights.items()
    }
    small = {name: value / 3.0 for name, value in weights.items()}  # where curvature is small

    def value(step):
        moved = {name: small[name] + step * direction[name] for name in small}
        found = graph_log_prob(generator, moved, everything)
        return float(tf.reduce_mean(coefficients * found))

    with tf.GradientTape() as tape:
        tape.watch(small)
        mean = tf.reduce_mean(coefficients * graph_log_prob(generator, small, everything))
    gradients = tape.gradient(mean, small, unconnected_gradients="zero")
    slope = sum(float(tf.reduce_sum(gradients[name] * direction[name])) for name in small)
    step = 1e-3
    found = (8 * (value(step) - value(-step)) - (value(2 * step) - value(-2 * step))) / (12 * step)
    assert found == pytest.approx(slope, rel=0.02, abs=2e-3)


def test_the_distribution_of_tensorflow_probability(generator, weights, everything, log_prob):
    graphs = GraphDistribution(generator, weights, jit_compile=False)
    size = generator.description.num_nodes
    assert graphs.batch_shape == [2]
    assert graphs.event_shape == Graphs(tf.TensorShape([size, size]), tf.TensorShape([size]))
    samples = graphs.sample((3, 5), seed=(1, 0))
    assert samples.edges.shape == (3, 5, 2, size, size) and samples.labels.dtype == tf.int8
    np.testing.assert_array_equal(flat(samples), flat(graphs.sample((3, 5), seed=(1, 0))))
    assert (flat(samples) != flat(graphs.sample((3, 5), seed=(2, 0)))).any()
    single = Graphs(everything.edges[0][:, None], everything.labels[0][:, None])
    np.testing.assert_allclose(
        tf.transpose(graphs.log_prob(single)), log_prob, rtol=1e-4, atol=1e-4
    )
    entropy = -(np.exp(log_prob) * log_prob).sum(axis=1)
    np.testing.assert_allclose(graphs.entropy_estimate(2000, seed=(3, 0)), entropy, atol=0.15)


def test_the_most_probable_graphs(generator, weights, everything, log_prob):
    graphs, found = GraphDistribution(generator, weights).most_probable(5, width=200)
    np.testing.assert_allclose(found, -np.sort(-log_prob, axis=1)[:, :5].T, rtol=1e-4, atol=1e-4)
    best = np.argmax(log_prob, axis=1)
    mode = GraphDistribution(generator, weights).mode()
    assert mode.edges.shape == graphs.edges.shape[1:]
    for run in range(2):
        first = Graphs(graphs.edges[0, run], graphs.labels[0, run])
        assert flat(first).tolist() == flat(Graphs(mode.edges[run], mode.labels[run])).tolist()
        assert flat(first).tolist() == flat(everything)[run, best[run]].tolist()


def test_a_graph_outside_the_space_has_no_probability():
    description = GraphDescription(3, fixed_edges=((0, 1),))
    generator = GraphGenerator(description, hidden=4, num_components=2, num_steps=1)
    weights = {
        name: value[None]
        for name, value in generator.initial_weights(np.random.default_rng(0)).items()
    }
    without = Graphs(np.zeros((1, 3, 3), np.int8), np.zeros((1, 3), np.int8))
    assert GraphDistribution(generator, weights).log_prob(without)[0] <= -1e4


def test_sizes_of_published_spaces():
    generator = GraphGenerator(NasBench101Space().graph_form().description)
    weights = generator.initial_weights(np.random.default_rng(0))
    assert weights["theta_out"].shape == (128, 10)
    assert weights["beta_out"].shape == (128, 3)
    assert sum(name.endswith("_message") for name in weights) == 7
    with pytest.raises(ConfigError, match="row 17 has 1.31e"):
        small = GraphGenerator(RANDWIRE, hidden=2, num_components=1, num_steps=1)
        alone = {
            name: tf.constant(value[None])
            for name, value in small.initial_weights(np.random.default_rng(0)).items()
        }
        GraphDistribution(small, alone).most_probable(1)
