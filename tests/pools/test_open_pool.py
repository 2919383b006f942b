"""Tests of searches of spaces that nobody has enumerated."""

import numpy as np
import pytest

from nas_tf import core
from nas_tf import search_loop
from nas_tf.baselines.categorical_reinforce import CategoricalReinforce
from nas_tf.baselines.evolution import RegularizedEvolution
from nas_tf.baselines.local_search import LocalSearch
from nas_tf.baselines.random_search import RandomSearch
from nas_tf.evaluators.budget import Budget
from nas_tf.graphpnas.explorer import Exploration, Explorer
from nas_tf.graphpnas.generator import GraphGenerator
from nas_tf.graphpnas.learning import Learning
from nas_tf.graphpnas.search import GraphSearch
from nas_tf.graphs import CellGraphs
from nas_tf.pools.open_pool import OpenPool
from nas_tf.spaces.graph_form import GraphDescription
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.spaces.space import SearchSpace

NODES, OPS = 24, 3


class Chains(SearchSpace):
    """Chains of 24 nodes with one of three operations each: 3^22 cells, no two isomorphic."""

    name, title, max_nodes, op_names = "chains", "chains", NODES, ("in", "a", "b", "c", "out")
    num_choices = (OPS,) * (NODES - 2)
    description = GraphDescription(
        NODES,
        num_node_labels=OPS,
        labelled_nodes=tuple(range(1, NODES - 1)),
        fixed_edges=tuple((node, node + 1) for node in range(NODES - 1)),
    )

    def cells_of(self, codes):
        """Returns the cells of codes int [..., 22]."""
        shape = codes.shape[:-1]
        ops = np.concatenate([np.zeros((*shape, 1)), codes + 1, np.full((*shape, 1), 4)], axis=-1)
        chain = np.eye(NODES, k=1, dtype=np.uint8)
        adjacency = np.broadcast_to(chain, (*shape, NODES, NODES))
        return CellGraphs(adjacency.copy(), ops.astype(np.int8), np.full(shape, NODES, np.int8))

    def random_cells(self, rng, shape):
        return self.cells_of(rng.integers(OPS, size=(*shape, NODES - 2)))

    def mutate(self, cells, rng):
        codes = self.encode(cells).reshape(-1, NODES - 2).copy()
        node = rng.integers(NODES - 2, size=len(codes))
        row = np.arange(len(codes))
        codes[row, node] = (codes[row, node] + rng.integers(1, OPS, len(codes))) % OPS
        return self.cells_of(codes.reshape(*cells.shape, -1))

    def encode(self, cells):
        return cells.ops[..., 1:-1] - np.int8(1)

    def decode(self, codes):
        return self.cells_of(codes), np.ones(codes.shape[:-1], bool)

    def graphs(self, cells):
        edges = cells.adjacency.astype(np.int8).swapaxes(-1, -2)
        labels = np.zeros(cells.ops.shape, np.int8)
        labels[..., 1:-1] = self.encode(cells)
        return edges, labels

    def cells(self, edges, labels):
        return self.decode(labels[..., 1:-1])


class ChainsWithNeighbours(Chains):
    """The same, with all 44 cells one edit away."""

    def neighbours(self, cells):
        codes = self.encode(cells)
        near = np.repeat(codes[:, None], 44, axis=1)
        for edit in range(44):
            near[:, edit, edit // 2] = (near[:, edit, edit // 2] + 1 + edit % 2) % OPS
        return self.cells_of(near.reshape(-1, NODES - 2)), np.repeat(np.arange(len(codes)), 44)


SPACE = ChainsWithNeighbours()


def evolving(space, seeds, cells=None):
    return RegularizedEvolution(
        cells, space, seeds=seeds, population_size=10, tournament_size=4
    )


def generating(space, seeds, restart=False):
    return GraphSearch(
        None,
        space,
        GraphGenerator(space.description, hidden=4, num_components=2, num_steps=1),
        seeds=seeds,
        learning=Learning(
            keep_top=5, epochs=2, period=10, num_samples=12, total_queries=40, restart=restart
        ),
        explorer=Explorer(space.description),
        exploration=Exploration("step", steps=10),
        space=space,
        jit_compile=False,
    )


STRATEGIES = {
    "random": lambda seeds: RandomSearch(None, SPACE, seeds=seeds),
    "evolution": lambda seeds: evolving(SPACE, seeds),
    "evolution by edits": lambda seeds: evolving(Chains(), seeds),
    "local": lambda seeds: LocalSearch(None, SPACE, seeds=seeds, full_neighbourhood=False),
    "categorical": lambda seeds: CategoricalReinforce(None, SPACE, seeds=seeds, space=SPACE),
    "graphpnas": lambda seeds: generating(SPACE, seeds),
}


@pytest.fixture(name="make", params=STRATEGIES, ids=lambda name: name.replace(" ", "-"))
def _make(request):
    """Returns a function from seeds to a strategy."""
    return STRATEGIES[request.param]


class Counting(core.Evaluator):
    """The accuracy is the share of the first operation; every third cell or so is infeasible."""

    def __init__(self, stop=None):
        self.stop = stop

    def evaluate(self, suggestion, query):
        if query == self.stop:
            raise KeyboardInterrupt
        cells = suggestion.cells
        feasible = cells.keys % np.uint64(3) > 0
        accuracy = np.where(feasible, (cells.ops == 1).mean(axis=-1), np.nan)
        return core.Evaluation(
            cells=cells,
            feasible=feasible,
            validation_accuracy=accuracy,
            test_accuracy=accuracy,
            cost_sec=np.ones(cells.shape),
            reason=np.where(feasible, "", "not today"),
        )


def run(strategy, queries=40, runs=2, stop=None, checkpoint=None):
    return search_loop.run_search(
        strategy, Counting(stop), Budget(queries), num_runs=runs, checkpoint=checkpoint
    ).history


def test_nothing_is_queried_twice_and_the_history_holds_the_cells(make):
    history = run(make([5, 6]))
    assert history.cells.shape == history.key.shape == (2, 40)
    for keys in history.key:
        assert len(np.unique(keys)) == 40
    np.testing.assert_array_equal(SPACE.cells_of(SPACE.encode(history.cells)).keys, history.key)


def test_a_run_of_a_study_equals_the_run_alone(make):
    study, alone = run(make([4, 5, 6]), 30, runs=3), run(make([5]), 30, runs=1)
    np.testing.assert_array_equal(study.key[1:2], alone.key)
    np.testing.assert_array_equal(study.cells.ops[1:2], alone.cells.ops)


@pytest.mark.parametrize("stop", [7, 23])
def test_a_fresh_process_goes_on_from_the_file(make, tmp_path, stop):
    whole = run(make([5, 6]))
    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {}, interval_sec=0)
    with pytest.raises(KeyboardInterrupt):
        run(make([5, 6]), stop=stop, checkpoint=checkpoint)
    resumed = run(make([5, 6]), checkpoint=checkpoint)
    for name, value in whole.arrays().items():
        np.testing.assert_array_equal(resumed.arrays()[name], value, err_msg=name)
    read = search_loop.read_history(tmp_path / "search.npz")
    np.testing.assert_array_equal(read.cells.adjacency, whole.cells.adjacency)
    np.testing.assert_array_equal(read.cells.keys, whole.key)


def test_searches_find_better_cells_than_chance():
    names = ("random", "evolution by edits", "local")
    best = {
        name: run(STRATEGIES[name](range(4)), 100, runs=4).validation_accuracy for name in names
    }
    best = {name: np.nanmax(found, axis=1).mean() for name, found in best.items()}
    assert min(best["evolution by edits"], best["local"]) > best["random"] + 0.1


def test_nasbench201_as_a_space_that_is_not_enumerated():
    """Cells are drawn as from the pool, a climb is a climb, and children are one edit away."""
    space = NasBench201Space()
    first = RandomSearch(None, space, seeds=range(3000)).suggest().cells
    edges = np.stack([(first.ops[:, 0, 1:-1] == op).mean(axis=0) for op in range(1, 6)])
    assert np.abs(edges - 0.2).max() < 0.03
    climb = LocalSearch(None, space, seeds=[0])
    keys = []
    for _ in range(25):
        suggestion = climb.suggest()
        keys.append(suggestion.cells.keys[0, 0])
        evaluation = Counting().evaluate(suggestion, 0)
        climb.update(core.Feedback(
            suggestion.cells, np.ones((1, 1), bool), np.full((1, 1), 0.5), evaluation.cost_sec,
            np.ones(1, bool),
        ))
    near, _ = space.neighbours(suggestion_of(space, keys[0]))
    assert set(keys[1:25]) == set(near.keys.tolist())  # all 24 neighbours of the first cell


def suggestion_of(space, key):
    cells = space.enumerate_cells()
    return cells[np.flatnonzero(cells.keys == key)]


def test_neighbours_come_in_the_order_of_their_keys():
    met, other = OpenPool(SPACE), OpenPool(SPACE)
    cell = SPACE.random_cells(np.random.default_rng(0), (1,))
    other.find(SPACE.neighbours(cell)[0][::-5])  # some are met before
    index = [pool.neighbours(pool.find(cell))[0] for pool in (met, other)]
    found = [pool.cells[near] for pool, near in zip((met, other), index)]
    assert (np.diff(found[0].keys.astype(object)) > 0).all() and found[0].shape == (44,)
    np.testing.assert_array_equal(found[0].keys, found[1].keys)
    np.testing.assert_array_equal(found[0].ops, found[1].ops)


def test_isomorphic_graphs_have_numbers_of_their_own_and_are_one_architecture():
    adjacency = np.zeros((2, 4, 4), np.uint8)
    adjacency[:, 0, 1:3] = adjacency[:, 1:3, 3] = 1
    ops = np.array([[0, 1, 2, 4], [0, 2, 1, 4]], np.int8)
    twins = CellGraphs(adjacency, ops, np.full(2, 4, np.int8))
    pool = OpenPool(SPACE)
    assert pool.find(twins).tolist() == [0, 1] and pool.find(twins[::-1]).tolist() == [1, 0]
    books = pool.queried(1)
    books.add(np.array([0]), np.array([1]))
    assert books.find(np.array([0]), np.array([[0, 1]]))[0].all()


def test_a_space_that_ends():
    class Three(Chains):
        def random_cells(self, rng, shape):
            codes = np.zeros((*shape, NODES - 2), int)
            codes[..., 0] = rng.integers(3, size=shape)
            return self.cells_of(codes)

    with pytest.raises(core.NasError, match="run 0: each of 4680 random cells of the space"):
        run(RandomSearch(None, Three(), seeds=[0]), 4, runs=1)


def test_neither_pool_nor_space():
    with pytest.raises(ValueError, match="cells=None: expected a pool of cells, or a space"):
        RandomSearch(seeds=[0])
