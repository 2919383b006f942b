"""nas_tf/arch2vec/vgae.py."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.arch2vec import vgae
from nas_tf.core import ConfigError


class NoNoise:
    """A StepRandom whose normal numbers are 0 and whose uniform numbers are 1/2."""

    def normal(self, shape):
        return tf.zeros(shape)

    def uniform(self, shape):
        return tf.fill(shape, 0.5)


def _model(**settings):
    return vgae.VGAE(7, 5, hidden=(32, 32), seed=3, **settings)


def _chain(batch=2):
    """Input, 3x3, output and four padding nodes, [batch, 7, 7] and [batch, 7, 5]."""
    adjacency = np.zeros((batch, 7, 7), np.float32)
    adjacency[:, 0, 1] = adjacency[:, 1, 2] = 1
    ops = np.zeros((batch, 7, 5), np.float32)
    ops[:, 0, 0] = ops[:, 1, 2] = ops[:, 2, 4] = 1
    return adjacency, ops


def test_augment():
    adjacency = tf.constant([[[0.0, 1, 0], [0, 0, 1], [0, 0, 0]]])
    np.testing.assert_array_equal(vgae.augment(adjacency)[0], [[0, 1, 0], [1, 0, 1], [0, 1, 0]])


def test_kl_by_hand():
    standard = vgae.kl_divergence(tf.zeros((1, 2, 3)), tf.zeros((1, 2, 3)))
    np.testing.assert_allclose(standard, [0.0])
    # mean 1, std 1: 1/2 a dimension; mean 0, std 2: 1/2 (4 - 1) - ln 2 = 0.80685 a dimension
    np.testing.assert_allclose(vgae.kl_divergence(tf.ones((1, 2, 3)), tf.zeros((1, 2, 3))), [1.5])
    doubled = vgae.kl_divergence(tf.zeros((1, 2, 3)), tf.fill((1, 2, 3), float(np.log(2.0))))
    np.testing.assert_allclose(doubled, [2.4205585], rtol=1e-5)
    one_node = tf.constant([[[1.0], [0.0]]])
    np.testing.assert_allclose(vgae.kl_divergence(one_node, tf.zeros((1, 2, 1))), [0.25])


def test_kl_is_not_negative():
    rng = np.random.default_rng(0)
    mean, log_std = rng.normal(size=(2, 100, 7, 16)).astype(np.float32)
    assert (vgae.kl_divergence(mean, log_std).numpy() >= 0).all()


def test_adjacency_loss_by_hand():
    adjacency = tf.constant([[[0.0, 1], [0, 0]]])
    logits = tf.constant([[[2.0, 0.0], [0.0, -1.0]]])
    np.testing.assert_allclose(vgae.adjacency_loss(logits, adjacency), [0.6931472], rtol=1e-6)
    # entries: ln(1 + e^2) = 2.126928, ln 2 twice, ln(1 + e^-1) = 0.3132617
    np.testing.assert_allclose(vgae.adjacency_loss(logits, adjacency, "all"), [0.956621],
                               rtol=1e-5)


def test_operation_loss_by_hand():
    ops = tf.constant([[[1.0, 0], [0, 0]]])
    logits = tf.constant([[[0.0, 0.0], [9.0, -9.0]]])
    np.testing.assert_allclose(vgae.operation_loss(logits, ops), [0.6931472], rtol=1e-6)
    # entries: ln 2 twice, ln(1 + e^9) = 9.000123, ln(1 + e^-9) = 0.000123
    np.testing.assert_allclose(vgae.operation_loss(logits, ops, "sigmoid"), [2.596635], rtol=1e-5)


def test_padding_nodes_have_no_operation_term_unless_they_are_taught_the_output():
    _, ops = _chain(1)
    logits = np.zeros((1, 7, 5), np.float32)
    changed = logits.copy()
    changed[:, 3:] = 50.0 * np.arange(5)  # certain of 'output' at the padding nodes
    np.testing.assert_array_equal(vgae.operation_loss(logits, ops),
                                  vgae.operation_loss(changed, ops))
    taught = vgae.output_at_padding(tf.constant(ops))
    np.testing.assert_array_equal(taught[:, :3], ops[:, :3])
    np.testing.assert_array_equal(np.argmax(taught[:, 3:], axis=-1), [[4, 4, 4, 4]])
    np.testing.assert_allclose(vgae.operation_loss(logits, taught), [np.log(5)], rtol=1e-6)
    np.testing.assert_allclose(vgae.operation_loss(changed, taught), [np.log(5) * 3 / 7], rtol=1e-6)


def test_unknown_forms():
    with pytest.raises(ConfigError, match="^operation_loss=x: expected 'softmax' or 'sigmoid'"):
        vgae.operation_loss(tf.zeros((1, 2, 2)), tf.zeros((1, 2, 2)), "x")
    with pytest.raises(ConfigError, match="^adjacency_entries=x: expected 'upper' or 'all'"):
        vgae.adjacency_loss(tf.zeros((1, 2, 2)), tf.zeros((1, 2, 2)), "x")


def test_reparameterise_and_drop():
    sample = vgae.reparameterise(tf.ones((1, 1, 2)), tf.fill((1, 1, 2), float(np.log(3.0))),
                                 tf.constant([[[1.0, -1.0]]]))
    np.testing.assert_allclose(sample, [[[4.0, -2.0]]], rtol=1e-6)
    dropped = vgae.drop(tf.constant([2.0, 2.0]), tf.constant([0.19, 0.2]), 0.2)
    np.testing.assert_allclose(dropped, [0.0, 2.5])


def test_decoder_by_hand():
    model = _model()
    model.adjacency_bias.assign(-1.0)
    latent = np.zeros((1, 7, 16), np.float32)
    latent[0, 0, 0], latent[0, 1, 0] = 2.0, 3.0
    adjacency, ops = model.decode(latent)
    assert adjacency[0, 0, 1] == 5.0 and adjacency[0, 0, 2] == -1.0
    kernel, bias = model.operation_head.get_weights()
    np.testing.assert_allclose(ops[0, 1], 3 * kernel[0] + bias, rtol=1e-5)


def test_papers_decoder_has_no_bias():
    assert _model(adjacency_bias=False).adjacency_bias is None


def _two_equal_chains():
    """Input -> (3x3 -> 1x1) twice -> output: interior nodes 1, 2 and 3, 4 look alike in pairs."""
    adjacency = np.zeros((1, 7, 7), np.float32)
    for source, target in ((0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 5)):
        adjacency[0, source, target] = 1
    ops = np.zeros((1, 7, 5), np.float32)
    ops[0, range(6), [0, 2, 2, 1, 1, 4]] = 1
    return adjacency, ops


def test_positions_tell_interchangeable_nodes_apart():
    without, _ = _model(positions=False).encode(*_two_equal_chains())
    np.testing.assert_allclose(without[0, 1], without[0, 2], atol=1e-6)
    with_positions, _ = _model().encode(*_two_equal_chains())
    assert np.abs(with_positions[0, 1] - with_positions[0, 2]).max() > 1e-3


def test_default_size():
    model = vgae.VGAE()
    mean, log_std = model.encode(*_chain())
    assert mean.shape == log_std.shape == (2, 7, 16)
    assert len(model.graph_layers) == 4
    assert sum(weight.shape.num_elements() for weight in model.trainable_weights) == 121722


def test_embedding_is_invariant_when_interior_nodes_are_relabelled():
    rng = np.random.default_rng(0)
    upper = np.triu(rng.random((20, 7, 7)) < 0.4, 1).astype(np.float32)
    ops = np.zeros((20, 7, 5), np.float32)
    ops[:, 0, 0] = ops[:, 6, 4] = 1
    ops[np.arange(20)[:, None], np.arange(1, 6), rng.integers(1, 4, (20, 5))] = 1
    order = np.array([0, 3, 1, 5, 2, 4, 6])
    model = _model(positions=False)
    for gin in model.graph_layers:
        gin.eps.assign([0.3])
    mean, _ = model.encode(upper, ops)
    relabelled, _ = model.encode(upper[:, order][:, :, order], ops[:, order])
    np.testing.assert_allclose(mean.numpy()[:, order], relabelled, atol=1e-5)
    np.testing.assert_allclose(mean.numpy().sum(axis=1), relabelled.numpy().sum(axis=1), atol=1e-4)


@pytest.mark.parametrize("form", ["softmax", "sigmoid"])
@pytest.mark.parametrize("entries", ["upper", "all"])
def test_gradient_is_finite_at_extremes(form, entries):
    adjacency, ops = _chain(1)
    for scale in (0.0, 1e4, -1e4):
        logits = tf.Variable(tf.fill((1, 7, 7), scale))
        op_logits = tf.Variable(scale * tf.one_hot([[0, 1, 2, 3, 4, 0, 1]], 5))
        mean = tf.Variable(tf.fill((1, 7, 16), scale))
        log_std = tf.Variable(tf.fill((1, 7, 16), -40.0))
        with tf.GradientTape() as tape:
            loss = (vgae.adjacency_loss(logits, adjacency, entries)
                    + vgae.operation_loss(op_logits, ops, form) + vgae.kl_divergence(mean, log_std))
        assert np.isfinite(loss).all()
        for gradient in tape.gradient(loss, [logits, op_logits, mean, log_std]):
            assert np.isfinite(gradient).all()


@pytest.mark.parametrize("free_nats", [0.0, 2.0, 1e6])
def test_loss_function_adds_its_parts(free_nats):
    adjacency, ops = _chain()
    batch = {"adjacency": tf.constant(adjacency, tf.uint8), "ops": tf.constant(ops, tf.uint8)}
    model = _model()
    for training in (False, True):
        loss_function = vgae.make_loss(kl_weight=0.1, free_nats=free_nats, dropout=0.3)
        parts = loss_function(model, batch, NoNoise(), training)
        loss = parts["loss"]
        expected = parts["adjacency_loss"] + parts["operation_loss"]
        expected += 0.1 * np.maximum(parts["kl"] - free_nats, 0)
        np.testing.assert_allclose(loss, expected, rtol=1e-6)
        assert all(parts[name].shape == (2,) for name in ("loss", *vgae.METRIC_NAMES))


def test_weights_and_config_round_trip(tmp_path):
    model = _model(adjacency_bias=True)
    model.adjacency_bias.assign(-2.0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.settings == model.settings
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_seed_decides_the_weights():
    for one, other in zip(_model().get_weights(), _model().get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_encoder_of_graph_convolutions():
    model = _model(encoder="gcn")
    adjacency, ops = _chain(1)
    mean, log_std = model.encode(adjacency, ops)
    assert mean.shape == log_std.shape == (1, 7, 16)
    assert [type(layer).__name__ for layer in model.graph_layers] == ["DenseGCN"] * 2
    assert len(model.get_weights()) == 2 * 2 + 3 * 2 + 1
    again = vgae.VGAE(**model.settings)
    np.testing.assert_array_equal(again.encode(adjacency, ops)[0], mean)
    with pytest.raises(ConfigError, match="encoder=gat: expected 'gin' or 'gcn'"):
        _model(encoder="gat")


def test_settings_of_a_gin_do_not_name_the_encoder():
    """A model that was saved when there was no other keeps its checksum."""
    assert "encoder" not in _model().settings


class Noise(NoNoise):
    """A StepRandom whose normal numbers are 1."""

    def normal(self, shape):
        return tf.ones(shape)


def test_an_autoencoder_has_neither_noise_nor_divergence():
    adjacency, ops = _chain()
    batch, model = {"adjacency": adjacency, "ops": ops}, _model()
    plain = vgae.make_loss(variational=False, kl_weight=1.0, free_nats=0.0)
    quiet = plain(model, batch, NoNoise(), True)
    noisy = plain(model, batch, Noise(), True)
    np.testing.assert_array_equal(quiet["loss"], noisy["loss"])
    np.testing.assert_allclose(
        quiet["loss"], quiet["adjacency_loss"] + quiet["operation_loss"], rtol=1e-6
    )
    variational = vgae.make_loss(kl_weight=1.0, free_nats=0.0)
    assert (variational(model, batch, NoNoise(), True)["loss"] > quiet["loss"]).numpy().all()
