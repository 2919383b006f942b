"""nas_tf/baselines/gaussian_process_open.py: spaces that nobody can list."""

import numpy as np
import pytest

import nas_tf
from nas_tf import core
from nas_tf.baselines.gaussian_process_open import OpenGaussianProcess
from nas_tf.baselines.random_search import RandomSearch
from nas_tf.core import ConfigError
from nas_tf.spaces.enas import EnasSpace
from nas_tf.spaces.randwire import RandWireSpace

SMALL = {"num_edits": 30, "num_random": 20}


def accuracy(cells):
    """More edges are better, up to 160; every seventh graph is infeasible."""
    edges = cells.adjacency.sum(axis=(-2, -1), dtype=int)
    return np.where(cells.keys % np.uint64(7), 0.9 - np.abs(edges - 160) / 400, np.nan)


def run(search, queries):
    """Returns accuracies and keys of what is queried, [R, queries]."""
    found, keys = [], []
    for _ in range(queries):
        cells = search.suggest().cells
        values = accuracy(cells)
        search.update(core.Feedback(
            cells=cells, feasible=~np.isnan(values), validation_accuracy=values,
            cost_sec=np.ones(values.shape), active=np.ones(len(values), bool),
        ))
        found.append(values[:, 0])
        keys.append(cells.keys[:, 0])
    return np.stack(found, axis=1), np.stack(keys, axis=1)


def test_it_learns_where_random_search_does_not():
    space = RandWireSpace()
    found, keys = run(OpenGaussianProcess(space, seeds=[0, 1], **SMALL), 25)
    luck, _ = run(RandomSearch(None, space=space, seeds=[0, 1]), 25)
    assert (np.nanmax(found, axis=1) > np.nanmax(luck, axis=1) + 0.01).all()
    assert all(len(set(one)) == 25 for one in keys.tolist())


@pytest.mark.parametrize("space", [RandWireSpace(), EnasSpace()], ids=["randwire", "enas"])
def test_a_restored_search_goes_on_bit_for_bit(space):
    make = lambda: OpenGaussianProcess(space, seeds=[3], round_size=2, **SMALL)  # noqa: E731
    _, whole = run(make(), 13)
    search, other = make(), make()
    _, begun = run(search, 6)
    other.restore({name: np.array(value) for name, value in search.state().items()})
    _, rest = run(other, 7)
    assert np.concatenate([begun, rest], axis=1).tolist() == whole.tolist()


def test_a_run_is_the_run_alone():
    space = RandWireSpace()
    _, together = run(OpenGaussianProcess(space, seeds=[4, 5], **SMALL), 8)
    _, alone = run(OpenGaussianProcess(space, seeds=[5], **SMALL), 8)
    assert alone.tolist() == together[1:].tolist()


@pytest.mark.parametrize("name", ["num_edits", "num_random"])
def test_candidates_of_both_kinds_matter(name):
    space = EnasSpace()
    _, before = run(OpenGaussianProcess(space, seeds=[6], **SMALL), 8)
    _, after = run(OpenGaussianProcess(space, seeds=[6], **(SMALL | {name: 3})), 8)
    assert before.tolist() != after.tolist()


def test_the_recipe_takes_it_where_cells_cannot_be_listed():
    benchmark = nas_tf.benchmarks.measured(EnasSpace(), lambda value: 0.5)
    study = nas_tf.search(
        benchmark, nas_tf.GaussianProcess(gp_edits=5, gp_random=5), num_runs=1, num_queries=5,
        progress=False,
    )
    assert study.history.cells.shape == (1, 5)


def test_a_space_without_edits_is_refused():
    class Bare(RandWireSpace):
        def has(self, ability):
            return ability != "mutate" and super().has(ability)

    with pytest.raises(ConfigError, match="Gaussian process needs mutate"):
        nas_tf.search(
            nas_tf.benchmarks.measured(Bare(), lambda value: 0.5), nas_tf.GaussianProcess(),
            num_runs=1, num_queries=5,
        )
