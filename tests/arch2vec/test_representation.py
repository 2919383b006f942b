"""Tests of nas_tf.arch2vec.representation: the steps of an analysis, and what is taken up again."""

import dataclasses
import functools

import numpy as np
import pytest
from sklearn.manifold import TSNE

from nas_tf.arch2vec import latent_map
from nas_tf.arch2vec import representation as module
from nas_tf.arch2vec.representation import Analysis, Measured, Sizes
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.config import SettingError
from nas_tf.spaces.nasbench101 import NasBench101Space

SPACE = NasBench101Space(max_vertices=4)
CELLS = SPACE.enumerate_cells()
SIZES = Sizes(
    gp_cells=20, gp_seeds=2, supervised_steps=4, walk_cells=30, map_cells=50, num_walks=3,
    walk_length=5,
)  # fmt: skip
ACCURACY = 0.5 + 0.01 * CELLS.num_edges


@pytest.fixture(name="analysis")
def _analysis(tmp_path, monkeypatch):
    """Returns a function that makes an analysis; what a supervised encoder learns is random."""
    rng = np.random.default_rng(0)

    def learned(training, accuracy, *, num_cells, steps, seed):
        assert (num_cells, steps, seed) == (20, 4, 3) and accuracy is ACCURACY
        return rng.normal(size=(len(training), 4)).astype(np.float32)

    monkeypatch.setattr(module, "learned_embedding", learned)
    monkeypatch.setattr(latent_map, "TSNE", functools.partial(TSNE, max_iter=250))
    model = VGAE(SPACE.max_nodes, len(SPACE.op_names))

    def make(measured=Measured(CELLS, ACCURACY, "0" * 64)):
        return Analysis(
            model, SPACE, measured, sizes=SIZES, pooling="sum", seed=3, directory=tmp_path,
            make_training=lambda cells: cells,
        )  # fmt: skip

    return make


def _steps(directory):
    (found,) = directory.iterdir()
    return found


def test_two_embeddings_are_measured_where_accuracies_are_known(analysis, tmp_path):
    shown = []
    found = analysis().run(shown.append)
    assert [vectors.shape for vectors in shown] == [(91, 16)]
    assert len(found.cells) == 91
    for name in ("pre-trained", "supervised"):
        assert found.smoothness[name].walks.shape == (3, 5)
        assert found.distance[name].num_pairs <= 30 * 29 // 2
        assert found.prediction[name].rmse.shape[0] == 2
        assert found.prediction[name].counts[0].max() == 91 - 2 * 20  # the encoder's too
        assert found.map[name].points.shape == (50, 2)
    assert list(found.prediction) == ["pre-trained", "supervised", "path counts", "features"]
    assert found.prediction["features"].counts.tolist() == found.prediction["supervised"].counts.tolist()
    assert len(list(_steps(tmp_path).iterdir())) == 12


def test_the_published_threshold_stands_among_quantiles_which_it_divides():
    assert module._thresholds(np.array([0.5, 0.7, 0.98, np.nan])) == pytest.approx(
        [0.5, 0.52, 0.6, 0.7, 0.8, 0.84]
    )
    assert module._thresholds(np.array([0.5, 0.6, 0.7])) == pytest.approx([0.5, 0.51, 0.55, 0.6, 0.65])


def test_without_accuracies_there_is_one_embedding(analysis):
    found = analysis(None).run()
    assert list(found.smoothness) == list(found.distance) == ["pre-trained"]
    assert found.prediction == found.map == {}


def test_it_goes_on_where_it_was_killed(analysis, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "latent_map", interrupt)
        analysis().run()
    (_steps(tmp_path) / "distance_pre_trained.npz").write_bytes(b"damaged")
    monkeypatch.setattr(module, "embed_cells", None)  # is not called again
    monkeypatch.setattr(module, "predictive_power", _at_most(3, module.predictive_power))
    whole = analysis().run()
    again = analysis().run()  # all of it from its files
    for name in ("smoothness", "distance", "prediction", "map"):
        for embedding, values in getattr(whole, name).items():
            for field, array in vars(values).items():
                same = getattr(getattr(again, name)[embedding], field)
                np.testing.assert_array_equal(array, same)


def _at_most(times, function):
    """Returns a function that may be called some times."""
    calls = []

    def counted(*args, **options):
        calls.append(1)
        assert len(calls) <= times
        return function(*args, **options)

    return counted


def test_nothing_is_taken_up_from_another_table(analysis, tmp_path):
    analysis().run()
    analysis(Measured(CELLS, ACCURACY, "1" * 64)).run()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("values, expected", [
    ({"gp_cells": 45}, "gp_cells=45: expected at most 44, by the number of measured cells"),
    ({"walk_length": 92}, "walk_length=92: expected at most 91, by the number of cells of nasb"),
    ({"num_walks": 92}, "num_walks=92: expected at most 91"),
    ({"map_cells": 30}, "map_cells=30: expected more than 30 of the 91 measured cells"),
], ids=str)
def test_more_cells_than_there_are(values, expected):
    with pytest.raises(SettingError, match=expected):
        dataclasses.replace(SIZES, **values).check_cells(SPACE, ACCURACY)
    SIZES.check_cells(SPACE, ACCURACY)
