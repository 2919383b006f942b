"""Tests of nas_tf.arch2vec.predictor."""

import numpy as np
import pytest

from nas_tf import core
from nas_tf.arch2vec import predictor
from nas_tf.arch2vec.embedding import encoder_inputs


@pytest.fixture(scope="module")
def training(space, cells):
    """Trains encoders on the 91 cells of at most 4 vertices."""
    model = predictor.AccuracyPredictor(space.max_nodes, len(space.op_names))
    return predictor.PredictorTraining(model, space, cells, learning_rate=5e-3)


def task(count, steps=60, runs=3):
    """Returns seeds, batches and targets of runs that see `count` cells."""
    rng = np.random.default_rng(0)
    chosen = np.array([rng.choice(91, count, replace=False) for _ in range(runs)])
    seeds = [np.random.SeedSequence((run, 1)) for run in range(runs)]
    drawn = rng.integers(count, size=(runs, steps, predictor.BATCH_SIZE))
    batches = np.take_along_axis(chosen[:, None], drawn, axis=2).astype(np.int32)
    return seeds, batches, batches


def embeddings(training, seeds, batches, targets):
    found = {}
    training.embed(seeds, batches, targets, found.__setitem__)
    assert sorted(found) == list(range(len(seeds)))
    return np.stack([found[number] for number in range(len(seeds))])


def explained(embedding, values):
    """Returns the share of the variance of values [M] that is linear in embedding [M, D]."""
    inputs = np.concatenate([embedding, np.ones((len(embedding), 1))], axis=1)
    rest = values - inputs @ np.linalg.lstsq(inputs, values, rcond=None)[0]
    return 1.0 - rest.var() / values.var()


def test_the_embedding_is_that_of_the_autoencoders_encoder(space, cells):
    adjacency, ops = (a.astype(np.float32) for a in encoder_inputs(space, cells))
    for pooling, pool in (("sum", np.sum), ("mean", np.mean)):
        model = predictor.AccuracyPredictor(
            space.max_nodes, len(space.op_names), pooling=pooling, positions=False
        )
        embedding, accuracy = model((adjacency, ops))
        means, _ = model.encoder.encode(adjacency, ops)
        np.testing.assert_allclose(embedding, pool(means, axis=1), rtol=1e-5, atol=1e-6)
        assert accuracy.shape == (91,)
    with pytest.raises(core.ConfigError, match="pooling=max"):
        predictor.AccuracyPredictor(7, 5, pooling="max")


def test_it_learns_what_it_is_told(training, cells):
    """Accuracies are a product of two counts; 40 of 91 cells are seen."""
    convolutions = (cells.ops == 1).sum(axis=1) + 1.0
    values = np.log(convolutions * cells.num_edges)
    values = ((values - values.mean()) / values.std()).astype(np.float32)
    seeds, batches, _ = task(40)
    trained = embeddings(training, seeds, batches, values[batches])
    fresh = embeddings(training, seeds, batches[:, :1], values[batches[:, :1]])
    assert trained.shape == (3, 91, 16)
    for run in range(3):
        unseen = np.setdiff1d(np.arange(91), batches[run])
        assert np.linalg.norm(trained[run] - fresh[run]) > 1.0
        assert explained(trained[run][unseen], values[unseen]) > 0.9


def test_a_run_depends_on_its_own_seed_and_data_alone(training):
    seeds, batches, targets = task(20, steps=5)
    targets = targets.astype(np.float32) / 91
    together = embeddings(training, seeds, batches, targets)
    alone = embeddings(training, seeds[1:2], batches[1:2], targets[1:2])
    np.testing.assert_array_equal(alone[0], together[1])
    other = embeddings(training, seeds[:1], batches[1:2], targets[1:2])
    assert np.abs(other[0] - alone[0]).max() > 1e-3
    other = embeddings(training, seeds[1:2], batches[1:2], -targets[1:2])
    assert np.abs(other[0] - alone[0]).max() > 1e-3


def test_nothing_is_trained_without_a_gradient(training):
    """The autoencoder's own heads are not among what is trained."""
    model = predictor.AccuracyPredictor(7, 5)
    names = {variable.path for variable in model.trainable_variables}
    assert not any("log_std" in name or "operations" in name for name in names)
    assert any("mean" in name for name in names) and any("gin_3" in name for name in names)


def test_an_encoder_learns_from_some_cells_of_the_first_alone(training, cells):
    """60 of the pool's 91 cells have a place in the table, 50 an accuracy."""
    accuracy = 0.5 + 0.05 * cells.num_edges[:60]
    accuracy[::6] = np.nan
    options = {"num_cells": 30, "steps": 60, "seed": 5}
    found = predictor.learned_embedding(training, accuracy, **options)
    assert found.shape == (91, 16)
    assert explained(found[60:], cells.num_edges[60:].astype(float)) > 0.8
    again = predictor.learned_embedding(training, accuracy, **options)
    np.testing.assert_array_equal(again, found)
    other = predictor.learned_embedding(training, accuracy, **options | {"seed": 6})
    assert np.abs(other - found).max() > 1e-3
    for number in (1, 51):
        with pytest.raises(core.ConfigError, match=f"num_cells={number}: expected 2 to 50 cells"):
            predictor.learned_embedding(training, accuracy, **options | {"num_cells": number})
